"""The fact that a service client made a member."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import NO_TRANSLATIONS, Payload, Translations


class MemberProvisioned(Payload):
    """A service client of the platform made a user a member; with `notify` a mail tells them."""

    type: ClassVar[str] = "team.member.provisioned.v1"
    account_name: str
    user_id: str
    email: str
    name: str
    role: str
    role_title: str
    translations: Translations = NO_TRANSLATIONS
    client_id: str
    expires_at: datetime | None = None
    notify: bool = False


FACTS: tuple[type[Payload], ...] = (MemberProvisioned,)
