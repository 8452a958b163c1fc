"""The commands for permission catalogs: check, show and publish."""

import argparse
from pathlib import Path

from rolecall.cli.operators import KEY_HELP, admin_key
from rolecall.cli.output import (
    INVALID,
    OK,
    USAGE,
    UsageError,
    report,
    report_problems,
    say,
)
from rolecall.cli.topics import Topics
from rolecall.client.admin import AdminError, publish_catalog
from rolecall.core.catalog import SHIPPED_CATALOGS, Catalog, load_catalog, read_catalog
from rolecall.core.problems import CatalogError, did_you_mean
from rolecall.core.table_text import table_lines


def add_catalog_commands(topics: Topics) -> None:
    """Add `rolecall catalog`."""
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


def _check_catalogs(options: argparse.Namespace) -> int:
    code = OK
    for file in options.files:
        try:
            catalog = _read(file)
        except CatalogError as error:
            report_problems(file, error)
            code = max(code, INVALID)
        except UsageError as error:
            report(str(error))
            code = USAGE
        else:
            say(f"{file}: ok, {catalog.id}")
    return code


def _show(options: argparse.Namespace) -> int:
    try:
        named = options.catalog in SHIPPED_CATALOGS
        catalog = load_catalog(options.catalog) if named else _read(Path(options.catalog))
    except CatalogError as error:
        report_problems(options.catalog, error)
        return INVALID
    say("\n".join(table_lines(catalog)))
    return OK


def _publish_catalog(options: argparse.Namespace) -> int:
    key = admin_key(options)
    try:
        catalog = _read(options.file)
        published = publish_catalog(
            url=options.url, key=key, content=catalog.to_mapping(), dry_run=options.dry_run
        )
    except CatalogError as error:
        report_problems(options.file, error)
        return INVALID
    except AdminError as error:
        for pointer, message in error.faults:
            report(f"{options.file}: {pointer.removeprefix('/content') or '/'}: {message}")
        if not error.faults:
            raise
        return USAGE if error.unreachable else INVALID
    done = "would be published" if options.dry_run else "published"
    say(f"{published.id}: {done if published.new else 'was published before'}")
    return OK


def _read(path: Path) -> Catalog:
    try:
        return read_catalog(path)
    except OSError as error:
        known = ", ".join(SHIPPED_CATALOGS)
        nearest = did_you_mean(str(path).lower(), SHIPPED_CATALOGS)
        raise UsageError(
            f"{path}: {error.strerror}. {nearest}The shipped catalogs are: {known}."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: The file is not UTF-8 text. Save it as UTF-8.") from error
