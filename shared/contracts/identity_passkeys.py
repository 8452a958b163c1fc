"""The facts that identity records about the passkeys of users."""

from typing import ClassVar

from shared.contracts.facts import Payload


class PasskeyCopySuspected(Payload):
    """A passkey was refused: its counter went back, as that of a copy does."""

    type: ClassVar[str] = "identity.user.passkey_copy_suspected.v1"
    user_id: str
    email: str
    name: str
    account_id: str
    """The personal account's id, made with the user."""
    passkey: str
    """The name of the passkey."""


FACTS: tuple[type[Payload], ...] = (PasskeyCopySuspected,)
