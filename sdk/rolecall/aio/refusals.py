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


def undecided(
    answer: HttpAnswer, headers: Mapping[str, str], *, names_revision: bool = False
) -> UndecidedError:
    """The error for an answer that is not 200; `names_revision` is of the request."""
    text = f"Rolecall {answer.refusal()}"
    if answer.status == 429 or answer.status >= 500:
        return BusyError(
            text,
            retry_after=_seconds(headers.get("Retry-After")),
            of_request=answer.status == 429 or (names_revision and _has_code(answer, "stale")),
        )
    if answer.status == 401 or _has_code(answer, "scope-missing"):
        return ClientRefusedError(text)
    if answer.status in REQUEST_REFUSED:
        return RequestRefusedError(text)
    return NoAnswerError(text)


def _has_code(answer: HttpAnswer, code: str) -> bool:
    return isinstance(answer.content, dict) and answer.content.get("code") == code


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() and len(text) < 6 else None
