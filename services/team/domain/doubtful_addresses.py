"""Addresses that deserve a second look before an invitation is sent to them.

A typing error in a domain, or a domain that was made to look like another, gives a stranger the
access that a colleague should have. A throw-away mailbox can often be read by everyone.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache

import idna

from shared.problems import Refusal, RefusalKind

MAIL_HOSTS = frozenset(
    {
        *("aol.com", "fastmail.com", "free.fr", "gmail.com", "gmx.at", "gmx.de", "gmx.net"),
        *("googlemail.com", "hotmail.com", "icloud.com", "laposte.net", "libero.it", "live.com"),
        *("mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "orange.fr", "outlook.com"),
        *("proton.me", "protonmail.com", "qq.com", "seznam.cz", "t-online.de", "web.de"),
        *("wp.pl", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru"),
        *("ymail.com", "zoho.com", "163.com", "126.com"),
    }
)
"""Well-known hosts: each may resemble another one of them, and is meant."""
SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gov", "net", "or", "org"})
"""What stands before a country in endings such as `co.uk`."""
SHORTEST = 5
"""A domain with fewer characters before its last dot has too many neighbours of other people."""

_CYRILLIC = (
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441"
    "\u0442\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d"
)
_GREEK = "\u03b1\u03b2\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
_LATIN = "\u0131\u0142\u00f8\u0111\u0127\u0167\u0261\u0269"
_SIMILAR = str.maketrans(
    f"{_CYRILLIC}{_GREEK}{_LATIN}015",
    "abekmhopctyxijsdqw" + "abeikvoptux" + "ilodhtgi" + "ols",
)
"""Letters and digits that resemble another one and have no decomposition to it."""
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


class ThrowAwayAddress(Refusal):
    """The domain gives mailboxes to everyone for a short time."""

    kind = RefusalKind.CONFLICT
    code = "throw-away-address"
    detail = (
        "`{domain}` gives throw-away mailboxes, which others may read. Ask for another address, or"
        " send the request without `check_address`."
    )


class SimilarDomain(Refusal):
    """The domain is nearly that of a member, or of a well-known host of mailboxes."""

    kind = RefusalKind.CONFLICT
    code = "similar-domain"
    detail = (
        "`{domain}` resembles `{resembles}`. Correct the address, or send the request without"
        " `check_address` if it is meant."
    )


def domain_of(email_key: str) -> str:
    """The domain of an address, in its IDNA form."""
    return email_key.rpartition("@")[2]


def require_no_doubt(email_key: str, *, member_keys: Iterable[str]) -> None:
    """Do nothing for an address that needs no second look; members have the others.

    Raises:
        ThrowAwayAddress, SimilarDomain: it needs one.
    """
    domain = domain_of(email_key)
    of_members = {domain_of(key) for key in member_keys}
    if domain in of_members or domain in MAIL_HOSTS:
        return
    for known in sorted(of_members):
        if is_similar(domain, known) or (known not in MAIL_HOSTS and _same_name(domain, known)):
            raise SimilarDomain(domain=_shown(domain), resembles=_shown(known))
    for known in sorted(MAIL_HOSTS):
        if is_similar(domain, known):
            raise SimilarDomain(domain=_shown(domain), resembles=known)
    if is_throw_away(domain):
        raise ThrowAwayAddress(domain=_shown(domain))


def _shown(domain: str) -> str:
    """A domain as people write it, unless it has letters that resemble Latin ones."""
    try:
        text = idna.decode(domain)
    except idna.IDNAError:
        return domain
    letters = (each for each in text if each.isalpha())
    return (
        text if all(unicodedata.name(each, "").startswith("LATIN") for each in letters) else domain
    )


def is_throw_away(domain: str) -> bool:
    """Whether a domain, or one above it, gives throw-away mailboxes."""
    parts = domain.split(".")
    return any(".".join(parts[at:]) in _throw_away_domains() for at in range(len(parts) - 1))


def is_similar(domain: str, known: str) -> bool:
    """Whether a reader may take a domain for the known one, or has mistyped it by one character.

    A domain below the other one belongs to the same people.
    """
    if domain.endswith(f".{known}") or known.endswith(f".{domain}"):
        return False
    if f".{known}." in f".{domain}":
        return True  # it begins with the known one, and belongs to the owner of its end
    own_end = ".".join(domain.split(".")[-known.count(".") - 1 :])
    ours, theirs = _skeleton(own_end), _skeleton(known)
    if ours == theirs:
        return True
    return len(known.rpartition(".")[0]) >= SHORTEST and _is_one_slip(ours, theirs)


def _same_name(domain: str, known: str) -> bool:
    """Whether two domains differ in their ending only, such as `com` and `co.uk`."""
    return domain != known and _without_ending(domain) == _without_ending(known)


def _without_ending(domain: str) -> str:
    name = domain.rpartition(".")[0]
    rest, _, second = name.rpartition(".")
    return rest if rest and second in SECOND_LEVEL else name


def _skeleton(domain: str) -> str:
    """What a reader sees of a domain who does not look twice (after Unicode's UTS 39)."""
    try:
        shown = idna.decode(domain)
    except idna.IDNAError:
        shown = domain
    plain = "".join(
        each
        for each in unicodedata.normalize("NFKD", shown.casefold())
        if unicodedata.category(each)[0] != "M"
    )
    plain = plain.translate(_SIMILAR).replace("-", "")
    for pair, one in _PAIRS:
        plain = plain.replace(pair, one)
    return plain


def _is_one_slip(ours: str, theirs: str) -> bool:
    """Whether one character is wrong, missing, too many, or has changed places with the next."""
    if abs(len(ours) - len(theirs)) > 1:
        return False
    at = next(
        (at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b),
        min(len(ours), len(theirs)),
    )
    a, b = ours[at:], theirs[at:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


@cache
def _throw_away_domains() -> frozenset[str]:
    # The list is large, and most processes that import this module never ask for it.
    from disposable_email_domains import blocklist  # noqa: PLC0415

    return frozenset(blocklist)
