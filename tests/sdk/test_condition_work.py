"""Tests of what conditions cost: values are prepared once, and every step is counted."""

from typing import Any

from rolecall import Given, Member, MembershipTerms, Resource, Subject, decide, who_can
from rolecall.core.condition_language import MAX_TESTS
from rolecall.core.condition_work import TOO_LARGE, ConditionWork
from rolecall.core.level_grants import MAX_ALTERNATIVES
from rolecall.core.who_can import CHARACTERS_OF_STEP, MAX_CONDITION_STEPS
from tests.sdk.accounts import NOW, account
from tests.sdk.papers import PAPERS, granted

GROUPS = [f"group-{number}" for number in range(256)]
PATH = "subject.properties.groups"


def heavy() -> Any:
    """The most alternatives of the most tests; all but the last test of each holds."""
    held = [{"path": PATH, "contains": one} for one in GROUPS[: MAX_TESTS - 1]]
    return [
        {"scope": "all", "when": [*held, {"not": {"path": PATH, "contains": one}}]}
        for one in GROUPS[-MAX_ALTERNATIVES:]
    ]


def crowd(count: int) -> Any:
    """An account of members who all have one role with heavy conditions."""
    role = granted(view=heavy())
    terms = MembershipTerms(attributes={"groups": GROUPS})
    members = (Member(f"usr_{at:04}", role, terms) for at in range(count))
    return account(*members, catalog=PAPERS)


def test_decisions_that_share_their_work_prepare_a_list_once() -> None:
    team, work = crowd(1), ConditionWork()
    spent = []
    for _ in range(3):
        before = work.steps
        decision = decide(
            team, Subject("usr_0000"), "paper:view", Resource("p-1"), now=NOW, work=work
        )
        assert decision.reason == "condition-failed"
        spent.append(work.steps - before)
    assert spent[0] > spent[1] == spent[2] > MAX_ALTERNATIVES
    assert spent[1] <= MAX_ALTERNATIVES * MAX_TESTS


def test_a_list_is_not_taken_for_an_earlier_one() -> None:
    work = ConditionWork()
    for number in range(100):
        assert work.listed([f"group-{number}"]).has(f"group-{number}", "text") is True


def test_numbers_that_no_condition_names_are_kept_out_of_the_look_up() -> None:
    """Python compares equal hashes one by one, and a caller can choose large numbers for that."""
    large: list[object] = [7 + number * (2**61 - 1) for number in range(1, 200)]
    found = ConditionWork().listed([*large, -TOO_LARGE, 7])
    assert found.by_kind == {"number": {7}}
    assert (found.has(7, "number"), found.has(8, "number")) == (True, False)
    assert found.has("7", "text") is None


def test_a_text_that_is_too_long_for_an_address_is_not_read_as_one() -> None:
    work = ConditionWork()
    assert work.address("10.1.2.3") == (4, 0x0A010203)
    assert work.address(f"{'0' * 100_000}::1") is None


def test_who_can_ends_a_page_when_conditions_took_its_steps() -> None:
    team = crowd(400)
    pages, after = 0, None
    while True:
        page = who_can(team, "paper:view", Resource("p-1"), now=NOW, limit=100, after=after)
        assert page.members == ()
        pages += 1
        if page.next_after is None:
            break
        after = page.next_after
    # The decision makes each test, and the search for what the facts lack makes it again.
    steps = 400 * (MAX_ALTERNATIVES * MAX_TESTS) * 2
    assert steps // MAX_CONDITION_STEPS // 2 <= pages <= steps // MAX_CONDITION_STEPS + 1


def test_the_words_of_a_listed_condition_count_as_steps() -> None:
    role = granted(view=heavy())
    team = account(*(Member(f"usr_{at:02}", role) for at in range(60)), catalog=PAPERS)
    page = who_can(team, "paper:view", Resource("p-1"), now=NOW, limit=100)
    words = sum(len(one.limited_to or "") for one in page.members)
    assert page.next_after is not None
    assert MAX_CONDITION_STEPS < words < MAX_CONDITION_STEPS * CHARACTERS_OF_STEP * 2


def test_shared_work_changes_no_decision() -> None:
    """The values of one check are not those of the next."""
    team, work = crowd(1), ConditionWork()
    role = granted(view={"scope": "all", "when": {"path": PATH, "contains": "staff"}})
    team.members["usr_0000"] = Member("usr_0000", role)
    for groups in (["staff"], ["guests"], ["staff", 1], ["guests", 1], [], "staff"):
        given = Given(subject={"groups": groups})
        alone, shared = (
            decide(
                team,
                Subject("usr_0000"),
                "paper:view",
                Resource("p-1"),
                now=NOW,
                given=given,
                work=one,
            )
            for one in (None, work)
        )
        assert alone == shared
        assert shared.allowed is ("staff" in groups and groups != "staff")
