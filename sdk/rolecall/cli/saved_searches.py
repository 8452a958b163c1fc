"""The filters of a saved search of the audit log, for the commands that read the log."""

import argparse
from typing import Any
from urllib.parse import urlencode

from rolecall.cli.members import ask, content_of
from rolecall.cli.output import UsageError


def saved_filters(options: argparse.Namespace) -> dict[str, str]:
    """The filters of the search that `--saved` names, by its id or its name.

    Raises:
        UsageError: there is none, or several have the name.
        AdminError: the request was refused, or not answered.
    """
    wanted = options.saved
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
        page = content_of(ask(options, "GET", f"audit-searches?{urlencode(query)}"))
        found |= {each["id"]: each for each in page.get("items", [])}
        cursor = page.get("next_cursor")
    named = [each for each in found.values() if each["name"] == wanted]
    if wanted in found:
        named = [found[wanted]]
    if not named:
        names = ", ".join(sorted(each["name"] for each in found.values())) or "none"
        raise UsageError(f"No saved search has the name {wanted}. There are: {names}.")
    if len(named) > 1:
        ids = ", ".join(each["id"] for each in named)
        raise UsageError(f"Several saved searches have the name {wanted}. Pass an id: {ids}.")
    return {str(name): str(value) for name, value in named[0]["filters"].items()}
