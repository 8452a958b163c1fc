"""What every command writes, and its exit codes."""

import argparse
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from rolecall.core.problems import CatalogError

OK, INVALID, USAGE = 0, 1, 2


class UsageError(Exception):
    """The command was called in a wrong way, or its files or outputs cannot be used."""


def say(text: str) -> None:
    """Write a line to the output."""
    _write(sys.stdout, f"{text}\n")


def plain(text: str) -> str:
    """Return text that other people chose without signs that command a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def report(message: str) -> None:
    """Write a line to the error output."""
    _write(sys.stderr, f"{message}\n")


def report_problems(file: object, error: CatalogError) -> None:
    """Write every problem of a catalog file to the error output."""
    for problem in error.problems:
        report(f"{file}:{problem}")


class Parser(argparse.ArgumentParser):
    """A parser whose help and errors end quietly when no one reads them, on every Python."""

    def _print_message(self, message: str, file: Any = None) -> None:
        with suppress(UsageError):  # there is no one left to tell
            _write(file or sys.stderr, message or "")


def end_output() -> None:
    """Write what is left of both outputs, also of argparse, before Python does at its end."""
    for output in (sys.stdout, sys.stderr):
        with suppress(UsageError):  # there is no one left to tell
            _write(output, "")


def _write(output: TextIO | None, text: str) -> None:
    """Write the text at once; a reader that has enough (`| head`) does not change the exit code.

    Raises:
        UsageError: the output takes no more for another reason. The rest is discarded.
    """
    if output is None:  # the caller closed it
        return
    try:
        output.write(text)
        output.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"The output cannot be written: {error.strerror}.") from error
