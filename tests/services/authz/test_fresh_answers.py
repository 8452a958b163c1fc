"""An answer is given only if the leases hold after its state was read."""

from dataclasses import dataclass, fields
from typing import Any

import pytest

from services.authz.use_cases.context import Ctx
from shared.problems import Stale, TokenRevoked


@dataclass
class Lease:
    """A follower of which only the lease matters."""

    held: bool = True

    def holds(self) -> bool:
        return self.held


def context(team: Lease, identity: Lease) -> Ctx:
    """A context of two leases, and of nothing else."""
    parts: dict[str, Any] = {each.name: None for each in fields(Ctx)}
    return Ctx(**parts | {"team": team, "identity": identity})


@pytest.mark.parametrize("ended", [0, 1], ids=["team", "identity"])
def test_a_lease_that_ends_while_the_state_is_read_gives_no_answer(ended):
    """A process may be stopped between any two steps, and go on after its lease has run out."""
    leases = [Lease(), Lease()]

    def answer() -> str:
        leases[ended].held = False
        return "allowed"

    def refuse() -> str:
        leases[ended].held = False
        raise TokenRevoked

    for rule in (answer, refuse):
        leases[ended].held = True
        with pytest.raises(Stale):
            context(*leases).while_fresh(rule)


def test_an_answer_and_a_refusal_under_both_leases_are_given():
    def refuse() -> str:
        raise TokenRevoked

    assert context(Lease(), Lease()).while_fresh(lambda: "allowed") == "allowed"
    with pytest.raises(TokenRevoked):
        context(Lease(), Lease()).while_fresh(refuse)
