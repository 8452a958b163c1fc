"""The error that stands for an answer without a decision."""

from collections.abc import Mapping

from rolecall.aio.errors import (
    BusyError,
    ClientRefusedError,
    NoAnswerError,
    RequestRefusedError,
)
from rolecall.client.checks import REQUEST_REFUSED
from rolecall.client.evaluations import UndecidedError
from rolecall.client.transport import HttpAnswer


def undecided(answer: HttpAnswer, headers: Mapping[str, str]) -> UndecidedError:
    """The error for an answer that is not 200."""
    text = f"Rolecall {answer.refusal()}"
    if answer.status == 429 or answer.status >= 500:
        return BusyError(text, retry_after=_seconds(headers.get("Retry-After")))
    if answer.status == 401 or _is_scope(answer.content):
        return ClientRefusedError(text)
    if answer.status in REQUEST_REFUSED:
        return RequestRefusedError(text)
    return NoAnswerError(text)


def _is_scope(content: object) -> bool:
    return isinstance(content, dict) and content.get("code") == "scope-missing"


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() and len(text) < 6 else None
