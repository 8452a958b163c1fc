"""Clients of the product: users with a mailbox, and a service of the platform."""

import asyncio
import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from tests.waiting import wait_for

PASSWORD = "correct-horse-battery-staple"
TOKEN = re.compile(r"(?:^|[#&?\s])token=([A-Za-z0-9._~-]+)")
CODE = re.compile(r"(?:^|[#&?\s])code=([A-Za-z0-9-]+)")
PATIENT_SECONDS = 30.0
"""How long a client asks again while it is answered 503."""


@dataclass(frozen=True)
class Answer:
    """The answer of the gateway."""

    status: int
    body: Any
    headers: dict[str, str]

    def expect(self, *statuses: int) -> Any:
        """The body, when the status is one of these."""
        assert self.status in statuses, (self.status, self.body)
        return self.body

    @property
    def code(self) -> str:
        """The problem's code."""
        assert isinstance(self.body, dict), (self.status, self.body)
        return str(self.body.get("code"))


@dataclass
class Browser:
    """Sends requests to one address, with a bearer token when there is one."""

    http: aiohttp.ClientSession
    base: str
    token: str | None = None

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        base: str | None = None,
    ) -> Answer:
        """Send a request, and after each 503 again when its `Retry-After` has passed.

        A busy machine may delay a lease or a transaction, and then a client has to ask again.
        """
        clock = asyncio.get_running_loop()
        until = clock.time() + PATIENT_SECONDS
        while True:
            answer = await self.send_once(method, path, body, headers=headers, base=base)
            if answer.status != 503 or clock.time() > until:
                return answer
            await asyncio.sleep(float(answer.headers["Retry-After"]))

    async def send_once(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        base: str | None = None,
    ) -> Answer:
        """Send one request with a JSON body; the answer's JSON is read."""
        all_headers = dict(headers or {})
        if self.token is not None:
            all_headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.http.request(
            method, (base or self.base) + path, json=body, headers=all_headers
        ) as response:
            text = await response.text()
            is_json = "json" in response.content_type
            content = await response.json(content_type=None) if is_json and text else text
            return Answer(response.status, content, dict(response.headers))

    async def get(self, path: str) -> Any:
        """The body of a GET, which must succeed."""
        return (await self.send("GET", path)).expect(200)


@dataclass
class Mailbox:
    """The mails of the mail catcher, read by its API."""

    http: aiohttp.ClientSession
    url: str

    async def all(self, address: str | None = None) -> list[dict[str, Any]]:
        """Every caught mail, or those to one address; the newest first."""
        query = {} if address is None else {"to": address}
        async with self.http.get(f"{self.url}/api/messages", params=query) as response:
            items: list[dict[str, Any]] = (await response.json())["items"]
        return items

    async def newest(self, address: str, subject: str, *, count: int = 1) -> dict[str, Any]:
        """The newest mail to `address` whose subject holds `subject`, once there are `count`."""

        async def arrived() -> dict[str, Any] | None:
            mails = [mail for mail in await self.all(address) if subject in mail["subject"].lower()]
            return mails[0] if len(mails) >= count else None

        return await wait_for(arrived, what=f"a mail about {subject} to {address}")


@dataclass(frozen=True)
class Link:
    """The token and the code of a mailed or shown link."""

    token: str
    code: str | None

    @classmethod
    def in_text(cls, text: str) -> Self:
        """Find the link in a mail, or in the address that an inviter was shown."""
        token, code = TOKEN.search(text), CODE.search(text)
        assert token is not None, text
        return cls(token[1], None if code is None else code[1])

    @property
    def body(self) -> dict[str, str]:
        """The body of a request that uses the link."""
        return {"token": self.token} | ({} if self.code is None else {"code": self.code})


@dataclass
class Person(Browser):
    """A person with a mail address, who may become a user."""

    mailbox: Mailbox | None = None
    name: str = "Person"
    email: str = field(default="")
    user_id: str = ""
    account_id: str = ""
    refresh_token: str = ""

    def __post_init__(self) -> None:
        """Take an address that no other person has."""
        if not self.email:
            word = re.sub(r"[^a-z]", "", self.name.lower()) or "person"
            self.email = f"{word}.{secrets.token_hex(4)}@example.com"

    async def sign_up(self) -> None:
        """Sign up, verify the address with the mailed link, and keep the session."""
        assert self.mailbox is not None
        body = {"email": self.email, "name": self.name}
        (await self.send("POST", "/v1/signup", body)).expect(202)
        mail = await self.mailbox.newest(self.email, "verify")
        self.signed_in((await self.verify(Link.in_text(mail["text"]))).expect(200))

    async def verify(self, link: Link) -> Answer:
        """Verify the address with a mailed link, and set the password."""
        return await self.send("POST", "/v1/email/verify", link.body | {"password": PASSWORD})

    async def sign_up_by(self, link: Link) -> Answer:
        """Sign up through an invitation's link."""
        return await self.send(
            "POST",
            "/v1/signup",
            {"name": self.name, "password": PASSWORD, "invitation": link.body},
        )

    async def log_in(self) -> None:
        """Sign in with the password."""
        body = {"email": self.email, "password": PASSWORD}
        self.signed_in((await self.send("POST", "/v1/login", body)).expect(200))

    async def step_up(self) -> None:
        """Prove again who they are, by the password."""
        given = (await self.send("POST", "/v1/me/step-up", {"password": PASSWORD})).expect(200)
        self.token = given["access_token"]

    def signed_in(self, session: dict[str, Any]) -> None:
        """Keep the tokens and ids of a new session."""
        self.token = session["access_token"]
        self.refresh_token = session["refresh_token"]
        self.user_id = session["user"]["id"]
        self.account_id = session["account_id"]


@dataclass
class Platform(Browser):
    """A service of the platform, which checks permissions."""

    async def sign_in(self, client_id: str, secret: str) -> None:
        """Get an access token for the client's credentials (RFC 6749, 4.4)."""
        form = {"grant_type": "client_credentials"}
        authorization = {"Authorization": aiohttp.encode_basic_auth(client_id, secret)}
        async with self.http.post(
            f"{self.base}/oauth2/token", data=form, headers=authorization
        ) as response:
            assert response.status == 200, await response.text()
            self.token = (await response.json())["access_token"]

    async def act_for(self, token: str, client_id: str, secret: str) -> Answer:
        """Exchange the token of a user for one by which the client acts for them (RFC 8693)."""
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
        authorization = {"Authorization": aiohttp.encode_basic_auth(client_id, secret)}
        async with self.http.post(
            f"{self.base}/oauth2/token", data=form, headers=authorization
        ) as response:
            return Answer(response.status, await response.json(), dict(response.headers))

    async def ask(
        self,
        subject: str,
        permission: str,
        *,
        account: str,
        resource_id: str = "i-1",
        owner: str | None = None,
        project: str | None = None,
        at_least_revision: str | None = None,
        base: str | None = None,
    ) -> Answer:
        """Send one check to authz through the gateway, or to the replica at `base`."""
        resource_type, action = permission.split(":")
        properties = {"account_id": account, "owner_id": owner, "project_id": project}
        question: dict[str, Any] = {
            "subject": {"type": "user", "id": subject},
            "action": {"name": action},
            "resource": {
                "type": resource_type,
                "id": resource_id,
                "properties": {name: value for name, value in properties.items() if value},
            },
        }
        if at_least_revision:
            question["context"] = {"at_least_revision": at_least_revision}
        return await self.send("POST", "/access/v1/evaluation", question, base=base)
