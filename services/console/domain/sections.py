"""The sections of an account's pages and of a person's, in the order of the navigation."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.console.domain import places


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


@dataclass(frozen=True, kw_only=True)
class PersonSection:
    """One section of the pages about the visitor: its word in the texts, its address, its icon."""

    id: str
    path: str
    icon: str


PERSON_SECTIONS = (
    PersonSection(id="your_accounts", path=places.HOME, icon="members"),
    PersonSection(id="your_profile", path=places.PROFILE, icon="settings"),
    PersonSection(id="notifications", path=places.NOTIFICATIONS, icon="bell"),
    PersonSection(id="your_language", path=places.PREFERENCES, icon="mail"),
    PersonSection(id="your_security", path=places.SECURITY, icon="shield"),
    PersonSection(id="your_passkeys", path=places.PASSKEYS, icon="tokens"),
    PersonSection(id="your_sessions", path=places.SESSIONS, icon="devices"),
)


def visible_sections(permissions: Collection[str]) -> Sequence[AccountSection]:
    """The sections that a visitor with these permissions sees."""
    return [one for one in SECTIONS if not one.permission or one.permission in permissions]
