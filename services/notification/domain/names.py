"""How names, addresses, durations and moments are shown in a mail."""

import re
import unicodedata
from datetime import datetime, timedelta

from services.notification.domain.headers import JOINERS
from shared.addresses import parse_address
from shared.names import has_contact

MAX_NAME_LENGTH = 80
_MAX_EXAMINED_LENGTH = 400  # more is never shown, and the patterns are slow on long text
_DOTS = ".\u2024\u3002\ufe52\uff0e\uff61"  # what address bars and mail programs take for a dot
_URL_SCHEME = re.compile(
    r"\b[a-z][a-z0-9+.-]*:/{1,}\S*|\b(?:mailto|javascript|data|tel):", re.IGNORECASE
)
# Marks and joiners may stand for a letter although they are not word characters.
_NOT_A_LETTER = rf"\s\d!-@\[-`{{-~\u2010-\u205e{_DOTS}"
_HOST_DOT = re.compile(rf"(?<=[^\s{_DOTS}])[{_DOTS}](?=[^{_NOT_A_LETTER}]{{2}})")
_QUOTES = re.compile('["\u00ab\u00bb\u201c-\u201f\u275d\u275e\u2e42\u301d-\u301f\uff02]')
_APOSTROPHE = "\u2019"


def display_text(field: str, text: str) -> str:
    """The text as a mail may show it: an address unchanged in the field `email`, else a name.

    The field decides, because a name may look like an address and be a link: `evil.example/x@y.z`.
    """
    return text if field == "email" and mailbox_of(text) else display_name(text)


def display_name(name: str) -> str:
    """The name on one line of at most 80 characters; empty if it tells where to write or call.

    Links, hidden characters and encoded words are removed. A dot before letters becomes a space,
    because mail programs make a link of `evil.example` (T13). The rule for new names refuses more.
    Names that were stored before it are shown, too.
    """
    visible = "".join(map(_visible, name[:_MAX_EXAMINED_LENGTH]))
    unlinked = _URL_SCHEME.sub(" ", visible)
    one_line = " ".join(_HOST_DOT.sub(" ", unlinked).replace("=?", "= ?").split())
    if has_contact(unlinked) or has_contact(one_line):
        return ""
    if len(one_line) <= MAX_NAME_LENGTH:
        return one_line
    return one_line[: MAX_NAME_LENGTH - 1].rstrip() + "…"


def quoted(name: str) -> str:
    """The name in quotation marks, which show where it begins and ends; nothing for no name.

    A name cannot close its quotation marks and go on as a sentence of the mail.
    """
    return f"“{_QUOTES.sub(_APOSTROPHE, name)}”" if name else ""


def mailbox_of(address: str) -> str | None:
    """The one mailbox that mail for the address goes to, with its domain in ASCII (IDNA).

    Returns `None` for text that could become a second recipient or a header. The service that
    stored the address checked it too; this check does not rely on it.
    """
    try:
        domain = parse_address(address).key.rpartition("@")[2]
    except ValueError:
        return None
    return f"{address.rpartition('@')[0]}@{domain}"


def format_duration(duration: timedelta) -> str:
    """A duration in words: `7 days`, `24 hours`, `45 minutes`."""
    minutes = max(1, round(duration.total_seconds() / 60))
    if minutes >= 2 * 24 * 60 - 30:
        return f"{(minutes + 30) // (24 * 60)} days"
    if minutes >= 2 * 60:
        return f"{(minutes + 5) // 60} hours"
    return f"{minutes} minutes" if minutes > 1 else "1 minute"


def format_moment(moment: datetime) -> str:
    """A moment with its time zone: `12 March 2026, 14:05 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    # The other format characters reorder or hide text.
    if category in {"Cf", "Cs"} and character not in JOINERS:
        return ""
    return character
