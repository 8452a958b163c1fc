"""Tests of how much is looked at to find who could grant what was denied."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from rolecall import (
    AccountState,
    Denial,
    Member,
    Override,
    Resource,
    Subject,
    decide,
    grantors,
    grants_not_held,
    remedies,
)
from rolecall.core.giving import may_give
from rolecall.core.grantors import (
    COMPARE_STEPS,
    LOOK_STEPS,
    MAX_COMPARED,
    MAX_EXAMINED,
    MAX_LOOKED_AT,
    OVERRIDE_COMPARED,
    grantors_in_parts,
)
from rolecall.core.parts import STEPS_OF_PART
from tests.sdk.accounts import NOW, STANDARD, account, member


class Overrides(dict[str, Override]):
    """The overrides of a giver, which count how often they are looked through."""

    looked_through = 0

    def __iter__(self) -> Iterator[str]:
        """Look through them."""
        Overrides.looked_through += 1
        return super().__iter__()


class Members(dict[str, Member]):
    """Members, which count how often one is looked at."""

    looks = 0

    def __getitem__(self, key: str) -> Member:
        """Look at one."""
        self.looks += 1
        return super().__getitem__(key)


def denied(team: AccountState) -> Denial:
    """The denial of a right that the viewer `usr_b` does not have."""
    subject, place = Subject("usr_b"), Resource()
    decision = decide(team, subject, "instance:write", place, now=NOW)
    return Denial(team, subject, "instance:write", place, decision, NOW)


def test_givers_with_many_overrides_are_examined_up_to_a_bound() -> None:
    projects = [f"prj_{at}" for at in range(20)]
    parsed = STANDARD.catalog.parse_grants({"instance": {"write": "all"}}, within_project=True)
    override = Override(STANDARD.override_matrix("prj_1", parsed))
    held = Overrides(dict.fromkeys(projects, override))
    many = [member("admin", user_id=f"usr_{at:04}", overrides=held) for at in range(100)]
    team = account(member("owner", user_id="usr_a"), member("viewer"), *many, projects=projects)
    found = denied(team)
    wanted = remedies(found)
    Overrides.looked_through = 0
    assert grantors(found, wanted).complete is False
    examined = 1 + MAX_COMPARED // (len(wanted.roles) * OVERRIDE_COMPARED * len(projects))
    assert 0 < Overrides.looked_through <= examined * len(wanted.roles)


def test_who_could_grant_is_looked_for_among_a_bounded_number_of_members() -> None:
    team = account(member("owner", user_id="usr_a"), member("viewer"))
    viewer = team.members["usr_b"]
    members = Members({f"usr_{at:06}": viewer for at in range(MAX_LOOKED_AT + 500)})
    members.update(team.members)
    found = denied(replace(team, members=members))
    wanted = remedies(found)
    members.looks = 0
    could = grantors(found, wanted)
    assert [one.user_id for one in could.members] == ["usr_a"]
    assert could.complete is False
    assert members.looks <= MAX_LOOKED_AT


def test_a_role_may_be_given_where_no_grant_of_it_is_missing() -> None:
    roles: Any = STANDARD.roles.values()
    for held, given in product(roles, repeat=2):
        giver = Member("usr_b", held)
        missing = grants_not_held(account(giver), giver, given, now=NOW)
        assert may_give(account(giver), giver, given, now=NOW) is (not missing)


def test_who_could_grant_is_found_in_parts_of_a_bounded_size() -> None:
    admins = [member("admin", user_id=f"usr_{at:04}") for at in range(MAX_EXAMINED)]
    found = denied(account(member("owner", user_id="usr_a"), member("viewer"), *admins))
    wanted = remedies(found)
    parts = list(grantors_in_parts(found, wanted))
    steps = MAX_EXAMINED * (LOOK_STEPS + COMPARE_STEPS * len(wanted.roles))
    assert len(parts) == steps // (STEPS_OF_PART + COMPARE_STEPS) > 1
