"""The account's guardrails, compared before and after each attempt to change the account."""

from collections.abc import Sequence
from datetime import datetime

from rolecall import milliseconds
from services.team.domain.account_access import AccountAccess
from services.team.domain.account_policy import AccountPolicy, changes_grants
from services.team.domain.accounts import Account
from services.team.domain.guardrail_violations import GuardrailViolated, Held, added, told_to
from services.team.domain.override_scope import NO_OVERRIDES, OverrideScope, counted, touched
from services.team.store import Store
from services.team.use_cases.attempt import Attempt
from shared.contracts.facts import Fact
from shared.mongo import Lost


class OverridesUnread(Lost):
    """The change touches grants whose overrides were not read; the next attempt reads them."""

    def __init__(self, scope: OverrideScope) -> None:
        super().__init__("overrides")
        self.scope = scope


class GuardrailWrites(Attempt):
    """The check of the guardrails; an account without any pays nothing."""

    _policy: AccountPolicy | None = None
    _before: Held | None = None
    """Who holds what under it; a page of provisioning is measured several times."""
    _scope = NO_OVERRIDES

    async def account_policy(self, account: Account, scope: OverrideScope) -> AccountPolicy:
        """What decides in the account, as this attempt reads it."""
        return await self._store.account_policy(account, scope, self._session)

    async def watch_guardrails(self, account: Account | None, scope: OverrideScope) -> None:
        """Read what decides before the change, if the account has guardrails.

        Of the overrides that is `scope`, and what guardrails count. Guardrails do not keep the rows
        of a deleted account from being deleted.
        """
        if account is not None and account.guardrails and not account.purging:
            self._scope = scope | counted(account.guardrails)
            self._policy = await self.account_policy(account, self._scope)

    def measure_after(self, facts: Sequence[Fact]) -> None:
        """Measure from what these facts make of the account: a dry run has not saved them."""
        if self._policy is not None:
            self._policy = self._policy.after(facts)

    async def require_guardrails(
        self, account: Account, facts: Sequence[Fact], *, access: AccountAccess | None
    ) -> None:
        """Check that the account, as the change leaves it, contradicts no guardrail more.

        A refusal names members to those who may see them; `access` is that of the acting member.

        Raises:
            GuardrailViolated: the change adds a violation, or makes one worse.
            OverridesUnread: it cannot be said yet.
        """
        policy = self._policy
        if policy is None or not changes_grants(facts):
            return
        needed = touched(policy, facts)
        if not self._scope.covers(needed):
            raise OverridesUnread(needed)
        if self._before is None:
            self._before = await held_in(self._store, policy, now=self.now)
        after = await held_in(self._store, policy.after(facts), now=self.now)
        violations = added(account.guardrails, self._before, after)
        if violations:
            raise GuardrailViolated(
                *(violations if access is None else told_to(access, violations))
            )


async def held_in(store: Store, policy: AccountPolicy, *, now: datetime) -> Held:
    """Who holds what under a policy, by the catalog that it names."""
    catalog = await store.published(policy.account.catalog)
    return Held(policy=policy, state=policy.state(catalog), now=milliseconds(now))
