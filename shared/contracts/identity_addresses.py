"""The facts that identity records about the addresses of users."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class _OfUser(Payload):
    user_id: str
    email: str
    name: str
    account_id: str
    """The personal account's id, made with the user."""


class _OfLocalizedUser(_OfUser):
    locale: str = "en"
    time_zone: str = "UTC"


class UserEmailChangeRequested(_OfUser):
    """A user asked for another address; a mail tells the present one, `email`."""

    type: ClassVar[str] = "identity.user.email_change_requested.v1"
    new_email: str


class AddressLinkRequested(Payload):
    """A change of address waits for the proof of `email`; a mail with the link is to be sent."""

    type: ClassVar[str] = "identity.user.address_link_requested.v1"
    user_id: str
    email: str
    name: str
    generation: int
    """Names the link to be mailed, with `address_id`."""
    expires_at: datetime
    """The end of the link."""
    address_id: str = ""
    """Stands for the address. Facts without it are of earlier versions, whose links are void."""


class UserAddressWanted(_OfUser):
    """Another user asked for the address of this one; a mail tells them."""

    type: ClassVar[str] = "identity.user.address_wanted.v1"


class UserEmailChanged(_OfLocalizedUser):
    """A user proved another address, which is `email` now; a mail tells the previous one."""

    type: ClassVar[str] = "identity.user.email_changed.v1"
    previous_email: str
    undo_generation: int | None
    """Names the link that restores the previous address; `None` if the user went back to an earlier
    one, whose link could restore it."""
    undo_until: datetime | None


class UserEmailRestored(_OfLocalizedUser):
    """A mailed link gave a user the former address back; the password is gone."""

    type: ClassVar[str] = "identity.user.email_restored.v1"
    previous_email: str


FACTS: tuple[type[Payload], ...] = (
    UserEmailChangeRequested,
    AddressLinkRequested,
    UserAddressWanted,
    UserEmailChanged,
    UserEmailRestored,
)
