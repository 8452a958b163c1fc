"""The facts of audit."""

from typing import ClassVar

from shared.contracts.facts import Payload


class SearchPerformed(Payload):
    """A user read an account's audit log; recorded at most once per reader, account and minute."""

    type: ClassVar[str] = "audit.search.performed.v1"
    reader_id: str


FACTS: tuple[type[Payload], ...] = (SearchPerformed,)
