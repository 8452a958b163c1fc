"""An account's policy as one file: what is exported, planned and applied."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from services.team.domain.guardrail_violations import GuardrailViolated
from services.team.domain.guardrails import GuardrailKind, GuardrailRule
from services.team.domain.policy_names import MAX_FAULTS
from services.team.domain.policy_steps import MAX_STEPS, PolicyStepKind
from services.team.routes import ROUTES
from services.team.routes.account_routes import AccountRoutes
from services.team.routes.policy_bodies import GivenPolicy
from services.team.routes.policy_files import policy_file
from services.team.use_cases.policy import READING, apply, prepare
from services.team.use_cases.policy_steps import PERMISSIONS, REFUSED_HERE
from shared.contracts.team import RequestRefused
from shared.http.access import Permission
from shared.http.faults import located
from shared.http.paging import PageQuery
from shared.http.preconditions import Precondition
from shared.http.routes import MAX_ERRORS, Strictness
from shared.http.validation import MAX_READ, check_json
from shared.journal.turns import KeyedTurns
from shared.problems import Invalid, PermissionMissing, Refusal, Unavailable
from tests.services.team.led_catalog import CATALOG
from tests.services.team.memory import ACCOUNT, Memory, MemoryStore, finished, memory, user_id
from tests.services.team.small_accounts import Small, answered, call_of, small_accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

ROWS = {route.operation_id: route for route in ROUTES}
PATH = {"account_id": str(ACCOUNT)}
VIEW = {"account": {"view": "all"}}
FEW = settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MADE_BY = {
    PolicyStepKind.GUARDRAIL_DELETE: "deleteGuardrail",
    PolicyStepKind.GUARDRAIL_CREATE: "createGuardrail",
    PolicyStepKind.PROJECT_CREATE: "createProject",
    PolicyStepKind.PROJECT_RENAME: "renameProject",
    PolicyStepKind.PROJECT_DELETE: "deleteProject",
    PolicyStepKind.ROLE_CREATE: "createRole",
    PolicyStepKind.ROLE_CHANGE: "changeRole",
    PolicyStepKind.ROLE_DELETE: "deleteRole",
    PolicyStepKind.MEMBER_ROLE: "changeMember",
    PolicyStepKind.OVERRIDE_SET: "setOverride",
    PolicyStepKind.OVERRIDE_REMOVE: "removeOverride",
}


def read(world: Memory, actor: str = "owner") -> Any:
    """The answer of `getPolicy`."""
    row = ROWS["getPolicy"]
    access = finished(world.ctx.authorize(world.request(actor, "guardrail:manage")))
    asking: Any = row.handler(world.ctx, call_of(row, actor, PATH, None, None), access)
    return finished(asking)


def exported(world: Memory) -> dict[str, Any]:
    """The policy without its nulls, as a file has it."""
    policy: dict[str, Any] = read(world).policy.model_dump(mode="json", exclude_none=True)
    return policy


def asked(
    world: Memory, name: str, policy: dict[str, Any], *, actor: str = "owner", etag: str = ""
) -> Any:
    """The answer of `planPolicy` or `applyPolicy`, or the refusal."""
    row = ROWS[name]
    body = GivenPolicy.model_validate({"policy": {"version": 1, **policy}})
    call = call_of(row, actor, PATH, body, PageQuery() if row.query else None)
    if etag:
        represent = ROWS["applyPolicy"].represent
        assert represent is not None
        call = replace(call, precondition=Precondition(represent=represent, if_match=(etag,)))
    return answered(world, call)


def changes(answer: Any) -> list[tuple[str, str]]:
    """The kind and the name of each change that an answer lists."""
    shown = answer.changes if hasattr(answer, "changes") else answer.body.changes
    return [(change.type.value, change.name) for change in shown]


def team() -> Memory:
    """A team with two members."""
    world = memory(CATALOG)
    world.add("ana", "basic")
    world.add("bea", "admin")
    return world


@FEW
@given(small_accounts, small_accounts)
def test_an_export_applied_to_another_account_is_its_export(source: Small, other: Small) -> None:
    source = replace(source, rules=[rule for rule in map(_sent, source.rules) if rule])
    other = replace(other, members={**source.members, **_named(source, other)}, rules=[])
    one, target = source.world(), other.world()
    policy = exported(one)
    answer = asked(target, "applyPolicy", policy)
    assume(not isinstance(answer, GuardrailViolated))
    assert not isinstance(answer, Refusal), answer.errors
    assert exported(target) == policy
    assert changes(asked(target, "applyPolicy", policy)) == []
    assert changes(asked(one, "planPolicy", policy)) == []


def _sent(rule: GuardrailRule) -> GuardrailRule | None:
    """The rule as a request can declare it, if one can."""
    scoped = rule.permission is not None and CATALOG.permissions[rule.permission].project_scoped
    if rule.project_id is not None and not scoped:
        return None
    return replace(rule, roles=rule.roles[:1]) if rule.kind is GuardrailKind.NEVER else rule


def _named(source: Small, other: Small) -> dict[str, Any]:
    return {name: row for name, row in other.members.items() if name in source.members}


def test_every_kind_of_change_is_planned_and_then_made() -> None:
    world = team()
    first = {
        "roles": [{"name": "Reader", "grants": VIEW}, {"name": "Old", "grants": VIEW}],
        "projects": [{"name": "Website"}, {"name": "shop"}],
        "guardrails": [
            {"name": "Two", "rule": {"type": "minimum_holders", "minimum": 1, "role": "owner"}}
        ],
        "members": [
            {
                "email": "ana@example.com",
                "role": "Reader",
                "overrides": [{"project": "website", "grants": {"instance": {"view": "all"}}}],
            }
        ],
    }
    plan = asked(world, "planPolicy", first)
    assert [kind for kind, _ in changes(plan)] == [
        "project_create",
        "project_create",
        "role_create",
        "role_create",
        "member_role",
        "override_set",
        "project_delete",
        "guardrail_create",
    ]
    made = asked(world, "applyPolicy", first, etag=plan.etag)
    assert changes(made) == changes(plan)
    assert made.body.policy_id == plan.policy_id
    second = {
        "roles": [{"name": "Reader", "description": "Reads.", "grants": VIEW}],
        "projects": [{"name": "website"}],
        "guardrails": [],
        "members": [{"email": "ANA@example.com", "role": "basic", "overrides": []}],
    }
    assert set(changes(asked(world, "applyPolicy", second))) == {
        ("guardrail_delete", "Two"),
        ("project_rename", "website"),
        ("project_delete", "shop"),
        ("role_change", "Reader"),
        ("role_delete", "Old"),
        ("member_role", "ana@example.com"),
        ("override_remove", "ana@example.com"),
    }
    assert asked(world, "planPolicy", second).changes == []


def test_each_record_of_an_applied_policy_names_it() -> None:
    world = team()
    made = asked(world, "applyPolicy", {"roles": [{"name": "Reader", "grants": VIEW}]})
    assert [fact.reason for fact in world.journal.facts] == [made.body.policy_id]


def test_a_refused_change_ends_the_whole_policy() -> None:
    world = team()
    policy = {
        "roles": [{"name": "Reader", "grants": VIEW}],
        "members": [{"email": "owner@example.com", "role": "basic"}],
    }
    refusal = asked(world, "applyPolicy", policy)
    assert refusal.code == "owner-protected"
    assert [*refusal.errors] == [("/policy/members/0/role", REFUSED_HERE)]
    assert exported(world)["roles"] == []


def test_a_refused_step_is_recorded_as_what_it_is_about() -> None:
    world = team()
    bea = user_id("bea")
    end = world.clock.now() + timedelta(days=1)
    world.store.memberships[bea] = replace(world.store.memberships[bea], expires_at=end)
    member = {"email": "ana@example.com", "role": "developer"}
    refusal = asked(world, "applyPolicy", {"members": [member]}, actor="bea")
    call = call_of(ROWS["applyPolicy"], "bea", PATH, None, None)
    finished(AccountRoutes(world.ctx).refused(call, refusal))
    fact = world.journal.facts[-1]
    named = (fact.resource.type, fact.resource.id, fact.resource.name)
    assert named == ("member", user_id("ana"), "ana@example.com")
    assert fact.after is not None
    assert (fact.after["operation"], fact.after["change"]) == ("applyPolicy", "member_role")
    assert isinstance(fact.payload, RequestRefused)
    assert fact.payload.permission == "member:update"


@pytest.mark.parametrize("name", ["planPolicy", "applyPolicy"])
@pytest.mark.parametrize("key", [ACCOUNT, user_id("owner")])
def test_a_user_and_an_account_have_one_file_in_work(key: str, name: str) -> None:
    world = team()
    turns = KeyedTurns(seconds=0)
    world.ctx = replace(world.ctx, policy_turns=turns)
    held = turns.turn(key)
    finished(held.__aenter__())
    assert isinstance(asked(world, name, {"projects": []}), Unavailable)
    finished(held.__aexit__(None, None, None))
    assert not isinstance(asked(world, name, {"projects": []}), Refusal)


def test_a_policy_is_refused_if_the_account_has_changed_since() -> None:
    world = team()
    policy = {"projects": [{"name": "Website"}]}
    plan = asked(world, "planPolicy", policy)
    asked(world, "applyPolicy", {"roles": [{"name": "Reader", "grants": VIEW}]})
    assert asked(world, "applyPolicy", policy, etag=plan.etag).code == "precondition-failed"
    again = asked(world, "planPolicy", policy)
    assert changes(asked(world, "applyPolicy", policy, etag=again.etag)) == changes(plan)
    repeated = asked(world, "applyPolicy", policy, etag=again.etag)
    assert changes(repeated) == []


def test_no_member_gives_by_a_policy_what_they_lack() -> None:
    world = team()
    bea = world.store.memberships[user_id("bea")]
    end = world.clock.now() + timedelta(days=1)
    world.store.memberships[user_id("bea")] = replace(bea, expires_at=end)
    policy = {
        "projects": [{"name": "Website"}],
        "members": [{"email": "ana@example.com", "role": "developer"}],
    }
    refusal = asked(world, "applyPolicy", policy, actor="bea")
    assert refusal.code == "end-exceeded"
    assert [*refusal.errors] == [("/policy/members/0/role", REFUSED_HERE)]
    assert exported(world)["projects"] != policy["projects"]


def test_a_member_who_does_not_see_all_reads_and_plans_nothing() -> None:
    world = team()
    for name in ("planPolicy", "applyPolicy"):
        refusal = asked(world, name, {"projects": []}, actor="ana")
        assert isinstance(refusal, PermissionMissing)
    [project] = exported(world)["projects"]
    nothing = {"project": project["name"], "grants": {}}
    member = {"email": "bea@example.com", "role": "admin", "overrides": [nothing]}
    assert asked(world, "planPolicy", {"members": []}, actor="bea").changes == []
    asked(world, "applyPolicy", {"members": [member]})
    refusal = asked(world, "planPolicy", {"members": []}, actor="bea")
    assert isinstance(refusal, PermissionMissing)
    assert "project:view" in str(refusal)
    assert READING == ("role:view", "member:view", "guardrail:manage")


def test_guardrails_are_checked_for_the_account_as_a_whole() -> None:
    world = team()
    rule = {"type": "minimum_holders", "minimum": 1, "role": "admin"}
    guarded = {"guardrails": [{"name": "One admin", "rule": rule}]}
    asked(world, "applyPolicy", guarded)
    fewer = {"members": [{"email": "bea@example.com", "role": "basic"}]}
    assert asked(world, "planPolicy", fewer).violations
    assert asked(world, "applyPolicy", fewer).code == "guardrail-violated"
    swapped = [*fewer["members"], {"email": "ana@example.com", "role": "admin"}]
    assert len(changes(asked(world, "applyPolicy", {"members": swapped}))) == 2


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"catalog": "other"}, "/policy/catalog"),
        ({"members": [{"email": "eve@example.com", "role": "basic"}]}, "/policy/members/0"),
        ({"members": [{"email": "ana@example.com", "role": "No"}]}, "/policy/members/0/role"),
        ({"projects": [{"name": "One"}, {"name": "one"}]}, "/policy/projects/1"),
        (
            {"roles": [{"name": "R", "grants": {"no": {"view": "all"}}}]},
            "/policy/roles/0/grants/no",
        ),
        (
            {
                "projects": [],
                "guardrails": [
                    {
                        "name": "G",
                        "rule": {
                            "type": "never",
                            "permission": "instance:view",
                            "role": "basic",
                            "project": "Gone",
                        },
                    }
                ],
            },
            "/policy/guardrails/0/rule/project",
        ),
    ],
)
def test_what_does_not_fit_the_account_is_pointed_at(policy: dict[str, Any], pointer: str) -> None:
    refusal = asked(team(), "planPolicy", policy)
    assert refusal.code == "invalid"
    assert [error.pointer for error in refusal.errors] == [pointer]


@contextmanager
def calls_of(function: Any) -> Iterator[list[dict[str, Any]]]:
    """The arguments of each call of this function meanwhile."""
    found: list[dict[str, Any]] = []

    def seen(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is function.__code__:
            found.append(dict(frame.f_locals))

    sys.setprofile(seen)
    try:
        yield found
    finally:
        sys.setprofile(None)


class WatchedStore:
    """The rows in memory, with a look at each call of them."""

    def __init__(self, store: MemoryStore, look: Callable[[str, Any], None]) -> None:
        self._store = store
        self._look = look

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._store, name)

        def call(*given: Any, **named: Any) -> Any:
            self._look(name, named.get("session", given[-1] if given else None))
            return inner(*given, **named)

        return call


def watch(world: Memory, look: Callable[[str, Any], None]) -> None:
    """Let `look` see the name and the session of each call of the rows."""
    store: Any = WatchedStore(world.store, look)
    world.ctx = replace(world.ctx, store=store)


def test_what_is_wrong_is_searched_only_as_far_as_it_is_told() -> None:
    wrong = {f"instanec{number}": {"view": "all"} for number in range(60)}
    roles = [{"name": f"Role {number}", "grants": wrong} for number in range(60)]
    with calls_of(get_close_matches) as searched:
        assert len(asked(team(), "planPolicy", {"roles": roles}).errors) == MAX_FAULTS
    assert 0 < len(searched) <= MAX_FAULTS
    test = {"scope": "all", "when": {"path": "subjetc", "equals": 1}}
    levels = {f"level{number}": test for number in range(600)}
    value = {"policy": {"version": 1, "roles": [{"name": "R", "grants": {"instance": levels}}]}}
    raw = json.dumps(value).encode()
    with calls_of(get_close_matches) as searched, pytest.raises(Invalid):
        check_json(GivenPolicy, raw, value=value, strictness=Strictness.STRICT)
    assert len(searched) == MAX_ERRORS
    with calls_of(located) as placed, pytest.raises(Invalid):
        check_json(GivenPolicy, raw, value=value, strictness=Strictness.STRICT)
    assert [len(call["found"]) for call in placed] == [MAX_READ]


@pytest.mark.parametrize("name", ["planPolicy", "applyPolicy"])
def test_changes_without_room_in_the_time_are_to_be_split(name: str) -> None:
    world = team()

    def slow(called: str, session: Any) -> None:
        if called == "insert_project":
            world.clock.move(0.4 * world.ctx.timeouts.policy)

    watch(world, slow)
    before = exported(world)["projects"]
    names = [{"name": f"Project {number}"} for number in range(9)] + before
    refusal = asked(world, name, {"projects": names})
    assert (refusal.code, refusal.members) == ("policy-too-large", {"changes": 9, "limit": 3})
    assert exported(world)["projects"] == before
    assert len(changes(asked(world, name, {"projects": names[6:]}))) == 3


def test_a_file_is_read_in_one_snapshot() -> None:
    world = team()
    world.journal.session = object()
    seen = []
    watch(world, lambda name, session: seen.append((name, session)))
    row = ROWS["getPolicy"]
    asking: Any = row.handler(world.ctx, call_of(row, "owner", PATH, None, None), cast("Any", None))
    finished(asking)
    read_rows = {"access_rows", "members", "projects", "overrides_of_account"}
    sessions = [session for name, session in seen if name in read_rows]
    assert len(sessions) == len(read_rows)
    assert {*sessions} == {world.journal.session}


def test_no_file_tells_a_member_the_ids_of_the_platform() -> None:
    world = team()
    ana = world.store.memberships[user_id("ana")]
    world.store.memberships[user_id("ana")] = replace(ana, external_id="emp-7")
    assert "emp-7" not in json.dumps(exported(world))
    policy = {"members": [{"external_id": "emp-7", "role": "admin"}]}
    assert changes(asked(world, "planPolicy", policy)) == [("member_role", "ana@example.com")]


def test_only_a_guardrail_goes_on_naming_what_is_gone() -> None:
    world = team()
    rule = {"type": "never", "permission": "project:manage", "role": "basic", "project": "Gone"}
    guarded = {"projects": [{"name": "Gone"}], "guardrails": [{"name": "G", "rule": rule}]}
    asked(world, "applyPolicy", guarded)
    asked(world, "applyPolicy", {"projects": []})
    policy = exported(world)
    gone = policy["guardrails"][0]["rule"]["project"]
    assert gone.startswith("prj_")
    assert asked(world, "planPolicy", policy).changes == []
    override = {"project": gone, "grants": {"instance": {"view": "all"}}}
    member = {"email": "ana@example.com", "role": "basic", "overrides": [override]}
    refusal = asked(world, "planPolicy", {"members": [member]})
    pointer = "/policy/members/0/overrides/0/project"
    assert [error.pointer for error in refusal.errors] == [pointer]


def test_each_step_needs_what_its_own_route_needs() -> None:
    assert MADE_BY.keys() == PERMISSIONS.keys() == {*PolicyStepKind}
    for kind, needed in PERMISSIONS.items():
        access = ROWS[MADE_BY[kind]].access
        assert isinstance(access, Permission)
        assert (access.name, access.in_project) == needed
        assert not access.fresh_proof
        assert not access.in_session


@pytest.mark.parametrize(("more", "code"), [(0, None), (1, "policy-too-large")])
def test_a_policy_has_as_many_changes_as_the_limit_says(more: int, code: str | None) -> None:
    world = team()
    there = [project["name"] for project in exported(world)["projects"]]
    names = [*there, *(f"New {number}" for number in range(50))]
    roles = [{"name": f"R {number}", "grants": VIEW} for number in range(MAX_STEPS - 50 + more)]
    policy = {"projects": [{"name": name} for name in names], "roles": roles}
    answer = asked(world, "planPolicy", policy)
    assert (answer.code if code else len(answer.changes)) == (code or MAX_STEPS)


def test_what_concerns_the_acting_member_comes_last() -> None:
    members = [
        {"email": "bea@example.com", "role": "basic"},
        {"email": "ana@example.com", "role": "developer"},
    ]
    plan = asked(team(), "planPolicy", {"members": members}, actor="bea")
    assert changes(plan) == [("member_role", "ana@example.com"), ("member_role", "bea@example.com")]


@pytest.mark.parametrize(("seconds", "kinds"), [(0, []), (1, ["override_set"])])
def test_an_override_whose_time_is_over_counts_as_not_there(seconds: int, kinds: list[str]) -> None:
    world = team()
    override = {
        "project": exported(world)["projects"][0]["name"],
        "grants": {"instance": {"view": "all"}},
        "expires_at": (world.clock.now() + timedelta(seconds=seconds)).isoformat(),
    }
    member = {"email": "ana@example.com", "role": "basic", "overrides": [override]}
    plan = asked(world, "planPolicy", {"members": [member]})
    assert [kind for kind, _ in changes(plan)] == kinds


def test_who_may_no_longer_see_a_part_applies_nothing() -> None:
    world = team()
    project = exported(world)["projects"][0]["name"]
    given = {"version": 1, "projects": [{"name": project}, {"name": "New"}]}
    wanted = policy_file(GivenPolicy.model_validate({"policy": given}).policy)
    request = world.request("bea", "guardrail:manage")
    prepared = finished(prepare(world.ctx, request, wanted))
    blind = {"project": project, "grants": {}}
    member = {"email": "bea@example.com", "role": "admin", "overrides": [blind]}
    asked(world, "applyPolicy", {"members": [member]})
    before = exported(world)
    with pytest.raises(PermissionMissing):
        finished(apply(world.ctx, request, prepared))
    assert exported(world) == before
