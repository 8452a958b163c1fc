"""Service clients that act for users by exchanged tokens, and what ends them."""

from dataclasses import dataclass
from typing import Any

from tests.contracts.people import People
from tests.e2e.people import Answer, Browser, Person, Platform


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Exchanged tokens: one that may act, and others by what ended them."""

    live: str
    over: dict[str, str]


async def operate(people: People, path: str, body: Any = None) -> Answer:
    """Ask identity as its operator."""
    operator = people.deployment.operator
    assert operator is not None
    browser = Browser(people.stranger.http, operator.identity, token=operator.admin_key)
    return await browser.send("POST", f"/internal/admin/{path}", body)


async def acting_client(people: People) -> dict[str, Any]:
    """A service client that may act for users."""
    body = {"name": "Acts for users", "scopes": ["users:act"]}
    made: dict[str, Any] = (await operate(people, "service-clients", body)).expect(201)
    return made


async def exchanged(people: People, token: str | None, client: dict[str, Any]) -> str:
    """The token by which the client acts for the user of this token."""
    platform = Platform(people.stranger.http, people.deployment.gateway)
    answer = await platform.act_for(token or "", client["id"], client["secret"])
    return str(answer.expect(200)["access_token"])


async def acting_clients(people: People, user: Person, other: Person) -> Acting:
    """Tokens by which clients act for the user; and one for the other, who is disabled later."""
    client, disabled = await acting_client(people), await acting_client(people)
    live = await exchanged(people, user.token, client)
    over = {
        "a client for a disabled user": await exchanged(people, other.token, client),
        "a disabled client for an admin": await exchanged(people, user.token, disabled),
        "a client for an admin by a disabled one": await exchanged(
            people, await exchanged(people, user.token, disabled), client
        ),
    }
    (await operate(people, f"service-clients/{disabled['id']}/disable")).expect(200)
    return Acting(live=live, over=over)


async def disabled_member(people: People, person: Person) -> None:
    """The operator disables the user."""
    (await operate(people, f"users/{person.user_id}/disable", {"reason": "A test."})).expect(200)
