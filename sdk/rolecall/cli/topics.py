"""What every topic of the command adds itself to."""

from argparse import ArgumentParser
from typing import Protocol


class Topics(Protocol):
    """The first words of the command, as argparse keeps them."""

    def add_parser(self, name: str, *, help: str) -> ArgumentParser:  # noqa: A002 - argparse's word
        """Add a word, and return its parser."""
        ...
