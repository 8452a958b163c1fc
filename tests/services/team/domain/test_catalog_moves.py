"""What a move to another catalog needs, changes, records and refuses: without a server."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import (
    AccountKind,
    Delivery,
    Resource,
    Scope,
    Subject,
    build_account,
    build_member,
    decide,
)
from services.team.domain.account_access import AccountAccess, access_of
from services.team.domain.accounts import OwnerOnly
from services.team.domain.authority import GrantsExceeded
from services.team.domain.catalog_choices import CatalogBound
from services.team.domain.catalog_mapping import CatalogMapping, MappingNeeded, Translator
from services.team.domain.catalog_moves import (
    MAX_CHANGED_OVERRIDES,
    CatalogTooSmall,
    GuardrailsOfThisCatalog,
    MoveTooLarge,
)
from services.team.domain.custom_roles import CustomRole
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from services.team.domain.invitations import Invitation
from services.team.domain.overrides import ProjectOverride
from services.team.use_cases.catalog_moves import MovedAccount, choices, move_account
from shared.contracts.team import MemberRoleChanged
from shared.ids import GuardrailId, InvitationId, ProjectId, RoleId, UserId, new_id
from shared.problems import Invalid
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, finished, memory, user_id
from tests.services.team.print_shop import (
    SHOP,
    conversion,
    limited_to,
    named,
    renamed_level,
    version,
    without,
    without_role,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolecall import CompiledCatalog
    from services.team.domain.accounts import Account
    from shared.problems import Refusal

NIGHT = RoleId("rol_" + "0c" * 16)
DAY = timedelta(days=1)
SAME = version(limited_to(39))
NO_APPRENTICE = version(without_role("apprentice"))
ACCEPT = version(renamed_level("proof", "approve", "accept"))
FOR_ALL = version(renamed_level("proof", "approve", "accept", offers_self=False, includes=[]))
OTHER = version(named("copy-shop"))
FIXED = version(without(custom_roles=False))
PLAIN = version(without(overrides=False))


@dataclass
class Shop:
    """A print shop with a printer, an apprentice, a custom role, an override and an invitation."""

    world: Memory = field(default_factory=lambda: memory(SHOP))

    def __post_init__(self) -> None:
        """Fill the account."""
        for name, role in (("pia", "printer"), ("abe", "apprentice"), ("nora", NIGHT)):
            self.world.add(name, role)
        rows = self.world.store.rows
        rows[ACCOUNT] = _with_role(rows[ACCOUNT], "Night shift")
        self.override("pia", {"proof": {"approve": Scope.SELF}})
        self.invite("gil", "apprentice")

    def override(
        self, name: str, grants: Any, *, project: str = PROJECT, ended: bool = False
    ) -> None:
        member = self.world.store.memberships[user_id(name)]
        self.world.store.overridden[project, member.user_id] = ProjectOverride(
            account_id=ACCOUNT,
            project_id=ProjectId(project),
            user_id=member.user_id,
            membership_id=member.membership_id,
            grants=grants,
            expires_at=START - DAY if ended else None,
            given_by=user_id("owner"),
            given_at=START - 2 * DAY,
        )

    def invite(self, name: str, role: str, *, by: str = "owner") -> Invitation:
        made = Invitation(
            account_id=ACCOUNT,
            invitation_id=InvitationId(new_id("inv")),
            email=f"{name}@example.com",
            email_key=f"{name}@example.com",
            role=role,
            delivery=Delivery.LINK,
            inviter_user_id=user_id(by),
            inviter_name=by.title(),
            inviter_email=f"{by}@example.com",
            created_at=START,
            expires_at=START + DAY,
        )
        self.world.store.invited[made.invitation_id] = made
        return made

    def follow(self, catalog: CompiledCatalog, *, kind: AccountKind = AccountKind.TEAM) -> None:
        """Let the account have this catalog."""
        self.world.store.compiled[catalog.id] = catalog
        rows = self.world.store.rows
        rows[ACCOUNT] = replace(rows[ACCOUNT], catalog=catalog.id, kind=kind)

    def declare(self, role: str, permission: str) -> None:
        """Declare that members with the role do not hold the permission."""
        made = Guardrail(
            guardrail_id=GuardrailId(new_id("grd")),
            name="Apprentices",
            rule=GuardrailRule(
                kind=GuardrailKind.NEVER,
                permission=permission,
                roles=(role,),
                project_id=None,
                minimum=None,
            ),
            created_by=user_id("owner"),
            created_at=START,
        )
        rows = self.world.store.rows
        rows[ACCOUNT] = replace(rows[ACCOUNT], guardrails=(made,))

    def move(self, target: CompiledCatalog, *, by: str = "owner", **mapping: Any) -> MovedAccount:
        self.world.store.compiled[target.id] = target
        request = self.world.request(by, "account:update")
        return finished(
            move_account(
                self.world.ctx, request, catalog_name=target.id, mapping=CatalogMapping(**mapping)
            )
        ).result

    def access(self, name: str) -> AccountAccess:
        """What a member may do in the account, before any change."""
        store = self.world.store
        account = store.rows[ACCOUNT]
        member = store.memberships[user_id(name)]
        return access_of(account, store.compiled[account.catalog], member, now=START)

    def refused(self, refusal: type[Refusal], target: CompiledCatalog, **mapping: Any) -> Refusal:
        """The refusal of a move; nothing is changed then."""
        store = self.world.store
        before = [dict(rows) for rows in (store.rows, store.memberships, store.overridden)]
        with pytest.raises(refusal) as caught:
            self.move(target, **mapping)
        assert [store.rows, store.memberships, store.overridden] == before
        assert self.world.journal.facts == []
        return caught.value

    def held(self, name: str, permission: str, *, own: bool = False, inside: bool = False) -> bool:
        """What a decision says after everything that was saved."""
        store = self.world.store
        account = store.rows[ACCOUNT]
        catalog = store.compiled[account.catalog].with_roles({r.role_id: r for r in account.roles})
        member = store.memberships[user_id(name)]
        built = build_member(
            member.user_id, member, list(store.overridden.values()), catalog=catalog
        )
        state = build_account(ACCOUNT, account, [built], [PROJECT], catalog=catalog)
        resource = Resource(
            owner_id=member.user_id if own else "usr_other",
            project_id=PROJECT if inside else None,
        )
        now = int(START.timestamp() * 1000)
        return decide(state, Subject(member.user_id), permission, resource, now=now).allowed


def _with_role(account: Account, name: str, grants: Any = None) -> Account:
    role = CustomRole(
        role_id=NIGHT,
        name=name,
        description="",
        grants=grants or {"shop": {"enter": "all"}, "proof": {"approve": "self"}},
        created_by=user_id("owner"),
        created_at=START,
        updated_at=START,
    )
    return replace(account, roles=(role,))


def pointers(refusal: Refusal) -> dict[str, str]:
    """The places that a refusal names, with their messages."""
    return {error.pointer.removeprefix("/mapping"): error.message for error in refusal.errors}


def test_a_version_that_has_all_that_is_used_needs_no_mapping() -> None:
    shop = Shop()
    moved = shop.move(SAME)
    assert moved.access.account.catalog == SAME.id
    assert moved.move is not None
    assert (moved.move.members, moved.move.invitations, moved.move.overrides) == ((), (), ())
    [fact] = shop.world.journal.facts
    assert fact.payload.type == "team.account.moved.v1"
    assert (fact.before, fact.after) == (
        {"catalog": SHOP.id, "owner_role": "master"},
        {
            "catalog": SAME.id,
            "owner_role": "master",
            "changed": {
                "members": 0,
                "invitations": 0,
                "overrides": 0,
                "overrides_ended": 0,
                "roles_ended": [],
                "resource_types_lost": [],
            },
        },
    )
    assert shop.world.journal.effective_everywhere == [True]
    assert shop.move(SAME).move is None
    assert len(shop.world.journal.facts) == 1


def test_a_role_that_is_gone_needs_a_mapping_for_members_and_invitations() -> None:
    shop = Shop()
    assert pointers(shop.refused(MappingNeeded, NO_APPRENTICE)) == {
        "/roles/apprentice": (
            "Name the role of the new catalog that its holders get: foreman, printer, bookkeeper."
            " Used by: members (1), pending invitations (1)."
        )
    }
    moved = shop.move(NO_APPRENTICE, roles={"apprentice": "bookkeeper"})
    assert shop.world.store.memberships[user_id("abe")].role == "bookkeeper"
    [invitation] = shop.world.store.invited.values()
    assert (invitation.role, invitation.expires_at) == ("bookkeeper", START + DAY)
    changed, last = shop.world.journal.facts
    assert (changed.payload.type, last.payload.type) == (
        "team.member.role_changed.v1",
        "team.account.moved.v1",
    )
    assert changed.payload.ends_sessions is True  # type: ignore[attr-defined]
    assert last.after is not None
    assert last.after["mapping"] == {"roles": ["apprentice → bookkeeper"]}
    assert moved.access.membership.role == "master"


def test_a_level_that_is_gone_needs_a_mapping_for_roles_and_overrides() -> None:
    shop = Shop()
    assert pointers(shop.refused(MappingNeeded, ACCEPT)) == {
        "/levels/proof:approve": (
            "The catalog has no level `proof:approve`. Name one of its levels, or null."
            " Used by: custom role `Night shift` (1), overrides (1)."
        )
    }
    shop.move(ACCEPT, levels={"proof:approve": "proof:accept"})
    for name, inside in (("nora", False), ("pia", True)):
        assert shop.held(name, "proof:accept", own=True, inside=inside)
        assert not shop.held(name, "proof:accept", inside=inside)
    [override] = shop.world.store.overridden.values()
    assert override.grants == {"proof": {"accept": Scope.SELF}}
    types = [fact.payload.type for fact in shop.world.journal.facts]
    assert types == ["team.override.moved.v1", "team.account.moved.v1"]


def test_a_level_that_the_mapping_ends_gives_nothing_any_more() -> None:
    shop = Shop()
    shop.move(ACCEPT, levels={"proof:approve": None})
    assert shop.world.store.rows[ACCOUNT].roles[0].grants == {"shop": {"enter": "all"}}
    assert not shop.held("pia", "press:run", inside=True)
    assert shop.held("pia", "press:run")


def test_the_same_ids_in_another_catalog_need_a_mapping_all_the_same() -> None:
    shop = Shop()
    needed = pointers(shop.refused(MappingNeeded, OTHER))
    assert sorted(needed) == [
        "/levels/proof:approve",
        "/levels/shop:enter",
        "/roles/apprentice",
        "/roles/printer",
    ]
    assert "It has a role `printer` (Printer), too." in needed["/roles/printer"]
    same = ("proof:approve", "shop:enter")
    shop.move(
        OTHER,
        roles={"apprentice": "apprentice", "printer": "apprentice"},
        levels=dict(zip(same, same, strict=True)),
    )
    assert shop.world.store.memberships[user_id("pia")].role == "apprentice"
    assert shop.world.store.memberships[user_id("nora")].role == NIGHT


def test_a_role_of_another_catalog_is_another_role_with_the_same_id() -> None:
    shop, same = Shop(), ("proof:approve", "shop:enter")
    mapping = {role: role for role in ("apprentice", "printer")}
    moved = shop.move(OTHER, roles=mapping, levels=dict(zip(same, same, strict=True))).move
    assert moved is not None
    told = [fact.payload for fact in moved.facts if isinstance(fact.payload, MemberRoleChanged)]
    assert {one.name for one in told} == {"Pia", "Abe", "Nora"}
    assert len(moved.members) == 3
    version_move = Shop().move(SAME).move
    assert version_move is not None
    assert not version_move.members


NEEDS: dict[str, tuple[CompiledCatalog, Mapping[str, Any], str, str]] = {
    "own resources": (
        FOR_ALL,
        {"levels": {"proof:approve": "proof:accept"}},
        "/levels/proof:approve",
        "not offered for own resources",
    ),
    "a custom role where there are none": (FIXED, {}, f"/roles/{NIGHT}", "Name the role"),
    "no overrides": (PLAIN, {}, "/overrides", "The new catalog has no overrides. Set `end`"),
    "a role that lets no one in": (
        SAME,
        {"levels": {"shop:enter": None}},
        f"/roles/{NIGHT}",
        "The role must hold 'account:view'",
    ),
}


@pytest.mark.parametrize("name", NEEDS)
def test_what_has_no_counterpart_is_named(name: str) -> None:
    target, mapping, pointer, words = NEEDS[name]
    assert words in pointers(Shop().refused(MappingNeeded, target, **mapping))[pointer]


def test_an_override_takes_levels_of_projects_only() -> None:
    shop = Shop()
    shop.override("pia", {"press": {"run": Scope.ALL}})
    refused = shop.refused(MappingNeeded, SAME, levels={"press:run": "paper:order"})
    assert "not decided inside a project" in pointers(refused)["/levels/press:run"]


UNKNOWN: list[tuple[Mapping[str, Any], list[str]]] = [
    ({"roles": {"king": "printer"}}, ["/roles/king"]),
    ({"roles": {"rol_<b>": "printer"}}, ["/roles/rol_<b>"]),
    ({"roles": {"printer": "king"}}, ["/roles/printer"]),
    ({"roles": {"printer": "master"}}, ["/roles/printer"]),
    ({"levels": {"proof:sing": "proof:see"}}, ["/levels/proof:sing"]),
    ({"levels": {"proof:see": "proof:sing"}}, ["/levels/proof:see"]),
    ({"levels": {"proof:sign": None}}, ["/levels/proof:sign"]),
]


@pytest.mark.parametrize(("mapping", "places"), UNKNOWN)
def test_a_mapping_names_what_the_catalogs_have(
    mapping: Mapping[str, Any], places: list[str]
) -> None:
    assert list(pointers(Shop().refused(Invalid, SAME, **mapping))) == places


def test_a_mapping_may_name_custom_roles_of_other_accounts() -> None:
    Shop().move(SAME, roles={"rol_" + "0d" * 16: "printer"})


def test_a_custom_role_ends_where_a_role_of_the_catalog_replaces_it() -> None:
    shop = Shop()
    moved = shop.move(FIXED, roles={NIGHT: "printer"})
    assert shop.world.store.rows[ACCOUNT].roles == ()
    assert shop.world.store.memberships[user_id("nora")].role == "printer"
    assert moved.move is not None
    assert [role.name for role in moved.move.ended_roles] == ["Night shift"]
    after = shop.world.journal.facts[-1].after
    assert after is not None
    assert after["changed"]["roles_ended"] == ["Night shift"]


def test_a_custom_role_does_not_take_the_name_of_a_role_of_the_catalog() -> None:
    shop = Shop()
    shop.world.store.rows[ACCOUNT] = _with_role(shop.world.store.rows[ACCOUNT], "GESELLE")

    def journeyman(content: dict[str, Any]) -> None:
        content["roles"][2] |= {"title": "Geselle"}

    refused = shop.refused(MappingNeeded, version(journeyman))
    assert "has its name" in pointers(refused)[f"/roles/{NIGHT}"]


def test_overrides_end_when_the_mapping_says_so() -> None:
    shop = Shop()
    moved = shop.move(PLAIN, end_overrides=True)
    assert shop.world.store.overridden == {}
    assert moved.move is not None
    assert len(moved.move.ended_overrides) == 1
    types = [fact.payload.type for fact in shop.world.journal.facts]
    assert types == ["team.override.removed.v1", "team.account.moved.v1"]


def test_an_override_that_is_over_needs_nothing_and_stays() -> None:
    shop = Shop()
    shop.override("pia", {"proof": {"approve": Scope.SELF}}, ended=True)
    shop.move(PLAIN)
    assert len(shop.world.store.overridden) == 1


def test_two_levels_that_become_one_have_the_narrower_scope() -> None:
    shop = Shop()
    both = {"shop": {"enter": "all"}, "proof": {"see": "all", "approve": "self"}}
    shop.world.store.rows[ACCOUNT] = _with_role(shop.world.store.rows[ACCOUNT], "Night", both)
    shop.move(ACCEPT, levels={"proof:approve": "proof:accept", "proof:see": "proof:accept"})
    assert shop.world.store.rows[ACCOUNT].roles[0].grants["proof"] == {"accept": "self"}


@pytest.mark.rule("B5")
@pytest.mark.parametrize("used", list(product((Scope.ALL, Scope.SELF), repeat=3)))
def test_what_a_mapping_gives_is_the_widest_scope_of_all_uses(used: tuple[Scope, ...]) -> None:
    levels = dict.fromkeys(("proof:approve", "proof:see"), "proof:accept")
    translator = Translator(SHOP, ACCEPT, CatalogMapping(levels=levels))
    see, approve, override = used
    for grants in ({"see": see, "approve": approve}, {"approve": override}):
        translator.grants({"proof": grants}, used_by="a role")
    widest = Scope.ALL if Scope.ALL in used else Scope.SELF
    assert translator.given_levels == {"proof": {"accept": widest}}


def test_a_limit_of_the_catalog_is_not_exceeded_by_a_move() -> None:
    shop = Shop()
    refused = shop.refused(CatalogTooSmall, version(limited_to(3)))
    assert "allows 3 members and open invitations besides the owner, and the account has 4" in str(
        refused
    )
    shop.move(version(limited_to(4)))


def test_a_move_changes_a_bounded_number_of_overrides() -> None:
    shop = Shop()
    for number in range(MAX_CHANGED_OVERRIDES):
        shop.override("pia", {"proof": {"approve": Scope.ALL}}, project=f"prj_{number}")
    mapping: Any = {"levels": {"proof:approve": "proof:accept"}}
    assert shop.refused(MoveTooLarge, ACCEPT, **mapping).members["overrides"] == 1_001
    shop.move(SAME)


@pytest.mark.rule("Nv2")
@pytest.mark.parametrize("kind", ["irreversible", "none"])
def test_a_team_that_cannot_revert_keeps_its_catalog(kind: str) -> None:
    """Otherwise it would revert in another catalog, and come back as a personal account."""
    bound, later = version(conversion(kind)), version(conversion(kind), limited_to(39))
    everything: dict[str, Any] = {
        "roles": dict.fromkeys(("apprentice", "printer", NIGHT), "apprentice")
    }
    shop = Shop()
    shop.follow(bound)
    assert shop.refused(CatalogBound, OTHER, **everything).code == "catalog-bound"
    shop.move(later)
    personal = Shop()
    personal.follow(bound, kind=AccountKind.PERSONAL)
    personal.move(OTHER, levels={"proof:approve": None}, **everything)


@pytest.mark.rule("Nv2")
@pytest.mark.parametrize(
    ("conversion_kind", "kind", "offered"),
    [
        ("reversible", AccountKind.TEAM, {OTHER.id}),
        ("irreversible", AccountKind.TEAM, {SHOP.id}),
        ("none", AccountKind.TEAM, {SHOP.id}),
        ("irreversible", AccountKind.PERSONAL, {SHOP.id, OTHER.id}),
    ],
)
def test_the_owner_alone_is_offered_what_the_account_may_move_to(
    conversion_kind: str, kind: AccountKind, offered: set[str]
) -> None:
    shop = Shop()
    shop.world.store.compiled[OTHER.id] = OTHER
    shop.follow(version(conversion(conversion_kind)), kind=kind)
    ctx = shop.world.ctx
    found = finished(choices(ctx, shop.access("owner")))
    assert {one.id for one in found} == offered
    with pytest.raises(OwnerOnly):
        finished(choices(ctx, shop.access("pia")))


@pytest.mark.rule("B10")
def test_no_guardrail_is_left_that_says_nothing() -> None:
    """A version that has all that it names keeps it; in another catalog the ids mean less."""
    everything: dict[str, Any] = {"roles": dict.fromkeys(("apprentice", "printer"), "printer")}
    ended, same = {"proof:approve": None}, {"proof:approve": "proof:approve"}
    for target, levels in (
        (NO_APPRENTICE, ended),
        (ACCEPT, ended),
        (OTHER, same | {"shop:enter": "shop:enter"}),
    ):
        shop = Shop()
        shop.declare("apprentice", "proof:approve")
        refused = shop.refused(GuardrailsOfThisCatalog, target, levels=levels, **everything)
        assert "“Apprentices”" in refused.args[0], target.id
        assert refused.members["names"] == ["Apprentices"]
    shop = Shop()
    shop.declare("apprentice", "proof:approve")
    shop.move(SAME)
    assert len(shop.world.store.rows[ACCOUNT].guardrails) == 1


def test_only_the_owner_moves_the_account() -> None:
    shop = Shop()
    shop.world.add("fay", "foreman")
    shop.refused(OwnerOnly, SAME, by="fay")


@pytest.mark.rule("B5")
def test_an_owner_gives_by_a_mapping_only_what_they_hold_afterwards() -> None:
    def lesser_owner(content: dict[str, Any]) -> None:
        content["roles"][0]["grants"]["invoice"] = {"read": "all"}

    target = version(lesser_owner, without_role("apprentice"))
    shop = Shop()
    refused = shop.refused(GrantsExceeded, target, roles={"apprentice": "bookkeeper"})
    assert "invoice:issue" in str(refused)
    levels = {"proof:see": "invoice:issue"}
    shop = Shop()
    grants = {"shop": {"enter": "all"}, "proof": {"see": "all"}}
    shop.world.store.rows[ACCOUNT] = _with_role(shop.world.store.rows[ACCOUNT], "Night", grants)
    shop.refused(GrantsExceeded, target, roles={"apprentice": "printer"}, levels=levels)


def test_an_invitation_passes_on_when_its_inviter_can_give_less() -> None:
    def lesser_foreman(content: dict[str, Any]) -> None:
        content["roles"][1]["grants"]["press"] = {"watch": "all"}

    shop = Shop()
    shop.world.add("fay", "foreman")
    made = shop.invite("hal", "printer", by="fay")
    kept = shop.invite("ida", "apprentice", by="fay")
    moved = shop.move(version(lesser_foreman))
    assert [one.invitation_id for one in moved.passed] == [made.invitation_id]
    invited = shop.world.store.invited
    assert invited[made.invitation_id].inviter_user_id == user_id("owner")
    assert invited[kept.invitation_id].inviter_user_id == UserId(user_id("fay"))
