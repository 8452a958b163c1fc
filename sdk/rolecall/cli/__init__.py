"""The command `rolecall`: catalogs, permission checks and administration."""

from rolecall.cli.command import main
from rolecall.version import VERSION

__all__ = ["VERSION", "main"]
