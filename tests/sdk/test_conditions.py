"""Tests of conditions on grants: what they allow, and that nothing unknown opens anything."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall import Reason, Scope
from tests.lengths import length
from tests.sdk import condition_oracle
from tests.sdk.papers import ACTIVE, PAPERS, SOFT, STATUS, check, granted

SECURE = {"path": "context.mfa", "equals": True}
INSIDE = {"path": "context.ip", "in_network": ["10.0.0.0/8", "2001:db8::/32"]}
OWN = {"path": "resource.properties.ownerID", "same_as": "subject.properties.email"}
READER = {"path": "subject.properties.groups", "contains": "readers"}
SEVERAL = {"path": STATUS, "in": ["active", "draft"]}
LARGE = {"path": "resource.properties.size", "in": [2, 3]}


def negated(test: Any) -> Any:
    return {"not": test}


@pytest.mark.parametrize(
    ("test", "request_", "holds", "holds_negated"),
    [
        (SECURE, {"context": {"mfa": True}}, True, False),
        (SECURE, {"context": {"mfa": False}}, False, True),
        (SECURE, {"context": {}}, False, False),
        (SECURE, {"context": {"mfa": None}}, False, False),
        (SECURE, {"context": {"mfa": 1}}, False, False),
        (SECURE, {"context": {"mfa": "true"}}, False, False),
        (SECURE, {"context": {"mfa": [True]}}, False, False),
        (SEVERAL, {"resource": {"status": "draft"}}, True, False),
        (SEVERAL, {"resource": {"status": "Draft"}}, False, True),
        (SEVERAL, {"resource": {"status": 1}}, False, False),
        (LARGE, {"resource": {"size": 2.0}}, True, False),
        (LARGE, {"resource": {"size": "2"}}, False, False),
        (LARGE, {"resource": {"size": True}}, False, False),
        (OWN, {"resource": {"ownerID": "b@x"}, "subject": {"email": "b@x"}}, True, False),
        (OWN, {"resource": {"ownerID": "b@x"}, "subject": {"email": "B@x"}}, False, True),
        (OWN, {"resource": {"ownerID": "b@x"}}, False, False),
        (OWN, {"subject": {"email": "b@x"}}, False, False),
        (OWN, {}, False, False),
        (OWN, {"resource": {"ownerID": [1]}, "subject": {"email": [1]}}, False, False),
        (OWN, {"resource": {"ownerID": 1}, "subject": {"email": True}}, False, False),
        (READER, {"subject": {"groups": ["readers", "x"]}}, True, False),
        (READER, {"subject": {"groups": ["x"]}}, False, True),
        (READER, {"subject": {"groups": []}}, False, True),
        (READER, {"subject": {"groups": ["readers", *["x"] * 255]}}, True, False),
        (READER, {"subject": {"groups": ["readers", *["x"] * 256]}}, False, False),
        (READER, {"subject": {"groups": "readers"}}, False, False),
        (READER, {"subject": {"groups": [["readers"]]}}, False, False),
        (INSIDE, {"context": {"ip": "10.1.2.3"}}, True, False),
        (INSIDE, {"context": {"ip": "::ffff:10.1.2.3"}}, True, False),
        (INSIDE, {"context": {"ip": "10.0.0.0"}}, True, False),
        (INSIDE, {"context": {"ip": "10.255.255.255"}}, True, False),
        (INSIDE, {"context": {"ip": "9.255.255.255"}}, False, True),
        (INSIDE, {"context": {"ip": "11.0.0.0"}}, False, True),
        (INSIDE, {"context": {"ip": "::a00:1"}}, False, True),
        (INSIDE, {"context": {"ip": "2001:DB8::1"}}, True, False),
        (INSIDE, {"context": {"ip": "2001:db9::1"}}, False, True),
        (INSIDE, {"context": {"ip": "2001:db8::1%eth0"}}, False, False),
        (INSIDE, {"context": {"ip": "010.1.2.3"}}, False, False),
        (INSIDE, {"context": {"ip": "10.1.2.3/32"}}, False, False),
        (INSIDE, {"context": {"ip": 167772161}}, False, False),
        (INSIDE, {"context": {"ip": ""}}, False, False),
    ],
)  # fmt: skip
def test_a_test_holds_for_what_it_names_and_never_for_what_is_not_known(
    test: Any, request_: Any, *, holds: bool, holds_negated: bool
) -> None:
    for written, expected in ((test, holds), (negated(test), holds_negated)):
        decision = check({"view": {"scope": "all", "when": written}}, request=request_)
        reason = Reason.ALLOWED if expected else Reason.CONDITION_FAILED
        assert (decision.reason, decision.decided_by) == (reason, "role:clerk"), written


@pytest.mark.parametrize(
    ("levels", "permission", "request_", "reason"),
    [
        ({"view": ACTIVE}, "paper:view", {"resource": {"status": "active"}}, "allowed"),
        ({"view": ACTIVE}, "paper:edit", {"resource": {"status": "active"}}, "permission-missing"),
        ({"edit": ACTIVE}, "paper:view", {"resource": {"status": "active"}}, "allowed"),
        ({"edit": ACTIVE, "view": "all"}, "paper:view", {}, "allowed"),
        ({"edit": ACTIVE, "view": "all"}, "paper:edit", {}, "condition-failed"),
        ({"view": [ACTIVE, {"scope": "all", "when": [SECURE]}]}, "paper:view",
         {"context": {"mfa": True}}, "allowed"),
        ({"view": {"scope": "all", "when": [SECURE, INSIDE]}}, "paper:view",
         {"context": {"mfa": True}}, "condition-failed"),
        ({"view": {"scope": "self", "when": SECURE}}, "paper:view",
         {"context": {"mfa": True}}, "owner-unknown"),
        ({"view": {"scope": "self", "when": SECURE}}, "paper:view",
         {"context": {"mfa": True}, "owner_id": "usr_c"}, "not-owner"),
        ({"view": {"scope": "self", "when": SECURE}}, "paper:view",
         {"context": {"mfa": True}, "owner_id": "usr_b"}, "allowed"),
        ({"view": {"scope": "self", "when": SECURE}}, "paper:view",
         {"owner_id": "usr_b"}, "condition-failed"),
        ({"view": ["self", ACTIVE]}, "paper:view", {"owner_id": "usr_b"}, "allowed"),
        ({"view": ["self", ACTIVE]}, "paper:view", {"owner_id": "usr_c"}, "condition-failed"),
    ],
)  # fmt: skip
def test_a_denial_names_what_the_nearest_alternative_lacks(
    levels: Any, permission: str, request_: Any, reason: str
) -> None:
    assert check(levels, permission, request=request_).reason == reason


@pytest.mark.parametrize(
    ("request_", "allowed"),
    [
        ({"registered": {"status": "active"}}, True),
        ({"registered": {"status": "archived"}, "resource": {"status": "active"}}, False),
        ({"registered": {}, "resource": {"status": "active"}}, True),
        ({"registered": {"size": 1}, "resource": {"status": "active"}}, True),
    ],
)
def test_registered_properties_win_and_the_request_adds(request_: Any, *, allowed: bool) -> None:
    asked = {"resource_id": "p-1"} | request_
    assert check({"view": ACTIVE}, request=asked).allowed is allowed


def test_attributes_win_over_what_the_request_says_of_the_subject() -> None:
    admin = {"scope": "all", "when": {"path": "subject.properties.role", "equals": "admin"}}
    claimed = {"subject": {"role": "admin"}}
    assert check({"view": admin}, request=claimed).allowed
    assert not check({"view": admin}, request=claimed | {"attributes": {"role": "clerk"}}).allowed


def test_no_resource_yet_has_no_id_to_compare() -> None:
    not_one = {"scope": "all", "when": {"not": {"path": "resource.id", "equals": "p-1"}}}
    assert check({"view": not_one}, request={"resource_id": "p-2"}).allowed
    assert not check({"view": not_one}, request={"resource_id": "p-1"}).allowed
    assert not check({"view": not_one}, request={"resource_id": "-"}).allowed


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("giver", "given_", "covered"),
    [
        ("all", ACTIVE, True),
        ("self", ACTIVE, False),
        ("self", {**ACTIVE, "scope": "self"}, True),
        (ACTIVE, ACTIVE, True),
        (ACTIVE, {**ACTIVE, "scope": "self"}, True),
        ({**ACTIVE, "scope": "self"}, ACTIVE, False),
        (ACTIVE, "all", False),
        (ACTIVE, "self", False),
        (ACTIVE, {"scope": "all", "when": {"path": STATUS, "in": ["active"]}}, True),
        (ACTIVE, {"scope": "all", "when": [SECURE, *ACTIVE["when"]]}, False),
        ({"scope": "all", "when": {"path": SOFT, "equals": True}},
         {"scope": "all", "when": {"path": SOFT, "equals": 1}}, False),
        ([ACTIVE, {"scope": "all", "when": [SECURE]}], ACTIVE, True),
        (ACTIVE, [ACTIVE, {"scope": "all", "when": [SECURE]}], False),
    ],
)  # fmt: skip
def test_a_conditional_grant_is_given_by_who_holds_it_so_or_without(
    giver: Any, given_: Any, *, covered: bool
) -> None:
    exceeding = PAPERS.grants_exceeding(granted(view=giver), granted(view=given_))
    assert (exceeding == ()) is covered


def test_a_table_shows_a_conditional_cell_in_words() -> None:
    cells = PAPERS.table(granted(edit={**ACTIVE, "scope": "self"}, view=["self", ACTIVE]))["paper"]
    assert cells == {
        "view": f'self; or all when {STATUS} is "active"',
        "edit": f'self when {STATUS} is "active"',
        "print": None,
    }


TEXTS = ("", "a", "b", "1", "true", "10.0.0.1", "::ffff:10.0.0.1", "10.9.9.9", "fe80::1")
SCALARS = st.sampled_from([*TEXTS, 0, 1, 1.0, 2, True, False])
VALUES = st.one_of(SCALARS, st.none(), st.lists(SCALARS, max_size=2), st.just({"x": "a"}))
PROPERTIES = st.dictionaries(st.sampled_from(["p", "q"]), VALUES, max_size=2)
STORED = st.dictionaries(st.sampled_from(["p", "q"]), SCALARS, max_size=2)
PATHS = (
    *(f"{root}.properties.{name}" for root in ("subject", "resource", "action") for name in "pq"),
    *("context.p", "context.q", "context.p.x", "subject.id", "resource.id"),
)
PATH = st.sampled_from(PATHS)
POOLS: list[list[Any]] = [["a", "b", "10.0.0.1"], [0, 1, 2], [True, False]]
ONE_KIND = st.sampled_from(POOLS).flatmap(
    lambda pool: st.lists(st.sampled_from(pool), min_size=1, max_size=2)
)
RANGES = st.lists(
    st.sampled_from(["10.0.0.0/16", "10.0.0.0/8", "fe80::/10", "0.0.0.0/0", "::/0"]),
    min_size=1, max_size=2,
)  # fmt: skip
PAIRS = st.lists(PATH, min_size=2, max_size=2, unique=True)
COMPARISONS = st.one_of(
    st.builds(lambda path, value: {"path": path, "equals": value}, PATH, SCALARS),
    st.builds(lambda path, value: {"path": path, "in": value}, PATH, ONE_KIND),
    st.builds(lambda path, value: {"path": path, "contains": value}, PATH, SCALARS),
    st.builds(lambda path, value: {"path": path, "in_network": value}, PATH, RANGES),
    st.builds(lambda pair: {"path": pair[0], "same_as": pair[1]}, PAIRS),
)
TESTS = st.one_of(COMPARISONS, st.builds(negated, COMPARISONS))
CONDITIONAL = st.fixed_dictionaries(
    {
        "scope": st.sampled_from(["all", "self"]),
        "when": st.one_of(TESTS, st.lists(TESTS, min_size=1, max_size=3)),
    }
)
GRANT = st.one_of(
    st.none(), st.just("self"), CONDITIONAL, st.lists(CONDITIONAL, min_size=1, max_size=3),
    st.builds(lambda one: ["self", one], CONDITIONAL),
)  # fmt: skip
IDS = st.sampled_from([None, "usr_b", "usr_c"])
REQUESTS = st.fixed_dictionaries(
    {
        "subject_id": st.just("usr_b"),
        "resource_id": st.just("a"),
        "owner_id": IDS,
        "attributes": STORED,
        "registered": STORED,
        **dict.fromkeys(("subject", "resource", "action", "context"), PROPERTIES),
    }
)


@settings(max_examples=length("CONDITIONS", short=100, soak=5_000), deadline=None)
@given(view=GRANT, edit=GRANT, request_=REQUESTS, asked=st.sampled_from(["view", "edit"]))
def test_a_decision_is_that_of_the_rules_written_plainly(
    view: Any, edit: Any, request_: Any, asked: str
) -> None:
    levels = {name: grant for name, grant in (("view", view), ("edit", edit)) if grant is not None}
    holding = [edit, view] if asked == "view" else [edit]
    alternatives = [
        one
        for grant in holding
        if grant is not None
        for one in (grant if isinstance(grant, list) else [grant])
    ]
    decision = check(levels, f"paper:{asked}", request=request_)
    assert decision.reason == condition_oracle.reason(alternatives, request_)


def test_a_role_without_conditions_has_none_compiled() -> None:
    assert not any(matrix.conditional for matrix in PAPERS.roles.values())
    assert granted(view="all", edit=Scope.SELF).conditional == {}
