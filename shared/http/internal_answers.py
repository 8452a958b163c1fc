"""The answers to internal calls, read into the classes of `shared.contracts.calls`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.contracts.calls.base import InternalCall
from shared.problems import Unavailable

ModelT = TypeVar("ModelT", bound=BaseModel)

_log = logging.getLogger(__name__)


class AnswerUnfit(Unavailable):
    """The callee answered, and the answer does not fit the class of the call.

    Another attempt gets the same answer until one of the two services is updated.
    """


def read_answer(call: InternalCall[Any, ModelT], callee: str, text: bytes) -> ModelT:
    """Read the answer of a call from its text.

    Raises:
        AnswerUnfit: as `InternalClient.call`.
    """
    with unfit_reported(call, callee):
        return call.answer.model_validate_json(text)


@contextmanager
def unfit_reported(call: InternalCall[Any, Any], callee: str) -> Iterator[None]:
    """Log where an answer does not fit the class of its call, and raise `AnswerUnfit`."""
    try:
        yield
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        places = [fault["loc"] for fault in faults]
        _log.error(
            "internal answer does not fit its class",
            extra={"callee": callee, "call": call.name, "places": places},
        )
        raise AnswerUnfit from None
