"""`rolecall audit`, and its command that verifies an exported log, without any service."""

import argparse
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.cli.audit_reads import add_audit_read_commands
from rolecall.cli.audit_streams import add_stream_commands
from rolecall.cli.checkpoints import add_checkpoint_command
from rolecall.cli.output import INVALID, OK, UsageError, plain, say
from rolecall.cli.restored_logs import add_restored_log_commands
from rolecall.cli.topics import Topics

if TYPE_CHECKING:
    from rolecall.audit.exports import ExportHead
    from rolecall.audit.notes import Checkpoint
    from rolecall.audit.verification import Tampered, Verified

MAX_LINE = 4 * 1024 * 1024
_EXIT_CODES = (
    "Exit codes: 0 everything in the export was checked and is what the checkpoint says, 1 it was"
    " tampered with, 2 wrong usage, a file that cannot be read, or a checkpoint that the key did"
    " not sign, 3 what was checked is right, and something could not be: erased values, records"
    " that are newer than the checkpoint, or an export that was cut off."
)
PARTLY = 3


def add_audit_commands(topics: Topics) -> None:
    """Add `rolecall audit`."""
    audit = topics.add_parser("audit", help="search, export, follow and verify an audit log")
    commands = audit.add_subparsers(required=True)
    add_audit_read_commands(commands)
    add_checkpoint_command(commands)
    add_stream_commands(commands)
    verify = commands.add_parser(
        "verify", help="verify an export (JSON Lines) against a signed checkpoint"
    )
    verify.epilog = _EXIT_CODES
    verify.add_argument("export", help="the export of an account's log; - reads the input")
    verify.add_argument(
        "--checkpoint",
        help="file of a checkpoint that you hold; without it, the one in the export is taken",
    )
    verify.add_argument(
        "--previous",
        action="append",
        default=[],
        metavar="FILE",
        help="file of an earlier checkpoint that the log must have grown from; may be repeated",
    )
    verify.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="VKEY",
        help="verifier key of the log, or a file with it, from `rolecall audit checkpoint`; repeat"
        " it where an earlier key signed a checkpoint",
    )
    verify.add_argument(
        "--allow-erased",
        action="store_true",
        help="exit with 0 also where values were erased, as far as records of the log tell it",
    )
    verify.add_argument(
        "--allow-newer",
        action="store_true",
        help="exit with 0 also if there are records that are newer than the checkpoint",
    )
    verify.set_defaults(run=_verify)
    add_restored_log_commands(commands)


def _verify(options: argparse.Namespace) -> int:
    # The package alone needs no extra; these modules need `cryptography`.
    try:
        from rolecall.audit.exports import (  # noqa: PLC0415
            ExportHead,
            is_of_an_export,
            verify_export,
        )
        from rolecall.audit.verification import Tampered, verify  # noqa: PLC0415
    except ImportError as missing:
        raise UsageError(
            "This command needs the package `cryptography`: pip install 'rolecall[audit]'."
        ) from missing
    options.key = [key for given in options.key for key in _keys(given)]
    held = options.checkpoint and _opened_file(options.checkpoint, options.key)
    earlier = [_opened_file(file, options.key) for file in options.previous]
    lines = _lines(options.export)
    first = next(lines, "")
    if not is_of_an_export(first):
        raise UsageError(
            f"{options.export} is not an export in JSON Lines, so there is nothing to verify. Pass"
            " the file that `rolecall audit export` or the console has written as JSON Lines."
        )
    head = ExportHead.read(first)
    if head is not None:
        newest = _anchor(head, held, options)
        if held and held != newest:
            earlier.append(held)
        if earlier and not head.complete:
            raise UsageError(
                "This export has only some records, so earlier checkpoints cannot be compared with"
                f" it. Ask for one with `size={min(each.size for each in earlier)}`, or without"
                " filters."
            )
        found = verify_export(head, lines, newest, earlier)
    elif held:
        newest, found = held, verify(chain([first] if first else [], lines), held, earlier)
    else:
        raise UsageError("The export does not begin with its checkpoint. Give --checkpoint.")
    if isinstance(found, Tampered):
        say(_told(found))
        for size, _ in newest.restored():
            say(
                "The checkpoint says that the log was restored from a backup, and does not continue"
                f" the checkpoint of {size} records."
            )
        return INVALID
    say(_summary(found, newest))
    if head is not None and head.complete_until is not None:
        say(plain(f"Not sealed: `complete_until` of the first line, {head.complete_until}."))
    erased = found.untold or (found.erased and not options.allow_erased)
    newer = found.unsealed and not options.allow_newer
    return PARTLY if erased or newer or not found.ended else OK


def _keys(given: str) -> list[str]:
    """The keys in a file, a line each, or the key that was passed itself."""
    try:
        return Path(given).read_text(encoding="utf-8").split() if Path(given).is_file() else [given]
    except (OSError, ValueError):  # no name of a file can be that long
        return [given]


def _anchor(
    head: "ExportHead", held: "Checkpoint | None", options: argparse.Namespace
) -> "Checkpoint":
    """The checkpoint that the proofs of an export lead to."""
    if held is not None and held.size == head.size:
        return held
    if head.note is None:
        raise UsageError(f"Give --checkpoint: the one of {head.size} records.")
    own = _opened(head.note, options.key, name="The first line of the export")
    if own.size != head.size or (held is not None and held.size > head.size):
        raise UsageError(
            f"The proofs of this export lead to a log of {head.size} records. Give the checkpoint"
            " of that size, or ask for the export with `size=` and the size of yours."
        )
    return own


def _opened_file(file: str, keys: list[str]) -> "Checkpoint":
    """The checkpoint in a file that one of the keys has signed."""
    try:
        return _opened(Path(file).read_bytes().decode(), keys, name=file)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from error


def _opened(note: str, keys: list[str], *, name: str) -> "Checkpoint":
    """The checkpoint in a note that one of the keys has signed."""
    from rolecall.audit.notes import NoteError, VerifierKey, opened_checkpoint  # noqa: PLC0415

    problems = []
    for key in keys:
        try:
            return opened_checkpoint(note, VerifierKey.parse(key))
        except NoteError as error:
            problems.append(str(error))
    raise UsageError(f"{name} is not a checkpoint of this key. {problems[0]}")


def _lines(file: str) -> Iterator[str]:
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as export:
            while line := export.readline(MAX_LINE):
                yield line.decode(errors="replace").removesuffix("\n")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error


def _told(found: "Tampered") -> str:
    where = "at the end of the export" if found.line is None else f"at line {found.line}"
    if found.index is None:
        return {
            "removed": f"Records were removed: the last line tells of more ({where}).",
            "inserted": f"A record was inserted ({where}).",
            "misnamed": f"The export names another account than its checkpoint ({where}).",
        }.get(found.fault, f"A record was {found.fault} ({where}).")
    record = found.index + 1
    return {
        "altered": f"Record {record} was altered ({where}).",
        "removed": f"Record {record} was removed ({where}).",
        "reordered": f"Record {record} stands in another place ({where}).",
        "inserted": f"A record was inserted before record {record} ({where}).",
        "replaced": "The log is not the one of an earlier checkpoint: it was replaced from record"
        f" {record} on, or later, before that checkpoint.",
    }[found.fault]


def _summary(found: "Verified", checkpoint: "Checkpoint") -> str:
    if found.complete:
        parts = [f"All {found.records} records of {checkpoint.origin} are as they were sealed."]
    else:
        parts = [
            f"{found.records} records of {checkpoint.origin} are as they were sealed.",
            "The export has only some records: whether others are missing cannot be judged.",
        ]
    if found.erased:
        parts.append(
            f"Personal values were erased in {found.erased} of them: what they were is not checked."
        )
        if found.untold:
            parts.append(
                f"Of {found.untold} of these no record `records.erased` of the log tells. An"
                " erasure may still go on: export again later, and ask the operator if this stays."
            )
        elif found.complete:
            parts.append("The log itself tells of these erasures.")
    if found.by_retention and not found.complete:
        parts.append(
            f"Of {found.by_retention} of them it has only the hashes: whether retention ended"
            " these cannot be judged."
        )
    elif found.by_retention:
        days = "" if found.days is None else f" of {found.days} days"
        parts.append(
            f"The first {found.by_retention} of them ended by retention{days}: their hashes are"
            " kept."
        )
    if found.unsealed:
        parts.append(
            f"{found.unsealed} records are newer than the checkpoint: nothing is known of them."
        )
    if not found.ended:
        parts.append("The export ends before its last line: it was cut off.")
    return " ".join(parts)
