"""The state of one account in the model, and who holds what in it, as `domain.md` says."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.state_machine.catalogs import INSIDE, MEANT, Catalog, Cell, Grants, Held, covers

User = str
Project = str
Table = dict[tuple[User, Project | None], Held]
"""What members hold in each project, and outside of all."""


def later(one: int | None, other: int | None) -> bool:
    """Whether the first end is after the second; without an end it is after every other."""
    return other is not None and (one is None or one > other)


def earlier_end(one: int | None, other: int | None) -> int | None:
    """The earlier of two ends."""
    return min((end for end in (one, other) if end is not None), default=None)


@dataclass
class Member:
    """A membership; `serial` is new at each join."""

    role: str
    serial: int
    ends: int | None = None
    suspended: bool = False

    def in_force(self, now: int) -> bool:
        """Whether it gives anything."""
        return not self.suspended and (self.ends is None or now < self.ends)


@dataclass
class Override:
    """One member's grants inside one project."""

    grants: Grants
    ends: int | None

    def in_force(self, now: int) -> bool:
        """Whether it replaces the role's grants."""
        return self.ends is None or now < self.ends


@dataclass
class Invitation:
    """An invitation of one user's address; `proofs` are its links, the newest at the end."""

    invited: User
    role: str
    inviter: User
    ends: int
    membership_ends: int | None
    proofs: list[dict[str, str]]
    status: str = "pending"
    joined: int | None = None
    """The serial of the membership that it made."""

    def open(self, now: int) -> bool:
        """Whether its link can be used."""
        return self.status == "pending" and now < self.ends


@dataclass
class CustomRole:
    """A role of the account's own."""

    name: str
    grants: Grants


@dataclass(frozen=True)
class Guardrail:
    """A rule of the account about itself."""

    kind: str
    roles: tuple[str, ...] = ()
    cell: Cell | None = None
    project: Project | None = None
    minimum: int = 0


@dataclass(frozen=True)
class Resource:
    """What is registered of a resource."""

    project: Project | None
    owner: User | None


@dataclass
class Account:
    """Everything that the model knows of one account."""

    name: str
    owner: User
    catalog: str
    kind: str = "team"
    suspended: bool = False
    deleting: bool = False
    members: dict[User, Member] = field(default_factory=dict)
    roles: dict[str, CustomRole] = field(default_factory=dict)
    projects: dict[Project, str] = field(default_factory=dict)
    overrides: dict[tuple[Project, User], Override] = field(default_factory=dict)
    invitations: dict[str, Invitation] = field(default_factory=dict)
    guardrails: dict[str, Guardrail] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    """Registered resources of one type, by id."""
    offer: tuple[User, int] | None = None
    """Who may become the owner, and until when."""

    @property
    def active(self) -> bool:
        """Whether its members can do anything."""
        return not self.suspended and not self.deleting

    @property
    def meaning(self) -> Catalog:
        """Its catalog."""
        return MEANT[self.catalog]

    def acts(self, user: User, now: int) -> bool:
        """Whether the user is a member whose membership gives something."""
        return user in self.members and self.members[user].in_force(now)

    def marked(self, user: User, now: int) -> bool:
        """Whether something else than the membership hangs on the member, who is not the owner."""
        inviting = any(one.inviter == user and one.open(now) for one in self.invitations.values())
        overridden = any(whose == user for _, whose in self.overrides)
        offered = self.offer is not None and self.offer[0] == user
        return user != self.owner and (inviting or overridden or offered)

    def assignable(self, role: str) -> bool:
        """Whether a member can have the role."""
        return role in self.roles or self.meaning.assignable(role)

    def role_held(self, role: str) -> Held:
        """What the role gives."""
        own = self.roles.get(role)
        return self.meaning.held(self.meaning.roles[role] if own is None else own.grants)

    def holders(self, role: str) -> list[User]:
        """The members with the role."""
        return [user for user, member in self.members.items() if member.role == role]

    def held(self, user: User, project: Project | None, now: int) -> Held:
        """What the membership gives in a project, or outside of all; its end does not count."""
        of_role = self.role_held(self.members[user].role)
        override = None if project is None else self.overrides.get((project, user))
        if override is None or not override.in_force(now):
            return of_role
        outside = {cell: scope for cell, scope in of_role.items() if cell not in INSIDE}
        return outside | self.meaning.held(override.grants)

    def allowed(
        self, user: User, cell: Cell, project: Project | None, owner: User | None, now: int
    ) -> bool:
        """The decision about one cell and a resource of this owner."""
        member = self.members.get(user)
        if not self.active or member is None or not member.in_force(now):
            return False
        if project is not None and cell in INSIDE and project not in self.projects:
            return False
        scope = self.held(user, project, now).get(cell)
        return scope == "all" or (scope == "self" and owner == user)

    def table(self, now: int, *, closed_too: bool = False) -> Table:
        """What every member holds everywhere; nothing in a closed account."""
        return {
            (user, project): self.held(user, project, now)
            for user, member in self.members.items()
            if (self.active or closed_too) and member.in_force(now)
            for project in (None, *self.projects)
        }

    def may_give(self, giver: User, given: Held, now: int) -> bool:
        """Whether the giver holds this outside of all projects and in each with an override."""
        places = [None, *(project for project, user in self.overrides if user == giver)]
        return all(covers(self.held(giver, place, now), given) for place in places) and covers(
            self.role_held(self.members[giver].role), given
        )

    def may_grant(
        self, giver: User, project: Project, given: Held, now: int, *, until: int | None
    ) -> bool:
        """Whether the giver holds this inside the project until then."""
        own = self.overrides.get((project, giver))
        enough = covers(self.held(giver, project, now), given)
        if own is not None and own.in_force(now) and later(until, own.ends):
            enough = enough and covers(self.role_held(self.members[giver].role), given)
        return enough

    def lasts(self, giver: User, until: int | None) -> bool:
        """Whether the giver is a member for that long."""
        return not later(until, self.members[giver].ends)

    def may_invite(self, inviter: User, invitation: Invitation, now: int) -> bool:
        """Whether the inviter may still give what the invitation gives."""
        return (
            inviter in self.members
            and self.allowed(inviter, ("member", "invite"), None, inviter, now)
            and self.lasts(inviter, invitation.membership_ends)
            and self.may_give(inviter, self.role_held(invitation.role), now)
        )

    def hand_over(self, inviters: set[User], actor: User, now: int) -> None:
        """Pass the open invitations that these inviters may not give any more."""
        for invitation in self.invitations.values():
            inviter = invitation.inviter
            if inviter not in inviters or not invitation.open(now):
                continue
            if self.may_invite(inviter, invitation, now):
                continue
            fit = actor != inviter and self.may_invite(actor, invitation, now)
            invitation.inviter = actor if fit else self.owner

    def replace_role(self, role: str, replacement: str) -> None:
        """Give all who have the role, or are invited with it, another one."""
        for member in self.members.values():
            member.role = replacement if member.role == role else member.role
        for invitation in self.invitations.values():
            if (invitation.status, invitation.role) == ("pending", role):
                invitation.role = replacement

    def seats(self, now: int) -> int:
        """The seats that count: memberships beside the owner's, and open invitations."""
        return len(self.members) - 1 + sum(one.open(now) for one in self.invitations.values())

    def pending_for(self, invited: User) -> Invitation | None:
        """The address's pending or expired invitation."""
        found = [one for one in self.invitations.values() if one.invited == invited]
        return next((one for one in found if one.status == "pending"), None)

    def end_membership(self, user: User) -> None:
        """End a membership with its overrides and an offer to it."""
        del self.members[user]
        self.overrides = {key: one for key, one in self.overrides.items() if key[1] != user}
        self.end_offer(user)

    def end_offer(self, user: User) -> None:
        """End the offer of the ownership to this user."""
        if self.offer is not None and self.offer[0] == user:
            self.offer = None
