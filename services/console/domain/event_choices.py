"""Which events a webhook receives, as a form chooses them."""

from collections.abc import Iterable, Mapping, Sequence

ALL = "*"
EVENT = "event."
"""The beginning of the names of boxes; what follows is a type of events."""


def nouns(types: Iterable[str]) -> list[str]:
    """What events are about, each once."""
    return list(dict.fromkeys(one.partition(".")[0] for one in types))


def offered(types: Iterable[str], chosen: Sequence[str]) -> list[str]:
    """The choices of a form: all events of each noun, and what was chosen besides."""
    usual = [f"{noun}.*" for noun in nouns(types)]
    return usual + [one for one in chosen if one not in {*usual, ALL}]


def chosen_types(typed: Mapping[str, str]) -> list[str]:
    """The types that a form has chosen; without any, all."""
    found = [name.removeprefix(EVENT) for name in typed if name.startswith(EVENT)]
    return found or [ALL]
