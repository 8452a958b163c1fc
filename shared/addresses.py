"""E-mail addresses: which ones are accepted, and which ones are the same.

The rule is narrower than RFC 5321 on purpose: one mailbox, no quoted local part, no address
literal, and nothing that could become a second recipient or another header.
"""

import re
from dataclasses import dataclass

import idna

ADDRESS_LIMIT = 254
LOCAL_LIMIT = 64
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII
)
_TOP_LEVEL = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An address: `typed` is what is mailed to and shown, `key` is what is compared.

    The key is the case-folded local part and the domain in its IDNA form. Dots and `+tags` stay:
    only the mail server of `x.y` knows whether `a+b@x.y` is the same mailbox as `a@x.y`.
    """

    typed: str
    key: str


def parse_address(text: str) -> Address:
    """Read an address.

    Raises:
        ValueError: it is not an accepted address; the message says why, for the user.
    """
    if len(text) > ADDRESS_LIMIT:
        raise ValueError(f"An e-mail address must have at most {ADDRESS_LIMIT} characters.")
    local, at, domain = text.rpartition("@")
    if text.endswith(">") and "<" in text:
        raise ValueError("Enter only the address, without a name and without < and >.")
    if any(character.isspace() for character in text):
        raise ValueError("An e-mail address has no spaces. Remove them.")
    if at and len(local) > LOCAL_LIMIT:
        raise ValueError(f"The part before the @ must have at most {LOCAL_LIMIT} characters.")
    if at and local.isprintable() and not local.isascii():
        raise ValueError(
            "The part before the @ must have only unaccented letters from A to Z, digits, dots"
            " and symbols such as + and -."
        )
    if not at or not _LOCAL.fullmatch(local):
        raise ValueError("This is not an e-mail address. Enter it as name@example.com.")
    # Mail programs decode an encoded word, and it can contain any character.
    if "=?" in local:
        raise ValueError("This is not an e-mail address. Enter it as name@example.com.")
    return Address(typed=text, key=f"{local.casefold()}@{_domain_key(domain)}")


def _domain_key(domain: str) -> str:
    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as problem:
        raise ValueError(
            "The part after the @ is not a domain name. Enter the address as name@example.com."
        ) from problem
    labels = encoded.split(".")
    if len(labels) < 2 or len(encoded) > 253 or not _TOP_LEVEL.fullmatch(labels[-1]):
        raise ValueError(
            "The part after the @ is not a domain name. Enter the address as name@example.com."
        )
    return encoded
