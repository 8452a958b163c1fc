"""Generated small accounts, the changes to try in them, and who may do what as `decide` says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from rolecall import (
    AccountKind,
    AccountState,
    Catalog,
    CompiledCatalog,
    Delivery,
    MembershipStatus,
    Resource,
    Subject,
    decide,
    milliseconds,
)
from services.team.domain.authority import account_state, member_state
from services.team.domain.custom_roles import CustomRole, parse_role_grants
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.routes import ROUTES
from services.team.routes.account_routes import account_request
from services.team.routes.preview_bodies import REAL_ROUTES, PreviewedChange
from services.team.use_cases import invitations
from shared.addresses import parse_address
from shared.auth.principals import UserPrincipal
from shared.http.paging import PageQuery
from shared.http.routes import Call, Route
from shared.ids import GuardrailId, ProjectId, RoleId, SessionId
from shared.problems import Refusal
from tests.services.team.led_catalog import CATALOG, GRANTS, HOUR, ROLES, catalog_with_a_lead
from tests.services.team.memory import (
    ACCOUNT,
    PROJECT,
    START,
    Memory,
    caller_of,
    finished,
    memory,
    user_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def later_version() -> Catalog:
    """The catalog with more for one role, and less for the others."""
    content: dict[str, Any] = catalog_with_a_lead().to_mapping()
    for role in content["roles"]:
        if role["id"] == "basic":
            role["grants"] |= {"instance": {"*": "all"}}
        elif role["id"] != content["owner_role"]:
            role["grants"] = {**role["grants"], "endpoint": {}}
    return Catalog.from_mapping(content)


STAGING = ProjectId("prj_" + "0c" * 16)
PROJECTS = (PROJECT, STAGING)
CUSTOM = RoleId("rol_" + "0d" * 16)
GUARDRAIL = GuardrailId("grd_" + "0e" * 16)
OTHER_CATALOG = CompiledCatalog(later_version())
PEOPLE = ("ana", "bea", "cem")
EVERYONE = ("owner", *PEOPLE)
VIEW = {"account": {"view": "all"}}
CUSTOM_GRANTS: dict[str, dict[str, Any]] = {
    "view": VIEW,
    "own": {**VIEW, "instance": {"view": "all", "write": "self"}},
    "work": {**VIEW, "instance": {"view": "all", "write": "all"}},
    "manage": {**VIEW, "role": {"manage": "all"}, "member": {"*": "all"}, "invoice": {"*": "all"}},
}
LASTING = (None, -60, HOUR)
"""How many seconds an override or a membership lasts; some are over."""

Scopes = dict[tuple[str, str | None, str], str | None]
"""User, project and permission -> the scope in which it is held."""


@dataclass(frozen=True)
class Small:
    """An account with members, overrides, a custom role, an invitation and guardrails."""

    members: dict[str, tuple[str, MembershipStatus, int | None]]
    overrides: dict[tuple[ProjectId, str], tuple[str, int | None]]
    custom: str
    inviter: str
    invited: str
    rules: list[GuardrailRule]
    personal: bool
    factors: frozenset[str] = frozenset()
    """Who has a second factor."""

    def world(self) -> Memory:
        """The account, with those invitations that their inviter may give."""
        kind = AccountKind.PERSONAL if self.personal else AccountKind.TEAM
        world = memory(CATALOG, kind=kind)
        store = world.store
        store.compiled[OTHER_CATALOG.id] = OTHER_CATALOG
        store.known_projects[STAGING] = Project(
            account_id=ACCOUNT, project_id=STAGING, name="staging", created_at=START
        )
        role = CustomRole(
            role_id=CUSTOM,
            name="Custom",
            description="",
            grants=parse_role_grants(CATALOG.catalog, CUSTOM_GRANTS[self.custom]),
            created_by=user_id("owner"),
            created_at=START,
            updated_at=START,
        )
        store.rows[ACCOUNT] = replace(
            store.rows[ACCOUNT],
            roles=() if self.personal else (role,),
            guardrails=tuple(
                Guardrail(
                    guardrail_id=GUARDRAIL,
                    name="Rule",
                    rule=rule,
                    created_by=user_id("owner"),
                    created_at=START,
                )
                for rule in self.rules
            ),
        )
        for name, (role_id, status, seconds) in self.members.items():
            member = world.add(name, role_id)
            store.memberships[member.user_id] = replace(
                member,
                status=status,
                expires_at=None if seconds is None else START + timedelta(seconds=seconds),
            )
            world.register(name, owner=name)
        for name in self.factors:
            world.set_factor(name)
        for (project_id, name), (grants, seconds) in self.overrides.items():
            if name in self.members:
                override = _override(world, project_id, name, grants, seconds)
                store.overridden[project_id, override.user_id] = override
        if not self.personal:
            self._invite(world)
        return world

    def _invite(self, world: Memory) -> None:
        request = world.request(self.inviter, "member:invite")
        try:
            finished(
                invitations.create(
                    world.ctx,
                    request,
                    address=parse_address("guest@example.com"),
                    role_id=self.invited,
                    delivery=Delivery.LINK,
                )
            )
        except Refusal:
            return


def _override(
    world: Memory, project_id: ProjectId, name: str, grants: str, seconds: int | None
) -> ProjectOverride:
    parsed = CATALOG.catalog.parse_grants(GRANTS[grants], within_project=True)
    return ProjectOverride(
        account_id=ACCOUNT,
        project_id=project_id,
        user_id=user_id(name),
        membership_id=world.store.memberships[user_id(name)].membership_id,
        grants=parsed,
        expires_at=None if seconds is None else START + timedelta(seconds=seconds),
        given_by=user_id("owner"),
        given_at=START,
    )


roles = st.sampled_from((*ROLES, CUSTOM))
projects = st.sampled_from(PROJECTS)
people = st.sampled_from(PEOPLE)
permissions = st.sampled_from(["instance:write", "instance:view", "member:update", "project:view"])
rules = st.one_of(
    st.builds(
        GuardrailRule,
        kind=st.just(GuardrailKind.MINIMUM_HOLDERS),
        permission=st.none(),
        roles=st.tuples(roles),
        project_id=st.none(),
        minimum=st.integers(1, 3),
    ),
    st.builds(
        GuardrailRule,
        kind=st.just(GuardrailKind.MINIMUM_HOLDERS),
        permission=permissions,
        roles=st.just(()),
        project_id=st.none() | projects,
        minimum=st.integers(1, 3),
    ),
    st.builds(
        GuardrailRule,
        kind=st.sampled_from([GuardrailKind.ONLY_ROLES, GuardrailKind.NEVER]),
        permission=permissions,
        roles=st.tuples(roles) | st.tuples(roles, st.just("owner")),
        project_id=st.none() | projects,
        minimum=st.none(),
    ),
)
statuses = st.sampled_from([MembershipStatus.ACTIVE] * 4 + [MembershipStatus.SUSPENDED])
ends = st.sampled_from((None, *LASTING))
anyone = st.tuples(roles, st.just(MembershipStatus.ACTIVE), st.none())
small_accounts = st.builds(
    Small,
    members=st.fixed_dictionaries(
        {"ana": anyone, "bea": anyone}, optional={"cem": st.tuples(roles, statuses, ends)}
    ),
    overrides=st.dictionaries(
        st.tuples(projects, people),
        st.tuples(st.sampled_from(sorted(GRANTS)), ends),
        min_size=1,
        max_size=4,
    ),
    custom=st.sampled_from(sorted(CUSTOM_GRANTS)),
    inviter=st.sampled_from(EVERYONE),
    invited=roles,
    rules=st.lists(rules, max_size=2),
    personal=st.sampled_from([False]),
    factors=st.frozensets(st.sampled_from(EVERYONE)).map(lambda some: some | {"owner"}),
)


def change_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """The bodies of one kind of change."""
    whom = st.sampled_from(("ana", "ana", "bea", "cem")).map(user_id)
    fields: dict[str, Any] = {
        "role_edit": {
            "role_id": st.just(CUSTOM),
            "grants": st.sampled_from(list(CUSTOM_GRANTS.values())),
        },
        "role_delete": {"role_id": st.just(CUSTOM), "replacement": st.sampled_from(ROLES)},
        "member_change": {
            "user_id": whom,
            "role": roles,
            "expires_at": st.sampled_from([None, "2100-03-01T13:00:00Z"]),
        },
        "member_suspension": {"user_id": whom},
        "member_resumption": {"user_id": whom},
        "member_removal": {
            "user_id": whom,
            "reassign_to": st.sampled_from([None, *map(user_id, ("bea", "cem", "owner"))]),
        },
        "leave": {},
        "override_set": {
            "user_id": whom,
            "project_id": projects,
            "grants": st.sampled_from(list(GRANTS.values())),
            "expires_at": st.sampled_from([None, "2100-03-01T13:00:00Z"]),
        },
        "override_removal": {"user_id": whom, "project_id": projects},
        "project_create": {"name": st.just("Third")},
        "project_delete": {"project_id": projects},
        "account_change": {
            "name": st.sampled_from([None, "Wheels"]),
            "require_second_factor": st.sampled_from([True, True, False, None]),
        },
        "conversion": {
            "name": st.just("Team"),
            "catalog": st.sampled_from([None, OTHER_CATALOG.id]),
        },
        "revert": {"confirm": st.sampled_from(["Engines", "Engines", "Motors"])},
        "catalog_move": {"catalog": st.sampled_from([OTHER_CATALOG.id, OTHER_CATALOG.id, "led"])},
    }
    return st.fixed_dictionaries({"type": st.just(kind), **fields[kind]})


KINDS = sorted(
    literal
    for body in REAL_ROUTES
    for literal in body.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
)


@st.composite
def attempts(draw: st.DrawFn, kind: str) -> tuple[Small, dict[str, Any], str]:
    """An account, a change of this kind, and who asks for it: mostly one who may."""
    small, change = draw(small_accounts), draw(change_of(kind))
    if kind in {"role_edit", "role_delete"}:
        small.members["bea"] = (CUSTOM, MembershipStatus.ACTIVE, None)
    if kind == "member_resumption":
        small.members["ana"] = (*small.members["ana"][:1], MembershipStatus.SUSPENDED, None)
    if kind == "conversion":
        small = replace(small, personal=draw(st.sampled_from([True] * 4 + [False])))
    if kind == "override_removal" and draw(st.booleans()):
        project_id, name = draw(st.sampled_from(sorted(small.overrides)))
        change |= {"project_id": project_id, "user_id": user_id(name)}
    usual = ("ana", "bea") if kind == "leave" else ("owner",) * 4
    return small, change, draw(st.sampled_from((*usual, *EVERYONE)))


def call_of(route: Route, actor: str, path: dict[str, str], body: Any, query: Any) -> Any:
    """A call as `Api` hands it to the route."""
    principal = UserPrincipal(
        user_id=user_id(actor), session_id=SessionId("ses_1"), account_id=ACCOUNT
    )
    call: Call[Any, Any] = Call(
        caller=caller_of(actor),
        principal=principal,
        path=path,
        body=body,
        query=query,
        headers=CIMultiDictProxy(CIMultiDict()),
        method=route.method,
        target=route.path,
        route=route,
        request_id="req_1",
    )
    return call


def answered(world: Memory, call: Any) -> Any:
    """What the route's handler returns, or the refusal."""
    try:
        return finished(call.route.handler(world.ctx, call, account_request(call)))
    except Refusal as refusal:
        return refusal


[PREVIEW] = [route for route in ROUTES if route.operation_id == "previewChange"]


def previewed(world: Memory, actor: str, change: dict[str, Any], **query: Any) -> Any:
    """The answer of the preview, or its refusal."""
    body = PreviewedChange.model_validate({"change": change})
    return answered(
        world, call_of(PREVIEW, actor, {"account_id": ACCOUNT}, body, PageQuery(**query))
    )


def made(world: Memory, actor: str, change: dict[str, Any]) -> Any:
    """The answer of the real route, or its refusal."""
    body = PreviewedChange.model_validate({"change": change}).change
    route = next(row for row in ROUTES if row.operation_id == REAL_ROUTES[type(body)].operation_id)
    path = {"account_id": ACCOUNT} | {
        name: change[name] for name in route.parameters if name != "account_id"
    }
    sent = {name: value for name, value in change.items() if name not in {"type", *path}}
    takes = None if route.takes is None else route.takes.model_validate(sent)
    query = None if route.query is None else route.query.model_validate(sent)
    return answered(world, call_of(route, actor, path, takes, query))


def state_of(world: Memory) -> AccountState:
    """The account's state, of its rows."""
    store = world.store
    account = store.rows[ACCOUNT]
    catalog = store.compiled[account.catalog]
    catalog = catalog.with_roles({role.role_id: role for role in account.roles})
    members = [
        member_state(
            catalog,
            member,
            [one for one in store.overridden.values() if one.user_id == member.user_id],
        )
        for member in store.memberships.values()
    ]
    state = account_state(account, catalog, members, store.known_projects)
    return replace(state, require_second_factor=account.require_second_factor)


def levels_of(catalog: CompiledCatalog) -> Iterator[tuple[str, str, str, bool]]:
    """Each permission's name with its entry and level, and whether it is project-scoped."""
    for entry in catalog.catalog.entries.values():
        for level in entry.levels:
            for name in entry.permission_names(level):
                yield name, entry.id, level.id, entry.project_scoped


def scopes(world: Memory, *, with_factor: bool = False) -> Scopes:
    """What `decide` says of every member, project and permission; or would, with a factor."""
    state, now = state_of(world), milliseconds(world.clock.now())
    found: Scopes = {}
    places = (None, *state.projects)
    for member_id, place, name in product(state.members, places, state.catalog.permissions):

        def allowed(
            owner: str, *, who: str = member_id, at: str | None = place, of: str = name
        ) -> bool:
            resource = Resource(project_id=at, owner_id=owner)
            factor = with_factor or world.sign_ins.has_second_factor(who)
            subject = Subject(who, second_factor=factor)
            return decide(state, subject, of, resource, now=now).allowed

        scope = "all" if allowed("usr_other") else "self" if allowed(member_id) else None
        if scope is not None:
            found[member_id, place, name] = scope
    return found
