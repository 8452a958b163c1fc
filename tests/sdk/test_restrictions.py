"""The restriction of an API token takes away at a check exactly what it takes from its member."""

import random
from dataclasses import replace

import pytest

from rolecall import CompiledCatalog, Reason, Resource, Restriction, Subject, TokenSubject, decide
from rolecall.core.restrictions import exceeding, mask_of, narrowed, within
from tests.sdk.accounts import NOW, STANDARD, account, member
from tests.sdk.test_explain import PROJECTS, override

LEVELS = [
    (entry.id, level.id) for entry in STANDARD.catalog.entries.values() for level in entry.levels
]
ROLES = [role.id for role in STANDARD.catalog.roles]


def random_restriction(rng: random.Random) -> Restriction:
    return Restriction(
        projects=rng.choice([None, frozenset({"prj_1"}), frozenset(PROJECTS)]),
        levels=rng.choice(
            [None, frozenset(rng.sample(LEVELS, 6)), frozenset(rng.sample(LEVELS, 30))]
        ),
        read_only=rng.random() < 0.3,
    )


@pytest.mark.rule("B2", "Ci10")
def test_a_check_by_a_token_is_one_of_the_narrowed_member():
    rng = random.Random(60)
    taken = 0
    for _ in range(400):
        someone = member(
            rng.choice(ROLES),
            overrides=rng.choice(
                [{}, override(instance={"write": "all"}), override("prj_2", NOW, instance={})]
            ),
        )
        restriction = random_restriction(rng)
        narrow = narrowed(STANDARD, someone, restriction, now=NOW)
        whole, less = account(someone, projects=PROJECTS), account(narrow, projects=PROJECTS)
        by_token = Subject(someone.user_id, token=TokenSubject("", restriction))
        for permission in rng.sample(sorted(STANDARD.permissions), 12):
            place = Resource(project_id=rng.choice([None, *PROJECTS]))
            plain = decide(whole, Subject(someone.user_id), permission, place, now=NOW)
            token = decide(whole, by_token, permission, place, now=NOW)
            other = decide(less, Subject(someone.user_id), permission, place, now=NOW)
            assert token.allowed is other.allowed, (permission, restriction)
            assert plain.allowed or token == plain
            if plain.allowed and not token.allowed:
                assert token.reason is Reason.TOKEN_RESTRICTED
                taken += 1
    assert taken


@pytest.mark.rule("Ci11")
def test_a_read_only_token_reads_and_does_nothing_else():
    reading = Restriction(read_only=True)
    owner = account(member("owner"))
    subject = Subject("usr_b", token=TokenSubject("", reading))
    allowed = {
        name for name in STANDARD.permissions if decide(owner, subject, name, now=NOW).allowed
    }
    assert allowed
    assert {name.partition(":")[2] for name in allowed} <= {"view"}


@pytest.mark.rule("B5")
def test_a_token_that_is_within_another_reaches_no_further():
    rng = random.Random(61)
    inside = 0
    for _ in range(2_000):
        inner, outer = random_restriction(rng), random_restriction(rng)
        if rng.random() < 0.5:
            inner = replace(outer, read_only=True)
        if not within(STANDARD, inner, outer):
            continue
        inside += 1
        assert outer.projects is None or (inner.projects or set()) <= outer.projects
        for held in STANDARD.permissions.values():
            if mask_of(STANDARD, inner) & held.bit:
                assert mask_of(STANDARD, outer) & held.bit
    assert inside
    assert not within(STANDARD, None, Restriction(read_only=True))


@pytest.mark.rule("B5")
def test_levels_that_a_member_does_not_hold_are_named():
    team = account(member("developer", overrides=override(instance={"view": "all"})))
    [someone] = team.members.values()
    wanted = Restriction(levels=frozenset({("instance", "write"), ("member", "remove")}))
    assert exceeding(team, someone, wanted, now=NOW) == ("member:remove",)
    inside = replace(wanted, projects=frozenset({"prj_1"}))
    assert exceeding(team, someone, inside, now=NOW) == ("instance:write", "member:remove")


def test_a_level_that_another_catalog_does_not_have_reaches_nothing():
    gone = Restriction(levels=frozenset({("instance", "fly")}))
    assert mask_of(STANDARD, gone) == 0
    assert isinstance(STANDARD, CompiledCatalog)
