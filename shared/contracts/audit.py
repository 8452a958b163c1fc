"""The facts of audit."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class SearchPerformed(Payload):
    """A user read an account's audit log; recorded at most once per reader, account and minute."""

    type: ClassVar[str] = "audit.search.performed.v1"
    reader_id: str


class AccessDenied(Payload):
    """A member was denied something, as often as `number` says, within a minute.

    The first record of a minute comes at once; a second one has the rest of the minute.
    """

    type: ClassVar[str] = "audit.access.denied.v1"
    user_id: str
    permission: str
    resource_id: str | None
    number: int
    first: datetime
    last: datetime


class DenialsNotDetailed(Payload):
    """Members were denied more than is recorded one by one; `account_id` is `None` for several."""

    type: ClassVar[str] = "audit.access.denials_not_detailed.v1"
    account_id: str | None
    number: int
    first: datetime
    last: datetime


class AccessAllowed(Payload):
    """A member was allowed something; `number` such checks of a minute were drawn, one of `one_of`.

    The first record of a minute comes at once; a second one has the rest of the minute.
    """

    type: ClassVar[str] = "audit.access.allowed.v1"
    user_id: str
    permission: str
    resource_id: str | None
    number: int
    one_of: int
    first: datetime
    last: datetime


class AllowsNotDetailed(Payload):
    """More allows were drawn than are recorded one by one; `account_id` is `None` for several."""

    type: ClassVar[str] = "audit.access.allows_not_detailed.v1"
    account_id: str | None
    number: int
    first: datetime
    last: datetime


FACTS: tuple[type[Payload], ...] = (
    SearchPerformed,
    AccessDenied,
    DenialsNotDetailed,
    AccessAllowed,
    AllowsNotDetailed,
)
