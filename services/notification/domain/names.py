"""How names and addresses are shown in a mail."""

import re
import unicodedata

import idna

from services.notification.domain.headers import JOINERS
from shared.addresses import parse_address
from shared.contacts import has_contact

MAX_NAME_LENGTH = 80
_MAX_EXAMINED_LENGTH = 400  # more is never shown, and the patterns are slow on long text
_DOTS = ".\u2024\u3002\ufe52\uff0e\uff61"  # what address bars and mail programs take for a dot
_URL_SCHEME = re.compile(
    r"\b[a-z][a-z0-9+.-]*:/{1,}\S*|\b(?:mailto|javascript|data|tel):", re.IGNORECASE
)
# Marks and joiners may stand for a letter although they are not word characters.
_NOT_A_LETTER = rf"\s\d!-@\[-`{{-~\u2010-\u205e{_DOTS}"
_HOST_DOT = re.compile(rf"(?<=[^\s{_DOTS}])[{_DOTS}](?=[^{_NOT_A_LETTER}]{{2}})")
_APOSTROPHE = "\u2019"
_APOSTROPHES = re.compile(rf"{_APOSTROPHE}{{2,}}")
_QUOTE_LIKE = re.compile(
    "[\"'`\u00b4\u02b9-\u02bf\u02c8\u02ca\u02cb\u02dd\u02ee\u02f4-\u02f6\u0374\u0384\u055a\u055b"
    "\u05f3\u05f4\u07f4\u07f5\u144a\u16cc\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\u201a\u201e\u2032-\u2037\u2057"
    "\u275b-\u2760\u276e\u276f\u2e42\u3003\u300c-\u300f\u301d-\u301f\ua78b\ua78c\ufe41-\ufe44"
    "\uff02\uff07\uff40\uff62\uff63\U0001f676-\U0001f678]"
)
"""Quotation marks outside of the categories Pi and Pf, primes, accents and what looks like them."""
MOMENTS = frozenset(
    {"changed_at", "created_at", "deletes_at", "ends", "started_at", "until", "used_at"}
)
"""Words that are moments, which this service writes."""
ORIGINS = frozenset({"device", "network"})
"""Words for where a sign-in came from, as identity names it."""
_ISOLATE, _END = "\u2068", "\u2069"
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_NOTE = {"origin", "size", "root", "signature"}
_IDS = {"webhook_id", "stream_id"}
_OWN_WORDS = _IDS | MOMENTS | ORIGINS | _NOTE | {"explanation", "place"}
"""Moments, words of the operator, the lines of a signed checkpoint, ids, and a device and a network
as identity names them; no user's text is in them."""
_HOST = re.compile(r"[a-z0-9._:-]{1,253}", re.ASCII | re.IGNORECASE)
_MAX_TAG_LENGTH = 12
"""The longest tag of an address that is shown: one word, which is too short for a message."""


def display_text(field: str, text: str) -> str:
    """The text as a mail may show it: own words, an address or a host in its field, else a name.

    The field decides, because a name may look like an address and be a link: `evil.example/x@y.z`.
    """
    if field in _OWN_WORDS:
        return text
    if field == "host":
        return display_host(text)
    return display_address(text) if field == "email" and mailbox_of(text) else display_name(text)


def display_address(address: str) -> str:
    """The address, whose local part is shortened if it is a message to who reads it.

    A stranger who causes the mail may have chosen the tag: `bo+call-0900-123456@…` also reaches
    `bo`. A tag is shown if it is one short word. A local part that tells where to write or call
    (T13) is reduced to its first character, as is usual for hidden addresses.
    """
    local, _, domain = address.rpartition("@")
    user, plus, tag = local.partition("+")
    if plus and not (tag.isalnum() and len(tag) <= _MAX_TAG_LENGTH and not has_contact(tag)):
        tag = "…"
    if has_contact(user):
        user = f"{user[0]}…"
    return f"{user}{plus}{tag}@{domain}"


def hidden_address(address: str) -> str:
    """The address for a reader who may not be its holder: only who knows it recognizes it.

    Its domain is written as mails write it: `xn--mnchen-3ya.example` is `münchen.example`.
    """
    local, _, domain = address.rpartition("@")
    try:
        domain = idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return f"{local[:1]}…@{domain}"
    return f"{local[:1]}…@{domain}"


def display_host(host: str) -> str:
    """The host of a receiver in ASCII, with each dot in brackets; empty for what is not a host.

    Digits and hyphens in a host are not a phone number. No mail program makes a link of
    `hooks[.]acme[.]example`, which another member chose (T13).
    """
    try:
        plain = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""
    if not _HOST.fullmatch(plain):
        return ""
    if len(plain) > MAX_NAME_LENGTH:
        plain = f"…{plain[1 - MAX_NAME_LENGTH :]}"
    return plain.replace(".", "[.]")


def display_name(name: str) -> str:
    """The name on one line of at most 80 characters; empty if it tells where to write or call.

    Links, hidden characters and encoded words are removed. A dot before letters becomes a space,
    because mail programs make a link of `evil.example` (T13). The rule for new names refuses more.
    Names that were stored before it are shown, too.
    """
    visible = "".join(map(_visible, name[:_MAX_EXAMINED_LENGTH]))
    unlinked = _URL_SCHEME.sub(" ", visible)
    one_line = " ".join(_HOST_DOT.sub(" ", unlinked).replace("=?", "= ?").split())
    if any(map(has_contact, {unlinked, one_line})):
        return ""
    if len(one_line) <= MAX_NAME_LENGTH:
        return one_line
    return one_line[: MAX_NAME_LENGTH - 1].rstrip() + "…"


def isolated(text: str) -> str:
    """The text, whose direction counts for itself alone if it is written from right to left.

    Else two such names of one sentence change places, with the quotation marks between them.
    """
    if any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in text):
        return f"{_ISOLATE}{text}{_END}"
    return text


def without_isolates(text: str) -> str:
    """The text as a header may have it, in which hidden characters are refused."""
    return text.replace(_ISOLATE, "").replace(_END, "")


def quoted(name: str, marks: tuple[str, str] = ("“", "”")) -> str:
    """The name in quotation marks, which show where it begins and ends; nothing for no name.

    A name cannot close its quotation marks and go on as a sentence of the mail: each mark in it,
    and several in a row, become one apostrophe.
    """
    apostrophes = "".join(_APOSTROPHE if _is_quote(each) else each for each in name)
    before, after = marks
    return f"{before}{_APOSTROPHES.sub(_APOSTROPHE, apostrophes)}{after}" if name else ""


def mailbox_of(address: str) -> str | None:
    """The one mailbox that mail for the address goes to, with its domain in ASCII (IDNA).

    Returns `None` for text that could become a second recipient or a header. The service that
    stored the address checked it too; this check does not rely on it.
    """
    try:
        parsed = parse_address(address)
    except ValueError:
        return None
    if parsed.typed != address:  # no service stores blanks around an address
        return None
    return f"{address.rpartition('@')[0]}@{parsed.key.rpartition('@')[2]}"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    # The other format characters reorder or hide text.
    if category in {"Cf", "Cs"} and character not in JOINERS:
        return ""
    return character


def _is_quote(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Pi", "Pf"} or _QUOTE_LIKE.match(character) is not None
