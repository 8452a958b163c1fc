"""The workload of the measurements of checks, the same for every product that is measured.

1,000 teams of 50 members in six roles; random checks on every resource type of the catalog
`standard`, three actions each, of which about 60 % are allowed.
"""

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rolecall import CompiledCatalog, Matrix, load_catalog
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind

TEAMS, MEMBERS, CHECKS, SEED = 1_000, 50, 20_000, 1
ACTIONS_OF_A_TYPE = 3
CATALOG = load_catalog("standard")
COMPILED = CompiledCatalog(CATALOG)
ROLES = tuple(name for name in COMPILED.roles if name != CATALOG.owner_role)
CLIENT = "cli_" + "b" * 32


@dataclass(frozen=True)
class Check:
    """One check, and the right answer."""

    account: str
    user: str
    role: str
    type: str
    action: str
    owner: str | None
    allowed: bool


def account_id(team: int) -> str:
    return f"acc_{team:032x}"


def user_id(team: int, member: int) -> str:
    return f"usr_{team * MEMBERS + member:032x}"


def role_of(member: int) -> str:
    return ROLES[member % len(ROLES)]


def permissions() -> list[tuple[str, str]]:
    """Types and actions; rights on projects are decided inside one, so they are left out."""
    found: dict[str, list[str]] = {}
    for name, permission in COMPILED.permissions.items():
        kind, _, action = name.partition(":")
        if not permission.on_project:
            found.setdefault(kind, []).append(action)
    return [(kind, action) for kind in found for action in found[kind][:ACTIONS_OF_A_TYPE]]


def scope(role: str, kind: str, action: str) -> str | None:
    """`all`, `self` or nothing: what the role holds."""
    matrix: Matrix = COMPILED.roles[role]
    bit = COMPILED.permissions[f"{kind}:{action}"].bit
    return "all" if matrix.all_mask & bit else "self" if matrix.self_mask & bit else None


def grants() -> list[tuple[str, str, str, str]]:
    """Every grant: role, type, action and scope."""
    return [
        (role, kind, action, held)
        for role in ROLES
        for kind, action in permissions()
        if (held := scope(role, kind, action)) is not None
    ]


def checks() -> list[Check]:
    """The random checks."""
    rng = random.Random(SEED)
    named = permissions()
    made: dict[bool, list[Check]] = {True: [], False: []}
    wanted = {True: CHECKS * 6 // 10, False: CHECKS * 4 // 10}
    while any(len(made[answer]) < wanted[answer] for answer in made):
        team, member = rng.randrange(TEAMS), rng.randrange(MEMBERS)
        kind, action = rng.choice(named)
        user = user_id(team, member)
        owner = rng.choice((None, user, user_id(team, rng.randrange(MEMBERS))))
        held = scope(role_of(member), kind, action)
        allowed = held == "all" or (held == "self" and owner == user)
        if len(made[allowed]) < wanted[allowed]:
            check = Check(account_id(team), user, role_of(member), kind, action, owner, allowed)
            made[allowed].append(check)
    mixed = made[True] + made[False]
    rng.shuffle(mixed)
    return mixed


def of_team() -> Iterator[PolicyObject]:
    """The policy objects that team publishes."""
    yield PolicyObject(
        kind=PolicyObjectKind.CATALOG, id=CATALOG.id, state={"content": CATALOG.to_mapping()}
    )
    for team in range(TEAMS):
        account = account_id(team)
        yield PolicyObject(
            kind=PolicyObjectKind.ACCOUNT,
            id=account,
            account_id=account,
            state={
                "kind": "team",
                "status": "active",
                "owner_user_id": user_id(team, 0),
                "catalog": CATALOG.id,
            },
        )
        for member in range(MEMBERS):
            yield PolicyObject(
                kind=PolicyObjectKind.MEMBER,
                id=user_id(team, member),
                account_id=account,
                state={
                    "membership_id": f"mem_{team * MEMBERS + member:032x}",
                    "role": role_of(member),
                    "status": "active",
                },
            )


def of_identity() -> Iterator[PolicyObject]:
    """The policy objects that identity publishes."""
    yield PolicyObject(
        kind=PolicyObjectKind.SERVICE_CLIENT,
        id=CLIENT,
        state={"name": "compute", "scopes": ["authz:check"]},
    )


def authzen(check: Check) -> dict[str, object]:
    """The check as an AuthZEN evaluation."""
    properties = {"account_id": check.account, "owner_id": check.owner}
    return {
        "subject": {"type": "user", "id": check.user},
        "action": {"name": check.action},
        "resource": {
            "type": check.type,
            "id": "r-1",
            "properties": {name: value for name, value in properties.items() if value},
        },
    }


def for_peers() -> dict[str, object]:
    """All of it as JSON values, for a process that has none of the project's packages."""
    return {
        "grants": grants(),
        "members": [
            (account_id(team), user_id(team, member), role_of(member))
            for team in range(TEAMS)
            for member in range(MEMBERS)
        ],
        "checks": [asdict(check) for check in checks()],
    }
