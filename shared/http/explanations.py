"""The words in which an operator says why something happened, for the person whom it happens to."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not words or not words.isprintable():
        raise ValueError("Must be words that people can read, without control characters.")
    return words


Explanation = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_words)]
