"""The command that keeps the newest checkpoint of an audit log, and the key that signs it."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rolecall.cli.members import add_member_options, ask, content_of
from rolecall.cli.output import INVALID, OK, UsageError, report, say
from rolecall.cli.topics import Topics

KEY_SUFFIX = ".vkey"


def add_checkpoint_command(commands: Topics) -> None:
    """Add `rolecall audit checkpoint`."""
    command = commands.add_parser(
        "checkpoint", help="show or keep the newest signed checkpoint of an audit log, with its key"
    )
    command.description = (
        "Prints the signed checkpoint, and the verifier keys to the error output. With --output"
        " both become files for `rolecall audit verify FILE --checkpoint NOTE --key NOTE.vkey`."
        " Keep them away from the log."
    )
    command.epilog = (
        "Exit codes: 0 done, 1 refused or nothing is sealed, 2 wrong usage or no answer."
    )
    add_member_options(command)
    add_note_option(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=_checkpoint)


def add_note_option(command: argparse.ArgumentParser) -> None:
    """Add the option with the file that a checkpoint is kept in."""
    command.add_argument(
        "--output", metavar="NOTE", help="new file for the checkpoint; the keys go into NOTE.vkey"
    )


def _checkpoint(options: argparse.Namespace) -> int:
    return keep_checkpoint(options, content_of(ask(options, "GET", "audit-checkpoint")))


def keep_checkpoint(options: argparse.Namespace, found: Mapping[str, Any]) -> int:
    """Print a checkpoint that was answered, or write it and its keys into new files."""
    note, keys = found.get("checkpoint"), list(map(str, found.get("verifier_keys") or []))
    if options.json:
        say(json.dumps(found))
    elif isinstance(note, str) and options.output:
        _create(options.output, note)
        _create(options.output + KEY_SUFFIX, "".join(f"{key}\n" for key in keys))
        report(f"{options.output}: {found.get('size')} records. The key is in *{KEY_SUFFIX}.")
    elif isinstance(note, str):
        say(note.removesuffix("\n"))
        for key in keys:
            report(f"key: {key}")
    if not isinstance(note, str):
        report("No record is sealed yet. Ask again in some seconds.")
        return INVALID
    return OK


def _create(file: str, text: str) -> None:
    """Write a new file: an earlier checkpoint and its key are evidence."""
    try:
        with Path(file).open("x", encoding="utf-8", newline="") as created:
            created.write(text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from error
