"""Audit as a running service, with stand-ins for the services that it asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from services.audit.domain.erased_people import PersonMarks
from shared.auth.access_tokens import client_claims, sign_access_token, user_claims
from shared.auth.keys import generate_key, public_jwk
from shared.auth.principals import ClientPrincipal
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.calls.authz import (
    DECIDE,
    LIVE_CALLER,
    CallerAnswer,
    CallerRequest,
    CheckRequest,
    CheckResult,
)
from shared.contracts.calls.identity import KEY_SET, KeySet
from shared.contracts.calls.journal import CONFIRM, HEADS, ConfirmedRows, Heads
from shared.contracts.calls.team import (
    READ_ACTING_USERS,
    AccountProject,
    ActingUsers,
    ActingUsersRequest,
    MemberOnce,
)
from shared.contracts.facts import Row
from shared.ids import AccountId, SessionId, UserId, new_id
from shared.mongo import Database
from shared.runtime.service import ServiceApp
from tests.services.rows import EPOCH, on_the_bus
from tests.waiting import wait_for

PUBLIC_URL = "https://cloud.example"
MARKS = PersonMarks(b"key of the tests")
# Fixed, because they are part of the names of tests: every process of a run must see the same.
ACCOUNT, OTHER = AccountId("acc_" + "1" * 32), AccountId("acc_" + "2" * 32)
ANA, BO, READER = (UserId(new_id("usr")) for _ in range(3))
PROJECT = new_id("prj")
READER_SESSION = SessionId("ses_" + "0" * 32)


@dataclass
class StandIns:
    """A stand-in for identity, authz and team, at one address."""

    decision: CheckResult | None = field(
        default_factory=lambda: CheckResult(allowed=True, member=True, reason="allowed")
    )
    """The answer of authz; `None` stands for a 503."""
    denied: set[str] = field(default_factory=set)
    """The permissions that no member has."""
    ended: set[str] = field(default_factory=set)
    """The sessions and service clients that authz knows to have ended."""
    silent: bool = False
    questions: list[CheckRequest] = field(default_factory=list)
    members: set[tuple[str, str]] = field(
        default_factory=lambda: {(ACCOUNT, ANA), (ACCOUNT, BO), (OTHER, BO)}
    )
    """The users whom team knows as members of an account, or as former ones."""
    projects: set[tuple[str, str]] = field(default_factory=lambda: {(ACCOUNT, PROJECT)})
    """The projects that accounts have, as team knows them."""
    asked: int = 0
    """How often team was asked about them."""
    confirmed: list[ConfirmedRows] = field(default_factory=list)
    """What audit has said of sources that it follows."""
    key: Any = field(default_factory=generate_key)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get(KEY_SET.path, self.jwks)
        application.router.add_post(LIVE_CALLER.path, self.check_caller)
        application.router.add_post(DECIDE.path, self.decide)
        application.router.add_get(HEADS.path, self.heads)
        application.router.add_post(CONFIRM.path, self.confirm)
        application.router.add_post(READ_ACTING_USERS.path, self.acting_users)
        return application

    async def jwks(self, request: web.Request) -> web.Response:
        key_set = KeySet(keys=[public_jwk("k1", self.key.public_key())])
        return web.json_response(key_set.model_dump(mode="json"))

    async def check_caller(self, request: web.Request) -> web.Response:
        asked = CallerRequest.model_validate_json(await request.text())
        live = self.ended.isdisjoint({asked.session_id or "", asked.client_id or ""})
        return web.json_response(CallerAnswer(live=live).model_dump(mode="json"))

    async def decide(self, request: web.Request) -> web.Response:
        asked = CheckRequest.model_validate_json(await request.text())
        self.questions.append(asked)
        if self.silent:
            await wait_for(lambda: not self.silent)
        if self.decision is None:
            return web.json_response({"code": "stale"}, status=503)
        if asked.permission in self.denied:
            denied = CheckResult(allowed=False, member=True, reason="permission-missing")
            return web.json_response(denied.model_dump(mode="json"))
        return web.json_response(self.decision.model_dump(mode="json"))

    async def acting_users(self, request: web.Request) -> web.Response:
        self.asked += 1
        asked = ActingUsersRequest.model_validate_json(await request.text())
        pairs = {(one.account_id, one.user_id or "") for one in asked.users} & self.members
        answer = ActingUsers(
            accounts=tuple({account_id for account_id, _ in self.members}),
            users=tuple(MemberOnce(account_id=one, user_id=user) for one, user in sorted(pairs)),
            projects=tuple(
                AccountProject(account_id=one.account_id, project_id=one.project_id)
                for one in asked.projects
                if (one.account_id, one.project_id) in self.projects
            ),
        )
        return web.json_response(answer.model_dump(mode="json"))

    async def confirm(self, request: web.Request) -> web.Response:
        rows = ConfirmedRows.model_validate_json(await request.text())
        if rows.epoch is not None:
            self.confirmed.append(rows)
        return web.Response(status=204)

    async def heads(self, request: web.Request) -> web.Response:
        return web.json_response(
            Heads(source="x", epoch=EPOCH, heads={}, digests={}).model_dump(mode="json")
        )


@dataclass
class AuditApi:
    """Audit as its readers use it."""

    service: ServiceApp
    others: StandIns
    bus: LocalBus
    http: aiohttp.ClientSession
    database: Database

    async def get(
        self, path: str, *, reader: str | None = READER, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        sent = dict(headers or {})
        if reader is not None:
            sent["Authorization"] = f"Bearer {self.reader_token(reader)}"
        url = self.service.addresses["public"] + path
        async with self.http.get(url, headers=sent) as response:
            return response.status, await response.json(content_type=None)

    async def download(self, path: str) -> tuple[str, CIMultiDictProxy[str]]:
        """The text of an answer that is not one JSON document, and its headers."""
        url = self.service.addresses["public"] + path
        headers = {"Authorization": f"Bearer {self.reader_token()}"}
        async with self.http.get(url, headers=headers) as response:
            text = (await response.read()).decode()
            assert response.status == 200, text
            return text, response.headers

    async def ask(
        self, method: str, path: str, body: Any = None, *, reader: str = READER, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Send a request of a reader about the account."""
        url = f"{self.service.addresses['public']}/v1/accounts/{ACCOUNT}/{path}"
        sent = {"Authorization": f"Bearer {self.reader_token(reader)}", **headers}
        async with self.http.request(method, url, json=body, headers=sent) as response:
            return response.status, await response.json(content_type=None)

    def reader_token(self, reader: str = READER) -> str:
        """The access token of a user."""
        claims = user_claims(
            issuer=PUBLIC_URL,
            user_id=UserId(reader),
            session_id=READER_SESSION,
            account_id=ACCOUNT,
            now=SystemClock().now(),
        )
        return sign_access_token(self.others.key, "k1", claims)

    async def post(
        self, path: str, body: Any, *, client: ClientPrincipal
    ) -> tuple[int, dict[str, Any]]:
        """Send a body as a service client."""
        claims = client_claims(issuer=PUBLIC_URL, client=client, now=SystemClock().now())
        token = sign_access_token(self.others.key, "k1", claims)
        url = self.service.addresses["public"] + path
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(url, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def report(
        self, *events: dict[str, Any], client: ClientPrincipal
    ) -> list[tuple[str, str | None]]:
        """Report events; the status of each, and the code of its refusal."""
        status, body = await self.post("/v1/audit/events", {"events": events}, client=client)
        assert status == 200, body
        assert [one["id"] for one in body["results"]] == [event["id"] for event in events]
        return [
            (one["status"], one["refusal"] and one["refusal"]["code"]) for one in body["results"]
        ]

    async def search(self, query: str = "", *, account: str = ACCOUNT) -> dict[str, Any]:
        page: dict[str, Any]
        status, page = await self.get(f"/v1/accounts/{account}/audit-events?{query}")
        assert status == 200, page
        return page

    async def ids(self, query: str = "") -> list[str]:
        """The ids found, without the records about reading itself."""
        page = await self.search(query)
        return [item["id"] for item in page["items"] if item["action"] != "search.performed"]

    async def tell(self, *rows: Row) -> None:
        await self.bus.publish([on_the_bus(row) for row in rows])
