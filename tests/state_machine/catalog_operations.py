"""Conversions, and moves of an account to another catalog or another version of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.state_machine.accounts import Account, Override
from tests.state_machine.catalogs import CATALOGS, Catalog, Grants
from tests.state_machine.world import Answer, Operation, World

Roles = Mapping[str, str]
Levels = Mapping[str, str | None]


def used_roles(account: Account) -> list[str]:
    """The roles of members and of pending invitations, without the owner's."""
    members = [one.role for user, one in account.members.items() if user != account.owner]
    pending = [one.role for one in account.invitations.values() if one.status == "pending"]
    return list(dict.fromkeys([*members, *pending]))


def used_levels(account: Account, now: int) -> list[str]:
    """The levels of custom roles and of overrides in force."""
    overrides = [one.grants for one in account.overrides.values() if one.in_force(now)]
    grants = [*(role.grants for role in account.roles.values()), *overrides]
    return list(
        dict.fromkeys(f"{name}:{level}" for each in grants for name in each for level in each[name])
    )


class CatalogOperations(World):
    """Moves between catalogs, and conversions, which may take another one."""

    def move_catalog(
        self, account_id: str, actor: str, target: str, roles: Roles, levels: Levels
    ) -> Operation:
        """Move the account, with a mapping."""
        account = self.accounts[account_id]
        new, old = CATALOGS[target], account.meaning
        refusals = self.authorized(account_id, actor, ("account", "update")) or set()
        if not refusals:
            refusals |= {"owner-only"} if actor != account.owner else set()
            if account.catalog != target:
                bound = not old.reversible and account.kind == "team" and old.name != new.name
                refusals |= {"catalog-bound"} if bound else set()
                refusals |= self._contradictions(account, new, roles, levels)
                if account.seats(self.now) > new.member_limit:
                    refusals |= {"catalog-too-small"}

        def effect(account: Account, answer: Answer) -> None:
            if account.catalog != target:
                self._move(account, target, roles, levels)
                account.hand_over(
                    {one.inviter for one in account.invitations.values()}, actor, self.now
                )

        body = {
            "catalog": self.catalog_ids[target],
            "mapping": {"roles": dict(roles), "levels": dict(levels)},
        }
        return self.account_operation(
            account_id,
            actor,
            "POST",
            "/catalog",
            body,
            refusals,
            effect,
            preview={"type": "catalog_move", **body},
            gives_freely=True,
        )

    def convert(self, account_id: str, actor: str, name: str, catalog: str) -> Operation:
        """Make a team of a personal account."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("account", "update")) or set()
        if not refusals:
            refusals |= {"owner-only"} if actor != account.owner else set()
            refusals |= {"already-a-team"} if account.kind == "team" else set()
            if account.catalog != catalog:
                refusals |= self._contradictions(account, CATALOGS[catalog], {}, {})

        def effect(account: Account, answer: Answer) -> None:
            account.kind, account.name, account.catalog = "team", name, catalog

        body = {"name": name, "catalog": self.catalog_ids[catalog]}
        # The preview has every entry of the standard catalog, which the model does not know.
        preview = None if account.catalog == "standard" else {"type": "conversion", **body}
        return self.account_operation(
            account_id,
            actor,
            "POST",
            "/convert",
            body,
            refusals,
            effect,
            preview=preview,
            gives_freely=True,
        )

    def _contradictions(
        self, account: Account, new: Catalog, roles: Roles, levels: Levels
    ) -> set[str]:
        """What speaks against another catalog, with this mapping."""
        found = set()
        if any(self._needed(account, new, roles, levels)):
            found.add("mapping-needed")
        if any(self._lost(account, new, roles)):
            found.add("guardrails-of-this-catalog")
        return found

    def _needed(
        self, account: Account, new: Catalog, roles: Roles, levels: Levels
    ) -> Iterator[str]:
        """What is used and has no certain counterpart."""
        same = _same(account, new)
        for role in used_roles(account):
            kept = role in account.roles or (same and new.assignable(role))
            if role not in roles and not kept:
                yield role
        translated = [role.grants for key, role in account.roles.items() if key not in roles]
        translated += [one.grants for one in account.overrides.values() if one.in_force(self.now)]
        for grants in translated:
            for entry, cells in grants.items():
                for level in cells:
                    name = f"{entry}:{level}"
                    wanted = levels.get(name, name if same else "missing:missing")
                    if wanted is not None and not new.has(cell_of(wanted)):
                        yield name

    def _lost(self, account: Account, new: Catalog, roles: Roles) -> Iterator[str]:
        """The guardrails that would say nothing any more."""
        for key, rule in account.guardrails.items():
            known = rule.cell is None or new.has(rule.cell)
            for role in rule.roles:
                known = known and (
                    role in new.roles or (role in account.roles and role not in roles)
                )
            if not known or not _same(account, new):
                yield key

    def _move(self, account: Account, target: str, roles: Roles, levels: Levels) -> None:
        for user, member in account.members.items():
            if user != account.owner:
                member.role = roles.get(member.role, member.role)
        for invitation in account.invitations.values():
            if invitation.status == "pending":
                invitation.role = roles.get(invitation.role, invitation.role)
        account.roles = {key: role for key, role in account.roles.items() if key not in roles}
        for role in account.roles.values():
            role.grants = translated(role.grants, levels)
        for place, one in account.overrides.items():
            if one.in_force(self.now):
                account.overrides[place] = Override(translated(one.grants, levels), one.ends)
        account.catalog = target


def _same(account: Account, new: Catalog) -> bool:
    """Whether it is a version of the account's catalog. The model reads `standard` as `free`."""
    return account.catalog != "standard" and account.meaning.name == new.name


def cell_of(level: str) -> tuple[str, str]:
    """The cell that `entry:level` names."""
    entry, _, name = level.partition(":")
    return entry, name


def translated(grants: Grants, levels: Levels) -> Grants:
    """The grants in other levels; of two scopes that meet in one level the narrower counts."""
    found: Grants = {}
    for entry, cells in grants.items():
        for level, scope in cells.items():
            wanted = levels.get(f"{entry}:{level}", f"{entry}:{level}")
            if wanted is not None:
                name, becomes = cell_of(wanted)
                present = found.setdefault(name, {}).get(becomes, scope)
                found[name][becomes] = "self" if "self" in (scope, present) else "all"
    return found
