"""Tests of the time that a request of provisioning takes: what is late is answered as not done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from rolecall import CompiledCatalog, load_catalog
from services.team.routes.provisioning import ProvisionedMembers
from services.team.use_cases.provisioning import MEMBERS_PER_WRITE
from tests.patience import PATIENT
from tests.services.team.memory import Memory, MemoryJournal, memory
from tests.services.team.provisioning import know, provision, reply, state
from tests.services.team.test_provisioning_guardrails import REFUSED, at_least, guarded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STANDARD = CompiledCatalog(load_catalog("standard"))
NAMES = [f"user{number}" for number in range(4 * MEMBERS_PER_WRITE)]
ENTRIES = [{"external_id": name, "role": "basic"} for name in NAMES]


class SlowJournal(MemoryJournal):
    """A journal of which each transaction takes `seconds`."""

    seconds = 0.0

    async def _run(self, work: Callable[..., Awaitable[Any]], **named: Any) -> Any:
        self.clock.move(self.seconds)
        return await super()._run(work, **named)


def slow(seconds: float, world: Memory | None = None) -> tuple[Memory, SlowJournal]:
    """An account whose transactions are slow, and the users to provision."""
    world = world or memory(STANDARD)
    journal = SlowJournal(world.store, world.clock)
    journal.seconds = seconds
    know(world, *NAMES)
    timeouts = replace(PATIENT, provisioning=10.0)
    ctx = replace(world.ctx, journal=cast("Any", journal), timeouts=timeouts)
    return replace(world, journal=journal, ctx=ctx), journal


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_late_is_not_done_and_a_repeat_does_it(*, dry_run: bool) -> None:
    world, journal = slow(6.0)
    before = state(world)["members"]

    outcomes = provision(world, *ENTRIES, dry_run=dry_run)

    done = 2 * MEMBERS_PER_WRITE
    assert outcomes == ["added"] * done + ["not_done"] * (len(ENTRIES) - done)
    joined = state(world)["members"].keys() - before.keys()
    assert len(joined) == (0 if dry_run else done)
    if not dry_run:
        journal.seconds = 0.0
        rest = ["added"] * (len(ENTRIES) - done)
        assert provision(world, *ENTRIES) == ["unchanged"] * done + rest


def test_what_was_done_in_time_is_effective_with_the_answer() -> None:
    world, journal = slow(6.0)
    answer = reply(world, *ENTRIES)
    assert answer.written is not None
    assert answer.written.revision == f"team.e1.0.{2 * MEMBERS_PER_WRITE}"
    assert journal.effective_everywhere == [False, False, True]
    assert len(journal.settled) == 1


def test_an_entry_that_is_late_names_no_user_and_no_reason() -> None:
    world, _ = slow(20.0)
    body = reply(world, *ENTRIES).body
    assert isinstance(body, ProvisionedMembers)
    last = body.results[-1]
    assert (last.external_id, last.status) == (NAMES[-1], "not_done")
    assert (last.user_id, last.refusal) == (None, None)


@pytest.mark.parametrize("only_rest", [False, True], ids=["whole", "rest"])
@pytest.mark.parametrize("seconds", [0.0, 0.3, 2.0, 6.0, 9.9])
def test_what_a_guardrail_refuses_does_not_keep_the_rest_undone(
    seconds: float, *, only_rest: bool
) -> None:
    """Too few holders name no user: who is to blame is found in the transaction of the page."""
    admins = [f"admin{number}" for number in range(60)]
    world, _ = slow(seconds, guarded(at_least(len(admins)), admins=tuple(admins)))
    demoted = [{"external_id": name, "role": "viewer"} for name in admins[:20]]
    waiting = [*demoted, *ENTRIES[:MEMBERS_PER_WRITE]]
    became: dict[str, str] = {}
    for _ in range(len(waiting)):
        names = [one["external_id"] for one in waiting]
        outcomes = dict(zip(names, provision(world, *waiting), strict=True))
        became |= {name: one for name, one in outcomes.items() if one != "not_done"}
        if "not_done" not in outcomes.values():
            break
        if only_rest:
            waiting = [one for one in waiting if outcomes[one["external_id"]] == "not_done"]
    assert "not_done" not in outcomes.values()
    assert [became[name] for name in admins[:20]] == [REFUSED] * 20
    assert {became[name] for name in NAMES[:MEMBERS_PER_WRITE]} <= {"added", "unchanged"}
