"""Tests of `who_can`: a member whom more facts would allow is listed, with the grant in words."""

import itertools

import pytest

from rolecall import Given, Override, Resource, Subject, decide, who_can
from tests.sdk.accounts import NOW, STANDARD, account, member

STATE = {"path": "resource.properties.state", "equals": "open"}
TEAM = {"path": "subject.properties.team", "equals": "x"}
MFA = {"path": "context.mfa", "equals": True}
SAME = {"path": "subject.properties.team", "same_as": "resource.properties.team"}


def holding(user_id, grant, **fields):
    parsed = STANDARD.catalog.parse_grants({"instance": {"write": grant}}, within_project=True)
    overrides = {"prj_1": Override(STANDARD.override_matrix("prj_1", parsed))}
    return member("basic", user_id=user_id, overrides=overrides, **fields)


MEMBERS = (
    member("owner", user_id="usr_a"),
    holding("usr_b", "self"),
    holding("usr_c", {"scope": "all", "when": STATE}),
    holding("usr_d", {"scope": "all", "when": TEAM}, attributes={"team": "x"}),
    holding("usr_e", {"scope": "all", "when": TEAM}, attributes={"team": "y"}),
    holding("usr_f", [{"scope": "all", "when": [STATE, MFA]}, {"scope": "self", "when": MFA}]),
    holding("usr_g", ["self", {"scope": "all", "when": MFA}]),
    holding("usr_h", {"scope": "all", "when": SAME}, attributes={"team": "y"}),
    member("viewer", user_id="usr_i"),
)
REGISTERED = {
    ("instance", state): Resource(state, None, "prj_1", {"state": state, "team": "x"})
    for state in ("open", "done")
}
TEAM_ACCOUNT = account(*MEMBERS, projects=frozenset({"prj_1"}), resources=REGISTERED)
PLACES = (
    Resource(project_id="prj_1"),
    Resource(id="i-1", project_id="prj_1"),
    Resource(id="i-1", project_id="prj_1", owner_id="usr_g"),
    Resource(id="open"),
    Resource(id="done"),
)


def found(place, **more):
    return {
        one.user_id: one.limited_to
        for one in who_can(
            TEAM_ACCOUNT, "instance:write", place, now=NOW, limit=100, **more
        ).members
    }


def test_members_are_listed_with_what_their_grant_depends_on():
    assert found(PLACES[0]) == {
        "usr_a": None,
        "usr_b": "self",
        "usr_c": 'all when resource.properties.state is "open"',
        "usr_d": None,
        "usr_f": (
            'all when resource.properties.state is "open" and context.mfa is true; or'
            " self when context.mfa is true"
        ),
        "usr_g": "self; or all when context.mfa is true",
        "usr_h": "all when resource.properties.team is the same as subject.properties.team",
    }


@pytest.mark.rule("B7")
@pytest.mark.parametrize("place", PLACES)
def test_exactly_those_are_listed_whom_some_facts_allow(place):
    listed = found(place)
    verdicts: dict[str, set[bool]] = {one.user_id: set() for one in MEMBERS}
    fixed = place.owner_id is not None or ("instance", place.id) in REGISTERED
    owners = [place.owner_id] if fixed else [None, *verdicts]
    for owner, state, team, mfa in itertools.product(
        owners, ["open", "done"], ["x", "y"], [True, False]
    ):
        known = Resource(place.id, owner, place.project_id)
        given = Given(resource={"state": state, "team": team}, context={"mfa": mfa})
        for user_id, reached in verdicts.items():
            check = (TEAM_ACCOUNT, Subject(user_id), "instance:write", known)
            reached.add(decide(*check, now=NOW, given=given).allowed)
    expected = {user_id for user_id, reached in verdicts.items() if True in reached}
    assert set(listed) == expected
    assert all(verdicts[user_id] == {True} for user_id in listed if listed[user_id] is None)


def test_a_page_of_limited_members_is_as_long_as_any_other():
    page = who_can(TEAM_ACCOUNT, "instance:write", PLACES[0], now=NOW, limit=3)
    assert [one.user_id for one in page.members] == ["usr_a", "usr_b", "usr_c"]
    assert page.next_after == "usr_c"


def test_a_page_ends_after_the_members_that_it_may_look_at():
    """None of the members who are looked at may do it."""
    page = who_can(TEAM_ACCOUNT, "balance:fly", PLACES[0], now=NOW, limit=100, examined=4)
    assert (page.members, page.next_after) == ((), "usr_d")
