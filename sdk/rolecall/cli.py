"""What does `rolecall` do at the command line?"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rolecall.client.admin import AdminError, create_client
from rolecall.core.catalog import SHIPPED_CATALOGS, Catalog, load_catalog, read_catalog
from rolecall.core.matrix import CompiledCatalog
from rolecall.core.problems import CatalogError

OK, INVALID, USAGE = 0, 1, 2


class _UsageError(Exception):
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: done; 1: invalid or refused; 2: wrong usage, unreadable, unreachable."""
    chosen = _parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except _UsageError as error:
        _complain(str(error))
        return USAGE
    return code


def _check(chosen: argparse.Namespace) -> int:
    code = OK
    for file in chosen.files:
        try:
            catalog = _read(file)
        except CatalogError as error:
            _complain_of(file, error)
            code = INVALID
        else:
            print(f"{file}: {catalog.id}")
    return code


def _show(chosen: argparse.Namespace) -> int:
    try:
        named = chosen.catalog in SHIPPED_CATALOGS
        catalog = load_catalog(chosen.catalog) if named else _read(Path(chosen.catalog))
    except CatalogError as error:
        _complain_of(chosen.catalog, error)
        return INVALID
    print("\n".join(_table(catalog)))
    return OK


def _create_client(chosen: argparse.Namespace) -> int:
    key = chosen.key or os.environ.get("ROLECALL_ADMIN_KEY")
    if not key:
        raise _UsageError("give the admin key with --key, or in ROLECALL_ADMIN_KEY")
    try:
        client = create_client(
            url=chosen.url,
            key=key,
            name=chosen.name,
            scopes=tuple(chosen.scope),
            account_ids=tuple(chosen.account) or None,
            resource_types=tuple(chosen.resource_type) or None,
        )
    except AdminError as error:
        _complain(str(error))
        return USAGE if error.unreachable else INVALID
    if chosen.json:
        print(json.dumps({"id": client.id, "secret": client.secret}))
    else:
        print(f"id      {client.id}\nsecret  {client.secret}\nThe secret is not shown again.")
    return OK


def _read(path: Path) -> Catalog:
    try:
        return read_catalog(path)
    except OSError as error:
        known = ", ".join(SHIPPED_CATALOGS)
        raise _UsageError(f"{path}: {error.strerror}. Shipped catalogs: {known}") from error
    except UnicodeDecodeError as error:
        raise _UsageError(f"{path}: not UTF-8 text") from error


def _table(catalog: Catalog) -> Iterator[str]:
    compiled = CompiledCatalog(catalog)
    held = {role.id: compiled.table(compiled.roles[role.id]) for role in catalog.roles}
    name_width = max(
        4 + len(f"{entry.id}:{level.id}")
        for entry in catalog.entries.values()
        for level in entry.levels
    )
    widths = {role_id: max(len(role_id), 4) for role_id in held}
    yield f"{catalog.title}  {catalog.id}"
    yield " " * name_width + "".join(f"  {role:<{width}}" for role, width in widths.items())
    for section in catalog.sections:
        yield section.title
        for entry in section.entries:
            yield f"  {entry.title}" + ("  (by project)" if entry.project_scoped else "")
            for level in entry.levels:
                name, *also = entry.permission_names(level)
                cells = "".join(
                    f"  {held[role][entry.id][level.id] or '-':<{width}}"
                    for role, width in widths.items()
                )
                carried = "  also " + " ".join(also) if also else ""
                yield f"    {name:<{name_width - 4}}{cells}{carried}".rstrip()
    yield "all: everyone's resources   self: own ones   -: none"


def _complain(message: str) -> None:
    print(message, file=sys.stderr)


def _complain_of(file: object, error: CatalogError) -> None:
    for problem in error.problems:
        _complain(f"{file}:{problem}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rolecall", description="Team management and permissions: catalogs and administration."
    )
    topics = parser.add_subparsers(required=True, metavar="TOPIC")

    catalog = topics.add_parser("catalog", help="permission catalogs").add_subparsers(
        required=True, metavar="COMMAND"
    )
    check = catalog.add_parser("check", help="say what is wrong with catalog files")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.set_defaults(run=_check)
    show = catalog.add_parser("show", help="print a catalog's permission table")
    show.add_argument(
        "catalog", metavar="NAME|FILE", help=f"a file, or one of {', '.join(SHIPPED_CATALOGS)}"
    )
    show.set_defaults(run=_show)

    admin = topics.add_parser("admin", help="for operators of the platform").add_subparsers(
        required=True, metavar="COMMAND"
    )
    client = admin.add_parser("create-client", help="make a service client")
    client.add_argument("--url", required=True, help="identity's internal address")
    client.add_argument("--key", help="the admin key (default: ROLECALL_ADMIN_KEY)")
    client.add_argument("--name", required=True, help="what the client is called")
    client.add_argument("--scope", action="append", default=[], help="may be repeated")
    client.add_argument("--account", action="append", default=[], help="bind it; may be repeated")
    client.add_argument(
        "--resource-type", action="append", default=[], help="bind it; may be repeated"
    )
    client.add_argument("--json", action="store_true", help="print one JSON object")
    client.set_defaults(run=_create_client)
    return parser


if __name__ == "__main__":
    sys.exit(main())
