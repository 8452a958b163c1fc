"""Forged copies of a genuine row, as someone with the broker's rights can publish them."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.auth.keys import generate_key
from shared.auth.row_signatures import RowSigner, SignedRow
from shared.bus import BusMessage
from shared.journal import rows
from shared.row_verifier import MAX_EVENT_BYTES
from tests.support.journal_keys import signer

Forgery = Callable[[SignedRow], BusMessage]


def _changed(**fields: Any) -> Forgery:
    """The event says something else; headers and signature are those of the genuine row."""

    def forge(genuine: SignedRow) -> BusMessage:
        event = genuine.row.model_copy(update=fields).to_event()
        return replace(rows.message(genuine), body=event)

    return forge


def _headers(**fields: Any) -> Forgery:
    """The genuine event under other headers."""
    return lambda genuine: replace(rows.message(genuine), **fields)


def _signed_by(other: RowSigner) -> Forgery:
    """An invented row at the next place, with headers that agree, signed with another key."""

    def forge(genuine: SignedRow) -> BusMessage:
        row = genuine.row
        invented = row.model_copy(update={"seq": row.seq + 1, "previous": genuine.digest})
        return rows.message(other.sign(invented))

    return forge


def _with_signature(of: Callable[[str], str]) -> Forgery:
    return lambda genuine: replace(rows.message(genuine), signature=of(genuine.signature))


def _last_bits_set(signature: str) -> str:
    """The same bytes for a decoder that ignores unused bits: 64 bytes leave four of them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return signature[:-1] + alphabet[alphabet.index(signature[-1]) | 1]


def _next_place(genuine: SignedRow) -> BusMessage:
    """The issue's example: a copy with the next sequence, in headers and event."""
    row = genuine.row.model_copy(update={"seq": genuine.row.seq + 1, "id": "evt_forged"})
    event = row.to_event()
    return replace(rows.message(genuine), id=row.id, seq=row.seq, body=event)


def _of_another_row(genuine: SignedRow) -> BusMessage:
    other = signer(genuine.row.source).sign(genuine.row.model_copy(update={"change_id": "chg_x"}))
    return replace(rows.message(genuine), signature=other.signature)


def _duplicate_member(genuine: SignedRow) -> BusMessage:
    body = genuine.event.replace(b'"data":{', b'"data":{},"data":{', 1)
    return replace(rows.message(genuine), body=body)


def _written_again(genuine: SignedRow) -> BusMessage:
    return replace(rows.message(genuine), body=json.dumps(json.loads(genuine.event)).encode())


FORGERIES: dict[str, Forgery] = {
    "another actor": _changed(change_id="chg_forged"),
    "another sequence": _changed(seq=99),
    "another shard": _changed(shard=1),
    "another epoch": _changed(epoch="forged"),
    "another source": _changed(source="notification"),
    "another type": _changed(type="team.member.forged.v1"),
    "another predecessor": _changed(previous="f" * 64),
    "the next place": _next_place,
    "header id": _headers(id="evt_other"),
    "header type": _headers(type="team.other.happened.v1"),
    "header source": _headers(source="identity"),
    "header of an unknown source": _headers(source="unheard"),
    "header epoch": _headers(epoch="forged"),
    "header shard": _headers(shard=1),
    "header shard far out": _headers(shard=10**30),
    "header seq": _headers(seq=10**9),
    "no header id": _headers(id=""),
    "no header source": _headers(source=""),
    "no header epoch": _headers(epoch=""),
    "no header shard": _headers(shard=-1),
    "no header seq": _headers(seq=-1),
    "routing key of another source": _headers(type="identity.user.verified.v1"),
    "too large": _headers(body=bytes(MAX_EVENT_BYTES + 1)),
    "key of another source": _signed_by(signer("notification")),
    "unknown key": _signed_by(RowSigner(generate_key())),
    "no signature": _with_signature(lambda _: ""),
    "signature cut": _with_signature(lambda signature: signature[:-2]),
    "signature longer": _with_signature(lambda signature: signature + "AA"),
    "signature padded": _with_signature(lambda signature: signature + "=="),
    "signature in the other alphabet": _with_signature(
        lambda signature: base64.b64encode(base64.urlsafe_b64decode(signature + "==")).decode()
    ),
    "signature not canonical": _with_signature(_last_bits_set),
    "signature not ASCII": _with_signature(lambda signature: "é" * len(signature)),
    "signature of another row": _of_another_row,
    "a member twice": _duplicate_member,
    "the event written again": _written_again,
    "not JSON": _headers(body=b"\xff{"),
}
