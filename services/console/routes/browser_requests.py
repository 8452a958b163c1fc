"""What a request of a browser holds: forms, links, and what it keeps for the console."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from services.console.adapters.api import PublicApi, Visitor
from services.console.domain.browser_state import (
    KEPT_SECONDS,
    Cookie,
    IssuerSignIn,
    LinkKind,
    PageLink,
)
from services.console.domain.origins import takes_passkeys
from services.console.domain.places import SAID_ONCE
from services.console.domain.sealing import Sealer
from shared.clock import Clock

FORM_MARK = "form"
"""The purpose of the mark in every form."""
SECOND_STEP = "second-step"
"""The purpose of the sealed first step of a sign-in."""
SECOND_STEP_SECONDS = 300
ENROLMENT = "enrolment"
"""The purpose of the sealed secret of an app that has not given its first code."""
ENROLMENT_SECONDS = 900
CARRIED = "carried"
"""The purpose of sealed texts that a form carries past another one."""
CARRIED_SECONDS = 300
MAX_CARRIED = 30_000
"""The characters of the largest of them: more than a browser lets into the fields."""
ASKED_BY = "asked-by"
"""Beside the links of a browser: the address that it entered for one."""


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """What every page needs."""

    api: PublicApi
    sealer: Sealer
    clock: Clock
    product: str
    origin: str
    new_text: Callable[[], str] = lambda: secrets.token_urlsafe(24)

    @property
    def passkeys_work(self) -> bool:
        """Whether browsers use passkeys on the pages."""
        return takes_passkeys(self.origin)


@dataclass(kw_only=True)
class BrowserRequest:
    """One request of one browser, at an `address` without its query.

    `place` are the ids in the address by their names, and `kept` the cookies that the answer sets.
    """

    ctx: PageContext
    address: str
    place: Mapping[str, str]
    query: Mapping[str, str]
    typed: Mapping[str, str]
    cookies: Mapping[str, str]
    visitor: Visitor
    kept: dict[Cookie, str] = field(default_factory=dict)
    form_secret: str = field(init=False)

    def __post_init__(self) -> None:
        secret = self.cookies.get(Cookie.FORM, "")
        self.form_secret = secret if 0 < len(secret) <= 64 else self._new_form_secret()

    @property
    def account_id(self) -> str:
        """The account that the address names."""
        return self.place["account_id"]

    @property
    def now(self) -> datetime:
        """The time of the request."""
        return self.ctx.clock.now()

    @property
    def path(self) -> str:
        """The path of the address."""
        return self.address.removeprefix(self.ctx.origin)

    # --- forms

    def form_mark(self) -> str:
        """The mark that a form of this browser carries."""
        return self.ctx.sealer.mark(FORM_MARK, self.form_secret)

    def form_fits(self) -> bool:
        """Whether the form was made for this browser, since its last sign-in."""
        secret = self.cookies.get(Cookie.FORM, "")
        mark, _, _ = self.typed.get("form", "").partition(".")
        return bool(secret) and self.ctx.sealer.marked(FORM_MARK, secret, mark)

    def _new_form_secret(self) -> str:
        secret = self.ctx.new_text()
        self.kept[Cookie.FORM] = secret
        return secret

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

    def keep_address(self, email: str) -> None:
        """Keep the address to which a link was mailed, for the page that has it sent again."""
        content = {**self._links(), ASKED_BY: email}
        self.kept[Cookie.LINKS] = self._sealed(Cookie.LINKS, content)

    def kept_address(self) -> str:
        """The address to which a link was mailed last, or nothing."""
        email = self._links().get(ASKED_BY)
        return email if isinstance(email, str) else ""

    def forget_link(self, kind: LinkKind) -> None:
        """Drop a link that has done its work."""
        content = {
            name: link for name, link in self._links().items() if name not in {kind, ASKED_BY}
        }
        self.kept[Cookie.LINKS] = self._sealed(Cookie.LINKS, content) if content else ""

    def _links(self) -> Mapping[str, object]:
        return self._opened(Cookie.LINKS)

    # --- sign-in with an issuer

    def keep_issuer_sign_in(self, binding: str, to: str, *, links: bool) -> None:
        """Keep what the issuer's answer needs."""
        content = {"binding": binding, "to": to, "links": links}
        self.kept[Cookie.ISSUER] = self._sealed(Cookie.ISSUER, content)

    def issuer_sign_in(self) -> IssuerSignIn | None:
        """The sign-in that this browser began last."""
        kept = self._opened(Cookie.ISSUER)
        match kept:
            case {"binding": str(binding), "to": str(to)}:
                return IssuerSignIn(binding=binding, to=to, links=kept.get("links") is True)
        return None

    def forget_issuer_sign_in(self) -> None:
        """Drop a sign-in that is over."""
        self.kept[Cookie.ISSUER] = ""

    # --- what the press before has done

    def keep_note(self, to: str) -> None:
        """Keep what an address of ours says of the press before it: no link can say it."""
        path, _, query = to.partition("?")
        said = {name: text for name, text in parse_qsl(query) if name in SAID_ONCE}
        if said:
            content = {"path": path, "said": said}
            self.kept[Cookie.NOTE] = self._sealed(Cookie.NOTE, content)

    def forget_note(self) -> None:
        """Drop what was said to the user before."""
        if Cookie.NOTE in self.cookies:
            self.kept[Cookie.NOTE] = ""

    def said(self, name: str) -> str:
        """What the address says of the press before it, if this browser was led here by one."""
        asked = {one: self.query[one] for one in SAID_ONCE & self.query.keys()}
        match self._opened(Cookie.NOTE):
            case {"path": self.path, "said": dict(said)} if said == asked:
                return asked.get(name, "")
        return ""

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

    def seal_typed(self, names: Iterable[str]) -> str:
        """Seal what was typed into these fields into the form of another page; empty if nothing."""
        typed = {name: text for name in names if (text := self.typed.get(name))}
        if not typed:
            return ""
        content = {"typed": typed, "of": self.form_secret}
        return self.ctx.sealer.seal(CARRIED, content, now=self.now)

    def open_typed(self) -> Mapping[str, str] | None:
        """Return what this browser typed on the page before; None: too long ago, or elsewhere."""
        sealed = self.typed.get("carried", "")
        if not sealed:
            return {}
        content = self.ctx.sealer.open(
            CARRIED, sealed, now=self.now, seconds=CARRIED_SECONDS, longest=MAX_CARRIED
        )
        match content:
            case {"typed": dict(typed), "of": str(of)} if of == self.form_secret:
                return typed
        return None

    def seal_enrolment(self, secret: str, uri: str) -> str:
        """Seal the secret of an app into the form that asks for its first code."""
        content = {"secret": secret, "uri": uri, "of": self.form_secret}
        return self.ctx.sealer.seal(ENROLMENT, content, now=self.now)

    def open_enrolment(self) -> tuple[str, str] | None:
        """Return the secret of an app and its address, if this browser was shown them."""
        content = self.ctx.sealer.open(
            ENROLMENT, self.typed.get("enrolment"), now=self.now, seconds=ENROLMENT_SECONDS
        )
        match content:
            case {"secret": str(secret), "uri": str(uri), "of": str(of)}:
                return (secret, uri) if of == self.form_secret else None
        return None
