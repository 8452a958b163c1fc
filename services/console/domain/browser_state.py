"""What a browser keeps for the console, and the cookies that carry it.

Answers to two tabs arrive in any order, and each overwrites a cookie of the same name. The session
is therefore set and deleted by presses alone. Every answer may replace its tokens, which are in
another cookie and count for their own session only: a late one changes nothing for the next user.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Cookie(StrEnum):
    """The cookies. `__Host-`: only this host, over a secure connection, can set them (`T11`)."""

    SESSION = "__Host-rolecall_session"
    TOKENS = "__Host-rolecall_tokens"
    LINKS = "__Host-rolecall_links"
    ISSUER = "__Host-rolecall_issuer"
    FORM = "__Host-rolecall_form"
    NOTE = "__Host-rolecall_note"


KEPT_SECONDS = {
    Cookie.SESSION: 90 * 86_400,
    Cookie.TOKENS: 90 * 86_400,
    Cookie.LINKS: 86_400,
    Cookie.ISSUER: 600,
    Cookie.NOTE: 600,
}
"""How long a sealed cookie is opened; the API ends sessions and links sooner."""
EARLY = timedelta(seconds=30)
"""How long before its end an access token is replaced."""


NEVER_VALID = datetime.min.replace(tzinfo=UTC)


class LinkKind(StrEnum):
    """The pages that a mailed link leads to."""

    VERIFICATION = "verification"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - the name of a kind
    NEW_ADDRESS = "new-address"
    FORMER_ADDRESS = "former-address"
    SECOND_FACTOR = "second-factor"
    INVITATION = "invitation"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, kw_only=True)
class BrowserSession:
    """A signed-in user. `id` is new with each sign-in; it is not the id that the API knows."""

    id: str
    refresh_token: str
    user_id: str = ""
    access_token: str = ""
    expires_at: datetime = NEVER_VALID
    locale: str = ""
    """The language of the user, once the API has said it: the pages speak it when it has ended."""

    def wants_refresh(self, now: datetime) -> bool:
        """Whether the access token is over, or about to be."""
        return now + EARLY >= self.expires_at

    def contents(self) -> Mapping[Cookie, Mapping[str, object]]:
        """What each of its cookies holds. Without its tokens, a session gets new ones."""
        tokens = {
            "access": self.access_token,
            "until": int(self.expires_at.timestamp()),
            "locale": self.locale,
        }
        session = {"id": self.id, "refresh": self.refresh_token, "user": self.user_id}
        return {Cookie.SESSION: session, Cookie.TOKENS: session | tokens}

    def with_access_token(self, token: str, expires_at: datetime) -> "BrowserSession":
        """Return the same session with another access token."""
        return replace(self, access_token=token, expires_at=expires_at)


def read_session(
    session: Mapping[str, object], tokens: Mapping[str, object]
) -> BrowserSession | None:
    """Return the session of the two cookies, with the tokens if they are its own."""
    match session:
        case {"id": str(own), "refresh": str(refresh)}:
            user_id = str(session.get("user", ""))
            found = BrowserSession(id=own, refresh_token=refresh, user_id=user_id)
        case _:
            return None
    match tokens:
        case {"id": str(of), "access": str(access), "refresh": str(newer), "until": int(until)}:
            if of == found.id:
                return replace(
                    found,
                    access_token=access,
                    refresh_token=newer,
                    user_id=str(tokens.get("user", found.user_id)),
                    locale=str(tokens.get("locale", "")),
                    expires_at=datetime.fromtimestamp(until, UTC),
                )
    return found


@dataclass(frozen=True, kw_only=True)
class PageLink:
    """The token and the code of a mailed link."""

    token: str
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class IssuerSignIn:
    """A sign-in with an issuer that this browser began, and where it leads.

    The API takes the issuer's answer with the `binding` alone, so no stranger can bring about a
    sign-in here with an answer of their own. With `links` it links an identity to a user who is
    signed in already.
    """

    binding: str
    to: str
    links: bool = False


MAX_TOKEN, MAX_CODE = 200, 40
"""The characters of a link's parts, as the API takes them."""


def read_link(token: str, code: str) -> PageLink | None:
    """Return the parts of a link; `token` may be the whole link, as a person pastes it."""
    text = token.strip()
    query = re.split(r"[?#]", text, maxsplit=1)[-1]
    if "=" in query or "://" in text:
        parts = dict(part.partition("=")[::2] for part in query.split("&"))
        text, code = parts.get("token", ""), parts.get("code", code)
    code = code.strip()
    if not text or len(text) > MAX_TOKEN or len(code) > MAX_CODE:
        return None
    return PageLink(token=text, code=code)
