"""What conditions test travels in the journal: attributes, registered properties and grants."""

from typing import Any

import pytest

from rolecall import Given, Reason, Resource, Subject, decide
from services.authz.domain.policy_state import PolicyState
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from tests.services.authz.histories import (
    ACCOUNT,
    BO,
    NOON,
    PROD,
    STANDARD,
    account,
    catalog,
    member,
    override,
    project,
    resource,
)

ADMIN = [{"path": "subject.properties.level", "equals": "senior"}]
ACTIVE = [{"path": "resource.properties.status", "equals": "active"}]
NIGHT = {"account": {"view": "all"}, "instance": {"view": [{"scope": "all", "when": ACTIVE}]}}
ROLE = {"rol_1": {"name": "Night", "description": "", "grants": NIGHT}}
SENIOR = {"level": "senior"}


def reason(*policy_objects: PolicyObject, permission: str = "instance:view", **sent: Any) -> Reason:
    policy = PolicyState()
    told = [catalog(STANDARD.id), account(roles=ROLE), project(), *policy_objects]
    policy.put([one.model_copy(update={"rev": rev}) for rev, one in enumerate(told, 1)])
    state = policy.account(ACCOUNT)
    assert state is not None
    place = Resource("i-1", project_id=sent.pop("project_id", None))
    now = int(NOON.timestamp() * 1000)
    given = Given(**sent)
    return decide(state, Subject(BO), permission, place, now=now, given=given).reason


@pytest.mark.rule("Ci8")
def test_a_custom_role_with_a_condition_tests_registered_properties() -> None:
    archived = resource("i-1", properties={"status": "archived"})
    active = resource("i-1", properties={"status": "active"})
    claimed = {"status": "active"}
    assert reason(member(BO, "rol_1"), active) is Reason.ALLOWED
    assert reason(member(BO, "rol_1"), archived, resource=claimed) is Reason.CONDITION_FAILED
    assert reason(member(BO, "rol_1"), resource=claimed) is Reason.ALLOWED
    assert reason(member(BO, "rol_1"), archived, active) is Reason.ALLOWED


@pytest.mark.rule("Ci9")
def test_an_override_with_a_condition_tests_attributes() -> None:
    senior = {"instance": {"write": [{"scope": "all", "when": ADMIN}]}}
    asked: Any = {"permission": "instance:write", "project_id": PROD}
    given = override(BO, senior)
    assert reason(member(BO, "viewer", attributes=SENIOR), given, **asked) is Reason.ALLOWED
    junior = member(BO, "viewer", attributes={"level": "junior"})
    assert reason(junior, given, **asked, subject=SENIOR) is Reason.CONDITION_FAILED
    assert reason(member(BO, "viewer"), given, **asked) is Reason.CONDITION_FAILED


@pytest.mark.rule("Ci8")
@pytest.mark.parametrize(("before", "after"), [(1, True), (True, 1), (0, False), (1, 1.5)])
def test_a_role_whose_condition_names_another_value_is_another_role(
    before: Any, after: Any
) -> None:
    def role(level: Any) -> dict[str, Any]:
        when = [{"path": "subject.properties.level", "equals": level}]
        view = {"instance": {"view": [{"scope": "all", "when": when}]}}
        return {"rol_1": {"name": "Level", "description": "", "grants": view}}

    policy = PolicyState()
    told = [catalog(STANDARD.id), account(roles=role(before)), member(BO, "rol_1")]
    policy.put([one.model_copy(update={"rev": 1}) for one in told])
    policy.put([account(roles=role(after)).model_copy(update={"rev": 2})])
    state = policy.account(ACCOUNT)
    assert state is not None
    now = int(NOON.timestamp() * 1000)

    def reason_for(level: Any) -> Reason:
        given = Given(subject={"level": level})
        return decide(
            state, Subject(BO), "instance:view", Resource("i-1"), now=now, given=given
        ).reason

    assert reason_for(after) is Reason.ALLOWED
    assert reason_for(before) is Reason.CONDITION_FAILED


def test_an_end_without_a_zone_stops_a_change_before_its_catalog_is_there() -> None:
    policy = PolicyState()
    policy.put([account().model_copy(update={"rev": 1})])
    told = override(BO, {"instance": {"view": "all"}})
    assert told.state is not None
    unclear = told.model_copy(
        update={"rev": 2, "state": {**told.state, "expires_at": "2027-01-01T00:00:00"}}
    )
    with pytest.raises(ValueError, match="zone"):
        policy.put([unclear])
    assert [kind for kind, *_ in policy.objects(ACCOUNT)] == [PolicyObjectKind.ACCOUNT]
