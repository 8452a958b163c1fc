"""Erased people: who they are, and how their values are found in records.

Of an erased person only the id and marks are kept. A mark is a keyed hash of a name or an address:
without the key, which is not in the database, it tells nothing.
"""

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from services.audit.domain.personal_values import Claim, Kind, Text, claims, subject_of, texts
from services.audit.domain.records import KnownUser, Record
from services.audit.domain.sealed_records import tree_of
from shared.addresses import parse_address
from shared.names import name_key

LATE = timedelta(days=1)
"""So long after an erasure a fact may still have the name or address of the person. Later the
address may be another person's."""
MAX_NAME_WORDS = 20

_AROUND_ADDRESSES = re.compile(r"[\s<>()\[\]\"',;:=]+")
_WORD = re.compile(r"[^\W_]+")


class PersonMarks:
    """The marks of names and addresses, by a key that the database does not tell."""

    def __init__(self, key: bytes) -> None:
        """Derive the key of a new database; that of an older one takes its place."""
        self.key = hashlib.sha256(b"rolecall erased people v1\0" + key).digest()

    def address(self, text: str) -> str:
        """The mark of an address; case makes no difference."""
        typed = text.strip()
        try:
            typed = parse_address(typed).key
        except ValueError:
            typed = typed.casefold()
        return self._mark("address", typed)

    def name(self, words: Iterable[str]) -> str:
        """The mark of a name, by its words."""
        return self._mark("name", " ".join(words))

    def _mark(self, kind: str, text: str) -> str:
        return hmac.digest(self.key, f"{kind}:{text}".encode(), "sha256").hex()


def addresses_in(text: str) -> list[str]:
    """What may be an address in a text; the work is proportional to its length."""
    words = (word.rstrip(".") for word in _AROUND_ADDRESSES.split(text) if "@" in word)
    return [word for word in words if "@" in word[1:-1]]


def name_words(text: str) -> list[str]:
    """The words of a name or of a text, without case."""
    return _WORD.findall(name_key(text))


@dataclass(frozen=True, kw_only=True)
class Traces:
    """By what the values of a person are found besides the id."""

    addresses: frozenset[str] = frozenset()
    """Marks of every address that they had."""
    names: frozenset[str] = frozenset()
    """Marks of every name that they had; those of several words, also of each word."""
    lengths: frozenset[int] = frozenset()
    """The numbers of words of these names."""
    accounts: frozenset[str] = frozenset()
    """The accounts whose logs name them: there their names are looked for."""

    def __or__(self, other: "Traces") -> "Traces":
        return Traces(
            addresses=self.addresses | other.addresses,
            names=self.names | other.names,
            lengths=self.lengths | other.lengths,
            accounts=self.accounts | other.accounts,
        )


def traces_of(user: KnownUser, marks: PersonMarks) -> Traces:
    """The traces of a user by the name and the address that are known."""
    return _name_traces(user.name, marks) | Traces(addresses=frozenset({marks.address(user.email)}))


def _name_traces(name: str, marks: PersonMarks) -> Traces:
    words = name_words(name)[:MAX_NAME_WORDS]
    if not words:
        return Traces()
    found = {marks.name(words), *(marks.name([word]) for word in words if len(words) > 1)}
    return Traces(names=frozenset(found), lengths=frozenset({len(words)}))


@dataclass(frozen=True, kw_only=True)
class ErasedPerson:
    """A person whose values are erased."""

    user_id: str
    home: str | None
    """Their personal account."""
    at: datetime
    traces: Traces = field(default_factory=Traces)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a record has of erased people."""

    paths: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    learned: Mapping[str, Traces] = field(default_factory=dict)
    """New traces, by the id of the person."""


def all_learned(found: Iterable[Found]) -> dict[str, Traces]:
    """The new traces of several records, by the id of the person."""
    learned: dict[str, Traces] = {}
    for each in found:
        for user_id, traces in each.learned.items():
            learned[user_id] = learned.get(user_id, Traces()) | traces
    return learned


class ErasedPeople:
    """All people who were erased; finds their values in records."""

    def __init__(self, people: Iterable[ErasedPerson], marks: PersonMarks) -> None:
        self._marks = marks
        self._by_id: dict[str, ErasedPerson] = {}
        self._by_home: dict[str, ErasedPerson] = {}
        self._by_address: defaultdict[str, set[str]] = defaultdict(set)
        self._in_account: defaultdict[str, set[str]] = defaultdict(set)
        self._latest: datetime | None = None
        self.update(people)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._by_id

    def update(self, people: Iterable[ErasedPerson]) -> None:
        """Take people in, or what is new of them."""
        for person in people:
            self._by_id[person.user_id] = person
            if person.home is not None:
                self._by_home[person.home] = person
            for address in person.traces.addresses:
                self._by_address[address].add(person.user_id)
            for account in person.traces.accounts:
                self._in_account[account].add(person.user_id)
            self._latest = max(filter(None, (self._latest, person.at + LATE)))

    def found_in(self, record: Record) -> Found:
        """What a record has of these people."""
        if self._latest is None:
            return Found()
        paths: set[str] = set()
        people: set[str] = set()
        learned: dict[str, Traces] = {}
        tree = tree_of(record)
        if (subject := subject_of(record)) in self._by_id:
            learned[str(subject)] = Traces(accounts=frozenset({tree}))
        for claim in claims(record):
            person = self._claimed(claim, record)
            if person is None:
                continue
            paths.add(claim.path)
            people.add(person.user_id)
            told = self._told(claim) | Traces(accounts=frozenset({tree}))
            learned[person.user_id] = learned.get(person.user_id, Traces()) | told
        if record.occurred_at <= self._latest:
            for text in texts(record):
                named = () if text.path in paths else self._named(text, tree, record.occurred_at)
                paths.update(text.path for _ in named)
                people.update(named)
        return Found(
            paths=frozenset(paths),
            people=frozenset(people),
            learned={} if record.reported_by else self._all_new(learned),
        )

    def _claimed(self, claim: Claim, record: Record) -> ErasedPerson | None:
        if claim.user_id in self._by_id:
            return self._by_id[str(claim.user_id)]
        if claim.home in self._by_home:
            return self._by_home[str(claim.home)]
        owners = self._with_address(claim.address, record.occurred_at) if claim.address else set()
        return self._by_id[min(owners)] if owners else None

    def _told(self, claim: Claim) -> Traces:
        """The name or the address that a claim tells of its person."""
        if claim.user_id is None or not isinstance(claim.value, str):
            return Traces()
        if claim.kind is Kind.NAME:
            return _name_traces(claim.value, self._marks)
        if claim.kind is Kind.ADDRESS:
            return Traces(addresses=frozenset({self._marks.address(claim.value)}))
        return Traces()

    def _all_new(self, learned: Mapping[str, Traces]) -> dict[str, Traces]:
        return {each: new for each, of in learned.items() if (new := self._new(each, of))}

    def _new(self, user_id: str, told: Traces) -> Traces | None:
        """What is new in these traces; `None` if nothing is."""
        known = self._by_id[user_id].traces
        new = Traces(
            addresses=told.addresses - known.addresses,
            names=told.names - known.names,
            lengths=told.lengths - known.lengths,
            accounts=told.accounts - known.accounts,
        )
        return None if new == Traces() else new

    def named_in(self, texts: Iterable[str], *, account_id: str, at: datetime) -> bool:
        """Whether one of these searched texts of an account, as it was then, names a person."""
        return any(
            self._named(Text(path="", value=each, searched=True), account_id, at) for each in texts
        )

    def _with_address(self, address: str, at: datetime) -> set[str]:
        """Who had an address at a moment."""
        if self._latest is None or at > self._latest:
            return set()
        found = self._by_address.get(self._marks.address(address), set())
        return {each for each in found if at <= self._by_id[each].at + LATE}

    def _named(self, text: Text, tree: str, at: datetime) -> set[str]:
        """The people whom a text names, by their address or in their accounts by their name."""
        found: set[str] = set()
        for address in addresses_in(text.value):
            found |= self._with_address(address, at)
        people = [self._by_id[each] for each in self._in_account.get(tree, set())]
        people = [each for each in people if at <= each.at + LATE]
        if people and (words := name_words(text.value)):
            mark = cache(lambda start, length: self._marks.name(words[start : start + length]))
            found |= {
                each.user_id for each in people if _has_name(text, len(words), mark, each.traces)
            }
        return found


def _has_name(text: Text, words: int, mark: Callable[[int, int], str], traces: Traces) -> bool:
    """Whether a text of names, or one that was searched, has one of the names.

    `mark` gives the mark of the words from one on. Other texts stay: who chooses a name must not
    choose what others lose.
    """
    if not text.name_only and not text.searched:
        return False
    lengths = {*traces.lengths, *({1} if text.searched else ())}
    if not text.searched and words != 1:
        lengths.discard(1)
    return any(
        mark(start, length) in traces.names
        for length in lengths
        for start in range(words - length + 1)
    )
