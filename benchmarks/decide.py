"""Measures the time of one decision in process.

50 members under the catalog `standard`, random checks of which about 60 % are allowed; warm,
single thread. Prints nanoseconds per decision, without the cost of the loop.

    PYTHONPATH=sdk python benchmarks/decide.py
"""

import random
import statistics
import time

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


def main() -> None:
    state = account()
    asked = checks(state, random.Random(1))
    net = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for _subject, _permission, _resource in asked:
            pass
        empty = time.perf_counter_ns() - start
        start = time.perf_counter_ns()
        for subject, permission, resource in asked:
            decide(state, subject, permission, resource, now=NOW)
        net.append((time.perf_counter_ns() - start - empty) / len(asked))
    print(f"one decision: median {statistics.median(net):.0f} ns, best {min(net):.0f} ns")


if __name__ == "__main__":
    main()
