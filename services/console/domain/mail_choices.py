"""Which mails a person has switched off, as the page of preferences shows and changes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

SHOWN_NAMES = 3
"""The most accounts that a group names; the others are counted."""

Off = Sequence[Mapping[str, Any]]
"""What is switched off, as the API gives it and takes it."""


class Choice(StrEnum):
    """What counts for a group of mails."""

    ON = "on"
    PARTLY = "partly"
    OFF = "off"
    OFF_IN_ALL = "off-in-all"
    """Switched off for all accounts; it cannot be switched on for a single one."""


@dataclass(frozen=True, kw_only=True)
class Exceptions:
    """Accounts in which a group that is on for all is off: names, and how many others."""

    names: Sequence[str]
    others: int


@dataclass(frozen=True, kw_only=True)
class GroupChoice:
    """A group whose mails can be switched off, and what counts for one account, or for all."""

    id: str
    title: str
    choice: Choice
    off: Sequence[str]
    """The titles of the kinds that are off."""
    can_switch_on: bool
    """Whether a kind is off here that is not off for all accounts."""
    exceptions: Exceptions | None = None
    """Of all accounts: where a kind is off besides."""


def choices(
    groups: Sequence[Mapping[str, Any]],
    off: Off,
    account_id: str | None,
    *,
    names: Mapping[str, str] = MappingProxyType({}),
) -> list[GroupChoice]:
    """What counts in an account for each group that has a choice; `None` stands for all.

    `names` are those of the accounts whose names are known.
    """
    everywhere, own = _kinds(off, None), _kinds(off, account_id)
    here = everywhere | own
    found = []
    for group in groups:
        if group["reason"] is not None:
            continue
        titles = {one["kind"]: one["title"] for one in group["kinds"]}
        besides = [] if account_id else _places(off, titles.keys() - everywhere)
        found.append(
            GroupChoice(
                id=group["group"],
                title=group["title"],
                choice=_choice(set(titles), here, everywhere, account_id),
                off=[title for kind, title in titles.items() if kind in here],
                can_switch_on=bool(titles.keys() & own or besides),
                exceptions=_exceptions(besides, names),
            )
        )
    return found


def changed(
    off: Off, account_id: str | None, kinds: Sequence[str], *, on: bool
) -> list[dict[str, object]]:
    """All that is switched off after the kinds of a group are, in an account or in all.

    Mails that are switched on for all accounts are on in each: the choice says so.
    """
    places = dict.fromkeys([account_id, *(one["account_id"] for one in off)])
    after = []
    for place in places:
        chosen = _kinds(off, place)
        if on and (place == account_id or account_id is None):
            chosen -= set(kinds)
        elif not on and place == account_id:
            chosen |= set(kinds)
        if chosen:
            after.append({"account_id": place, "kinds": sorted(chosen)})
    return after


def _places(off: Off, kinds: Collection[str]) -> list[str]:
    """The accounts in which one of the kinds is off."""
    return [
        one["account_id"]
        for one in off
        if one["account_id"] is not None and not set(kinds).isdisjoint(one["kinds"])
    ]


def _exceptions(places: Sequence[str], names: Mapping[str, str]) -> Exceptions | None:
    if not places:
        return None
    known = [names[place] for place in places if place in names][:SHOWN_NAMES]
    return Exceptions(names=known, others=len(places) - len(known))


def _kinds(off: Off, account_id: str | None) -> set[str]:
    return {kind for one in off if one["account_id"] == account_id for kind in one["kinds"]}


def _choice(
    kinds: set[str],
    here: set[str],
    everywhere: set[str],
    account_id: str | None,
) -> Choice:
    if account_id is not None and everywhere >= kinds:
        return Choice.OFF_IN_ALL
    if here >= kinds:
        return Choice.OFF
    return Choice.PARTLY if here & kinds else Choice.ON
