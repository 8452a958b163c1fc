"""A search reads little more than it returns: rules of terms, and 100,000 records as a table."""

import random
from dataclasses import replace
from itertools import combinations, islice

import pytest

from services.audit.domain.records import Filters, Record, record_of
from services.audit.domain.search_terms import (
    FIELDS,
    MAX_WORDS,
    Lookup,
    given_by,
    lookup,
    terms_of,
    words_of,
)
from shared.contracts.facts import Actor, Outcome, RequestInfo, ResourceRef
from shared.contracts.team import MemberRemoved
from tests.services.rows import NOON, row_of

MEMBER = MemberRemoved(account_name="A", user_id="usr_b", email="b@x.org", name="B", role="r")
BASE = record_of(row_of(MEMBER, account_id="acc_1"), recorded_at=NOON)
RECORDS, DIFFERENT, PAGE = 100_000, 20_000, 50
ACTIONS = tuple(
    f"{noun}.{verb}"
    for noun in ("member", "project", "instance", "session", "token")
    for verb in ("created", "changed", "removed", "opened")
)


def made(chance: random.Random) -> Record:
    """A record of a busy account: few denials, half of it without a project."""
    action = chance.choice(ACTIONS)
    noun = action.partition(".")[0]
    kind = chance.random()
    actor = Actor.model_construct(
        type="user",
        id=f"usr_{int(chance.paretovariate(0.4)) % 400}",
        name=None,
        token_id=f"tok_{chance.randrange(300)}" if kind < 0.2 else None,
        session_id=f"ses_{chance.randrange(900)}" if kind >= 0.2 else None,
        on_behalf_of=f"usr_{chance.randrange(400)}" if kind < 0.1 else None,
    )
    return replace(
        BASE,
        actor=actor,
        action=action,
        resource=ResourceRef.model_construct(
            type=noun, id=f"{noun}-{chance.randrange(2000)}", name=f"{noun} No {kind:.3f}"
        ),
        project_id=f"prj_{chance.randrange(40)}" if chance.random() < 0.5 else None,
        outcome=Outcome.DENIED if chance.random() < 0.03 else Outcome.SUCCEEDED,
        request=RequestInfo.model_construct(request_id=f"req_{chance.randrange(DIFFERENT // 2)}"),
    )


def values_of(record: Record) -> dict[str, tuple[str, ...]]:
    """The values of every filter that finds this record, written down again."""
    actor = record.actor
    found = {
        "action": record.action,
        "noun": record.action.split(".")[0] + ".",
        "resource_type": record.resource.type,
        "resource_id": record.resource.id,
        "project": record.project_id,
        "outcome": str(record.outcome),
        "request_id": record.request.request_id,
        "through": actor.token_id or actor.session_id,
        "on_behalf_of": actor.on_behalf_of,
        "word": (record.resource.name or "").split()[0].lower(),
    }
    users = tuple(filter(None, (actor.id, actor.on_behalf_of)))
    return {name: (value,) for name, value in found.items() if value is not None} | {"user": users}


class Log:
    """The records in the order of a page; each occurs several times, at random places."""

    def __init__(self, chance: random.Random) -> None:
        records = [made(chance) for _ in range(DIFFERENT)]
        values = [values_of(record) for record in records]
        terms = [frozenset(terms_of(record)) for record in records]
        order = chance.choices(range(DIFFERENT), k=RECORDS)
        self.values = [values[number] for number in order]
        self.terms = [terms[number] for number in order]

    def taken(self, given: dict[str, tuple[str, ...]]) -> list[int]:
        """The first page of what the filters take, without any index."""
        matching = (
            number
            for number, values in enumerate(self.values)
            if all(value in values.get(name, ()) for name, (value,) in given.items())
        )
        return list(islice(matching, PAGE))

    def examined(self, given: dict[str, tuple[str, ...]], page: list[int]) -> int:
        """How many records the chosen range has up to the last one of the page."""
        chosen = lookup(given)
        end = page[-1] + 1 if len(page) == PAGE else RECORDS
        if not chosen.values:
            return end
        [value] = chosen.values
        if chosen.field == "terms":
            return sum(value in terms for terms in islice(self.terms, end))
        [name] = (name for name, field in FIELDS.items() if field == chosen.field)
        return sum(value in values.get(name, ()) for values in islice(self.values, end))


USUAL = [
    names.split()
    for names in (
        *("user", "action", "noun", "resource_type", "resource_id", "project", "outcome"),
        *("request_id", "through", "on_behalf_of", "word"),
        *("user action", "user noun", "user resource_type", "user resource_id", "user project"),
        *("project action", "project noun", "project resource_type"),
        *("outcome user", "outcome project", "outcome action", "outcome noun"),
        *("resource_type resource_id", "user resource_type resource_id", "resource_type noun"),
    )
]


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(random.Random(20261127))


@pytest.mark.rule("Rp14")
def test_usual_searches_of_100000_records_examine_twice_a_page_at_most(log):
    chance = random.Random(7)
    denied = [values for values in log.values if values["outcome"] == ("denied",)]
    wrong = {}
    for names in USUAL:
        drawn = denied if "outcome" in names and len(names) > 1 else log.values
        having = [values for values in drawn if set(names) <= set(values)]
        for values in chance.sample(having, 2):
            given = {name: values[name][-1:] for name in names}
            page = log.taken(given)
            examined = log.examined(given, page)
            if not len(page) <= examined <= 2 * len(page):
                wrong[" ".join(names)] = examined, len(page)
    assert wrong == {}


def test_every_pair_of_filters_is_read_from_its_smaller_usual_range(log):
    """Also an unusual pair reads no more than one of its filters alone would."""
    chance = random.Random(8)
    names = ["user", *(name for name in FIELDS if name != "outcome")]
    for pair in combinations(names, 2):
        values = chance.choice([each for each in log.values if set(pair) <= set(each)])
        given = {name: values[name][-1:] for name in pair}
        page = log.taken(given)
        alone = [log.examined({name: given[name]}, page) for name in pair]
        assert log.examined(given, page) <= max(alone), pair


def test_what_a_range_does_not_decide_is_compared_in_each_record():
    given = {"user": ("usr_1",), "project": ("prj_1",), "noun": ("member.",), "through": ("tok_1",)}
    assert lookup(given) == Lookup(
        field="terms",
        values=("through=tok_1",),
        fields={"project_id": ("prj_1",), "noun": ("member.",)},
        terms=(("user=usr_1",),),
    )
    two = lookup({**given, "user": ("usr_1", "usr_2"), "request_id": ("req_1",)})
    assert two.terms == (("user=usr_1", "user=usr_2"), ("through=tok_1",))


@pytest.mark.parametrize(
    ("given", "field", "values", "exact"),
    [
        ({}, "", (), True),
        ({"user": ("usr_1",)}, "terms", ("user=usr_1",), True),
        ({"action": ("a.b", "a.c")}, "action", ("a.b", "a.c"), True),
        ({"outcome": ("succeeded",)}, "terms", ("outcome=succeeded",), True),
        ({"outcome": ("denied",), "user": ("u",)}, "terms", ("outcome=denied&user=u",), True),
        ({"outcome": ("succeeded",), "user": ("u",)}, "terms", ("user=u",), False),
        (
            {"user": ("u", "v"), "action": ("a.b",)},
            "terms",
            ("user=u&action=a.b", "user=v&action=a.b"),
            True,
        ),
        ({"word": ("bo", "weber")}, "terms", ("word=weber",), False),
    ],
)
def test_filters_choose_their_range(given, field, values, exact):
    chosen = lookup(given)
    assert (chosen.field, chosen.values, chosen.exact) == (field, values, exact)


def test_an_id_with_signs_of_a_term_is_found_under_no_other_filter():
    """A service names its resources as it likes."""
    forged = replace(BASE, resource=ResourceRef(type="x", id="r&outcome=denied&user=usr_2"))
    wanted = {"outcome": ("denied",), "user": ("usr_2",)}
    assert not set(lookup(wanted).values) & set(terms_of(forged))
    assert lookup({"resource_id": (forged.resource.id,)}).values[0] in terms_of(forged)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (None, ()),
        ("", ()),
        ("Ana Díaz", ("ana", "diaz")),
        ("STRASSE straße", ("strasse",)),
        ("prod-eu_west/1", ("prod", "eu", "west", "1")),
        ("—!!—", ()),
        ("李 明", ("李", "明")),
        ("ﬁn\u200dish", ("finish",)),
        ("x" * 99, ("x" * 40,)),
        (" ".join(map(str, range(30))), tuple(map(str, range(MAX_WORDS)))),
    ],
)
def test_words_are_folded_and_bounded(name, words):
    assert words_of(name) == words


def test_a_record_is_found_by_the_names_that_it_carries():
    record = replace(
        BASE,
        actor=Actor(type="service_client", id="cli_1", name="Éva Nagy", session_id="ses_1"),
        resource=ResourceRef(type="instance", id="i-1", name="GPU Node"),
    )
    terms = set(terms_of(record))
    assert {
        "word=eva",
        "word=nagy",
        "word=gpu",
        "word=node",
        "through=cli_1",
        "through=ses_1",
    } <= terms


def test_filters_are_told_by_the_names_of_their_values():
    given = given_by(Filters(action="member.", outcome=Outcome.DENIED, through="tok_1", text="x"))
    assert given == {"noun": ("member.",), "outcome": ("denied",), "through": ("tok_1",)}
    assert given_by(Filters(action="mem*", user="a@x.org")) == {}
