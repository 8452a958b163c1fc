"""The command `rolecall`: catalogs, permission checks and administration."""

from rolecall.cli.command import VERSION, main

__all__ = ["VERSION", "main"]
