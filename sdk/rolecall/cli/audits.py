"""The command that verifies an exported audit log, without any service."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.cli.output import INVALID, OK, UsageError, say
from rolecall.cli.topics import Topics

if TYPE_CHECKING:
    from rolecall.audit.notes import Checkpoint
    from rolecall.audit.verification import Tampered, Verified

MAX_LINE = 4 * 1024 * 1024
_EXIT_CODES = (
    "Exit codes: 0 the export is what the checkpoint says, 1 it was tampered with, 2 wrong usage, a"
    " file that cannot be read, or a checkpoint that the key did not sign."
)


def add_audit_commands(topics: Topics) -> None:
    """Add `rolecall audit`."""
    audit = topics.add_parser("audit", help="verify an exported audit log")
    commands = audit.add_subparsers(required=True)
    verify = commands.add_parser(
        "verify", help="verify an export (JSON Lines) against a signed checkpoint"
    )
    verify.epilog = _EXIT_CODES
    verify.add_argument("export", help="the sealed export of an account; - reads the input")
    verify.add_argument("--checkpoint", required=True, help="file of the checkpoint of the export")
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
        help="verifier key of the log; repeat it where an earlier key signed a checkpoint",
    )
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    # The package alone needs no extra; these modules need `cryptography`.
    try:
        from rolecall.audit.verification import Tampered, verify  # noqa: PLC0415
    except ImportError as missing:
        raise UsageError(
            "This command needs the package `cryptography`: pip install 'rolecall[audit]'."
        ) from missing
    newest, *earlier = [
        _opened(file, options.key) for file in (options.checkpoint, *options.previous)
    ]
    found = verify(_lines(options.export), newest, earlier)
    if isinstance(found, Tampered):
        say(_told(found))
        return INVALID
    say(_summary(found, newest))
    return OK


def _opened(file: str, keys: list[str]) -> "Checkpoint":
    """The checkpoint in a file that one of the keys has signed."""
    from rolecall.audit.notes import NoteError, VerifierKey, opened_checkpoint  # noqa: PLC0415

    try:
        note = Path(file).read_bytes().decode()
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from error
    problems = []
    for key in keys:
        try:
            return opened_checkpoint(note, VerifierKey.parse(key))
        except NoteError as error:
            problems.append(str(error))
    raise UsageError(f"{file} is not a checkpoint of this key. {problems[0]}")


def _lines(file: str) -> Iterator[str]:
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as export:
            while line := export.readline(MAX_LINE):
                yield line.decode(errors="replace").removesuffix("\n")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error


def _told(found: "Tampered") -> str:
    where = "at the end of the export" if found.line is None else f"at line {found.line}"
    return {
        "altered": f"Record {found.index} was altered ({where}).",
        "removed": f"Record {found.index} was removed ({where}).",
        "reordered": f"Record {found.index} stands in another place ({where}).",
        "inserted": f"A record was inserted before record {found.index} ({where}).",
        "replaced": "The log is not the one of an earlier checkpoint: it was replaced from record"
        f" {found.index} on, or later, before that checkpoint.",
    }[found.fault]


def _summary(found: "Verified", checkpoint: "Checkpoint") -> str:
    parts = [f"All {found.records} records of {checkpoint.origin} are as they were sealed."]
    if found.erased:
        parts.append(f"Personal values were erased in {found.erased} of them.")
    if found.hashes:
        parts.append(f"Of {found.hashes} of them only the hash is kept.")
    if found.unsealed:
        parts.append(f"{found.unsealed} newer records are not sealed: nothing is known of them.")
    return " ".join(parts)
