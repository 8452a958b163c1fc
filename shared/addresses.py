"""E-mail addresses: which ones are accepted, and which ones are the same.

The rule is narrower than RFC 5321 on purpose: one mailbox, no quoted local part, no address
literal, and nothing that could become a second recipient or another header.
"""

import re
from dataclasses import dataclass

import idna

ADDRESS_LIMIT = 254
LOCAL_LIMIT = 64
_FORM = "Enter it as name@example.com."
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII
)
_FAULTS = tuple(
    (re.compile(form, re.DOTALL), fault)
    for form, fault in (
        (r"", f"The e-mail address is empty. {_FORM}"),
        (r".*<.*>", "Enter only the address, without a name and without < and >."),
        (
            r"[^@]*@[^,;\s]*[,;\s].*@.*",
            "This field takes one e-mail address. Send one request for each address.",
        ),
        (r".*\s.*", "An e-mail address has no spaces. Remove them."),
        (r"[^@]*", f"The e-mail address has no @. {_FORM}"),
        (r"[^@]*@[^@]*@.*", f"The e-mail address has more than one @. {_FORM}"),
        (r"@.*", f"The part before the @ is missing. {_FORM}"),
        (r".*@", f"The domain after the @ is missing. {_FORM}"),
        (
            rf"[^@]{{{LOCAL_LIMIT + 1},}}@.*",
            f"The part before the @ must have at most {LOCAL_LIMIT} characters.",
        ),
        (
            r"\..*|[^@]*\.@.*|[^@]*\.\..*@.*",
            "The part before the @ cannot begin or end with a dot, or have two dots in a row.",
        ),
        (
            r".*@\[.*",
            f"The part after the @ must be a domain name, not an address. {_FORM}",
        ),
        (
            r".*@\..*|.*\.|.*@.*\.\..*",
            "The domain after the @ cannot begin or end with a dot, or have two dots in a row.",
        ),
    )
)
"""What texts that are not an address look like; the first that fits names the fault."""
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
    """Read an address; blanks around it do not belong to it.

    Raises:
        ValueError: it is not an accepted address; the message says why, for the user.
    """
    typed = text.strip()
    if len(typed) > ADDRESS_LIMIT:
        raise ValueError(f"An e-mail address must have at most {ADDRESS_LIMIT} characters.")
    for form, fault in _FAULTS:
        if form.fullmatch(typed):
            raise ValueError(fault)
    local, _, domain = typed.rpartition("@")
    # Mail programs decode an encoded word, and it can contain any character.
    if not _LOCAL.fullmatch(local) or "=?" in local:
        raise ValueError(
            "The part before the @ must have only unaccented letters from A to Z, digits, dots"
            " and symbols such as + and -."
        )
    return Address(typed=typed, key=f"{local.casefold()}@{_domain_key(domain)}")


def _domain_key(domain: str) -> str:
    """The domain in its IDNA form.

    Raises:
        ValueError: it is not a domain name that mail can be sent to.
    """
    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as problem:
        raise ValueError(f"The part after the @ is not a domain name. {_FORM}") from problem
    if "." not in encoded:
        raise ValueError(f"The domain after the @ has no ending such as .com. {_FORM}")
    if len(encoded) > 253 or not _TOP_LEVEL.fullmatch(encoded.rpartition(".")[2]):
        raise ValueError(f"The part after the @ is not a domain name. {_FORM}")
    return encoded
