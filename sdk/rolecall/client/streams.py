"""An answer that is read while it comes, with the standard library."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import IO

from rolecall.client.transport import (
    HttpAnswer,
    NoRedirects,
    UnreachableError,
    answer_of,
    authorities,
    is_direct,
)

MAX_LINE_BYTES = 4 * 1024 * 1024


class RefusedError(Exception):
    """The stream was refused before it began."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.refusal())
        self.status = answer.status


def lines_of(url: str, *, headers: Mapping[str, str], timeout: float) -> Iterator[bytes]:
    """Read the lines of an answer, each with its end; `timeout` in seconds bounds each wait.

    Raises:
        RefusedError: the request was refused.
        UnreachableError: there is no answer, or it broke off; what came before was told.
    """
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310  callers check the scheme
    try:
        with _opener(authorities(), direct=is_direct(url)).open(request, timeout=timeout) as answer:
            yield from _lines(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise RefusedError(answer_of(error)) from error
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(f"{url}: {getattr(error, 'reason', error)}") from error


def _lines(answer: IO[bytes]) -> Iterator[bytes]:
    while line := answer.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"a line has more than {MAX_LINE_BYTES} bytes")
        yield line


def _opener(tls: ssl.SSLContext, *, direct: bool) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({} if direct else None),
        NoRedirects,
        urllib.request.HTTPSHandler(context=tls),
    )
