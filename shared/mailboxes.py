"""The mailbox behind an address, as far as its provider documents it: a key for budgets only.

Several addresses lead to one mailbox. A budget that counted addresses would be as large as the
number of aliases. The key never compares users or invitations: a wrong guess makes two mailboxes
share a budget, and must not make two people one.
"""

from dataclasses import dataclass

_TAG = "+"
"""Ends the mailbox's name at most providers (RFC 5233 calls the rest a subaddress)."""


@dataclass(frozen=True, kw_only=True)
class _Provider:
    """The aliases that one provider gives to each mailbox."""

    domains: tuple[str, ...]
    """Domains that lead to the same mailbox; the first is the one of the key."""
    ignored: str = ""
    """Characters that the provider ignores in the name."""
    tags: str = _TAG
    """Characters that end the name."""
    same: tuple[str, str] | None = None
    """A character that the provider takes for another one."""
    by_subdomain: bool = False
    """Whether `anything@name.domain` leads to `name@domain`."""


_PROVIDERS = (
    _Provider(domains=("gmail.com", "googlemail.com"), ignored="."),
    _Provider(domains=("icloud.com", "me.com", "mac.com")),
    _Provider(domains=("proton.me", "protonmail.com", "pm.me", "protonmail.ch"), ignored="._-"),
    _Provider(
        domains=("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua"),
        same=("-", "."),
    ),
    _Provider(domains=("fastmail.com",), by_subdomain=True),
    _Provider(domains=("fastmail.fm",), by_subdomain=True),
    _Provider(domains=("yahoo.com",), tags="+-"),
    _Provider(domains=("ymail.com",), tags="+-"),
    _Provider(domains=("rocketmail.com",), tags="+-"),
)
"""What the providers' help pages say; decision 23 lists them.

Outlook's, Zoho's and most other providers' aliases are plus tags, which every domain is taken to
have. `outlook.com`, `hotmail.com` and `live.com` are mailboxes of their own.
"""
_BY_DOMAIN = {domain: provider for provider in _PROVIDERS for domain in provider.domains}
_OTHER = _Provider(domains=())


def mailbox_key(address_key: str) -> str:
    """Return the key of the mailbox of an address, which is given as `Address.key`."""
    name, _, domain = address_key.rpartition("@")
    name, domain = _without_subdomain(name, domain)
    provider = _BY_DOMAIN.get(domain, _OTHER)
    for tag in provider.tags:
        # A name that begins with the sign has nothing else to be told by.
        name = name[:1] + name[1:].partition(tag)[0]
    if provider.same is not None:
        name = name.replace(*provider.same)
    folded = "".join(character for character in name if character not in provider.ignored)
    return f"{folded or name}@{provider.domains[0] if provider.domains else domain}"


def _without_subdomain(name: str, domain: str) -> tuple[str, str]:
    user, _, parent = domain.partition(".")
    provider = _BY_DOMAIN.get(parent)
    if provider is not None and provider.by_subdomain:
        return user, parent
    return name, domain
