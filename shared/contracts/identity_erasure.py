"""The fact that identity records when a user deletes themselves."""

from typing import ClassVar

from shared.contracts.facts import Payload


class UserErased(Payload):
    """A user deleted themselves; services drop their copies of the name and address."""

    type: ClassVar[str] = "identity.user.erased.v1"
    user_id: str
    account_id: str
    """The personal account's id, made with the user."""


FACTS: tuple[type[Payload], ...] = (UserErased,)
