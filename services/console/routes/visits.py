"""One request of a browser: what it holds, what the API says, and what the browser will keep."""

import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.console.adapters.api import ApiRefusal, PublicApi, Visitor
from services.console.domain.browser_state import (
    KEPT_SECONDS,
    BrowserSession,
    Cookie,
    IssuerSignIn,
    LinkKind,
    PageLink,
    read_session,
)
from services.console.domain.sealing import Sealer
from shared.clock import Clock

FORM_MARK = "form"
"""The purpose of the mark in every form."""
ENDED = "ended-session"
"""The purpose of the mark of a session that has ended."""
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
    """The page needs a session, and the browser has none that lives.

    `ended` is the mark of the one that does not live any more.
    """

    def __init__(self, ended: str = "") -> None:
        super().__init__()
        self.ended = ended


class FormerSessionLives(Exception):  # noqa: N818 - it names what was found
    """A sign-in is dropped: the session before it cannot be ended at the moment."""


@dataclass(kw_only=True)
class Visit:
    """One request of one browser, at an `address` without its query.

    `kept` are the cookies that the answer sets.
    """

    ctx: PageContext
    address: str
    query: Mapping[str, str]
    typed: Mapping[str, str]
    cookies: Mapping[str, str]
    visitor: Visitor
    kept: dict[Cookie, str] = field(default_factory=dict)
    session: BrowserSession | None = field(init=False)
    form_secret: str = field(init=False)

    def __post_init__(self) -> None:
        self.session = read_session(self._opened(Cookie.SESSION), self._opened(Cookie.TOKENS))
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
            raise self._signed_out() from None

    async def ask(self, path: str, body: Mapping[str, object]) -> Any:
        """Ask the API as a stranger.

        Raises:
            ApiRefusal: it was refused.
        """
        return await self.ctx.api.call("POST", path, body, visitor=self.visitor)

    async def connections(self) -> Sequence[Mapping[str, Any]]:
        """The issuers that everyone may sign in with; none while the API does not say."""
        try:
            answer = await self.ctx.api.call(
                "GET", "/v1/login/oidc/connections", visitor=self.visitor
            )
        except ApiRefusal:
            return ()
        items: Sequence[Mapping[str, Any]] = answer["items"]
        return items

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
                raise self._signed_out() from None
            self._keep(self._from_answer(answer, session_id=self.session.id), Cookie.TOKENS)
        return self.session.access_token

    def _signed_out(self) -> SignedOut:
        """Go on without the session. Its cookies stay: they may be those of a newer sign-in."""
        ended, self.session = self._session_mark(), None
        return SignedOut(ended)

    def _session_mark(self) -> str:
        return self.ctx.sealer.mark(ENDED, self.session.id) if self.session is not None else ""

    def drop_session(self, ended: str) -> None:
        """Go on without the session, if it is the one that was found to have ended."""
        if self.session is not None and self.ctx.sealer.marked(ENDED, self.session.id, ended):
            self.session = None

    async def sign_in(self, answer: Mapping[str, Any]) -> None:
        """Keep a new session: another cookie, and forms of before are refused (`T11`).

        Raises:
            FormerSessionLives: the session before it could not be ended.
        """
        try:
            await self.end_session()
        except ApiRefusal as refusal:
            if refusal.status >= 500 or refusal.status == 429:
                await self._drop(answer)
                raise FormerSessionLives from None
            # Any other refusal would be the same each time.
        self.form_secret = self._new_form_secret()
        session = self._from_answer(answer, session_id=self.ctx.new_text())
        self._keep(session, Cookie.SESSION, Cookie.TOKENS)

    async def _drop(self, answer: Mapping[str, Any]) -> None:
        """End a session whose tokens no one will have; without an answer it ends by itself."""
        with contextlib.suppress(ApiRefusal):
            await self.ctx.api.call(
                "POST", "/v1/logout", visitor=self.visitor, token=answer["access_token"]
            )

    async def end_session(self) -> None:
        """End the session here and at the API; a page does so when a button was pressed."""
        if self.session is not None:
            with contextlib.suppress(SignedOut):
                await self.call("POST", "/v1/logout")
            self.session = None
            self.kept |= {Cookie.SESSION: "", Cookie.TOKENS: ""}
            self.form_secret = self._new_form_secret()

    def change_access_token(self, answer: Mapping[str, Any]) -> None:
        """Keep the access token of a switch of the account."""
        if self.session is not None:
            until = self.now + timedelta(seconds=answer["expires_in"])
            session = self.session.with_access_token(answer["access_token"], until)
            self._keep(session, Cookie.TOKENS)

    def _from_answer(self, answer: Mapping[str, Any], *, session_id: str) -> BrowserSession:
        return BrowserSession(
            id=session_id,
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            expires_at=self.now + timedelta(seconds=answer["expires_in"]),
        )

    def _keep(self, session: BrowserSession, *cookies: Cookie) -> None:
        self.session = session
        contents = session.contents()
        self.kept |= {cookie: self._sealed(cookie, contents[cookie]) for cookie in cookies}

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

    # --- sign-in with an issuer

    def keep_issuer_sign_in(self, binding: str, to: str) -> None:
        """Keep what the issuer's answer needs."""
        self.kept[Cookie.ISSUER] = self._sealed(Cookie.ISSUER, {"binding": binding, "to": to})

    def issuer_sign_in(self) -> IssuerSignIn | None:
        """The sign-in that this browser began last."""
        match self._opened(Cookie.ISSUER):
            case {"binding": str(binding), "to": str(to)}:
                return IssuerSignIn(binding=binding, to=to)
        return None

    def forget_issuer_sign_in(self) -> None:
        """Drop a sign-in that is over."""
        self.kept[Cookie.ISSUER] = ""

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
