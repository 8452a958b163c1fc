"""What every command of a member has: the address, the account, the token, requests and lists."""

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from rolecall.cli.output import UsageError, plain
from rolecall.client.operator import AdminError, faults_of
from rolecall.client.transport import HttpAnswer, UnreachableError, send, usable_address


def add_member_options(command: argparse.ArgumentParser) -> None:
    """Add the options of a request of a member about one account."""
    add_gateway_options(command)
    command.add_argument("--account", required=True, help="id of the account")


def add_gateway_options(command: argparse.ArgumentParser) -> None:
    """Add the options of a request with a token."""
    command.add_argument(
        "--url", default=os.environ.get("ROLECALL_URL"), help="address (default: ROLECALL_URL)"
    )
    command.add_argument(
        "--allow-http", action="store_true", help="send the token without encryption"
    )


def account_url(options: argparse.Namespace) -> str:
    """The address of the account.

    Raises:
        UsageError: the address is missing, or would send the token unencrypted.
    """
    return f"{gateway_url(options)}/v1/accounts/{quote(options.account, safe='')}"


def gateway_url(options: argparse.Namespace) -> str:
    """The address of the gateway.

    Raises:
        UsageError: the address is missing, or would send the token unencrypted.
    """
    if not options.url:
        raise UsageError("The address is missing. Pass --url, or set ROLECALL_URL.")
    try:
        return usable_address(options.url, allow_http=options.allow_http)
    except ValueError as error:
        raise UsageError(str(error).replace("allow_http=True", "--allow-http")) from error


def credential() -> dict[str, str]:
    """The header with the access token or API token of the caller.

    Other users of a machine can see options, so the token is not one.

    Raises:
        UsageError: there is none.
    """
    token, file = os.environ.get("ROLECALL_TOKEN", ""), os.environ.get("ROLECALL_TOKEN_FILE")
    if not token and file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"ROLECALL_TOKEN_FILE: {file} cannot be read.") from error
    if not token:
        raise UsageError("Your token is missing. Set ROLECALL_TOKEN, or ROLECALL_TOKEN_FILE.")
    return {"Authorization": f"Bearer {token}"}


def has_credential() -> bool:
    """Return whether the caller named a token."""
    return bool(os.environ.get("ROLECALL_TOKEN") or os.environ.get("ROLECALL_TOKEN_FILE"))


def ask(
    options: argparse.Namespace,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """Send one request below the address of the account; return the answer unless it is a refusal.

    Raises:
        UsageError: the address or the token is missing.
        AdminError: the request was refused, or not answered.
    """
    return ask_at(f"{account_url(options)}/{path}", method, body, headers=headers)


def ask_at(
    url: str,
    method: str,
    body: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """Send one request with the token; return the answer unless it is a refusal.

    Raises:
        UsageError: the token is missing.
        AdminError: the request was refused, or not answered.
    """
    sent = {**credential(), "Content-Type": "application/json"}
    try:
        answer = send(
            method,
            url,
            body=None if body is None else json.dumps(body).encode(),
            headers={**sent, **(headers or {})},
            timeout=10.0,
        )
    except UnreachableError as error:
        raise AdminError(str(error), unreachable=True) from error
    if answer.status >= 300:
        raise AdminError(
            answer.refusal(), unreachable=answer.status >= 500, faults=faults_of(answer.content)
        )
    return answer


def items_at(url: str, **query: str) -> Iterator[Mapping[str, Any]]:
    """The items of a list, page by page.

    Raises:
        UsageError: the token is missing.
        AdminError: a page was refused, or not answered.
    """
    cursor: str | None = ""
    while cursor is not None:
        asked = {"limit": "200", **query, **({"cursor": cursor} if cursor else {})}
        page = content_of(ask_at(f"{url}?{urlencode(asked)}", "GET"))
        yield from page.get("items", [])
        cursor = page.get("next_cursor")


def named_one(
    found: Iterable[Mapping[str, Any]], wanted: str, *, what: str, whats: str
) -> Mapping[str, Any]:
    """The one of a list that has this id or this name; `what` and `whats` are what it is.

    Raises:
        UsageError: there is none, or several have the name.
    """
    by_id = {str(each["id"]): each for each in found}
    named = [each for each in by_id.values() if each["name"] == wanted]
    if wanted in by_id:
        named = [by_id[wanted]]
    if not named:
        names = ", ".join(sorted(each["name"] or each["id"] for each in by_id.values())) or "none"
        raise UsageError(plain(f"No {what} has the name {wanted}. There are: {names}."))
    if len(named) > 1:
        ids = ", ".join(each["id"] for each in named)
        raise UsageError(plain(f"Several {whats} have the name {wanted}. Pass an id: {ids}."))
    return named[0]


def content_of(answer: HttpAnswer) -> Mapping[str, Any]:
    """The members of the answer's JSON object."""
    return answer.content if isinstance(answer.content, dict) else {}
