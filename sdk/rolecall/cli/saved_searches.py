"""The filters of a saved search of the audit log, for the commands that read the log."""

import argparse

from rolecall.cli.members import account_url, items_at, named_one


def saved_filters(options: argparse.Namespace) -> dict[str, str]:
    """The filters of the search that `--saved` names, by its id or its name.

    Raises:
        UsageError: there is none, or several have the name.
        AdminError: the request was refused, or not answered.
    """
    searches = items_at(f"{account_url(options)}/audit-searches")
    found = named_one(searches, options.saved, what="saved search", whats="saved searches")
    return {str(name): str(value) for name, value in found["filters"].items()}
