"""Ids of users and projects from their e-mail addresses and names, looked up with a token."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.cli.members import account_url, credential, has_credential, items_at
from rolecall.cli.output import UsageError, plain, report
from rolecall.client.operator import AdminError

HELP = (
    "An e-mail address or the name of a project is looked up in the account with the token of a"
    " member who sees it: set ROLECALL_TOKEN, or ROLECALL_TOKEN_FILE. Ids need no token. An address"
    " that no member has is taken for an external id."
)


def user_id_of(options: argparse.Namespace, given: str | None) -> str | None:
    """The id of the member with an e-mail address; every other text is an id already.

    An external id may look like an address.

    Raises:
        UsageError: the look-up is refused, or several members have the address.
    """
    if given is None or "@" not in given:
        return given
    if not options.account or not has_credential():
        how = "Name the account, and set ROLECALL_TOKEN, to look an address up."
        report(plain(f"`{given}` is taken for an external id. {how}"))
        return given
    found = [
        each["user_id"]
        for each in _listed(options, given, "members", q=given)
        if each["user_id"] is not None and each["email"].casefold() == given.casefold()
    ]
    what = f"member of {options.account} has the address"
    if not found:
        report(plain(f"No {what} `{given}`. It is taken for an external id."))
        return given
    return _only(found, what, given)


def project_id_of(options: argparse.Namespace, given: str | None) -> str | None:
    """The id of the project with a name; what begins with `prj_` is an id already.

    Raises:
        UsageError: it cannot be looked up, or is not the name of one project.
    """
    if given is None or given.startswith("prj_"):
        return given
    listed = list(_listed(options, given, "projects"))
    found = [each["id"] for each in listed if each["name"] == given]
    if not found:
        found = [each["id"] for each in listed if each["name"].casefold() == given.casefold()]
    return _only(found, f"project of {options.account} has the name", given)


def _listed(
    options: argparse.Namespace, given: str, path: str, **query: str
) -> Iterator[Mapping[str, Any]]:
    """What the account has at a path, to look a name up in it.

    Raises:
        UsageError: there is no account or no token, or the token may not see it.
    """
    if not options.account:
        raise UsageError(plain(f"`{given}` is looked up in an account. Name it with --account."))
    try:
        credential()
        yield from items_at(f"{account_url(options)}/{path}", **query)
    except UsageError as missing:
        raise UsageError(plain(f"`{given}` is not an id, and is looked up. {missing}")) from missing
    except AdminError as refused:
        raise UsageError(
            plain(f"`{given}` was not found out, pass its id instead: {refused}")
        ) from refused


def _only(found: list[str], what: str, given: str) -> str:
    if not found:
        raise UsageError(plain(f"No {what} `{given}`. Check it, or pass the id."))
    if len(found) > 1:
        raise UsageError(
            plain(f"More than one {what} `{given}`. Pass an id: {', '.join(sorted(found))}.")
        )
    return found[0]
