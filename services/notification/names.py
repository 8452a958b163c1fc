"""How is a name that somebody typed shown in a mail without becoming anything but a name?"""

import re
import unicodedata
from datetime import datetime, timedelta

from shared.addresses import parse_address

LONGEST_NAME = 80
_LOOKED_AT = 400  # no more is shown whatever goes, and patterns take long on long text
_DOTS = ".\u2024\u3002\ufe52\uff0e\uff61"  # what address bars and mail programs take for a dot
_ADDRESS_OF_A_PAGE = re.compile(
    r"\b[a-z][a-z0-9+.-]*:/{1,}\S*|\b(?:mailto|javascript|data|tel):", re.IGNORECASE
)
# What stands for a letter may also be a mark or a joiner, which are no word characters.
_NO_LETTER = rf"\s\d!-@\[-`{{-~\u2010-\u205e{_DOTS}"
_HOST_DOT = re.compile(rf"(?<=[^\s{_DOTS}])[{_DOTS}](?=[^{_NO_LETTER}]{{2}})")


def shown(field: str, text: str) -> str:
    """A word as it may stand in a mail: the address of the field `email` as it is, else a name.

    The field decides, because a name may look like an address and be a link: `evil.example/x@y.z`.
    """
    return text if field == "email" and deliverable(text) else clean_name(text)


def clean_name(name: str) -> str:
    """The name on one line, without links, hidden characters or encoded words, 80 at most (T13).

    A dot before letters becomes a space, because mail programs make a link of `evil.example`.
    """
    visible = "".join(map(_visible, name[:_LOOKED_AT]))
    linkless = _HOST_DOT.sub(" ", _ADDRESS_OF_A_PAGE.sub(" ", visible))
    one_line = " ".join(linkless.replace("=?", "= ?").split())
    if len(one_line) <= LONGEST_NAME:
        return one_line
    return one_line[: LONGEST_NAME - 1].rstrip() + "…"


def deliverable(address: str) -> str | None:
    """The one mailbox that mail for `address` goes to, its domain in ASCII (IDNA).

    `None` for anything that could become a second recipient or a header; checked again here,
    whoever checked before.
    """
    try:
        domain = parse_address(address).key.rpartition("@")[2]
    except ValueError:
        return None
    return f"{address.rpartition('@')[0]}@{domain}"


def in_words(duration: timedelta) -> str:
    """A duration as a person says it: `7 days`, `24 hours`, `45 minutes`."""
    minutes = max(1, round(duration.total_seconds() / 60))
    if minutes >= 2 * 24 * 60 - 30:
        return f"{(minutes + 30) // (24 * 60)} days"
    if minutes >= 2 * 60:
        return f"{(minutes + 5) // 60} hours"
    return f"{minutes} minutes" if minutes > 1 else "1 minute"


def moment_in_words(moment: datetime) -> str:
    """A moment for a reader anywhere: `12 March 2026, 14:05 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    # Joiners belong to scripts and emoji; the other format characters reorder or hide text.
    if category in {"Cf", "Cs"} and character not in "\u200c\u200d":
        return ""
    return character
