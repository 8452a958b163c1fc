"""One attempt to write a page of provisioning: what its entries change, and which are refused."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.team.domain import provisioning
from services.team.domain.account_access import as_owner
from services.team.domain.guardrail_violations import GuardrailViolated
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.named_entries import NamedEntry, without_blamed
from services.team.domain.provisioning import (
    MemberEntry,
    MemberOutcome,
    ProvisionedMember,
    Provisioning,
    UserUnknown,
)
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.invitation_handover import hand_over_after_provisioning
from services.team.use_cases.provisioning_writes import ProvisionedSaves
from shared.contracts.facts import Fact
from shared.ids import MembershipId, ProjectId, UserId, new_id
from shared.problems import Refusal


@dataclass(frozen=True, kw_only=True)
class MemberResult:
    """What became of one entry; `user_id` is `None` if it names no user, or was not looked at."""

    entry: MemberEntry
    user_id: UserId | None = None
    status: MemberOutcome | None = None
    refusal: Refusal | None = None


@dataclass(kw_only=True)
class PageDecision:
    """What entries change together."""

    at: Provisioning
    seats: int = 0
    """How many more are taken."""
    saves: ProvisionedSaves = field(default_factory=ProvisionedSaves)
    facts: list[Fact] = field(default_factory=list)
    results: list[MemberResult] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ProvisionedPage:
    """The rows that a page's entries are decided from, read once in the attempt."""

    write: AccountWrite
    at: Provisioning
    members: Mapping[UserId, Membership]
    overridden: Mapping[UserId, tuple[ProjectId, ...]]
    """The projects with overrides of those who are to be removed."""
    names: Mapping[UserId, str]
    pending: Mapping[str, Invitation]
    taken: int
    """The seats that are taken before."""

    async def apply(self, named: Sequence[NamedEntry]) -> PageDecision:
        """Save what the entries change, without those that contradict a guardrail."""
        write, decision = self.write, self.decide(await self.within_guardrails(named))
        write.record(*decision.facts)
        write.account = decision.at.account
        saves = decision.saves
        await write.insert_members(saves.new)
        await write.replace_members(saves.replaced)
        for member in saves.removed:
            await write.delete_member(member)
        await write.replace_invitations(saves.closed)
        if saves.changed:
            at = decision.at
            owner = await write.member(at.account.owner_user_id)
            access = as_owner(at.account, at.catalog, owner, now=at.now)
            await hand_over_after_provisioning(write, access, saves.changed)
        return decision

    async def within_guardrails(
        self, named: Sequence[NamedEntry], *, accepted: Sequence[NamedEntry] = ()
    ) -> list[NamedEntry]:
        """The entries, with those refused that contradict a guardrail after the accepted ones.

        An entry is refused if the violation names its user. Violations that name none, such as too
        few members who hold something, have a cause among the entries, which halving them finds.
        That happens in the one attempt: a page that is begun is decided, however slow the database.
        """
        await asyncio.sleep(0)  # other requests come between two measurements of a large account
        facts = self.decide([*accepted, *named]).facts
        try:
            await self.write.require_guardrails(self.at.account, facts, access=None)
        except GuardrailViolated as violated:
            rest = without_blamed(named, violated)
        else:
            return list(named)
        if rest is not None:
            return await self.within_guardrails(rest, accepted=accepted)
        middle = len(named) // 2
        first = await self.within_guardrails(named[:middle], accepted=accepted)
        second = await self.within_guardrails(named[middle:], accepted=[*accepted, *first])
        return first + second

    def decide(self, named: Sequence[NamedEntry]) -> PageDecision:
        """What the entries change, one after another."""
        decision = PageDecision(at=self.at)
        for one in named:
            try:
                done = self._decide(decision, one)
            except Refusal as refusal:
                decision.results.append(
                    MemberResult(entry=one.entry, user_id=one.user_id, refusal=refusal)
                )
                continue
            decision.at = replace(decision.at, account=done.account)
            decision.seats += done.seats
            decision.saves.take(done)
            decision.facts += done.facts
            decision.results.append(
                MemberResult(entry=one.entry, user_id=one.user_id, status=done.status)
            )
        return decision

    def _decide(self, decision: PageDecision, one: NamedEntry) -> ProvisionedMember:
        if one.refusal is not None or one.user_id is None:
            raise one.refusal or UserUnknown()
        member = self.members.get(one.user_id)
        if one.entry.remove:
            overridden = self.overridden.get(one.user_id, ())
            return provisioning.remove(decision.at, member, overridden=overridden)
        if member is not None:
            return provisioning.update(
                decision.at, member, one.entry.change, external_id=one.entry.external_id
            )
        if one.user is None:
            raise UserUnknown
        return provisioning.add(
            decision.at,
            replace(one.user, name=self.names[one.user_id]),
            one.entry.change,
            external_id=one.entry.external_id,
            membership_id=MembershipId(new_id("mem")),
            pending=self.pending.get(one.user.address.key),
            taken=self.taken + decision.seats,
        )


async def read_page(
    write: AccountWrite, at: Provisioning, named: Sequence[NamedEntry], *, tried_seats: int
) -> ProvisionedPage:
    """Read what the entries are decided from; a dry run has `tried_seats` that are not saved."""
    valid = [one for one in named if one.refusal is None]
    members = await write.members_among([one.user_id for one in valid if one.user_id])
    joining = [
        one.user
        for one in valid
        if one.user is not None and not one.entry.remove and one.user.user_id not in members
    ]
    leaving = [one.user_id for one in valid if one.entry.remove and one.user_id in members]
    return ProvisionedPage(
        write=write,
        at=at,
        members=members,
        overridden={
            user_id: tuple(one.project_id for one in await write.overrides_of(user_id))
            for user_id in leaving
            if user_id is not None
        },
        names=await write.names_for_joining({user.user_id: user.name for user in joining}),
        pending=await write.pending_among([user.address.key for user in joining]),
        taken=tried_seats + await write.seats_taken(),
    )
