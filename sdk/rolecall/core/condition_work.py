"""What testing conditions costs: values are prepared once, and the steps are counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

ITEMS_OF_STEP = 4
ADDRESS_STEPS = 5
MAX_ADDRESS_CHARACTERS = 64
TOO_LARGE = 2**53
"""Below this a number has one value in JSON, whether it is written as 1 or as 1.0."""

_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "number",
    float: "number",
}


def kind_of(value: object) -> str | None:
    """The type of a scalar in JSON's terms; `None` for everything else."""
    known = _KINDS.get(type(value))
    if known is not None:
        return known
    return next((kind for one, kind in _KINDS.items() if isinstance(value, one)), None)


class InternetAddress(NamedTuple):
    """An internet address as its version and number."""

    version: int
    number: int


@dataclass(frozen=True, slots=True)
class ListedItems:
    """The items of a list by their kind, to look constants up; no constant is a large number."""

    by_kind: Mapping[str | None, set[object]]

    def has(self, constant: object, kind: str | None) -> bool | None:
        """Whether the constant is listed; `None` if it is not, and an item is of another kind."""
        if constant in self.by_kind.get(kind, ()):
            return True
        return False if self.by_kind.keys() <= {kind} else None


class ConditionWork:
    """The work on the conditions of some decisions: what they prepared, and the steps it took.

    Decisions that share one prepare each list and address once, and share one count. A step is a
    test, or takes about as long. The values are not changed while they are tested.
    """

    __slots__ = ("_addresses", "_lists", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self._lists: dict[int, tuple[Sequence[object], ListedItems]] = {}
        self._addresses: dict[str, InternetAddress | None] = {}

    def listed(self, value: Sequence[object]) -> ListedItems:
        """The items of a list, prepared."""
        known = self._lists.get(id(value))
        if known is None:
            self.steps += 1 + len(value) // ITEMS_OF_STEP
            # The list is kept, so that no other one gets its id.
            known = self._lists[id(value)] = value, _listed(value)
        return known[1]

    def address(self, text: str) -> InternetAddress | None:
        """The address that a text is, if it is one."""
        if text not in self._addresses:
            self.steps += ADDRESS_STEPS
            self._addresses[text] = _address(text)
        return self._addresses[text]


def _listed(value: Sequence[object]) -> ListedItems:
    by_kind: dict[str | None, set[object]] = {}
    for item in value:
        kind = kind_of(item)
        if kind not in by_kind:
            by_kind[kind] = set()
        if isinstance(item, str) or (isinstance(item, int | float) and abs(item) < TOO_LARGE):
            by_kind[kind].add(item)
    return ListedItems(by_kind)


def _address(text: str) -> InternetAddress | None:
    """Read an address; one of IPv4 mapped into IPv6 is the IPv4 address. A zone is refused."""
    if len(text) > MAX_ADDRESS_CHARACTERS:
        return None
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None
        found = found.ipv4_mapped or found
    return InternetAddress(found.version, int(found))
