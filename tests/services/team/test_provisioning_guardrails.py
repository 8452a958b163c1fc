"""Provisioning in an account with guardrails, and in one that is suspended or deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall import AccountStatus, CompiledCatalog, load_catalog
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from services.team.routes.provisioning import ProvisionedMembers
from services.team.use_cases.provisioning import MEMBERS_PER_WRITE
from shared.auth.account_refusals import DeletingAccount, SuspendedAccount
from shared.contracts.facts import shard_of
from shared.ids import GuardrailId
from shared.problems import Refusal
from tests.services.team.memory import ACCOUNT, START, Memory, MemoryJournal, memory, user_id
from tests.services.team.provisioning import know, provision, reply, state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.journal import JournalWrite

STANDARD = CompiledCatalog(load_catalog("standard"))
REFUSED = "guardrail-violated"
NO_BILLING = GuardrailRule(
    kind=GuardrailKind.NEVER,
    permission="account:view",
    roles=("billing",),
    project_id=None,
    minimum=None,
)


def at_least(minimum: int) -> GuardrailRule:
    """This many admins."""
    return GuardrailRule(
        kind=GuardrailKind.MINIMUM_HOLDERS,
        permission=None,
        roles=("admin",),
        project_id=None,
        minimum=minimum,
    )


def guarded(*rules: GuardrailRule, admins: tuple[str, ...] = ()) -> Memory:
    """An account with these rules and admins."""
    world = memory(STANDARD)
    for name in admins:
        world.add(name, "admin")
    guardrails = tuple(
        Guardrail(
            guardrail_id=GuardrailId(f"grd_{number:032x}"),
            name=f"Rule {number}",
            rule=rule,
            created_by=user_id("owner"),
            created_at=START,
        )
        for number, rule in enumerate(rules)
    )
    world.store.rows[ACCOUNT] = replace(world.store.rows[ACCOUNT], guardrails=guardrails)
    know(world, *admins, "owner")
    return world


def roles_of(world: Memory) -> dict[str, str]:
    return {member.name.lower(): member.role for member in world.store.memberships.values()}


def add(name: str, role: str = "basic") -> dict[str, Any]:
    return {"external_id": name, "role": role}


def remove(name: str) -> dict[str, Any]:
    return {"external_id": name, "remove": True}


@pytest.mark.rule("B10")
@pytest.mark.parametrize("dry_run", [True, False])
def test_the_entry_that_a_guardrail_refuses_is_told_its_counterexample(*, dry_run: bool) -> None:
    world = guarded(NO_BILLING)
    know(world, "ana", "bo", "cy", "di")
    entries = [add("ana"), add("bo", "billing"), add("cy"), add("di", "billing")]

    body = reply(world, *entries, dry_run=dry_run).body

    assert isinstance(body, ProvisionedMembers)
    assert [one.status for one in body.results] == ["added", "refused", "added", "refused"]
    for name, refused in (("bo", body.results[1].refusal), ("di", body.results[3].refusal)):
        assert refused is not None
        assert refused.code == REFUSED
        assert "“Rule 0”" in refused.detail
        assert f"{user_id(name)} would hold `account:view`" in refused.detail
    assert sorted(roles_of(world)) == (["owner"] if dry_run else ["ana", "cy", "owner"])
    recorded = [fact for fact in world.journal.facts if fact.reason == REFUSED]
    assert [(fact.reason, fact.resource.id) for fact in recorded] == (
        [] if dry_run else [(REFUSED, user_id("bo")), (REFUSED, user_id("di"))]
    )


@pytest.mark.rule("B10")
@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("between", [0, MEMBERS_PER_WRITE])
def test_the_last_admins_stay_whichever_pages_remove_them(between: int, *, dry_run: bool) -> None:
    world = guarded(at_least(2), admins=("ana", "bo", "cy"))
    names = [f"user{number}" for number in range(between)]
    know(world, *names)
    entries = [remove("ana"), *map(add, names), add("bo", "basic"), remove("cy")]

    outcomes = provision(world, *entries, dry_run=dry_run)

    assert outcomes == ["removed", *["added"] * between, REFUSED, REFUSED]
    if not dry_run:
        assert (roles_of(world)["bo"], roles_of(world)["cy"]) == ("admin", "admin")


def test_a_replacement_in_the_same_page_contradicts_nothing() -> None:
    world = guarded(at_least(2), admins=("ana", "bo"))
    know(world, "cy")
    assert provision(world, remove("ana"), add("cy", "admin")) == ["removed", "added"]


@pytest.mark.parametrize("rule", [NO_BILLING, at_least(1)])
def test_a_last_entry_that_is_refused_waits_for_the_earlier_ones(rule: GuardrailRule) -> None:
    world = guarded(rule, admins=("bo",))
    know(world, "ana")
    last = add("bo", "billing")
    answer = reply(world, add("ana"), last)
    assert world.journal.effective_everywhere == [True]
    assert answer.written is not None
    assert answer.written.revision == "team.e1.0.1"
    assert provision(world, add("ana"), last) == ["unchanged", REFUSED]
    assert world.journal.settled == [shard_of(ACCOUNT)]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("status", "refusal"),
    [(AccountStatus.SUSPENDED, SuspendedAccount), (AccountStatus.DELETING, DeletingAccount)],
)
def test_no_member_is_provisioned_in_a_closed_account(
    status: AccountStatus, refusal: type[Refusal], *, dry_run: bool
) -> None:
    world = guarded(admins=("ana",))
    know(world, "bo")
    account = world.store.rows[ACCOUNT]
    world.store.rows[ACCOUNT] = replace(account, status=status)
    before = state(world)
    for entry in (add("bo"), remove("ana"), add("ana", "admin")):
        with pytest.raises(refusal):
            provision(world, entry, dry_run=dry_run)
    assert state(world) == before
    world.store.rows[ACCOUNT] = account
    assert provision(world, add("bo"), remove("ana")) == ["added", "removed"]


NAMES = ("ana", "bo", "cy", "di", "ed")
ROLES = ("admin", "basic", "billing")


@settings(deadline=None)
@given(
    admins=st.sets(st.sampled_from(NAMES)),
    minimum=st.integers(1, 3),
    entries=st.lists(
        st.builds(add, st.sampled_from(NAMES), st.sampled_from(ROLES))
        | st.builds(remove, st.sampled_from(NAMES)),
        min_size=1,
        max_size=len(NAMES),
        unique_by=lambda entry: entry["external_id"],
    ),
)
def test_a_dry_run_tells_what_guardrails_then_refuse(
    admins: set[str], minimum: int, entries: list[dict[str, Any]]
) -> None:
    world = guarded(NO_BILLING, at_least(minimum), admins=tuple(sorted(admins)))
    know(world, *NAMES)
    before = state(world)
    tried = provision(world, *entries, dry_run=True)
    assert state(world) == before

    assert provision(world, *entries) == tried

    roles = list(roles_of(world).values())
    assert "billing" not in roles
    assert roles.count("admin") >= min(minimum, len(admins))
    for entry, outcome in zip(entries, tried, strict=True):
        if outcome == REFUSED:
            member = before["members"].get(user_id(entry["external_id"]))
            assert state(world)["members"].get(user_id(entry["external_id"])) == member
            assert entry.get("role") == "billing" or (member is not None and member[0] == "admin")


def test_refusals_of_a_page_are_recorded_together() -> None:
    """A request has a thousand at most: one transaction each would take longer than it may."""
    world = guarded(NO_BILLING)
    names = [f"user{number}" for number in range(MEMBERS_PER_WRITE + 10)]
    know(world, *names)

    outcomes = provision(world, *({"external_id": name, "role": "billing"} for name in names))

    assert outcomes == [REFUSED] * len(names)
    assert [fact.reason for fact in world.journal.facts] == [REFUSED] * len(names)
    writes = 2
    assert len(world.journal.callers) == writes + writes


def test_a_page_that_changes_members_is_written_at_the_first_attempt() -> None:
    """Overrides that were not read would make each page run twice."""
    world = guarded(NO_BILLING, at_least(1), admins=("ana", "bo", "cy"))
    attempts = CountedAttempts(world.store, world.clock)
    world = replace(world, ctx=replace(world.ctx, journal=cast("Any", attempts)))

    assert provision(world, add("ana"), remove("bo")) == ["updated", "removed"]

    assert attempts.begun == 1


class CountedAttempts(MemoryJournal):
    """A journal that counts how often a change is begun."""

    begun = 0

    async def _run(self, work: Callable[..., Awaitable[Any]], **named: Any) -> Any:
        async def counted(write: JournalWrite) -> Any:
            self.begun += 1
            return await work(write)

        return await super()._run(counted, **named)
