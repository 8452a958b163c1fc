"""Answers of the API that are passed on piece by piece."""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import aiohttp

NO_ANSWER = (aiohttp.ClientError, TimeoutError, ValueError, TypeError, KeyError)
"""What a request raises that had no answer, or none that can be read."""


@dataclass(frozen=True)
class StreamedAnswer:
    """An answer that is written piece by piece."""

    headers: Mapping[str, str]
    pieces: AsyncGenerator[bytes, None]


async def begun(
    answer: aiohttp.ClientResponse, pieces: AsyncGenerator[bytes, None]
) -> StreamedAnswer:
    """Take the first piece, an empty one: from then on the end of the pieces closes the answer.

    A generator that has not begun runs nothing at its end. The answer would stay open when a
    visitor leaves before theirs begins, and hold one of the few that the API allows a user.
    """
    await anext(pieces)
    return StreamedAnswer(answer.headers, pieces)


async def file_pieces(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """What arrives until its end; a file that breaks off there breaks off here."""
    with contextlib.closing(answer):
        try:
            yield b""
            while piece := await answer.content.readany():
                yield piece
        except NO_ANSWER:
            raise ConnectionResetError("the API did not send the whole file") from None
