"""The answer of a change that is kept for a repeat with the same idempotency key."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from shared.http.idempotency import IdempotencyGuard
from shared.journal import JournalWrite


async def keep_answer(
    key: IdempotencyGuard | None,
    write: JournalWrite,
    result: Any,
    *,
    make: Callable[[Any], BaseModel] | None,
) -> None:
    """Keep what `make` makes of the change's result, if the request has a key.

    Raises:
        TypeError: the request has a key and no way to make the answer.
    """
    if key is None:
        return
    if make is None:
        raise TypeError("an idempotent request needs the answer of its repeat")
    await key.keep_answer(write.session, make(result))
