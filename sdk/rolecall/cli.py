"""The command `rolecall`: catalogs, permission checks and administration."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from rolecall.client.admin import AdminError, create_client, publish_catalog, set_suspension
from rolecall.client.checks import RolecallClient, UndecidedError
from rolecall.core.catalog import SHIPPED_CATALOGS, Catalog, load_catalog, read_catalog
from rolecall.core.problems import CatalogError, did_you_mean
from rolecall.core.table import PERMISSION_PATTERN
from rolecall.core.table_text import table_lines

VERSION = "0.1.0"
"""That of `sdk/pyproject.toml`. The images have the package without its metadata."""

OK, INVALID, USAGE = 0, 1, 2
KEY_HELP = "the admin key (default: ROLECALL_ADMIN_KEY); --key=KEY if it begins with a hyphen"


class _UsageError(Exception):
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: done or allowed; 1: invalid, refused or denied; 2: wrong usage, unreadable or undecided.
    """
    try:
        options = _parser().parse_args(arguments)
        code: int = options.run(options)
    except _UsageError as error:
        _report(str(error))
        return USAGE
    except AdminError as error:
        _report(str(error))
        return USAGE if error.unreachable else INVALID
    finally:
        _end_output()
    return code


def _check_catalogs(options: argparse.Namespace) -> int:
    code = OK
    for file in options.files:
        try:
            catalog = _read(file)
        except CatalogError as error:
            _report_problems(file, error)
            code = max(code, INVALID)
        except _UsageError as error:
            _report(str(error))
            code = USAGE
        else:
            _say(f"{file}: ok, {catalog.id}")
    return code


def _show(options: argparse.Namespace) -> int:
    try:
        named = options.catalog in SHIPPED_CATALOGS
        catalog = load_catalog(options.catalog) if named else _read(Path(options.catalog))
    except CatalogError as error:
        _report_problems(options.catalog, error)
        return INVALID
    _say("\n".join(table_lines(catalog)))
    return OK


def _publish_catalog(options: argparse.Namespace) -> int:
    key = _admin_key(options)
    try:
        catalog = _read(options.file)
        published = publish_catalog(
            url=options.url, key=key, content=catalog.to_mapping(), dry_run=options.dry_run
        )
    except CatalogError as error:
        _report_problems(options.file, error)
        return INVALID
    except AdminError as error:
        for pointer, message in error.faults:
            _report(f"{options.file}: {pointer.removeprefix('/content') or '/'}: {message}")
        if not error.faults:
            raise
        return USAGE if error.unreachable else INVALID
    done = "would be published" if options.dry_run else "published"
    _say(f"{published.id}: {done if published.new else 'was published before'}")
    return OK


def _admin_key(options: argparse.Namespace) -> str:
    key: str = options.key or os.environ.get("ROLECALL_ADMIN_KEY", "")
    if not key:
        raise _UsageError("The admin key is missing. Pass --key, or set ROLECALL_ADMIN_KEY.")
    return key


def _create_client(options: argparse.Namespace) -> int:
    client = create_client(
        url=options.url,
        key=_admin_key(options),
        name=options.name,
        scopes=tuple(options.scope),
        account_ids=tuple(options.account) or None,
        resource_types=tuple(options.resource_type) or None,
        idempotency_key=options.idempotency_key,
    )
    if options.json:
        _say(json.dumps({"id": client.id, "secret": client.secret}))
    else:
        _say(f"id      {client.id}\nsecret  {client.secret}\nThe secret is not shown again.")
    return OK


def _set_suspension(options: argparse.Namespace) -> int:
    account, reason = options.account, options.reason
    key = _admin_key(options)
    everywhere = set_suspension(url=options.url, key=key, account_id=account, reason=reason)
    done = f"{account}: {'resumed' if reason is None else 'suspended'}"
    _say(done if everywhere else f"{done}. A replica may not have it yet; repeat the command.")
    return OK


def _check_permission(options: argparse.Namespace) -> int:
    secret = options.client_secret or os.environ.get("ROLECALL_CLIENT_SECRET")
    if not secret:
        raise _UsageError(
            "The client's secret is missing. Pass --client-secret, or set ROLECALL_CLIENT_SECRET."
        )
    if re.fullmatch(PERMISSION_PATTERN, options.permission) is None:
        raise _UsageError("A permission has the form `type:action`, such as `instance:write`.")
    try:
        client = RolecallClient(
            options.url, options.client_id, secret, allow_http=options.allow_http
        )
        decision = client.check(
            options.user,
            options.permission,
            account_id=options.account,
            project_id=options.project,
            resource_id=options.resource,
            owner_id=options.owner,
            at_least_revision=options.at_least_revision,
        )
    except (ValueError, UndecidedError) as error:
        text = str(error).replace("allow_http=True", "--allow-http")
        _report(f"Not decided: {text}")
        return USAGE
    decided_by = [
        f"{kind} {name}"
        for kind, name in (("role", decision.role), ("override", decision.override))
        if name
    ]
    verdict = "allowed" if decision.allowed else f"denied ({decision.reason})"
    _say(" by ".join([verdict, *decided_by]))
    if not options.account and not decision.allowed:
        _report("No account was named. Pass the account of the resource with --account.")
    return OK if decision.allowed else INVALID


def _read(path: Path) -> Catalog:
    try:
        return read_catalog(path)
    except OSError as error:
        known = ", ".join(SHIPPED_CATALOGS)
        nearest = did_you_mean(str(path).lower(), SHIPPED_CATALOGS)
        raise _UsageError(
            f"{path}: {error.strerror}. {nearest}The shipped catalogs are: {known}."
        ) from error
    except UnicodeDecodeError as error:
        raise _UsageError(f"{path}: The file is not UTF-8 text. Save it as UTF-8.") from error


def _say(text: str) -> None:
    _write(sys.stdout, f"{text}\n")


def _report(message: str) -> None:
    _write(sys.stderr, f"{message}\n")


def _end_output() -> None:
    """Write what is left of both outputs, also of argparse, before Python does at its end."""
    for output in (sys.stdout, sys.stderr):
        with suppress(_UsageError):  # there is no one left to tell
            _write(output, "")


def _write(output: TextIO | None, text: str) -> None:
    """Write the text at once; a reader that has enough (`| head`) does not change the exit code.

    Raises:
        _UsageError: the output takes no more for another reason. The rest is discarded.
    """
    if output is None:  # the caller closed it
        return
    try:
        output.write(text)
        output.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        if not isinstance(error, BrokenPipeError):
            raise _UsageError(f"The output cannot be written: {error.strerror}.") from error


def _report_problems(file: object, error: CatalogError) -> None:
    for problem in error.problems:
        _report(f"{file}:{problem}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rolecall", description="Permission catalogs, permission checks and administration."
    )
    parser.add_argument("--version", action="version", version=f"rolecall {VERSION}")
    topics = parser.add_subparsers(required=True)

    catalog = topics.add_parser("catalog", help="permission catalogs").add_subparsers(required=True)
    check = catalog.add_parser("check", help="check catalog files and report every problem")
    check.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a YAML file with one catalog"
    )
    check.set_defaults(run=_check_catalogs)
    show = catalog.add_parser("show", help="print a catalog's permission table")
    show.add_argument(
        "catalog", metavar="NAME|FILE", help=f"a file, or one of: {', '.join(SHIPPED_CATALOGS)}"
    )
    show.set_defaults(run=_show)
    publish = catalog.add_parser("publish", help="publish a catalog on a running platform")
    publish.add_argument("file", type=Path, metavar="FILE", help="a YAML file with one catalog")
    publish.add_argument("--url", required=True, help="internal address of team")
    publish.add_argument("--key", help=KEY_HELP)
    publish.add_argument("--dry-run", action="store_true", help="check only, and change nothing")
    publish.set_defaults(run=_publish_catalog)

    permission = topics.add_parser("check", help="check whether a user has a permission")
    permission.add_argument("user", help="id of the user")
    permission.add_argument("permission", help="the permission, such as instance:write")
    permission.add_argument("--url", required=True, help="address of the gateway")
    permission.add_argument("--client-id", required=True, help="id of a service client")
    permission.add_argument(
        "--client-secret", help="secret of the client (default: ROLECALL_CLIENT_SECRET)"
    )
    permission.add_argument("--account", help="account of the resource")
    permission.add_argument("--project", help="project of the resource")
    permission.add_argument("--resource", help="id of the resource")
    permission.add_argument("--owner", help="id of the user who owns the resource")
    permission.add_argument("--at-least-revision", help="revision that the answer must rest on")
    permission.add_argument(
        "--allow-http", action="store_true", help="send the secret without encryption"
    )
    permission.set_defaults(run=_check_permission)

    admin = topics.add_parser("admin", help="commands for operators").add_subparsers(required=True)
    client = admin.add_parser("create-client", help="create a service client")
    client.add_argument("--url", required=True, help="internal address of identity")
    client.add_argument("--key", help=KEY_HELP)
    client.add_argument("--name", required=True, help="name of the client")
    client.add_argument(
        "--scope", action="append", default=[], help="scope of the client; can be repeated"
    )
    client.add_argument(
        "--account",
        action="append",
        default=[],
        help="account to bind it to; can be repeated; without it the client reaches every account",
    )
    client.add_argument(
        "--resource-type",
        action="append",
        default=[],
        help="type to bind it to; can be repeated; without it the client reaches every type",
    )
    client.add_argument(
        "--idempotency-key", help="with the same key, a repeat creates no second client"
    )
    client.add_argument("--json", action="store_true", help="print one JSON object")
    client.set_defaults(run=_create_client)
    suspend = admin.add_parser("suspend-account", help="deny everything in an account")
    suspend.add_argument("--reason", required=True, help="text for the owner, who gets it by mail")
    resume = admin.add_parser("resume-account", help="end the suspension of an account")
    resume.set_defaults(reason=None)
    for command in suspend, resume:
        command.add_argument("account", metavar="ACCOUNT", help="id of the account")
        command.add_argument("--url", required=True, help="internal address of team")
        command.add_argument("--key", help=KEY_HELP)
        command.set_defaults(run=_set_suspension)
    return parser


if __name__ == "__main__":
    sys.exit(main())
