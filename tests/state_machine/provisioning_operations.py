"""Provisioning: a service of the platform brings members to what it says."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from tests.state_machine.accounts import Account, User
from tests.state_machine.guardrails import worse
from tests.state_machine.world import PROVISIONER, Answer, Operation, World, moment


@dataclass(frozen=True)
class Entry:
    """What is wanted of one member; `ends` 0 leaves the end as it is."""

    user: User
    role: str | None = None
    ends: int | None = 0
    remove: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """The entry of a request."""
        body: dict[str, Any] = {"user_id": self.user}
        if self.remove:
            return {**body, "remove": True}
        if self.role is not None:
            body["role"] = self.role
        if self.ends != 0:
            body["expires_at"] = moment(self.ends)
        return body


Outcome = set[str]
"""The status of an entry, or each refusal that it may have."""


class ProvisioningOperations(World):
    """Provisioning of members."""

    def provision(self, account_id: str, entries: list[Entry]) -> Operation:
        """Make, change and remove members, each or not by itself."""
        account = self.accounts[account_id]
        refusals = set()
        if account.suspended or account.deleting:
            refusals = {"account-suspended" if account.suspended else "account-deleting"}
        expected = self._provisioned(copy.deepcopy(account), entries)

        def effect(account: Account, answer: Answer) -> None:
            self._provisioned(account, entries)

        def check(answer: Answer) -> None:
            found = [
                one["status"] if one["refusal"] is None else one["refusal"]["code"]
                for one in answer["results"]
            ]
            for one, possible in zip(found, expected, strict=True):
                assert one in possible, (found, expected)

        body = {"members": [entry.body for entry in entries]}
        return Operation(
            PROVISIONER,
            "POST",
            f"/v1/accounts/{account_id}/provisioning/members",
            body,
            refusals,
            effect,
            account_id,
            about=tuple(entry.user for entry in entries),
            rehearsal={**body, "dry_run": True},
            check=check,
        )

    def _provisioned(self, account: Account, entries: list[Entry]) -> list[Outcome]:
        """Do it to the account; entries that a guardrail stops come one at a time."""
        before = copy.deepcopy(account)
        outcomes = [self._one(account, entry) for entry in entries]
        changed = {
            entry.user
            for entry, outcome in zip(entries, outcomes, strict=True)
            if outcome & {"updated", "removed"}
        }
        account.hand_over(changed, account.owner, self.now)
        if len(entries) == 1 and worse(before, account, self.now):
            vars(account).update(vars(before))
            return [{"guardrail-violated"}]
        return outcomes

    def _one(self, account: Account, entry: Entry) -> Outcome:
        member, user = account.members.get(entry.user), entry.user
        if entry.remove:
            if member is None:
                return {"unchanged"}
            if user == account.owner:
                return {"owner-protected"}
            account.end_membership(user)
            return {"removed"}
        refused = self._refused(account, entry)
        if refused:
            return refused
        if member is None:
            assert entry.role is not None
            pending = account.pending_for(user)
            if pending is not None:
                pending.status = "revoked"
            account.members[user] = self.member(entry.role, entry.ends or None)
            return {"added"}
        was = (member.role, member.ends)
        member.role = entry.role or member.role
        member.ends = member.ends if entry.ends == 0 else entry.ends
        return {"unchanged"} if was == (member.role, member.ends) else {"updated"}

    def _refused(self, account: Account, entry: Entry) -> Outcome:
        member, refused = account.members.get(entry.user), set()
        role = None if member is not None and entry.role == member.role else entry.role
        ends = member is None or entry.ends not in (0, member.ends)
        if role is not None and not account.assignable(role):
            refused |= {"role-unknown"}
        if ends and entry.ends is not None and entry.ends != 0 and entry.ends <= self.now:
            refused |= {"invalid"}
        if member is not None:
            if entry.user == account.owner and (role is not None or ends):
                refused |= {"owner-protected"}
            return refused
        refused |= {"not-a-team"} if account.kind == "personal" else set()
        refused |= {"invalid"} if role is None else set()
        pending = account.pending_for(entry.user)
        freed = 1 if pending is not None and pending.open(self.now) else 0
        if account.seats(self.now) - freed >= account.meaning.member_limit:
            refused |= {"member-limit"}
        return refused
