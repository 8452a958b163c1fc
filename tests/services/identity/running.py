"""A real identity for a test, with stand-ins for the services that it asks."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from argon2 import PasswordHasher
from pydantic import SecretStr

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.app import build
from services.identity.domain.rate_limits import MAIL_WINDOW
from services.identity.domain.sign_up import check_registration
from services.identity.domain.sign_up import request as request_sign_up
from services.identity.settings import Settings
from shared.auth.access_tokens import TokenVerifier
from shared.auth.api_tokens import digest_of
from shared.auth.key_sources import RemoteKeys
from shared.contracts.calls.authz import (
    DECIDE,
    FIND_TOKEN,
    NEW_TOKEN,
    CheckRequest,
    CheckResult,
    FindTokenAnswer,
    FindTokenRequest,
    FoundToken,
    NewTokenAnswer,
    NewTokenRequest,
    TokenLimits,
)
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    CONNECTION_JOIN,
    CONNECTION_RULE,
    ConnectionAccount,
    ConnectionAccountRequest,
    JoinAnswer,
    JoinOutcome,
    JoinRequest,
    RuleAnswer,
    RuleRequest,
)
from shared.contracts.calls.identity import (
    KEY_SET,
    PASSWORD_RESET_LINK,
    SIGN_UP_LINK,
    KeySet,
    PasswordResetLinkRequest,
    SignUpLinkRequest,
)
from shared.contracts.calls.journal import HEADS, Heads
from shared.contracts.calls.notification import (
    READ_PERSONAL_MESSAGES,
    PersonalMessages,
    PersonalMessagesRequest,
)
from shared.contracts.calls.team import (
    INVITATION_LOOKUP,
    MEMBERSHIPS,
    PERSONAL_ACCOUNT,
    USER_RELEASE,
    InvitationLookupRequest,
    InvitedAddress,
    Memberships,
    MembershipsRequest,
    OwnedTeam,
    PersonalAccountAnswer,
    PersonalAccountRequest,
    StoredMembership,
    UserReleased,
    UserReleaseRequest,
)
from shared.contracts.facts import shard_of
from shared.contracts.refusals import InvitationNotValid
from shared.contracts.topology import Service
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.ids import SignUpId, new_id
from shared.links import Link
from shared.locales import DEFAULT_LOCALE
from shared.problems import NotFound, Refusal, Unavailable
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.support.service import (
    ADMIN_KEY,
    FAR,
    ISSUER,
    Answered,
    RunningService,
    random_key,
    run_service,
)
from tests.support.sharded import sharded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from services.identity.use_cases.context import Ctx
    from shared.contracts.facts import Row
    from shared.http.client import InternalClient
    from shared.http.routes import Route
    from shared.timeouts import Timeouts

PASSWORD = "correct-horse-battery"
CHEAP_ARGON2 = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes at the lowest cost: a tenth of a millisecond, where the product's takes thirty."""
PRODUCTS_HASHER: Mapping[str, Any] = {"hasher": None}
"""The wiring of an identity that makes its own hasher, as its process does."""
RULE = RuleAnswer(account_name="Acme", manager_emails=("owner@acme.example",))
"""What team says of a rule that may be set."""
JOINED = JoinAnswer(outcome=JoinOutcome.JOINED, revision="team.e1.9.4")
NO_MESSAGES = PersonalMessages(
    reader=None, notifications=(), mails=(), switched_off=(), complete=True
)
MEMBERSHIP = f"mem_{1:032x}"
"""The membership of each member."""
SECRETS = {name: SecretStr(random_key()) for name in ("link_key", "refresh_key", "sealing_key")}

FORGOTTEN = (
    "api_tokens",
    "counters",
    "decoys",
    "factors",
    "external_ids",
    "farewells",
    "idempotency",
    "service_clients",
    "sessions",
    "sign_ups",
    "users",
    "addresses",
    "identities",
    "used_sign_ins",
    "sso_connections",
    "sso_domains",
)
"""The collections that are empty at the start of each test. An adoption that runs meanwhile adds
addresses of users."""


@dataclass
class Authenticator:
    """An app that makes codes, as RFC 6238 says; written apart from the product's library."""

    secret: str
    clock: SetClock

    def code(self, *, steps: int = 0) -> str:
        """The code of the present step, or of one some steps later."""
        step = int(self.clock.now().timestamp()) // 30 + steps
        key = base64.b32decode(self.secret)
        digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
        at = digest[-1] & 15
        number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
        return f"{number % 1_000_000:06d}"

    def next_code(self) -> str:
        """The code of the next step, to which the clock moves."""
        self.clock.move(30)
        return self.code()


@dataclass
class StandIns:
    """The stand-ins for team, authz and notification."""

    invitations: dict[tuple[str, str], InvitedAddress] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)
    suspended: set[tuple[str, str]] = field(default_factory=set)
    """Members to whom their membership gives no access now."""
    asked: list[CheckRequest] = field(default_factory=list)
    """What authz was asked."""
    accounts: list[PersonalAccountRequest] = field(default_factory=list)
    """The personal accounts that team was asked to make."""
    tokens: dict[str, FoundToken] = field(default_factory=dict)
    """The API tokens that authz knows, by their SHA-256."""
    released: list[str] = field(default_factory=list)
    """The users whose memberships team was asked to end."""
    owned: list[str] = field(default_factory=list)
    """The names of accounts with other members that every user owns."""
    release_in_force: bool = True
    """Whether each replica of authz has the end of a user's memberships."""
    closed: set[str] = field(default_factory=set)
    """The accounts that are suspended, or are being deleted."""
    rules: list[RuleRequest] = field(default_factory=list)
    """The rules that team was asked about."""
    rule: RuleAnswer = RULE
    joins: list[JoinRequest] = field(default_factory=list)
    """The memberships that team was asked to make by a connection."""
    join: JoinAnswer = JOINED
    joins_away: bool = False
    messages: PersonalMessages = NO_MESSAGES
    """What notification has of every user."""
    messages_asked: list[PersonalMessagesRequest] = field(default_factory=list)
    messages_refused: Refusal | None = None
    team_away: bool = False
    team_may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    """Until it is set, team accepts the request of an account and does not answer."""

    def __post_init__(self) -> None:
        self.team_may_answer.set()

    def forget(self) -> None:
        """Be as at the start."""
        for told in (
            self.invitations,
            self.members,
            self.suspended,
            self.asked,
            self.accounts,
            self.tokens,
            self.released,
            self.owned,
            self.closed,
            self.rules,
            self.joins,
            self.messages_asked,
        ):
            told.clear()
        self.release_in_force = True
        self.rule, self.join, self.joins_away = RULE, JOINED, False
        self.messages, self.messages_refused = NO_MESSAGES, None
        self.team_away = False
        self.team_may_answer.set()

    def invite(self, email: str, delivery: str) -> dict[str, str]:
        """An invitation for this address, as a sign-up sends it."""
        proof = {"token": secrets.token_hex(8), "code": secrets.token_hex(4)}
        invited = InvitedAddress(email=email, delivery=delivery)
        self.invitations[proof["token"], proof["code"]] = invited
        return proof

    async def release(self, ctx: object, call: Call[UserReleaseRequest, None]) -> UserReleased:
        """End the memberships of a user, as team does."""
        if self.team_away:
            raise Unavailable
        self.released.append(call.body.user_id)
        owned = [OwnedTeam(account_id=f"acc_{1:032x}", account_name=one) for one in self.owned]
        return UserReleased(owned=tuple(owned), effective=self.release_in_force)

    async def find_token(self, ctx: object, call: Call[FindTokenRequest, None]) -> FindTokenAnswer:
        """Tell what an API token stands for, as authz does."""
        return FindTokenAnswer(found=self.tokens.get(call.body.digest))

    def memberships_of(self, user_id: str) -> Memberships:
        """Those of `members`, which tokens are bound to; other users have one membership."""
        own = {
            "account_id": f"acc_{1:032x}",
            "account_name": "Acme",
            "owner": False,
            "role": "viewer",
            "status": "active",
            "joined_at": FAR,
            "email": "ana@example.com",
            "name": "Ana",
        }
        held = []
        for member, account_id in sorted(self.members):
            if member == user_id:
                acts = (member, account_id) not in self.suspended
                bound = {
                    "membership_id": MEMBERSHIP,
                    "account_id": account_id,
                    "gives_access": acts,
                }
                held.append(own | bound)
        found = (StoredMembership.model_validate(one) for one in held or [own])
        return Memberships(memberships=tuple(found))

    async def account_of_connection(
        self, ctx: object, call: Call[ConnectionAccountRequest, None]
    ) -> ConnectionAccount:
        if self.team_away:
            raise Unavailable
        told = RULE.manager_emails if call.body.managers else ()
        return ConnectionAccount(
            open=call.body.account_id not in self.closed,
            account_name=RULE.account_name,
            manager_emails=told,
        )

    async def check_rule(self, ctx: object, call: Call[RuleRequest, None]) -> RuleAnswer:
        if self.team_away:
            raise Unavailable
        self.rules.append(call.body)
        refused = call.body.role is not None and self.rule.problem is not None
        return self.rule if refused else RULE

    async def make_member(self, ctx: object, call: Call[JoinRequest, None]) -> JoinAnswer:
        if self.joins_away:
            raise Unavailable
        self.joins.append(call.body)
        return self.join

    async def read_messages(
        self, ctx: object, call: Call[PersonalMessagesRequest, None]
    ) -> PersonalMessages:
        self.messages_asked.append(call.body)
        if self.messages_refused is not None:
            raise self.messages_refused
        return self.messages

    def routes(self) -> Mapping[Service, list[Route]]:
        async def lookup(ctx: object, call: Call[InvitationLookupRequest, None]) -> InvitedAddress:
            try:
                return self.invitations[call.body.token, call.body.code]
            except KeyError:
                raise InvitationNotValid from None

        async def open_account(
            ctx: object, call: Call[PersonalAccountRequest, None]
        ) -> PersonalAccountAnswer:
            if self.team_away:
                raise Unavailable
            self.accounts.append(call.body)
            await self.team_may_answer.wait()
            return PersonalAccountAnswer(revision=f"team.e1.7.{len(self.accounts)}", effective=True)

        async def decide(ctx: object, call: Call[CheckRequest, None]) -> CheckResult:
            self.asked.append(call.body)
            member = (call.body.user_id, call.body.account_id) in self.members
            return CheckResult(allowed=member, member=member)

        async def decide_new_token(
            ctx: object, call: Call[NewTokenRequest, None]
        ) -> NewTokenAnswer:
            self.asked.append(call.body)
            member = (call.body.user_id, call.body.account_id) in self.members
            return NewTokenAnswer(allowed=member, member=member, membership_id=MEMBERSHIP)

        async def memberships(ctx: object, call: Call[MembershipsRequest, None]) -> Memberships:
            if self.team_away:
                raise Unavailable
            return self.memberships_of(call.body.user_id)

        async def heads(ctx: object, call: Call[None, None]) -> Heads:
            return Heads(source="team", epoch="e1", heads={}, digests={})

        return {
            Service.TEAM: [
                internal_route(INVITATION_LOOKUP, lookup, refuses=(InvitationNotValid,)),
                internal_route(PERSONAL_ACCOUNT, open_account),
                internal_route(MEMBERSHIPS, memberships),
                internal_route(USER_RELEASE, self.release),
                internal_route(CONNECTION_ACCOUNT, self.account_of_connection),
                internal_route(CONNECTION_RULE, self.check_rule),
                internal_route(CONNECTION_JOIN, self.make_member),
                internal_route(HEADS, heads),
            ],
            Service.NOTIFICATION: [
                internal_route(READ_PERSONAL_MESSAGES, self.read_messages, refuses=(NotFound,))
            ],
            Service.AUTHZ: [
                internal_route(DECIDE, decide),
                internal_route(NEW_TOKEN, decide_new_token),
                internal_route(FIND_TOKEN, self.find_token),
            ],
        }


@dataclass(kw_only=True)
class Identity(RunningService):
    """A running identity and everything that a test asks of it."""

    stand_ins: StandIns

    async def for_one_test(self) -> Self:
        """The same identity without users and clients, after each limit has ended."""
        self.clock.move(MAIL_WINDOW.total_seconds())
        for name in FORGOTTEN:
            await self.database[name].delete_many({})
        self.stand_ins.forget()
        return await super().for_one_test()

    @property
    def ctx(self) -> Ctx:
        """What the use cases of the first replica work with."""
        ctx: Ctx = self.apps[0].public._ctx
        return ctx

    @property
    def notification(self) -> InternalClient:
        """Notification as a caller of identity's internal routes."""
        return self.callers["notification"]

    async def post(self, path: str, body: Any = None, **options: Any) -> Answered:
        return await self.send("POST", path, body, **options)

    async def sign_up(self, email: str, *, name: str = "Ana", **options: Any) -> Answered:
        return await self.post("/v1/signup", {"email": email, "name": name}, **options)

    async def verify(
        self, link: dict[str, str], *, password: str = PASSWORD, **fields: str
    ) -> Answered:
        return await self.post("/v1/email/verify", link | {"password": password} | fields)

    async def forgot(self, email: str) -> Answered:
        return await self.post("/v1/password/forgot", {"email": email})

    async def reset(self, token: str, password: str, **more: str) -> Answered:
        body = {"token": token, "password": password} | more
        return await self.post("/v1/password/reset", body)

    async def change_password(self, token: str, current: str, new: str) -> Answered:
        body = {"current": current, "new": new}
        return await self.post("/v1/me/password", body, token=token)

    async def is_live(self, session: dict[str, Any]) -> bool:
        """Whether the tokens of a session still open anything; a live one is refreshed."""
        me = await self.send("GET", "/v1/me", token=session["access_token"])
        body = {"refresh_token": session["refresh_token"]}
        refreshed = await self.post("/v1/token/refresh", body)
        assert (me.status, refreshed.status) in {(200, 200), (401, 401)}
        return me.status == 200

    async def log_in(
        self, email: str, password: str = PASSWORD, *, otp: str | None = None, **options: Any
    ) -> Answered:
        body = {"email": email, "password": password} | ({} if otp is None else {"otp": otp})
        return await self.post("/v1/login", body, **options)

    async def begin_totp(self, token: str) -> Authenticator:
        """The app of a user who begins to add one."""
        answer = await self.post("/v1/me/mfa/totp", token=token)
        assert answer.status == 200, answer.text
        return Authenticator(answer.body["secret"], self.clock)

    async def add_totp(self, token: str) -> tuple[Authenticator, list[str]]:
        """The app of a user who has added one, and the recovery codes; its code is used up."""
        app = await self.begin_totp(token)
        answer = await self.confirm_totp(token, app.code())
        assert answer.status == 200, answer.text
        return app, answer.body["recovery_codes"]

    async def confirm_totp(self, token: str, otp: str) -> Answered:
        return await self.post("/v1/me/mfa/totp/confirm", {"otp": otp}, token=token)

    async def step_up(self, token: str, **proof: str) -> Answered:
        return await self.post("/v1/me/step-up", proof, token=token)

    async def link(self, sign_up_id: str, generation: int) -> dict[str, str]:
        """What notification gets to put into the mail of a sign-up."""
        request = SignUpLinkRequest(kind="sign-up", id=sign_up_id, generation=generation)
        answer = await self.notification.call(SIGN_UP_LINK, "identity", request)
        return {"token": answer.url.partition("?token=")[2], "code": answer.code}

    async def reset_token(self, user_id: str, generation: int) -> str:
        """What notification gets to put into the mail of a password reset."""
        request = PasswordResetLinkRequest(kind="password-reset", id=user_id, generation=generation)
        answer = await self.notification.call(PASSWORD_RESET_LINK, "identity", request)
        return answer.url.partition("?token=")[2]

    async def mailed_links(self, email: str) -> list[dict[str, str]]:
        """The links of the mails of a sign-up with this address, oldest first, if they work."""
        links = []
        for row in await self.rows("sign_up.requested"):
            if row.data["email"] == email:
                with contextlib.suppress(Refusal):
                    links.append(await self.link(row.data["sign_up_id"], row.data["generation"]))
        return links

    async def mailed_reset(self, email: str) -> str:
        """The token in the newest mail of a password reset."""
        told = [row.data for row in await self.rows("user.password_reset_requested")]
        newest = [data for data in told if data["email"] == email][-1]
        return await self.reset_token(newest["user_id"], newest["generation"])

    async def person(self, email: str, *, name: str = "Ana") -> dict[str, Any]:
        """A user who has proved the address and is signed in.

        Their sign-up is a row of the store. It is told to no service, and counts for no limit.
        """
        ctx, wanted = self.ctx, check_registration(email=email, name=name, locale=DEFAULT_LOCALE)
        earlier = await ctx.store.sign_up_of(wanted.address.key)
        sign_up_id = SignUpId(new_id("sup"))
        pending, _ = request_sign_up(earlier, wanted, sign_up_id=sign_up_id, now=self.clock.now())
        await ctx.store.save_sign_up(earlier, pending, None)  # type: ignore[arg-type]
        link = Link(pending.id, pending.generation)
        proof = {"token": ctx.sign_up_links.token(link), "code": ctx.sign_up_links.code(link)}
        return dict((await self.verify(proof)).expect(200))

    async def person_by_mail(self, email: str) -> dict[str, Any]:
        """Sign up, prove the address by the mailed link, and be signed in."""
        assert (await self.sign_up(email)).status == 202
        [*_, link] = await self.mailed_links(email)
        return dict((await self.verify(link)).expect(200))

    async def make_token(self, person: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """An API token of a user in their personal account, with its secret; authz knows it."""
        account_id = person["account_id"]
        self.stand_ins.members.add((person["user"]["id"], account_id))
        path, body = f"/v1/accounts/{account_id}/api-tokens", {"name": "CI"} | fields
        answer = await self.post(path, body, token=person["access_token"])
        made = dict(answer.expect(201))
        self.stand_ins.tokens[digest_of(made["secret"])] = FoundToken(
            token_id=made["id"],
            user_id=person["user"]["id"],
            account_id=account_id,
            membership_id=MEMBERSHIP,
            expires_at=made["expires_at"],
            limits=TokenLimits.model_validate(fields.get("restriction", {})),
        )
        return made

    async def make_client(self, **fields: Any) -> dict[str, str]:
        body = {"name": "billing", "scopes": ["authz:check"]} | fields
        answer = await self.post("/internal/admin/service-clients", body, token=ADMIN_KEY)
        assert answer.status == 201, answer.text
        return dict(answer.body)

    async def get_token(
        self, client: dict[str, str] | None, form: dict[str, str] | str
    ) -> Answered:
        headers = {}
        if client is not None:
            pair = f"{client['id']}:{client['secret']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return await self.post("/oauth2/token", form=form, headers=headers)

    async def rows(self, *actions: str) -> list[Row]:
        """The rows about users, sessions and clients, oldest first; or these actions' rows."""
        found = sorted(await super().rows(*actions), key=lambda row: row.id)
        return [row for row in found if actions or not row.action.startswith("signing_key.")]

    def verifier(self, path: str = KEY_SET.path) -> TokenVerifier:
        """A verifier as another service has it: it knows only the published keys."""

        async def fetch() -> KeySet:
            if path == KEY_SET.path:
                return await self.notification.call(KEY_SET, "identity")
            return KeySet.model_validate((await self.send("GET", path)).body)

        keys = RemoteKeys(fetch, clock=self.clock)
        return TokenVerifier(issuer=ISSUER, keys=keys, clock=self.clock)

    async def actions_of(self, user_id: str) -> list[str]:
        """What the journal tells of one user's shard, in its order."""
        shard = shard_of(user_id)
        found = [row for row in await self.rows() if row.shard == shard]
        return [row.action for row in sorted(found, key=lambda row: row.seq)]


@asynccontextmanager
async def running(
    mongo_url: str,
    database: str,
    *,
    clock: SetClock | None = None,
    timeouts: Timeouts = PATIENT,
    wiring: Mapping[str, Any] | None = None,
    **fields: Any,
) -> AsyncIterator[Identity]:
    """A real identity on a real database; `wiring` is for `build`, `fields` are settings."""
    stand_ins = StandIns()
    defaults = {"trusted_proxies": ("127.0.0.0/8",), "answer_step_seconds": 0.02}
    async with run_service(
        Identity,
        build,
        Settings,
        service=Service.IDENTITY,
        mongo_url=mongo_url,
        database=database,
        clock=clock or SetClock(FAR),
        others=stand_ins.routes(),
        fields={**SECRETS, **defaults, **fields},
        timeouts=timeouts,
        wiring={
            "hasher": Argon2Hasher(argon2=CHEAP_ARGON2, code_argon2=CHEAP_ARGON2),
            "wrap": sharded,
            **(wiring or {}),
        },
        stand_ins=stand_ins,
    ) as identity:
        yield identity
