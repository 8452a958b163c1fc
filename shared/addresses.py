"""Is this an e-mail address that we may mail to, and which addresses are the same?

Narrower than RFC 5321 on purpose: one mailbox, no quoted local part, no address literal, nothing
that could become a second recipient or another header.
"""

import re
from dataclasses import dataclass

import idna

ADDRESS_LIMIT = 254
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII
)
_TOP_LEVEL = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An address: `typed` is what is mailed to and shown, `key` is what is compared.

    The key is the case-folded local part and the domain in its IDNA form. Dots and `+tags` are not
    folded away: who may read `a+b@x.y` is for the mail server of `x.y` to say.
    """

    typed: str
    key: str


def parse_address(text: str) -> Address:
    """Read an address.

    Raises:
        ValueError: it is none; the message says why in words for a person.
    """
    if len(text) > ADDRESS_LIMIT:
        raise ValueError(f"An e-mail address has {ADDRESS_LIMIT} characters at most.")
    local, at, domain = text.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        raise ValueError("This is not an e-mail address.")
    # An encoded word would be decoded by mail programs, into anything.
    if "=?" in local:
        raise ValueError("This is not an e-mail address.")
    return Address(typed=text, key=f"{local.casefold()}@{_domain_key(domain)}")


def _domain_key(domain: str) -> str:
    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as problem:
        raise ValueError("The part after the @ is not a domain.") from problem
    labels = encoded.split(".")
    if len(labels) < 2 or len(encoded) > 253 or not _TOP_LEVEL.fullmatch(labels[-1]):
        raise ValueError("The part after the @ is not a domain.")
    return encoded
