"""What a browser keeps for the console, and the cookies that carry it.

No two of them change for the same reason, so two tabs do not overwrite each other's changes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Cookie(StrEnum):
    """The cookies. `__Host-`: only this host, over a secure connection, can set them (`T11`)."""

    SESSION = "__Host-rolecall_session"
    LINKS = "__Host-rolecall_links"
    FORM = "__Host-rolecall_form"


KEPT_SECONDS = {Cookie.SESSION: 90 * 86_400, Cookie.LINKS: 86_400}
"""How long a sealed cookie is opened; the API ends sessions and links sooner."""
EARLY = timedelta(seconds=30)
"""How long before its end an access token is replaced."""


class LinkKind(StrEnum):
    """The pages that a mailed link leads to."""

    VERIFICATION = "verification"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - the name of a kind
    NEW_ADDRESS = "new-address"
    FORMER_ADDRESS = "former-address"
    INVITATION = "invitation"


@dataclass(frozen=True, kw_only=True)
class BrowserSession:
    """The tokens of a signed-in user. `id` is new with each sign-in."""

    id: str
    access_token: str
    refresh_token: str
    expires_at: datetime

    def wants_refresh(self, now: datetime) -> bool:
        """Whether the access token is over, or about to be."""
        return now >= self.expires_at - EARLY

    def content(self) -> Mapping[str, object]:
        """What the cookie holds."""
        return {
            "id": self.id,
            "access": self.access_token,
            "refresh": self.refresh_token,
            "until": int(self.expires_at.timestamp()),
        }

    def with_access_token(self, token: str, expires_at: datetime) -> "BrowserSession":
        """Return the same session with another access token."""
        return replace(self, access_token=token, expires_at=expires_at)


@dataclass(frozen=True, kw_only=True)
class PageLink:
    """The token and the code of a mailed link."""

    token: str
    code: str = ""


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
