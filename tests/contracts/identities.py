"""Every kind of caller of the API, with what the catalog says that it may do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rolecall import CompiledCatalog, Matrix, load_catalog
from shared.auth.api_tokens import new_api_token
from tests.contracts.acting import acting_clients, disabled_member
from tests.contracts.forging import changed, read, sign
from tests.contracts.people import CATALOG, People, join
from tests.contracts.test_unauthenticated import ended_session
from tests.e2e.people import Mailbox, Person
from tests.waiting import wait_for

STANDARD = CompiledCatalog(load_catalog(CATALOG))
LITTLE = {"account": {"view": "all"}, "role": {"view": "all"}}
"""The grants of the custom role."""
SOME = {"member": ["view"], "instance": ["view"]}
"""What the restricted token reaches, besides the account itself."""
SOME_GRANTS = {"account": {"view": "all"}, "member": {"view": "all"}, "instance": {"view": "all"}}
TYPED_WRONG = f"rct_{'0' * 36}"
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
    sees_tokens: bool = False
    """Whether the member sees the API tokens of others, or is their creator."""
    owner: bool = False
    api_token: bool = False
    """Whether the credential is an API token."""
    acts_for_user: bool = False
    """Whether a service client acts for the user, by an exchanged token."""
    creator: frozenset[str] = frozenset()
    """What the creator of a restricted API token may do in the team."""


def held(matrix: Matrix | None) -> frozenset[str]:
    """The permissions of a role, as the catalog says."""
    assert matrix is not None
    return frozenset(STANDARD.held(matrix))


async def identities(people: People) -> list[Identity]:
    """One caller of each kind; some of them become members of the team for it."""
    team, owner = people.team, people.team.owner
    little = await small_role(people)
    suspended, expired = newcomer(people, "Sue Suspended"), newcomer(people, "Exa Expired")
    watcher = newcomer(people, "Wim Watcher")
    demoted, again = newcomer(people, "Dan Demoted"), newcomer(people, "Ria Returned")
    roles_of = (
        (watcher, little),
        *((one, "admin") for one in (suspended, expired, demoted, again)),
    )
    for person, role in roles_of:
        await person.sign_up()
        await join(team, person, role)
    admin = people.by_role["admin"]
    tokens = {
        "a token of an admin": await make_token(people, admin),
        "a restricted token": await make_token(people, admin, grants=SOME),
        "a token of a demoted member": await make_token(people, demoted),
        "a token of a suspended member": await make_token(people, suspended),
        "a token of a removed member": await make_token(people, again),
        "a revoked token": await make_token(people, admin),
    }
    place = f"{team.path}/api-tokens/{tokens['a revoked token']['id']}"
    (await owner.send("DELETE", place)).expect(204, 202)
    of_demoted = f"{team.path}/members/{demoted.user_id}"
    (await owner.send("PATCH", of_demoted, {"role": "viewer"})).expect(200, 202)
    (await owner.send("DELETE", f"{team.path}/members/{again.user_id}")).expect(204, 202)
    await join(team, again, "admin")
    of_suspended = f"{team.path}/members/{suspended.user_id}/suspend"
    (await owner.send("POST", of_suspended)).expect(200, 202)
    ends = datetime.now(UTC) + timedelta(seconds=END_SECONDS)
    end = {"expires_at": ends.isoformat()}
    (await owner.send("PATCH", f"{team.path}/members/{expired.user_id}", end)).expect(200, 202)
    ended = await ended_session(people)
    disabled = newcomer(people, "Una Disabled")
    await disabled.sign_up()
    await join(team, disabled, "admin")
    of_disabled = await make_token(people, disabled)
    acting = await acting_clients(people, admin, disabled)
    await disabled_member(people, disabled)

    async def over() -> bool:
        return (await expired.send("GET", team.path)).status == 404

    await wait_for(over, what="the end of a membership")

    async def told() -> bool:
        """Whether identity knows that the membership is over; until then the answer is 404."""
        secret = tokens["a token of a removed member"]["secret"]
        caller = Person(again.http, again.base, token=secret)
        return (await caller.send("GET", team.path)).status == 401

    await wait_for(told, what="the end of a token")
    ended_tokens = {"a revoked token", "a token of a removed member"}
    of_admin = held(STANDARD.matrix("admin"))
    given = {
        "a token of an admin": of_admin,
        "a restricted token": held(
            STANDARD.role_matrix("some", STANDARD.catalog.parse_role_grants(SOME_GRANTS))
        ),
        "a token of a demoted member": held(STANDARD.matrix("viewer")),
    }
    outsiders = [people.stranger, people.removed, people.other.owner, suspended, expired]
    roles = {**people.by_role, "owner": owner}
    return [
        Identity(name="anonymous", token=None, refused="unauthenticated"),
        Identity(name="an ended session", token=ended.token, refused="token-revoked"),
        *(Identity(name=person.name, token=person.token) for person in outsiders),
        *(
            Identity(
                name=role,
                token=person.token,
                permissions=held(STANDARD.matrix(role)),
                sees_tokens=role in {"owner", "admin"},
                owner=person is owner,
            )
            for role, person in roles.items()
        ),
        Identity(
            name="a small custom role",
            token=watcher.token,
            permissions=held(
                STANDARD.role_matrix("little", STANDARD.catalog.parse_role_grants(LITTLE))
            ),
        ),
        Identity(name="a token with a wrong check sum", token=TYPED_WRONG, refused="token-invalid"),
        Identity(name="an unknown token", token=new_api_token(0), refused="token-revoked"),
        *(
            Identity(
                name=name,
                token=token["secret"],
                refused="token-revoked" if name in ended_tokens else None,
                permissions=given.get(name),
                sees_tokens=name == "a token of an admin",
                api_token=True,
                creator=of_admin if name == "a restricted token" else frozenset(),
            )
            for name, token in tokens.items()
        ),
        Identity(name="a disabled user", token=disabled.token, refused="token-revoked"),
        Identity(
            name="a token of a disabled user",
            token=of_disabled["secret"],
            refused="token-revoked",
            api_token=True,
        ),
        Identity(name="a client for an admin", token=acting.live, acts_for_user=True),
        *(
            Identity(name=name, token=token, refused="token-revoked", acts_for_user=True)
            for name, token in acting.over.items()
        ),
        *clients(people),
    ]


async def make_token(
    people: People, person: Person, *, grants: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    """An API token of a member, with its secret."""
    body = {"name": f"Of {person.name}", "restriction": {"grants": grants}}
    made = await person.send("POST", f"{people.team.path}/api-tokens", body)
    given: dict[str, Any] = made.expect(201, 202)
    return given


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
