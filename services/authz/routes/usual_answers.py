"""The answers to bodies that the compiled module decides, single checks and batches.

Of everything else it says `None`, and the path that has every rule answers. What is noted of a
decision is the same on both.
"""

from datetime import datetime
from types import ModuleType

from rolecall import Decision
from services.authz.domain.asked import AskedResource
from services.authz.domain.batches import STEPS_OF_EVALUATION, STEPS_OF_TURN
from services.authz.domain.checks import CHECK_SCOPE, PermissionCheck
from services.authz.domain.decision_counts import Denied
from services.authz.routes.answer_texts import decision_text
from services.authz.use_cases.context import Ctx
from shared.auth.principals import ClientPrincipal, Principal
from shared.http.problem_responses import END_OF_LINE

MOST_AT_ONCE = STEPS_OF_TURN // STEPS_OF_EVALUATION
"""The evaluations of a batch that are answered in one turn of the loop."""

Found = tuple[Decision, str, str, str, str, str | None]
"""The decision, the account, the user, the permission, the resource, and its project if any."""


class UsualAnswers:
    """Answers of one replica to usual bodies."""

    def __init__(self, ctx: Ctx, compiled: ModuleType) -> None:
        self._ctx = ctx
        self._one, self._several = compiled.one, compiled.several
        self._sign_ins, self._clock = ctx.sign_ins, ctx.clock
        self._count, self._note_denied = ctx.counter.counted, ctx.denials.note
        self._note_active = ctx.activity.note

    def one(self, principal: Principal, body: bytes) -> bytes | None:
        """The answer to a single evaluation; `None` if it is not usual, or must be refused."""
        ctx = self._ctx
        if not self._may_be_usual(principal):
            return None
        policy, now = ctx.policy, self._clock.now()
        found = self._one(
            body, policy.states, policy.external_ids.accounts, self._sign_ins.disabled_users
        )
        # The leases are tested after the look; what may not be told is refused by the other path.
        if found is None or not ctx.holds():
            return None
        self._note(found, principal, now)
        return decision_text(found[0], ctx.revision(found[1])) + END_OF_LINE

    def several(self, principal: Principal, body: bytes) -> bytes | None:
        """The answer to a batch; `None` if one of its evaluations is not usual."""
        ctx = self._ctx
        if not self._may_be_usual(principal):
            return None
        policy, now = ctx.policy, self._clock.now()
        every = self._several(
            body,
            policy.states,
            policy.external_ids.accounts,
            self._sign_ins.disabled_users,
            MOST_AT_ONCE,
        )
        if every is None or not ctx.holds():
            return None
        texts: list[bytes] = []
        account_id = revision = None
        for found in every:
            if found[1] is not account_id:
                account_id = found[1]
                revision = ctx.revision(account_id)
            self._note(found, principal, now)
            texts.append(decision_text(found[0], revision))
        return b'{"evaluations":[%s]}' % b",".join(texts) + END_OF_LINE

    def _may_be_usual(self, principal: Principal) -> bool:
        """Whether the caller may check everything, and no allow is counted for an account."""
        if not isinstance(principal, ClientPrincipal) or self._ctx.allows.any:
            return False
        client = self._sign_ins.client(principal.client_id)
        return (
            client is not None
            and client.account_ids is None
            and client.resource_types is None
            and CHECK_SCOPE in client.scopes
        )

    def _note(self, found: Found, principal: Principal, now: datetime) -> None:
        """Count a decision about an active member, and note what it says of them."""
        decision, account_id, user_id, permission, resource_id, project_id = found
        self._note_active(account_id, user_id, now)
        if not decision.allowed:
            denied = Denied(
                account_id, user_id, permission, resource_id, project_id, decision.reason
            )
            self._note_denied(denied, now)
        if self._count(decision):
            self._ctx.counter.log(_check(found), principal, decision)


def _check(found: Found) -> PermissionCheck:
    """What the log tells of a check."""
    _, account_id, user_id, permission, resource_id, project_id = found
    resource = AskedResource(resource_id, None, project_id)
    return PermissionCheck(
        account_id=account_id, user_id=user_id, permission=permission, resource=resource
    )
