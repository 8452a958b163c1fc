"""The visit of a user or a stranger: their session, and the API that they ask through the pages."""

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from services.console.adapters.api import ApiAnswer, ApiRefusal, path_step
from services.console.adapters.streamed_answers import StreamedAnswer
from services.console.domain.browser_state import BrowserSession, Cookie, read_session
from services.console.pages.catalog_words import in_words
from services.console.routes.browser_requests import BrowserRequest
from services.console.routes.session_ends import FormerSessionLives, SignedOut, ends_session
from shared.locales import DEFAULT_TIME_ZONE, preferred_locale

WORDED = frozenset({"accounts", "authz"})
"""The nouns with which the paths begin whose answers have words of a catalog."""
UNREAD_SECONDS = 2.0
"""The longest wait for a number that the page can do without."""
FORM_READER = "form-reader"
"""The purpose of the mark of the user to whom a form is shown."""
ENDED = "ended-session"
"""The purpose of the mark of a session that has ended."""


@dataclass(kw_only=True)
class Visit(BrowserRequest):
    """A request, with the session of its user, and what the API says to both."""

    session: BrowserSession | None = field(init=False)
    unread: int = field(default=0, init=False)
    """The unread notifications of the user, for the head of the page."""
    language: str = field(init=False)
    """The language of the page: that of its reader, if they are known, or of their browser."""
    time_zone: str = field(default=DEFAULT_TIME_ZONE, init=False)
    frame: Mapping[str, object] | None = field(default=None, init=False)
    """The words of a page around its content, once they are known."""
    known: bool = field(default=False, init=False)
    """Whether the API has known the user of the session during this visit."""
    _counted: bool = field(default=False, init=False)
    _ended: str = field(default="", init=False)
    """The mark of a session that was found to have ended, for all who ask at the same time."""
    _refreshing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.session = read_session(self._opened(Cookie.SESSION), self._opened(Cookie.TOKENS))
        known = self.session.locale if self.session is not None else ""
        self.language = known or preferred_locale(self.visitor.languages or "")

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        if_match: str | None = None,
        key: str | None = None,
    ) -> Any:
        """Ask the API as the signed-in user, and return the answer's JSON; raises as `answer`."""
        answer = await self.answer(method, path, body, query=query, if_match=if_match, key=key)
        return answer.body

    async def answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        if_match: str | None = None,
        key: str | None = None,
    ) -> ApiAnswer:
        """Ask the API as the signed-in user.

        A change counts for the preview alone that its form has shown, which the form names `seen`.

        Raises:
            SignedOut: there is no session, or it has ended.
            ApiRefusal: any other refusal.
        """
        token = await self._access_token()
        changes = method != "GET" and not path.endswith("/changes/preview")
        seen = self.typed.get("seen", "") if changes else ""
        try:
            answer = await self.ctx.api.answer(
                method,
                path,
                body,
                visitor=self.visitor,
                token=token,
                query=query,
                if_match=if_match,
                key=key,
                previewed=f'"{path_step(seen)}"' if seen else None,
            )
        except ApiRefusal as refusal:
            if not ends_session(refusal):
                raise
            raise self._signed_out() from None
        self.known = True
        if path.split("/")[2] in WORDED:
            await self._know_reader()
            return replace(answer, body=in_words(answer.body, self.language))
        return answer

    async def follow(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        after: str | None,
    ) -> StreamedAnswer:
        """Follow server-sent events of the API as the signed-in user; raises as `call`."""
        token = await self._access_token()
        opening = self.ctx.api.follow(
            method, path, visitor=self.visitor, token=token, query=query, after=after
        )
        return await self._streamed(opening)

    async def download(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None
    ) -> StreamedAnswer:
        """Open a file of the API as the signed-in user; raises as `call`."""
        token = await self._access_token()
        opening = self.ctx.api.download(
            method, path, visitor=self.visitor, token=token, query=query
        )
        return await self._streamed(opening)

    async def _streamed(self, opening: Awaitable[StreamedAnswer]) -> StreamedAnswer:
        try:
            return await opening
        except ApiRefusal as refusal:
            if not ends_session(refusal):
                raise
            raise self._signed_out() from None

    async def count_unread(self) -> None:
        """Ask how many notifications are unread, at most once for a page.

        The page does not depend on it: without an answer it has no number.
        """
        if self._counted or self.session is None:
            return
        self._counted = True
        with contextlib.suppress(ApiRefusal, SignedOut, TimeoutError):
            async with asyncio.timeout(UNREAD_SECONDS):
                found = await self.call("GET", "/v1/me/notifications/unread-count")
                self.unread = found["unread"]

    async def ask(self, path: str, body: Mapping[str, object]) -> Any:
        """Ask the API as a stranger.

        Raises:
            ApiRefusal: it was refused.
        """
        answer = await self.ctx.api.call("POST", path, body, visitor=self.visitor)
        return in_words(answer, self.language)

    async def user(self) -> Mapping[str, Any] | None:
        """The signed-in user, or None."""
        if self.session is None:
            return None
        try:
            me: Mapping[str, Any] = await self.call("GET", "/v1/me")
        except SignedOut:
            return None
        self.read_as(me)
        return me

    def read_as(self, me: Mapping[str, Any]) -> None:
        """Have the page speak to this user; its language is known when the session has ended."""
        self.language, self.time_zone = me["locale"], me["time_zone"]
        if self.session is not None and self.session.locale != self.language:
            self._keep(replace(self.session, locale=self.language), Cookie.TOKENS)

    async def _know_reader(self) -> None:
        """Ask who the user of a new session is: what follows is in their language."""
        async with self._reading:
            if self.session is not None and not self.session.locale:
                with contextlib.suppress(ApiRefusal):
                    await self.user()

    async def _access_token(self) -> str:
        async with self._refreshing:  # a page may ask for several things at once
            if self.session is None:
                raise SignedOut(self._ended)
            if self.session.wants_refresh(self.now):
                await self._refresh(self.session)
            return self.session.access_token

    async def _refresh(self, session: BrowserSession) -> None:
        try:
            answer = await self.ask("/v1/token/refresh", {"refresh_token": session.refresh_token})
        except ApiRefusal as refusal:
            if refusal.status not in {400, 401, 422}:
                raise
            raise self._signed_out() from None
        newer = self._from_answer(answer, session_id=session.id)
        self._keep(replace(newer, locale=session.locale), Cookie.TOKENS)

    def _signed_out(self) -> SignedOut:
        """Go on without the session. Its cookies stay: they may be those of a newer sign-in."""
        if self.session is not None:
            self._ended, self.session = self._session_mark(), None
        return SignedOut(self._ended)

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
        self.forget_note()
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
            self.forget_session()

    def forget_session(self) -> None:
        """Drop a session that has ended at the API with its user."""
        self.session = None
        self.kept |= {Cookie.SESSION: "", Cookie.TOKENS: ""}
        self.form_secret = self._new_form_secret()

    def form_mark(self) -> str:
        """The mark of a form of this browser, and that of the user to whom it is shown."""
        shown_to = self.session.user_id if self.session is not None else ""
        reader = self.ctx.sealer.mark(FORM_READER, shown_to) if shown_to else ""
        return f"{super().form_mark()}.{reader}"

    @property
    def form_reader(self) -> str:
        """The mark of the user to whom the form was shown that is pressed; a stranger has none."""
        return self.typed.get("form", "").partition(".")[2]

    def is_reader(self, mark: str) -> bool:
        """Whether a mark is that of the signed-in user."""
        own = self.session.user_id if self.session is not None else ""
        return bool(own) and self.ctx.sealer.marked(FORM_READER, own, mark)

    def change_access_token(self, answer: Mapping[str, Any]) -> None:
        """Keep the access token of a switch of the account, or of a fresh proof."""
        if self.session is not None:
            until = self.now + timedelta(seconds=answer["expires_in"])
            session = self.session.with_access_token(answer["access_token"], until)
            self._keep(session, Cookie.TOKENS)

    def _from_answer(self, answer: Mapping[str, Any], *, session_id: str) -> BrowserSession:
        return BrowserSession(
            id=session_id,
            user_id=answer["user"]["id"],
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            expires_at=self.now + timedelta(seconds=answer["expires_in"]),
        )

    def _keep(self, session: BrowserSession, *cookies: Cookie) -> None:
        self.session = session
        contents = session.contents()
        self.kept |= {cookie: self._sealed(cookie, contents[cookie]) for cookie in cookies}
