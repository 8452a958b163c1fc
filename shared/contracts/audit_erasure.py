"""The fact of audit about the erasure of a person."""

from typing import ClassVar

from shared.contracts.facts import Payload


class RecordsErased(Payload):
    """The names, addresses and devices of a deleted user were erased in the records of a log."""

    type: ClassVar[str] = "audit.records.erased.v1"
    user_id: str
    records: int
    """The number of records of the log that lost values by this erasure."""


FACTS: tuple[type[Payload], ...] = (RecordsErased,)
