"""The operator's commands for the log of the records without an account."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from rolecall.cli.checkpoints import add_note_option, keep_checkpoint
from rolecall.cli.operators import add_operator_options, content_of, operator_of
from rolecall.cli.output import OK, UsageError, report, say
from rolecall.cli.topics import Topics
from rolecall.client.operator import OperatorRequests

PATH = "platform-log"


def add_platform_log_commands(commands: Topics) -> None:
    """Add `rolecall admin platform-log`."""
    log = commands.add_parser(
        PATH, help="the log of what has no account: operators, keys, services"
    ).add_subparsers(required=True)
    checkpoint = log.add_parser(
        "checkpoint", help="show or keep the newest signed checkpoint, with its key"
    )
    add_note_option(checkpoint)
    checkpoint.set_defaults(run=_checkpoint)
    export = log.add_parser("export", help="write all records with their seals, a line each")
    export.add_argument("--output", metavar="FILE", help="new file (default: the output)")
    export.epilog = "Verify it with `rolecall audit verify FILE --checkpoint NOTE --key NOTE.vkey`."
    export.set_defaults(run=_export)
    for command in checkpoint, export:
        add_operator_options(command, service="audit")


def _checkpoint(options: argparse.Namespace) -> int:
    found = content_of(operator_of(options).ask("GET", f"{PATH}/checkpoint"))
    return keep_checkpoint(options, found)


def _export(options: argparse.Namespace) -> int:
    lines = _lines(operator_of(options))
    if options.output is None:
        for line in lines:
            say(line)
        return OK
    number = 0
    try:
        with Path(options.output).open("x", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")
                number += 1
    except OSError as error:
        raise UsageError(f"{options.output} cannot be written: {error.strerror}.") from error
    report(f"{options.output}: {number} records.")
    return OK


def _lines(operator: OperatorRequests) -> Iterator[str]:
    """The records of all pages, which are of one size of the log."""
    size = content_of(operator.ask("GET", f"{PATH}/checkpoint")).get("size", 0)
    first: int | None = 0
    while first is not None:
        page = content_of(operator.ask("GET", f"{PATH}/records?size={size}&first={first}"))
        yield from map(json.dumps, page.get("items", []))
        first = page.get("next_first")
