"""Tests of `explain` and `remedies` about API tokens."""

import pytest

from rolecall import (
    Denial,
    Reason,
    Resource,
    Restriction,
    StepId,
    StepResult,
    Subject,
    TokenSubject,
    decide,
    explain,
    remedies,
)
from tests.sdk.accounts import NOW, account, member, without_api_tokens

PROJECTS = frozenset({"prj_1", "prj_2"})
NO_CATALOG = without_api_tokens()
ANYWHERE = Resource()
INSIDE = Resource(project_id="prj_1")
OUTSIDE = "it reaches certain projects only, and the check is not inside one of them"


def told(restriction, permission="instance:write", place=ANYWHERE, *, role="developer", bound=""):
    """The denying step, and the text of what would allow; both are empty for an allow."""
    team = account(member(role), projects=PROJECTS)
    return told_of(
        team, Subject("usr_b", token=TokenSubject(bound, restriction)), permission, place
    )


def told_of(team, subject, permission="instance:write", place=ANYWHERE):
    found = explain(team, subject, permission, place, now=NOW)
    assert found.decision == decide(team, subject, permission, place, now=NOW)
    if found.decision.allowed:
        return found.steps[-1], ""
    [denying] = [step for step in found.steps if step.result is StepResult.DOES_NOT_HOLD]
    denial = Denial(team, subject, permission, place, found.decision, NOW)
    return denying, remedies(denial).text


@pytest.mark.rule("B2", "B7")
@pytest.mark.parametrize(
    ("restriction", "place", "withheld"),
    [
        (Restriction(read_only=True), ANYWHERE, "it only reads"),
        (
            Restriction(levels=frozenset({("instance", "view")})),
            ANYWHERE,
            "its levels do not include instance:write",
        ),
        (
            Restriction(projects=frozenset({"prj_2"})),
            INSIDE,
            OUTSIDE,
        ),
        (
            Restriction(projects=frozenset({"prj_2"}), read_only=True),
            ANYWHERE,
            f"{OUTSIDE}; it only reads",
        ),
    ],
)
def test_the_part_of_the_restriction_that_takes_away_is_told(restriction, place, withheld):
    step, remedy = told(restriction, place=place)
    assert step.id is StepId.TOKEN
    assert step.text == (f"The API token is live, and its restriction leaves this out: {withheld}.")
    assert remedy == "Use an API token whose restriction includes it."


def test_a_token_that_reaches_the_place_has_a_step_that_holds():
    step, _ = told(Restriction(projects=frozenset({"prj_1"})), place=INSIDE)
    assert (step.id, step.result) == (StepId.TOKEN, StepResult.HOLDS)
    assert step.text == "The API token is live and reaches the permission and the place."


@pytest.mark.rule("B7")
def test_no_role_is_a_remedy_while_the_restriction_leaves_it_out():
    step, remedy = told(Restriction(read_only=True), role="viewer")
    assert step.id is StepId.GRANTS
    assert remedy.startswith("The restriction of the API token leaves it out as well.")
    _, remedy = told(None, role="viewer")
    assert remedy.startswith("The membership would need one of the roles Admin, Developer.")


@pytest.mark.rule("Ci10", "B7")
def test_nothing_revives_the_token_of_an_earlier_membership():
    step, remedy = told(None, bound="mem_old")
    assert (step.id, step.text) == (
        StepId.MEMBERSHIP,
        "The API token belongs to an earlier membership of the user.",
    )
    assert remedy.startswith("Nothing revives this API token.")
    former = Subject("usr_b", token=TokenSubject("mem_old"))
    step, remedy = told_of(account(), former)
    assert step.text == "The user is not a member of the account."
    assert remedy.startswith("Nothing revives this API token.")


@pytest.mark.rule("Ci11")
def test_no_token_counts_under_a_catalog_without_tokens():
    team = account(member(catalog=NO_CATALOG), catalog=NO_CATALOG)
    assert decide(team, Subject("usr_b"), "instance:write", now=NOW).allowed
    token = Subject("usr_b", token=TokenSubject(""))
    decision = decide(team, token, "instance:write", now=NOW)
    assert (decision.allowed, decision.reason) == (False, Reason.NOT_A_MEMBER)
    step, remedy = told_of(team, token)
    assert step.text == "The catalog of the account has no API tokens, so none counts."
    assert remedy == "The account would need a catalog with API tokens."
