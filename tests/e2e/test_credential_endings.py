"""Each kind of credential, held while its owner is removed, disabled or ended in another way.

A row says which uses are left with the answer of the ending, on every service and replica. All
others are refused at once, and the policy stream of an ended client is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import pyotp
import pytest
import pytest_asyncio

from shared.ids import new_id
from shared.links import Link
from tests.e2e.people import PASSWORD, Answer, Browser, Person, Platform
from tests.e2e.several_replicas import SeveralReplicas, several_replicas
from tests.lengths import length
from tests.patience import LONGEST_WAIT_SECONDS
from tests.support.service import ADMIN_KEY
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.client import _RequestContextManager

pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAM = "/v1/authz/policy-stream"
STAYS_OPEN_SECONDS = 1.0
"""The time in which a stream that lives on is watched."""
REFUSED = {400, 401, 403, 404, 409}
SESSION = {"me", "refresh", "account", "check"}
TOKEN = {"token: account", "token: check", "token: itself"}
CLIENT = {"client: check", "client: write", "client: stream"}
ACTING = {"acting: check", "acting by another: check", "acting: exchange"}
"""What a service client does for Bea, by her token and by that of an intermediary."""
ALL = SESSION | TOKEN | CLIENT | ACTING


@dataclass(kw_only=True)
class Held:
    """Ada's team, and what Bea and service clients hold there."""

    run: SeveralReplicas
    ada: Person
    bea: Person
    platform: Platform
    client_id: str
    api_token: dict[str, Any]
    stream: aiohttp.ClientResponse
    actor: dict[str, str]
    """The client that acts for Bea."""
    intermediary: dict[str, str]
    """The client that acted for Bea before it, in the second of its tokens."""
    exchanged: tuple[str, str]
    writes: list[int] = field(default_factory=list)
    ended: bool = False
    stream_ends: bool = False
    """Whether the ending ends the stream, which may take its time on a slow machine."""

    @property
    def path(self) -> str:
        return f"/v1/accounts/{self.ada.account_id}"

    @property
    def by_token(self) -> Person:
        return Person(http=self.run.http, base=self.run.team, token=self.api_token["secret"])

    async def operate(self, path: str, body: Any = None, *, method: str = "POST") -> None:
        """Do what the operator does, at the service that owns it."""
        base = self.run.internal_of_team if path.startswith("accounts/") else self.run.internal
        operator = Browser(http=self.run.http, base=base, token=ADMIN_KEY)
        (await operator.send(method, f"/internal/admin/{path}", body)).expect(200)

    async def exchange(self) -> Answer:
        """Exchange Bea's token for one by which the client acts for her."""
        return await act_for(self.run, str(self.bea.token), self.actor)

    async def uses(self) -> set[str]:
        """The uses that are not refused."""
        asked = {name: await use(self) for name, use in USES.items()}
        return {name for name, may in asked.items() if may}


async def act_for(run: SeveralReplicas, token: str, client: dict[str, str]) -> Answer:
    """Exchange a token for one by which the client acts for its user."""
    asker = Platform(http=run.http, base=run.identity)
    return await asker.act_for(token, client["id"], client["secret"])


def allowed(answer: Answer) -> bool:
    """Whether a request was answered, and not refused."""
    assert answer.status in {200, 201, 204} | REFUSED, (answer.status, answer.body)
    return answer.status not in REFUSED


async def decided(held: Held, caller: Browser, subject: dict[str, str]) -> bool:
    """Whether the replicas allow a check; they must agree."""
    body = {
        "subject": subject,
        "action": {"name": "view"},
        "resource": {
            "type": "account",
            "id": "-",
            "properties": {"account_id": held.ada.account_id},
        },
    }
    found = set()
    for base in held.run.authz:
        answer = await caller.send("POST", "/access/v1/evaluation", body, base=base)
        found.add(allowed(answer) and answer.body["decision"])
    [one] = found
    return bool(one)


async def me(held: Held) -> bool:
    return allowed(await held.bea.send("GET", "/v1/me", base=held.run.identity))


async def refresh(held: Held) -> bool:
    body = {"refresh_token": held.bea.refresh_token}
    answer = await held.bea.send("POST", "/v1/token/refresh", body, base=held.run.identity)
    if allowed(answer):
        held.bea.refresh_token = answer.body["refresh_token"]
    return allowed(answer)


async def account(held: Held) -> bool:
    return allowed(await held.bea.send("GET", held.path))


async def check(held: Held) -> bool:
    return await decided(held, held.bea, {"type": "user", "id": held.bea.user_id})


async def account_by_token(held: Held) -> bool:
    return allowed(await held.by_token.send("GET", held.path))


async def check_by_token(held: Held) -> bool:
    return await decided(held, held.by_token, {"type": "api_token", "id": held.api_token["id"]})


async def token_itself(held: Held) -> bool:
    path = f"{held.path}/api-tokens/{held.api_token['id']}"
    return allowed(await held.by_token.send("GET", path, base=held.run.identity))


async def client_checks(held: Held) -> bool:
    return await decided(held, held.platform, {"type": "user", "id": held.ada.user_id})


async def client_writes(held: Held) -> bool:
    path = f"{held.path}/resources/instance/i-{len(held.writes)}"
    body = {"owner_id": held.ada.user_id}
    answer = await held.platform.send("PUT", path, body, base=held.run.team)
    held.writes.append(answer.status)
    return allowed(answer)


async def client_streams(held: Held) -> bool:
    """Whether the stream stays open. A closed one says so.

    A replica also ends it when it was late with its leases. Then another one may be opened, or not.
    """
    if not held.ended:
        return held.stream.status == 200
    told = b""
    try:
        seconds = LONGEST_WAIT_SECONDS if held.stream_ends else STAYS_OPEN_SECONDS
        async with asyncio.timeout(seconds):
            while text := await held.stream.content.readany():
                told += text
    except TimeoutError:
        return True
    if b"stale" not in told.rpartition(b"event: end")[2]:
        return False
    answer = await wait_for(lambda: opened(held), what="a replica with its leases")
    return bool(answer == 200)


async def opened(held: Held) -> int | None:
    """The status of another stream, once the replica has its leases."""
    async with open_stream(held.run, held.platform) as answer:
        return None if answer.status == 503 else answer.status


async def acting_checks(held: Held, which: int) -> bool:
    """Whether the client may ask what Bea may do, and she may do it."""
    client = Browser(http=held.run.http, base=held.run.team, token=held.exchanged[which])
    return await decided(held, client, {"type": "user", "id": held.bea.user_id})


async def exchanges(held: Held) -> bool:
    return allowed(await held.exchange())


USES: dict[str, Callable[[Held], Awaitable[bool]]] = {
    "client: stream": client_streams,
    "me": me,
    "account": account,
    "check": check,
    "token: account": account_by_token,
    "token: check": check_by_token,
    "token: itself": token_itself,
    "client: check": client_checks,
    "client: write": client_writes,
    "acting: check": partial(acting_checks, which=0),
    "acting by another: check": partial(acting_checks, which=1),
    "acting: exchange": exchanges,
    "refresh": refresh,
}


async def removed(held: Held) -> None:
    path = f"{held.path}/members/{held.bea.user_id}"
    (await held.ada.send("DELETE", path)).expect(200, 204)


async def membership_expired(held: Held) -> None:
    """The membership ends by itself a moment later; nothing else tells of it."""
    path = f"{held.path}/members/{held.bea.user_id}"
    ends = datetime.now(UTC) + timedelta(seconds=1)
    (await held.ada.send("PATCH", path, {"expires_at": ends.isoformat()})).expect(200)
    await wait_for(lambda: datetime.now(UTC) > ends, what="the end of the membership")


async def membership_suspended(held: Held) -> None:
    path = f"{held.path}/members/{held.bea.user_id}/suspend"
    (await held.ada.send("POST", path)).expect(200)


async def left(held: Held) -> None:
    (await held.bea.send("POST", f"{held.path}/leave")).expect(200, 204)


async def disabled(held: Held) -> None:
    await held.operate(f"users/{held.bea.user_id}/disable", {"reason": "A test."})


async def signed_out(held: Held) -> None:
    (await held.bea.send("POST", "/v1/logout", base=held.run.identity)).expect(204)


async def password_changed(held: Held) -> None:
    """Change it from another session, which alone stays."""
    other = Person(http=held.run.http, base=held.run.identity, email=held.bea.email)
    await other.log_in()
    body = {"current": PASSWORD, "new": "quiet-otters-paint-maps"}
    (await other.send("POST", "/v1/me/password", body)).expect(204)


async def account_suspended(held: Held) -> None:
    await held.operate(f"accounts/{held.ada.account_id}/suspend", {"reason": "A test."})


async def account_deleted(held: Held) -> None:
    (await held.ada.send("DELETE", f"{held.path}?confirm=Engines")).expect(200)


async def token_revoked(held: Held) -> None:
    path = f"{held.path}/api-tokens/{held.api_token['id']}"
    (await held.bea.send("DELETE", path, base=held.run.identity)).expect(204)


async def client_disabled(held: Held) -> None:
    await held.operate(f"service-clients/{held.client_id}/disable")


async def client_deleted(held: Held) -> None:
    await held.operate(f"service-clients/{held.client_id}", method="DELETE")


async def actor_disabled(held: Held) -> None:
    await held.operate(f"service-clients/{held.actor['id']}/disable")


async def intermediary_disabled(held: Held) -> None:
    await held.operate(f"service-clients/{held.intermediary['id']}/disable")


async def intermediary_deleted(held: Held) -> None:
    await held.operate(f"service-clients/{held.intermediary['id']}", method="DELETE")


async def disabled_and_enabled(held: Held) -> None:
    await disabled(held)
    await held.operate(f"users/{held.bea.user_id}/enable")


async def client_disabled_and_enabled(held: Held) -> None:
    await client_disabled(held)
    await held.operate(f"service-clients/{held.client_id}/enable")


async def second_factor_demanded(held: Held) -> None:
    """Demand a second factor, which Ada has and Bea has not."""
    demand = {"require_second_factor": True}
    own = (await held.ada.send("PATCH", held.path, demand)).expect(409)
    assert own["code"] == "own-second-factor-missing"
    await add_factor(held, held.ada)
    assert (await held.ada.send("PATCH", held.path, demand)).expect(200)["require_second_factor"]


async def last_factor_removed(held: Held) -> None:
    """Demand a second factor, which Bea has at first."""
    await second_factor_demanded(held)
    assert await held.uses() == ENDINGS[second_factor_demanded]
    await add_factor(held, held.bea)
    assert await held.uses() == ALL, "with the factor all is as before"
    (await held.bea.send("DELETE", "/v1/me/mfa/totp", base=held.run.identity)).expect(204)
    refused = await held.bea.send("GET", held.path)
    assert refused.code == "second-factor-required"
    [listed] = [
        one
        for one in (await held.bea.get("/v1/me/accounts"))["items"]
        if one["id"] == held.ada.account_id
    ]
    assert listed["require_second_factor"], "who lacks it is told why"


async def add_factor(held: Held, person: Person) -> None:
    begun = await person.send("POST", "/v1/me/mfa/totp", base=held.run.identity)
    otp = pyotp.TOTP(begun.expect(200, 201)["secret"]).now()
    path = "/v1/me/mfa/totp/confirm"
    (await person.send("POST", path, {"otp": otp}, base=held.run.identity)).expect(200, 201)


SIGNED_IN = {"me", "refresh", "acting: exchange"}
"""What Bea's session is good for outside the account."""
ENDINGS: dict[Callable[[Held], Awaitable[None]], set[str]] = {
    removed: SIGNED_IN | CLIENT,
    disabled: CLIENT,
    last_factor_removed: SIGNED_IN | CLIENT,
    signed_out: TOKEN | CLIENT,
    account_suspended: SIGNED_IN | {"client: stream"},
    client_deleted: SESSION | TOKEN | ACTING,
    intermediary_disabled: ALL - {"acting by another: check"},
    membership_expired: SIGNED_IN | CLIENT,
    left: SIGNED_IN | CLIENT,
    membership_suspended: SIGNED_IN | CLIENT,
    disabled_and_enabled: TOKEN | CLIENT,
    password_changed: TOKEN | CLIENT,
    account_deleted: SIGNED_IN | {"client: stream"},
    token_revoked: SESSION | CLIENT | ACTING,
    client_disabled: SESSION | TOKEN | ACTING,
    client_disabled_and_enabled: ALL - {"client: stream"},
    actor_disabled: ALL - ACTING,
    intermediary_deleted: ALL - {"acting by another: check"},
    second_factor_demanded: SIGNED_IN | CLIENT,
}
"""What is left after each ending. A stream tells of accounts, so it lives on without one."""
NOW = list(ENDINGS)[: length("ENDINGS", short=8, soak=len(ENDINGS))]
"""The endings of this run: the first ones, or all."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(mongo_url: str) -> AsyncIterator[SeveralReplicas]:
    async with several_replicas(mongo_url, new_id("test")) as running:
        yield running


async def acting_client(operator: Browser) -> dict[str, str]:
    """A service client that may act for users."""
    body = {"name": "acts for users", "scopes": ["users:act"]}
    made: dict[str, str] = (
        await operator.send("POST", "/internal/admin/service-clients", body)
    ).expect(201)
    return made


def open_stream(run: SeveralReplicas, platform: Platform) -> _RequestContextManager:
    """The policy stream of one replica."""
    headers = {"Authorization": f"Bearer {platform.token}"}
    return run.http.get(run.authz[-1] + STREAM, headers=headers)


async def held_in(run: SeveralReplicas) -> Held:
    """A new team, in which every credential works."""
    ada, bea = run.person("Ada"), run.person("Bea")
    for one in (ada, bea):
        body = await run.mailed_link(one) | {"password": PASSWORD}
        answer = await one.send("POST", "/v1/email/verify", body, base=run.identity)
        one.signed_in(answer.expect(200))
    made = await ada.send("POST", "/v1/accounts", {"name": "Engines", "catalog": "standard"})
    ada.account_id = made.expect(201)["id"]
    path = f"/v1/accounts/{ada.account_id}"
    body = {"email": bea.email, "role": "developer"}
    invited = (await ada.send("POST", f"{path}/invitations", body)).expect(201)
    link = Link(invited["invitation"]["id"], 1)
    proof = {"token": run.invitation_links.token(link), "code": run.invitation_links.code(link)}
    (await bea.send("POST", "/v1/invitations/accept", proof)).expect(200)
    token = await bea.send("POST", f"{path}/api-tokens", {"name": "CI"}, base=run.identity)
    operator = Browser(http=run.http, base=run.internal, token=ADMIN_KEY)
    scopes = ["authz:check", "resources:write"]
    body_of_client = {"name": "platform", "scopes": scopes, "account_ids": [ada.account_id]}
    client = (
        await operator.send("POST", "/internal/admin/service-clients", body_of_client)
    ).expect(201)
    platform = Platform(http=run.http, base=run.identity)
    await platform.sign_in(client["id"], client["secret"])
    actor, intermediary = await acting_client(operator), await acting_client(operator)
    exchanged = [await act_for(run, str(bea.token), each) for each in (actor, intermediary)]
    direct, before = (answer.expect(200)["access_token"] for answer in exchanged)
    after = (await act_for(run, before, actor)).expect(200)["access_token"]
    stream = await open_stream(run, platform)
    return Held(
        run=run,
        ada=ada,
        bea=bea,
        platform=platform,
        client_id=client["id"],
        api_token=token.expect(201),
        stream=stream,
        actor=actor,
        intermediary=intermediary,
        exchanged=(direct, after),
    )


@pytest.mark.rule("T5")
@pytest.mark.parametrize("ending", NOW, ids=lambda ending: ending.__name__)
async def test_what_an_ending_takes_is_refused_everywhere_at_once(
    run: SeveralReplicas, ending: Callable[[Held], Awaitable[None]]
) -> None:
    held = await held_in(run)
    try:
        assert await held.uses() == ALL
        await ending(held)
        held.ended, held.stream_ends = True, "client: stream" not in ENDINGS[ending]
        assert await held.uses() == ENDINGS[ending]
    finally:
        held.stream.close()
