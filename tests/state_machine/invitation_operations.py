"""Operations of those who invite and of those who are invited."""

from __future__ import annotations

from tests.state_machine.accounts import Account, Invitation
from tests.state_machine.catalogs import LIFETIME
from tests.state_machine.world import Answer, Operation, World, moment


class InvitationOperations(World):
    """Operations of those who invite and of those who are invited."""

    def invite(
        self, account_id: str, actor: str, invited: str, role: str, ends: int | None
    ) -> Operation:
        """Invite the address of a user."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("member", "invite")) or set()
        if not refusals:
            refusals |= {"not-a-team"} if account.kind == "personal" else set()
            refusals |= self.role_refusals(account, actor, role)
            refusals |= set() if account.lasts(actor, ends) else {"end-exceeded"}
            refusals |= {"invalid"} if ends is not None and ends <= self.now else set()
            refusals |= {"already-a-member"} if invited in account.members else set()
            pending = account.pending_for(invited)
            if pending is not None and pending.open(self.now):
                refusals |= {"already-invited"}
            elif pending is not None and not account.meaning.reversible:
                refusals |= {"expired-invitation-there"}
            refusals |= (
                {"member-limit"}
                if account.seats(self.now) >= account.meaning.member_limit
                else set()
            )

        def effect(account: Account, answer: Answer) -> None:
            replaced = account.pending_for(invited)
            if replaced is not None:
                replaced.status = "revoked"
            lifetime = self.now + LIFETIME
            account.invitations[answer["invitation"]["id"]] = Invitation(
                invited=invited,
                role=role,
                inviter=actor,
                ends=lifetime if ends is None else min(lifetime, ends),
                membership_ends=ends,
                proofs=[{name: answer["link"][name] for name in ("token", "code")}],
            )

        body = {
            "email": self.emails[invited],
            "role": role,
            "delivery": "link",
            "membership_expires_at": moment(ends),
        }
        return self.account_operation(
            account_id, actor, "POST", "/invitations", body, refusals, effect, invited
        )

    def resend(self, account_id: str, actor: str, invitation_id: str) -> Operation:
        """Make a new link; earlier ones stop working."""
        account = self.accounts[account_id]
        invitation = account.invitations[invitation_id]
        refusals = self.authorized(account_id, actor, ("member", "invite")) or set()
        if not refusals and invitation.status != "pending":
            refusals = {"not-found"}
        elif not refusals:
            ends = invitation.membership_ends
            refusals |= self.role_refusals(account, actor, invitation.role)
            refusals |= set() if account.lasts(actor, ends) else {"end-exceeded"}
            refusals |= {"membership-end-past"} if ends is not None and ends <= self.now else set()
            over = not invitation.open(self.now)
            if not account.meaning.reversible:
                refusals |= {"resend-not-offered"}
                refusals |= {"expired-invitation-there"} if over else set()
            if over and account.seats(self.now) >= account.meaning.member_limit:
                refusals |= {"member-limit"}

        def effect(account: Account, answer: Answer) -> None:
            invitation = account.invitations[invitation_id]
            lifetime, ends = self.now + LIFETIME, invitation.membership_ends
            invitation.inviter = actor
            invitation.ends = lifetime if ends is None else min(lifetime, ends)
            invitation.proofs.append({name: answer["link"][name] for name in ("token", "code")})

        rest = f"/invitations/{invitation_id}/resend"
        return self.account_operation(
            account_id, actor, "POST", rest, None, refusals, effect, invitation.inviter
        )

    def revoke(self, account_id: str, actor: str, invitation_id: str) -> Operation:
        """Close the link of an invitation."""
        account = self.accounts[account_id]
        invitation = account.invitations[invitation_id]
        refusals = self.authorized(account_id, actor, ("member", "invite")) or set()
        if not refusals and invitation.status != "pending":
            refusals = {"not-found"}

        def effect(account: Account, answer: Answer) -> None:
            account.invitations[invitation_id].status = "revoked"

        rest = f"/invitations/{invitation_id}"
        return self.account_operation(
            account_id, actor, "DELETE", rest, None, refusals, effect, invitation.inviter
        )

    def accept(self, account_id: str, actor: str, invitation_id: str, link: int) -> Operation:
        """Join by a link: the newest, or an earlier one."""
        account = self.accounts[account_id]
        invitation = account.invitations[invitation_id]
        proof = invitation.proofs[link % len(invitation.proofs)]
        refusals: set[str] = set()
        member = account.members.get(actor)
        again = invitation.status == "accepted" and (
            member is not None and member.serial == invitation.joined
        )
        if not account.active or proof != invitation.proofs[-1]:
            refusals = {"invitation-not-valid"}
        elif invitation.status != "pending":
            refusals = set() if again else {"invitation-not-valid"}
        else:
            fit = (
                invitation.open(self.now)
                and actor == invitation.invited
                and account.assignable(invitation.role)
                and account.may_invite(invitation.inviter, invitation, self.now)
            )
            refusals |= set() if fit else {"invitation-not-valid"}
            refusals |= {"already-a-member"} if member is not None else set()
            refusals |= (
                {"member-limit"}
                if len(account.members) - 1 >= account.meaning.member_limit
                else set()
            )

        def effect(account: Account, answer: Answer) -> None:
            if again:
                return
            invitation = account.invitations[invitation_id]
            joined = self.member(invitation.role, invitation.membership_ends)
            account.members[actor] = joined
            invitation.status, invitation.joined = "accepted", joined.serial

        path = "/v1/invitations/accept"
        return Operation(
            actor,
            "POST",
            path,
            proof,
            refusals,
            effect,
            account_id,
            about=(invitation.inviter,),
            givers={invitation.inviter},
        )

    def decline(self, account_id: str, actor: str, invitation_id: str) -> Operation:
        """Decline by the newest link; anyone who holds it may."""
        account = self.accounts[account_id]
        invitation = account.invitations[invitation_id]
        fit = account.active and invitation.open(self.now)

        def effect(account: Account, answer: Answer) -> None:
            account.invitations[invitation_id].status = "declined"

        path, proof = "/v1/invitations/decline", invitation.proofs[-1]
        refusals = set() if fit else {"invitation-not-valid"}
        return Operation(actor, "POST", path, proof, refusals, effect, account_id)
