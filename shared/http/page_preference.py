"""Whether an answer is for a person at a browser, or for a program."""

import re

PAGE_PREFERRED = r"^(?!.*application/json).*text/html"
"""Of the header `Accept`; the gateway decides by the same pattern."""


def prefers_page(accept: str) -> bool:
    """Whether a person gets the answer: a browser asks for HTML, a program for JSON or nothing."""
    return re.search(PAGE_PREFERRED, accept) is not None
