"""The terms by which records are found: one for each filter, and for usual combinations.

A search reads one range of one index: the records with one term, in the order of time. Every
record in that range is then one that the filters take, unless they are an unusual combination.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.audit.domain.records import Filters, Record, action_filter
from shared.contracts.facts import Outcome
from shared.names import name_key

MAX_WORDS = 10
"""Of one record, and of one text that is searched."""
MAX_WORD_LENGTH = 40
COMBINATIONS = (
    ("request_id",),
    ("through",),
    ("user", "resource_id"),
    ("resource_id",),
    ("on_behalf_of",),
    ("word",),
    ("outcome", "user"),
    ("outcome", "project"),
    ("outcome", "action"),
    ("outcome", "noun"),
    ("user", "project"),
    ("user", "action"),
    ("user", "noun"),
    ("user", "resource_type"),
    ("project", "action"),
    ("project", "noun"),
    ("project", "resource_type"),
    ("user",),
    ("action",),
    ("project",),
    ("noun",),
    ("resource_type",),
    ("outcome",),
)
"""What a record can be found by. A search takes the first one whose filters are all given."""
FIELDS = {
    "action": "action",
    "noun": "noun",
    "resource_type": "resource_type",
    "resource_id": "resource_id",
    "project": "project_id",
    "outcome": "outcome",
    "request_id": "request_id",
    "on_behalf_of": "actor.on_behalf_of",
}
"""Where a record has the value of a filter. The other filters are terms only."""
INDEXED_FIELDS = ("action", "actor.on_behalf_of")
"""Fields with an index of their own, which also tells the different values that an account has."""
_USUAL = str(Outcome.SUCCEEDED)
_SINGLES = tuple(
    name for name, *others in COMBINATIONS if not others and FIELDS.get(name) not in INDEXED_FIELDS
)
_ALL_PAIRS = tuple(names for names in COMBINATIONS if len(names) > 1)
_PAIRS = tuple(names for names in _ALL_PAIRS if "outcome" not in names)
"""Most records succeeded, so a pair with that would tell little more than its other filter."""

Given = Mapping[str, tuple[str, ...]]
"""The values that each filter takes, by its name; several are alternatives, but words are not."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """One range of one index, and what is then compared in each record."""

    field: str
    values: tuple[str, ...]
    """One of these; none means every record of the account."""
    fields: Mapping[str, tuple[str, ...]]
    """Fields that must have one of these values, too."""
    terms: tuple[tuple[str, ...], ...] = ()
    """Terms of which a record must have one each, too."""

    @property
    def exact(self) -> bool:
        """Whether the range holds nothing but what is searched."""
        return not self.fields and not self.terms


def words_of(text: str | None) -> tuple[str, ...]:
    """Return the words of a name without case and accents, at most `MAX_WORDS` different ones."""
    if not text:
        return ()
    plain = "".join(
        sign
        for sign in unicodedata.normalize("NFKD", name_key(text))
        if unicodedata.category(sign) != "Mn"
    )
    words = (word[:MAX_WORD_LENGTH] for word in re.findall(r"[^\W_]+", plain))
    return tuple(dict.fromkeys(words))[:MAX_WORDS]


def terms_of(record: Record) -> list[str]:
    """Return every term of a record that the index of terms has."""
    actor = record.actor
    client = actor.id if actor.type == "service_client" else None
    values: dict[str, tuple[str | None, ...]] = {
        "user": (actor.id, actor.on_behalf_of),
        "action": (record.action,),
        "noun": (record.noun,),
        "resource_type": (record.resource.type,),
        "resource_id": (record.resource.id,),
        "project": (record.project_id,),
        "outcome": (record.outcome,),
        "request_id": (record.request.request_id,),
        "through": (actor.token_id, actor.session_id, client),
        "word": words_of(f"{record.resource.name or ''} {actor.name or ''}"),
    }
    parts = {
        name: tuple(_term(name, value) for value in each if value is not None)
        for name, each in values.items()
    }
    terms = [part for name in _SINGLES for part in parts[name]]
    for first, second in _PAIRS if record.outcome is Outcome.SUCCEEDED else _ALL_PAIRS:
        terms += [f"{one}&{other}" for one in parts[first] for other in parts[second]]
    return list(dict.fromkeys(terms))


def given_by(filters: Filters) -> dict[str, tuple[str, ...]]:
    """Return the values of the filters that are set.

    Apart from users, prefixes of actions, and texts: those stand for values that are looked up.
    """
    simple = {
        "resource_type": filters.resource_type,
        "resource_id": filters.resource_id,
        "outcome": filters.outcome,
        "project": filters.project,
        "request_id": filters.request_id,
        "through": filters.through,
        "on_behalf_of": filters.on_behalf_of,
    }
    if filters.action is not None:
        wanted = action_filter(filters.action)
        simple |= {"action": wanted.exact, "noun": wanted.noun}
    return {name: (str(value),) for name, value in simple.items() if value is not None}


def lookup(given: Given) -> Lookup:
    """Choose the range of an index for these filters."""
    for names in COMBINATIONS:
        if not set(names) <= set(given):
            continue
        if len(names) > 1 and "outcome" in names and _USUAL in given["outcome"]:
            continue
        first = {name: given[name] for name in names}
        others = {name: values for name, values in given.items() if name not in names}
        further: list[tuple[str, ...]] = []
        if "word" in first:
            chosen, *rest = sorted(first["word"], key=len, reverse=True)
            first["word"] = (chosen,)
            further += [(_term("word", word),) for word in rest]
        further += [(_term("word", word),) for word in others.pop("word", ())]
        for name in ("user", "through"):
            if name in others:
                further.append(tuple(_term(name, value) for value in others.pop(name)))
        field = _index_field(names)
        return Lookup(
            field=field,
            values=tuple(_terms(names, first)) if field == "terms" else first[names[0]],
            fields={FIELDS[name]: values for name, values in others.items()},
            terms=tuple(further),
        )
    return Lookup(field="", values=(), fields={})


def _index_field(names: tuple[str, ...]) -> str:
    field = FIELDS.get(names[0], "") if len(names) == 1 else ""
    return field if field in INDEXED_FIELDS else "terms"


def _terms(names: tuple[str, ...], values: Given) -> Iterable[str]:
    """Return one term for each combination of the values."""
    terms = [""]
    for name in names:
        terms = [
            f"{term}&{_term(name, value)}" if term else _term(name, value)
            for term in terms
            for value in values[name]
        ]
    return terms


def _term(name: str, value: str) -> str:
    """Return the term of one value. Only the last value of a combination may hold any sign."""
    return f"{name}={value}"
