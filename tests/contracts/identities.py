"""Every kind of caller of the API, with what the catalog says that it may do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rolecall import CompiledCatalog, Matrix, load_catalog
from tests.contracts.forging import changed, read, sign
from tests.contracts.people import CATALOG, People, join
from tests.contracts.test_unauthenticated import ended_session
from tests.e2e.people import Mailbox, Person
from tests.waiting import wait_for

STANDARD = CompiledCatalog(load_catalog(CATALOG))
LITTLE = {"account": {"view": "all"}, "role": {"view": "all"}}
"""The grants of the custom role."""
END_SECONDS = 2
SCOPES = "authz:check members:provision resources:write"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A caller."""

    name: str
    token: str | None
    refused: str | None = None
    """The code of 401, for a credential that is not live."""
    client: bool = False
    bound: frozenset[str] | None = None
    """The accounts of a service client; `None` are all."""
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[str] | None = None
    """What a member may do in the team; `None` is not a member, or not an active one."""


def held(matrix: Matrix | None) -> frozenset[str]:
    """The permissions of a role, as the catalog says."""
    assert matrix is not None
    return frozenset(STANDARD.held(matrix))


async def identities(people: People) -> list[Identity]:
    """One caller of each kind; three of them become members of the team for it."""
    team, owner = people.team, people.team.owner
    little = await small_role(people)
    suspended, expired = newcomer(people, "Sue Suspended"), newcomer(people, "Exa Expired")
    watcher = newcomer(people, "Wim Watcher")
    for person, role in ((watcher, little), (suspended, "admin"), (expired, "admin")):
        await person.sign_up()
        await join(team, person, role)
    of_suspended = f"{team.path}/members/{suspended.user_id}/suspend"
    (await owner.send("POST", of_suspended)).expect(200, 202)
    ends = datetime.now(UTC) + timedelta(seconds=END_SECONDS)
    end = {"expires_at": ends.isoformat()}
    (await owner.send("PATCH", f"{team.path}/members/{expired.user_id}", end)).expect(200, 202)
    ended = await ended_session(people)

    async def over() -> bool:
        return (await expired.send("GET", team.path)).status == 404

    await wait_for(over, within=30, what="the end of a membership")
    outsiders = [people.stranger, people.removed, people.other.owner, suspended, expired]
    roles = {**people.by_role, "owner": owner}
    return [
        Identity(name="anonymous", token=None, refused="unauthenticated"),
        Identity(name="an ended session", token=ended.token, refused="token-revoked"),
        *(Identity(name=person.name, token=person.token) for person in outsiders),
        *(
            Identity(name=role, token=person.token, permissions=held(STANDARD.matrix(role)))
            for role, person in roles.items()
        ),
        Identity(
            name="a small custom role",
            token=watcher.token,
            permissions=held(
                STANDARD.role_matrix("little", STANDARD.catalog.parse_role_grants(LITTLE))
            ),
        ),
        *clients(people),
    ]


def newcomer(people: People, name: str) -> Person:
    """A user who is not signed up yet."""
    http, deployment = people.stranger.http, people.deployment
    return Person(http, deployment.gateway, mailbox=Mailbox(http, deployment.mail), name=name)


async def small_role(people: People) -> str:
    """A custom role that gives little."""
    team = people.team
    made = await team.owner.send("POST", f"{team.path}/roles", {"name": "Little", "grants": LITTLE})
    return str(made.expect(201, 202)["id"])


def clients(people: People) -> Iterator[Identity]:
    """A service client by what it is bound to, and one without a scope."""
    header, claims = read(people.platform.token or "")
    here, there = people.team.id, people.other.id
    bounds: dict[str, frozenset[str] | None] = {
        "a client of the team": frozenset({here}),
        "a client of another account": frozenset({there}),
        "a client of both": frozenset({here, there}),
        "a client of no account": frozenset(),
        "a client of the platform": None,
    }
    for name, bound in bounds.items():
        accounts = {} if bound is None else {"accounts": sorted(bound)}
        token = sign(header, changed(claims, {"scope": SCOPES, **accounts}))
        yield Identity(
            name=name, token=token, client=True, bound=bound, scopes=frozenset(SCOPES.split())
        )
    token = sign(header, changed(claims, {"scope": ""}))
    yield Identity(name="a client without a scope", token=token, client=True)
