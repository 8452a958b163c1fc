"""Which facts does audit tell?"""

from typing import ClassVar

from shared.contracts.facts import Payload


class SearchPerformed(Payload):
    """Somebody read an account's audit log; told at most once per reader and minute."""

    type: ClassVar[str] = "audit.search.performed.v1"
    reader_id: str


FACTS: tuple[type[Payload], ...] = (SearchPerformed,)
