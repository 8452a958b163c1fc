"""P1: the time of one decision in process, with the complete rules.

50 members under the catalog `standard`, random checks of which about 60 % are allowed; warm,
single thread. Prints nanoseconds per decision, without the cost of the loop.

    PYTHONPATH=.:sdk python -m benchmarks.decide
"""

import random
import statistics
import time

from benchmarks.results import Goal, Result, Table
from rolecall import (
    AccountKind,
    AccountState,
    AccountStatus,
    CompiledCatalog,
    Member,
    MembershipTerms,
    Override,
    Resource,
    Subject,
    decide,
    load_catalog,
)

ROUNDS, CHECKS, NOW = 15, 20_000, 1_800_000_000_000
GOAL_NS = 1_000


def account() -> AccountState:
    catalog = CompiledCatalog(load_catalog("standard"))
    override = Override(
        catalog.override_matrix(
            "prj_1", catalog.catalog.parse_grants({"instance": {"write": "all"}})
        )
    )
    roles = list(catalog.roles.values())
    members = {
        f"usr_{n}": Member(
            user_id=f"usr_{n}",
            role=roles[n % len(roles)],
            terms=MembershipTerms(
                expires_at=NOW + 1 if n % 10 == 0 else None,
                overrides={"prj_1": override} if n % 5 == 0 else {},
            ),
        )
        for n in range(50)
    }
    return AccountState(
        id="acc_1",
        kind=AccountKind.TEAM,
        status=AccountStatus.ACTIVE,
        owner_user_id="usr_0",
        catalog=catalog,
        members=members,
        projects=frozenset({"prj_1", "prj_2"}),
        resources={("instance", "i-1"): Resource(id="i-1", owner_id="usr_5", project_id="prj_1")},
    )


def checks(state: AccountState, rng: random.Random) -> list[tuple[Subject, str, Resource]]:
    subjects = [Subject(user_id) for user_id in state.members] + [Subject("usr_elsewhere")]
    permissions = list(state.catalog.permissions)
    made: dict[bool, list[tuple[Subject, str, Resource]]] = {True: [], False: []}
    wanted = {True: CHECKS * 6 // 10, False: CHECKS * 4 // 10}
    while any(len(made[answer]) < wanted[answer] for answer in made):
        subject = rng.choice(subjects)
        resource = Resource(
            id=rng.choice(["i-1", "i-2", None]),
            owner_id=rng.choice([None, "usr_5", subject.user_id]),
            project_id=rng.choice([None, "prj_1", "prj_2"]),
        )
        check = (subject, rng.choice(permissions), resource)
        answer = decide(state, *check, now=NOW).allowed
        if len(made[answer]) < wanted[answer]:
            made[answer].append(check)
    mixed = made[True] + made[False]
    rng.shuffle(mixed)
    return mixed


def nanoseconds(rounds: int) -> list[float]:
    """The time of one decision in each round, without the loop; CPU time."""
    state = account()
    asked = checks(state, random.Random(1))
    net = []
    for _ in range(rounds):
        start = time.process_time_ns()
        for _subject, _permission, _resource in asked:
            pass
        empty = time.process_time_ns() - start
        start = time.process_time_ns()
        for subject, permission, resource in asked:
            decide(state, subject, permission, resource, now=NOW)
        net.append((time.process_time_ns() - start - empty) / len(asked))
    return net


def run(rounds: int = ROUNDS) -> Result:
    """Measure."""
    found = nanoseconds(rounds)
    middle = statistics.median(found)
    return Result(
        "One decision in process",
        "python -m benchmarks --only decide",
        tables=[
            Table(
                ("one decision with the complete rules", "median ns", "best ns"),
                [("subject, permission and resource are objects", middle, min(found))],
            )
        ],
        goals=[
            Goal(
                "P1",
                "one decision in process with the complete rules, warm",
                f"{middle / 1000:.2f} µs",
                f"at most {GOAL_NS / 1000:.0f} µs",
                middle <= GOAL_NS,
            )
        ],
    )


if __name__ == "__main__":
    print(run().markdown())
