"""One request of a browser: what it holds, what the API says, and what the browser will keep."""

import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.console.adapters.api import ApiRefusal, PublicApi, Visitor
from services.console.domain.browser_state import (
    KEPT_SECONDS,
    BrowserSession,
    Cookie,
    LinkKind,
    PageLink,
)
from services.console.domain.sealing import Sealer
from shared.clock import Clock

FORM_MARK = "form"
"""The purpose of the mark in every form."""
SECOND_STEP = "second-step"
"""The purpose of the sealed first step of a sign-in."""
SECOND_STEP_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """What every page needs."""

    api: PublicApi
    sealer: Sealer
    clock: Clock
    product: str
    origin: str
    new_text: Callable[[], str] = lambda: secrets.token_urlsafe(24)


class SignedOut(Exception):  # noqa: N818 - it names what was found
    """The page needs a session, and the browser has none that lives."""


@dataclass(kw_only=True)
class Visit:
    """One request of one browser; `kept` are the cookies that its answer sets."""

    ctx: PageContext
    path: str
    query: Mapping[str, str]
    typed: Mapping[str, str]
    cookies: Mapping[str, str]
    visitor: Visitor
    kept: dict[Cookie, str] = field(default_factory=dict)
    session: BrowserSession | None = field(init=False)
    form_secret: str = field(init=False)

    def __post_init__(self) -> None:
        self.session = _session(self._opened(Cookie.SESSION))
        secret = self.cookies.get(Cookie.FORM, "")
        self.form_secret = secret if 0 < len(secret) <= 64 else self._new_form_secret()

    @property
    def now(self) -> datetime:
        """The time of the request."""
        return self.ctx.clock.now()

    # --- forms

    def form_mark(self) -> str:
        """The mark that a form of this browser carries."""
        return self.ctx.sealer.mark(FORM_MARK, self.form_secret)

    def form_fits(self) -> bool:
        """Whether the form was made for this browser, since its last sign-in."""
        secret, mark = self.cookies.get(Cookie.FORM, ""), self.typed.get("form", "")
        return bool(secret) and self.ctx.sealer.marked(FORM_MARK, secret, mark)

    def _new_form_secret(self) -> str:
        secret = self.ctx.new_text()
        self.kept[Cookie.FORM] = secret
        return secret

    # --- the session

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Ask the API as the signed-in user.

        Raises:
            SignedOut: there is no session, or it has ended.
            ApiRefusal: any other refusal.
        """
        token = await self._access_token()
        try:
            return await self.ctx.api.call(
                method, path, body, visitor=self.visitor, token=token, query=query
            )
        except ApiRefusal as refusal:
            if refusal.status != 401:
                raise
            self.forget_session()
            raise SignedOut from None

    async def ask(self, path: str, body: Mapping[str, object]) -> Any:
        """Ask the API as a stranger.

        Raises:
            ApiRefusal: it was refused.
        """
        return await self.ctx.api.call("POST", path, body, visitor=self.visitor)

    async def user(self) -> Mapping[str, Any] | None:
        """The signed-in user, or None: the page is for both."""
        if self.session is None:
            return None
        try:
            me: Mapping[str, Any] = await self.call("GET", "/v1/me")
        except SignedOut:
            return None
        return me

    async def _access_token(self) -> str:
        if self.session is None:
            raise SignedOut
        if self.session.wants_refresh(self.now):
            try:
                answer = await self.ask(
                    "/v1/token/refresh", {"refresh_token": self.session.refresh_token}
                )
            except ApiRefusal as refusal:
                if refusal.status not in {400, 401, 422}:
                    raise
                self.forget_session()
                raise SignedOut from None
            self._keep_session(self._from_answer(answer, session_id=self.session.id))
        return self.session.access_token

    async def sign_in(self, answer: Mapping[str, Any]) -> None:
        """Keep a new session: another cookie, and forms of before are refused (`T11`)."""
        with contextlib.suppress(ApiRefusal):
            await self.end_session()
        self.form_secret = self._new_form_secret()
        self._keep_session(self._from_answer(answer, session_id=self.ctx.new_text()))

    async def end_session(self) -> None:
        """End the session here and at the API."""
        if self.session is not None:
            with contextlib.suppress(SignedOut):
                await self.call("POST", "/v1/logout")
            self.forget_session()

    def forget_session(self) -> None:
        """Drop the session, which has ended."""
        self.session = None
        self.kept[Cookie.SESSION] = ""
        self.form_secret = self._new_form_secret()

    def change_access_token(self, answer: Mapping[str, Any]) -> None:
        """Keep the access token of a switch of the account."""
        if self.session is not None:
            until = self.now + timedelta(seconds=answer["expires_in"])
            self._keep_session(self.session.with_access_token(answer["access_token"], until))

    def _from_answer(self, answer: Mapping[str, Any], *, session_id: str) -> BrowserSession:
        return BrowserSession(
            id=session_id,
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            expires_at=self.now + timedelta(seconds=answer["expires_in"]),
        )

    def _keep_session(self, session: BrowserSession) -> None:
        self.session = session
        self.kept[Cookie.SESSION] = self._sealed(Cookie.SESSION, session.content())

    # --- links

    def link(self, kind: LinkKind) -> PageLink | None:
        """The link that a form sends, or that this browser opened last."""
        if token := self.typed.get("token"):
            return PageLink(token=token, code=self.typed.get("code", ""))
        return self.pending_link(kind)

    def pending_link(self, kind: LinkKind) -> PageLink | None:
        """The link that this browser opened last."""
        match self._links().get(kind):
            case {"token": str(token), "code": str(code)}:
                return PageLink(token=token, code=code)
        return None

    def keep_link(self, kind: LinkKind, link: PageLink) -> None:
        """Keep an opened link, so that the address of its page does not name it."""
        content = {**self._links(), kind: {"token": link.token, "code": link.code}}
        self.kept[Cookie.LINKS] = self._sealed(Cookie.LINKS, content)

    def forget_link(self, kind: LinkKind) -> None:
        """Drop a link that has done its work."""
        content = {name: link for name, link in self._links().items() if name != kind}
        self.kept[Cookie.LINKS] = self._sealed(Cookie.LINKS, content) if content else ""

    def _links(self) -> Mapping[str, object]:
        return self._opened(Cookie.LINKS)

    # --- sealing

    def _opened(self, cookie: Cookie) -> Mapping[str, object]:
        text = self.kept.get(cookie, self.cookies.get(cookie))
        return self.ctx.sealer.open(cookie, text, now=self.now, seconds=KEPT_SECONDS[cookie])

    def _sealed(self, cookie: Cookie, content: Mapping[str, object]) -> str:
        return self.ctx.sealer.seal(cookie, content, now=self.now)

    def seal_second_step(self, email: str, password: str) -> str:
        """Seal the first step of a sign-in into the form of its second one."""
        content = {"email": email, "password": password, "of": self.form_secret}
        return self.ctx.sealer.seal(SECOND_STEP, content, now=self.now)

    def open_second_step(self) -> tuple[str, str] | None:
        """Return address and password of the first step, if this browser made it just before."""
        content = self.ctx.sealer.open(
            SECOND_STEP, self.typed.get("first_step"), now=self.now, seconds=SECOND_STEP_SECONDS
        )
        match content:
            case {"email": str(email), "password": str(password), "of": str(of)}:
                return (email, password) if of == self.form_secret else None
        return None


def _session(content: Mapping[str, object]) -> BrowserSession | None:
    match content:
        case {"id": str(own), "access": str(access), "refresh": str(refresh), "until": int(until)}:
            return BrowserSession(
                id=own,
                access_token=access,
                refresh_token=refresh,
                expires_at=datetime.fromtimestamp(until, UTC),
            )
    return None
