"""A row passes only as its source signed it, at its place, after its predecessor."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.client.jwk import encode
from shared import context, metrics
from shared.auth.keys import generate_key, public_text
from shared.auth.row_signatures import RowSigner, SignedRow
from shared.bus import BusMessage
from shared.contracts.calls.journal import Changes, ChangesQuery
from shared.contracts.facts import GENESIS, MAX_ROW_BYTES, Row
from shared.contracts.team import ProjectCreated
from shared.journal import rows
from shared.row_verifier import (
    ALARM,
    ALARM_SECONDS,
    MAX_EVENT_BYTES,
    Channel,
    Fault,
    RowRefused,
    RowVerifier,
)
from tests.clocks import SetClock
from tests.services.rows import row_of
from tests.support.forgeries import FORGERIES, Forgery
from tests.support.journal_keys import JOURNAL_KEYS, PUBLIC_KEYS, signer, verifier

SHARD, EPOCH = 3, "e1"
CREATED = ProjectCreated(project_id="prj_1", name="P")


def chain(length: int) -> list[SignedRow]:
    """The first rows of a shard of team."""
    signed: list[SignedRow] = []
    for seq in range(1, length + 1):
        previous = signed[-1].digest if signed else GENESIS
        row = row_of(CREATED, shard=SHARD, epoch=EPOCH, seq=seq, previous=previous)
        signed.append(signer("team").sign(row))
    return signed


def page_of(*page: SignedRow) -> Changes:
    return Changes(
        source="team",
        epoch=EPOCH,
        items=[signed.event.decode() for signed in page],
        signatures=[signed.signature for signed in page],
    )


def fetched(page: Changes, *, after: int = 0) -> list[Row]:
    query = ChangesQuery(shard=SHARD, after=after, limit=10)
    return [signed.row for signed in verifier().page(page, query, source="team")]


def test_a_genuine_message_passes_with_the_bytes_that_were_signed():
    [genuine] = chain(1)
    assert verifier().message(rows.message(genuine)) == genuine


def test_an_event_with_a_field_of_a_later_version_passes():
    [genuine] = chain(1)
    event = genuine.event.replace(b'"data":{', b'"data":{"later":1,', 1)
    signature = signer("team").signature(event)
    later = replace(rows.message(genuine), body=event, signature=signature)
    assert verifier().message(later).digest != genuine.digest


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_message_is_refused(forge: Forgery):
    with pytest.raises(RowRefused):
        verifier().message(forge(chain(1)[0]))


def test_each_of_several_keys_of_a_source_verifies_until_it_is_removed():
    [genuine] = chain(1)
    new = public_text(generate_key().public_key())
    old = JOURNAL_KEYS.public["team"]
    both = RowVerifier(PUBLIC_KEYS | {"team": (new, old)}, clock=SetClock())
    assert both.message(rows.message(genuine)) == genuine
    removed = RowVerifier(PUBLIC_KEYS | {"team": (new,)}, clock=SetClock())
    with pytest.raises(RowRefused):
        removed.message(rows.message(genuine))


def test_a_signature_for_another_purpose_does_not_fit_a_row():
    key = generate_key()
    [genuine] = chain(1)
    plain = rows.message(genuine)
    knows = RowVerifier({"team": (public_text(key.public_key()),)}, clock=SetClock())
    fit = replace(plain, signature=RowSigner(key).signature(genuine.event))
    assert knows.message(fit).row == genuine.row
    with pytest.raises(RowRefused):
        knows.message(replace(plain, signature=encode(key.sign(plain.body))))


def test_a_signed_event_that_is_not_a_row_is_an_error_and_not_a_forgery():
    body = b"{}"
    signature = signer("team").signature(body)
    with pytest.raises(ValueError, match="CloudEvents"):
        verifier().message(replace(rows.message(chain(1)[0]), body=body, signature=signature))


@settings(deadline=None)
@given(length=st.integers(1, 8), after=st.integers(0, 7))
def test_any_part_of_a_chain_passes_as_a_page(length: int, after: int):
    page = chain(length)[after:]
    assert fetched(page_of(*page), after=after) == [signed.row for signed in page]


@settings(deadline=None)
@given(data=st.data(), length=st.integers(2, 8))
def test_a_chain_with_one_other_row_in_it_does_not_pass(data: st.DataObject, length: int):
    """The source itself signed the other row: only the chain tells."""
    page = chain(length)
    place = data.draw(st.integers(0, length - 2), label="place")
    other = page[place].row.model_copy(update={"change_id": "chg_other"})
    page[place] = signer("team").sign(other)
    with pytest.raises(RowRefused):
        fetched(page_of(*page))


def test_the_first_row_of_a_shard_follows_nothing():
    [first] = chain(1)
    other = signer("team").sign(first.row.model_copy(update={"previous": "f" * 64}))
    with pytest.raises(RowRefused):
        fetched(page_of(other))


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(lambda page: (page[1], page[0]), id="order"),
        pytest.param(lambda page: (page[0], page[0]), id="twice"),
        pytest.param(lambda page: [page[0], *chain_of("identity")], id="another source"),
        pytest.param(lambda _: chain_at(shard=4), id="another shard"),
        pytest.param(lambda _: chain_at(epoch="e0"), id="another epoch"),
        pytest.param(lambda _: chain_at(seq=11), id="beyond the limit"),
    ],
)
def test_a_page_with_other_rows_than_those_asked_for_does_not_pass(pages):
    with pytest.raises(RowRefused):
        fetched(page_of(*pages(chain(2))))


def test_a_signed_row_of_another_services_type_does_not_pass():
    row = row_of(
        CREATED, type="identity.user.erased.v1", shard=SHARD, epoch=EPOCH, seq=1, previous=GENESIS
    )
    other = signer("team").sign(row)
    with pytest.raises(RowRefused, match=Fault.HEADERS):
        fetched(page_of(other))
    with pytest.raises(RowRefused, match=Fault.HEADERS):
        verifier().stored("team", other.event, other.signature)


def test_rows_before_an_unfit_one_are_given():
    page = chain(3)
    forged = page_of(*page).model_copy(update={"signatures": [page[0].signature] * 3})
    query = ChangesQuery(shard=SHARD, after=0, limit=10)
    answer = verifier().page(forged, query, source="team")
    assert next(answer).row.seq == 1
    with pytest.raises(RowRefused):
        next(answer)


def test_a_flood_of_forgeries_is_counted_and_logged_once_in_a_while(caplog):
    clock = SetClock()
    verifying = RowVerifier(PUBLIC_KEYS, clock=clock)
    context.service.set("flooded")
    forged = FORGERIES["no signature"](chain(1)[0])

    def flood() -> None:
        for _ in range(50):
            with pytest.raises(RowRefused):
                verifying.message(forged)

    with caplog.at_level(logging.ERROR):
        flood()
        assert caplog.messages == [ALARM]
        clock.move(ALARM_SECONDS + 1)
        flood()
        assert caplog.messages == [ALARM] * 2
    labels = {"service": "flooded", "source": "team", "channel": "bus", "reason": "signature"}
    assert metrics.REGISTRY.get_sample_value("rolecall_rows_refused_total", labels) == 100


@pytest.mark.parametrize(
    "lacking",
    [
        {"id": ""},
        {"source": ""},
        {"source": "identity"},
        {"epoch": ""},
        {"shard": -1},
        {"seq": -1},
    ],
    ids=str,
)
def test_a_message_that_lacks_a_part_is_counted_for_its_sender(lacking: dict[str, Any]):
    """The routing key names the sender; the broker checks it."""
    context.service.set(f"lacking {lacking}")
    with pytest.raises(RowRefused):
        verifier().message(replace(rows.message(chain(1)[0]), **lacking))
    assert refusals("malformed") == 1


def test_a_message_of_nothing_but_a_body_is_malformed():
    context.service.set("nothing")
    with pytest.raises(RowRefused):
        verifier().message(BusMessage(type="", body=b""))
    assert refusals("malformed", source="unknown") == 1


def test_a_body_larger_than_a_row_is_refused_although_signed():
    context.service.set("large")
    large = b"x" * (MAX_EVENT_BYTES + 1)
    signature = signer("team").signature(large)
    with pytest.raises(RowRefused):
        verifier().message(replace(rows.message(chain(1)[0]), body=large, signature=signature))
    assert refusals("size") == 1


def test_the_largest_row_passes():
    row = row_of(CREATED, shard=SHARD, epoch=EPOCH, seq=1, previous=GENESIS)
    room = MAX_ROW_BYTES - len(row.to_event())
    name = row.resource.name or ""
    resource = row.resource.model_copy(update={"name": name + "x" * room})
    largest = signer("team").sign(row.model_copy(update={"resource": resource}))
    assert len(largest.event) == MAX_ROW_BYTES
    assert verifier().message(rows.message(largest)) == largest


def test_a_flood_of_one_kind_does_not_hide_a_single_fork(caplog):
    verifying = RowVerifier(PUBLIC_KEYS, clock=SetClock())
    forged = FORGERIES["no signature"](chain(1)[0])
    with caplog.at_level(logging.ERROR):
        for _ in range(50):
            with pytest.raises(RowRefused):
                verifying.message(forged)
        verifying.refuse("team", Channel.BUS, Fault.FORK)
    assert [record.reason for record in caplog.records] == ["signature", "fork"]


def test_unknown_sources_share_one_label():
    context.service.set("labelled")
    genuine = rows.message(chain(1)[0])
    for name in ("nothing", "nothing else"):
        unknown = replace(genuine, source=name, type=f"{name}.thing.happened.v1")
        with pytest.raises(RowRefused):
            verifier().message(unknown)
    labels = {
        "service": "labelled",
        "source": "unknown",
        "channel": "bus",
        "reason": "unknown source",
    }
    assert metrics.REGISTRY.get_sample_value("rolecall_rows_refused_total", labels) == 2


def refusals(reason: str, *, source: str = "team") -> float | None:
    """How many messages this test's service has refused for a reason."""
    labels = {"service": str(context.service.get()), "channel": "bus"}
    return metrics.REGISTRY.get_sample_value(
        "rolecall_rows_refused_total", labels | {"source": source, "reason": reason}
    )


def chain_of(source: str) -> list[SignedRow]:
    """A second row of another source, under its own signature."""
    row = row_of(CREATED, source=source, shard=SHARD, epoch=EPOCH, seq=2, previous=GENESIS)
    return [signer(source).sign(row)]


def chain_at(**place: Any) -> list[SignedRow]:
    """A row of team at another place."""
    fields: dict[str, Any] = {"shard": SHARD, "epoch": EPOCH, "seq": 1} | place
    return [signer("team").sign(row_of(CREATED, **fields))]
