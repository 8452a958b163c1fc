"""What records add to the usage of their members, and how amounts and files are written."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.csv_cells import csv_text, safe_cell
from services.audit.domain.metered_usage import Cost, MeteredUsage, amount_text, usage_report
from services.audit.domain.records import Record, record_of
from services.audit.domain.usage_sums import EXACT, Amounts, UsageKey, sums_of
from shared.contracts.facts import Actor, ResourceRef, Row
from shared.contracts.team import MemberRemoved
from tests.services.rows import NOON, row_of

ACCOUNT, ANA, BO, CLIENT = "acc_1", "usr_ana", "usr_bo", "cli_1"
MEMBER = MemberRemoved(
    account_name="Acme", user_id=BO, email="bo@example.com", name="Bo Li", role="developer"
)


def kept(row: Row) -> tuple[Row, Record]:
    return row, record_of(row, recorded_at=NOON)


def action(**fields: Any) -> tuple[Row, Record]:
    return kept(row_of(MEMBER, **({"account_id": ACCOUNT} | fields)))


def usage(**fields: Any) -> tuple[Row, Record]:
    given_: dict[str, Any] = {
        "id": "u-1",
        "account_id": ACCOUNT,
        "user_id": BO,
        "resource": ResourceRef(type="instance", id="i-1"),
        "quantity": Decimal("1.50"),
        "unit": "gpu_hour",
        "cost": Cost(amount=Decimal("3.10"), currency="EUR"),
        "occurred_at": NOON,
    }
    fact = usage_report(MeteredUsage(**(given_ | fields)), client_id=CLIENT).fact
    actor = Actor(type="service_client", id=CLIENT)
    about = {"resource": fact.resource, "project_id": fact.project_id, "after": fact.after}
    return kept(row_of(fact.payload, account_id=ACCOUNT, actor=actor, **about))


OF_ANA = UsageKey(ACCOUNT, "2026-03-05", "usr_ana", "", "member", "member.removed")
METERED = UsageKey(ACCOUNT, "2026-03-05", BO, "", "instance", "usage.recorded", "gpu_hour", "EUR")
FREE = METERED._replace(currency="")
ONE = Amounts(activity=1)
BY = {
    "ana": Actor(type="user", id=ANA),
    "for ana": Actor(type="service_client", id=CLIENT, on_behalf_of=ANA),
    "a service": Actor(type="service_client", id=CLIENT),
    "a service for a client": Actor(type="service", id="notification", on_behalf_of=CLIENT),
    "a service for a service": Actor(type="service", id="audit", on_behalf_of="notification"),
    "a service for an operator": Actor(type="service", id="team", on_behalf_of="admin-1"),
    "an operator": Actor(type="operator", id="admin-1"),
}
ADDED: list[tuple[str, tuple[Row, Record], UsageKey | None, Amounts]] = [
    ("an action", action(actor=BY["ana"]), OF_ANA, ONE),
    ("an action on behalf", action(actor=BY["for ana"]), OF_ANA, ONE),
    *(
        (f"an action of {who}", action(actor=actor), None, ONE)
        for who, actor in BY.items()
        if actor.user_id != ANA
    ),
    ("an action without account", action(actor=BY["ana"], account_id=None), None, ONE),
    (
        "an action in a project, before midnight",
        action(actor=BY["ana"], project_id="prj_1", occurred_at=NOON + timedelta(hours=11.9)),
        OF_ANA._replace(project="prj_1"),
        ONE,
    ),
    (
        "an action after midnight",
        action(actor=BY["ana"], occurred_at=NOON + timedelta(hours=12)),
        OF_ANA._replace(day="2026-03-06"),
        ONE,
    ),
    ("usage", usage(), METERED, Amounts(quantity=Decimal("1.5"), cost=Decimal("3.1"))),
    ("usage without cost", usage(cost=None), FREE, Amounts(quantity=Decimal("1.5"))),
    (
        "usage taken back",
        usage(quantity=Decimal(-2), cost=None),
        FREE,
        Amounts(quantity=Decimal(-2)),
    ),
]


@pytest.mark.rule("Nv5")
@pytest.mark.parametrize(("_what", "one", "key", "amounts"), ADDED, ids=[a[0] for a in ADDED])
def test_a_record_counts_for_the_member_it_is_about(
    _what: str, one: tuple[Row, Record], key: UsageKey | None, amounts: Amounts
) -> None:
    assert sums_of([one]) == ({} if key is None else {key: amounts})


AMOUNTS = st.decimals(min_value=Decimal(-999999999999), max_value=Decimal(999999999999), places=12)


@pytest.mark.rule("Nv5")
@given(st.lists(AMOUNTS, max_size=30), st.randoms())
def test_sums_are_exact_in_any_order(amounts: list[Decimal], chance: Any) -> None:
    shuffled = list(amounts)
    chance.shuffle(shuffled)
    in_turn = [Amounts(quantity=one, cost=-one) for one in shuffled]
    *_, total = accumulate(in_turn, Amounts.plus, initial=Amounts())
    exact = sum(int(one.scaleb(12, EXACT)) for one in amounts)
    assert total.quantity.scaleb(12, EXACT) == exact
    assert total.cost == -total.quantity


def test_units_and_currencies_are_never_added_together() -> None:
    rows = [usage(), usage(unit="hour"), usage(cost=Cost(amount=Decimal(1), currency="USD"))]
    assert {(key.unit, key.currency) for key in sums_of(rows)} == {
        ("gpu_hour", "EUR"),
        ("hour", "EUR"),
        ("gpu_hour", "USD"),
    }


TEXTS = [
    ("1.50", "1.5"),
    ("1.0", "1"),
    ("0.000000000001", "0.000000000001"),
    ("100", "100"),
    ("1E+3", "1000"),
    ("-0.0", "0"),
    ("0", "0"),
    ("-2.30", "-2.3"),
]


@pytest.mark.parametrize(("amount", "text"), TEXTS)
def test_an_amount_has_one_form(amount: str, text: str) -> None:
    assert amount_text(Decimal(amount)) == text


CELLS = [
    ("Ana", "Ana"),
    ("-1.5", "-1.5"),
    ("=1+1", "'=1+1"),
    ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t'=1"),
    ("\r=1", "'\r'=1"),
    (" =1", "' =1"),
    ("\uff1d1", "'\uff1d1"),
    ("\u200b=1", "'\u200b=1"),
    ("\u200b =1", "'\u200b =1"),
    ("a=1", "a=1"),
    ("Mal;=1+1", "Mal;'=1+1"),
    ("a;b; -2+3;c", "a;b;' -2+3;c"),
    ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
    ("a\r\n=1", "a\r\n'=1"),
    ('";"=1', '";\'"=1'),
    ('{"a": "=1"}', '{"a": "=1"}'),
    ("a;\u200b\uff1d1", "a;'\u200b\uff1d1"),
    ("a;b c", "a;b c"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "cell"), CELLS)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


def test_a_csv_file_is_read_as_it_was_written() -> None:
    rows = [["a", 'say "hi"', "x,y"], ["b\nc", "", "ü"]]
    assert list(csv.reader(io.StringIO(csv_text(rows), newline=""))) == rows
