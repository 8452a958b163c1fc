"""Things that a request may end: each is made for one request."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from shared.ids import PREFIXES, new_id
from tests.contracts.people import (
    CATALOG,
    NEW_CONNECTION,
    NEW_SEARCH,
    NEW_STREAM,
    NEW_WEBHOOK,
    People,
    further_session,
)

FRESH = "~fresh~"
"""Stands in a path for the id of a thing that is made for the request."""
FRESH_NAME = "Fresh"
_serial = itertools.count()


async def fresh(operation_id: str, people: People) -> str:
    """The id of a new thing of the kind that the operation ends.

    When the account has as many as it may, it is an id that nothing has.
    """
    kind = ENDED[operation_id]
    return await _MAKERS[kind](people) or new_id(PREFIXES.get(kind, "xyz"))


async def _member(people: People) -> str:
    """A provisioned member, who has an override."""
    email = f"{new_id('usr')[4:]}@example.com"
    user = {"external_id": email, "email": email, "name": FRESH_NAME, "email_verified": True}
    given = await people.platform.send("POST", "/v1/provisioning/users", {"users": [user]})
    user_id: str = given.expect(200)["results"][0]["user_id"]
    path = f"{people.team.path}/provisioning/members"
    member = {"members": [{"user_id": user_id, "role": "basic"}]}
    (await people.platform.send("POST", path, member)).expect(200, 202)
    place = f"{people.team.path}/projects/{people.team.ids['project_id']}/overrides/{user_id}"
    grants = {"grants": {"instance": {"view": "all"}}}
    (await people.team.owner.send("PUT", place, grants)).expect(200, 202)
    return user_id


async def _invitation(people: People) -> str | None:
    body = {"email": f"{new_id('usr')[4:]}@example.com", "role": "viewer", "delivery": "link"}
    answer = await people.team.owner.send("POST", f"{people.team.path}/invitations", body)
    if answer.status in {409, 429}:
        return None
    return str(answer.expect(201)["invitation"]["id"])


async def _role(people: People) -> str | None:
    grants = {"account": {"view": "all"}}
    return await _made(people, f"{people.team.path}/roles", {"name": _name(), "grants": grants})


async def _guardrail(people: People) -> str | None:
    rule = {"type": "minimum_holders", "minimum": 1, "role": "owner"}
    return await _made(people, f"{people.team.path}/guardrails", {"name": "Owned", "rule": rule})


async def _project(people: People) -> str | None:
    return await _made(people, f"{people.team.path}/projects", {"name": _name()})


async def _account(people: People) -> str | None:
    return await _made(people, "/v1/accounts", {"name": FRESH_NAME, "catalog": CATALOG})


async def _resource(people: People) -> str:
    rid = new_id("res")
    path = f"{people.team.path}/resources/{people.team.ids['type']}/{rid}"
    (await people.platform.send("PUT", path, {})).expect(200, 202)
    return rid


async def _connection(people: People) -> str | None:
    return await _made(people, f"{people.team.path}/sso-connections", NEW_CONNECTION)


async def _webhook(people: People) -> str | None:
    return await _made(people, f"{people.team.path}/webhooks", NEW_WEBHOOK)


async def _search(people: People) -> str | None:
    return await _made(people, f"{people.team.path}/audit-searches", NEW_SEARCH)


async def _stream(people: People) -> str | None:
    return await _made(people, f"{people.team.path}/audit-streams", NEW_STREAM)


async def _session(people: People) -> str:
    return await further_session(people.team.owner)


async def _made(people: People, path: str, body: dict[str, Any]) -> str | None:
    answer = await people.team.owner.send("POST", path, body)
    return None if answer.status == 409 else str(answer.expect(201, 202)["id"])


def _name() -> str:
    return f"{FRESH_NAME} {next(_serial)}"


_MAKERS: Mapping[str, Callable[[People], Awaitable[str | None]]] = {
    "account_id": _account,
    "connection_id": _connection,
    "guardrail_id": _guardrail,
    "invitation_id": _invitation,
    "project_id": _project,
    "rid": _resource,
    "role_id": _role,
    "session_id": _session,
    "user_id": _member,
    "webhook_id": _webhook,
    "stream_id": _stream,
    "search_id": _search,
}
ENDED: Mapping[str, str] = {
    "deleteAccount": "account_id",
    "deleteAccountConnection": "connection_id",
    "revertAccount": "account_id",
    "deleteGuardrail": "guardrail_id",
    "deleteWebhook": "webhook_id",
    "testWebhook": "webhook_id",
    "deleteAuditStream": "stream_id",
    "testAuditStream": "stream_id",
    "deleteAuditSearch": "search_id",
    "resendInvitation": "invitation_id",
    "revokeInvitation": "invitation_id",
    "deleteProject": "project_id",
    "deleteResource": "rid",
    "deleteRole": "role_id",
    "endMySession": "session_id",
    "removeMember": "user_id",
    "removeOverride": "user_id",
}
"""What a request ends or needs, by its name in the path."""
