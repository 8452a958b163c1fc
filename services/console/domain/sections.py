"""The sections of an account's pages, in the order of the navigation."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AccountSection:
    """One section: its step in the addresses, which also names its icon and its word.

    `permission` is what the visitor needs to see it; nothing: each member sees it.
    """

    id: str
    permission: str = ""


SECTIONS = (
    AccountSection(id="members", permission="member:view"),
    AccountSection(id="roles", permission="role:view"),
    AccountSection(id="projects", permission="project:view"),
    AccountSection(id="access", permission="member:view"),
    AccountSection(id="tokens", permission="api_token:view"),
    AccountSection(id="log", permission="audit_log:view"),
    AccountSection(id="usage", permission="usage:view"),
    AccountSection(id="settings", permission="account:update"),
)


def visible_sections(permissions: Collection[str]) -> Sequence[AccountSection]:
    """The sections that a visitor with these permissions sees."""
    return [one for one in SECTIONS if not one.permission or one.permission in permissions]
