"""Every row refuses a body that is not valid in its media type."""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.authz.routes.points import POINT_PATH
from shared.http.routes import BODY_CAP_BYTES, Media, Strictness
from tests.contracts.asking import SANE, Asking, Case
from tests.contracts.pairing import row_pairs
from tests.contracts.people import People
from tests.contracts.rows import (
    DECISIONS,
    OF_POINTS,
    ROWS,
    WITH_BODY,
    body_of,
    content_type,
    encoded,
    examples,
    request,
    without_revision,
)
from tests.lengths import length

MALFORMED = {
    "text": b"nope",
    "single quotes": b"{'name': 'x'}",
    "an open object": b'{"name": "x"',
    "an open string": b'{"name": "x',
    "a trailing comma": b'{"name": "x",}',
    "a comment": b'{"name": "x"} // why',
    "two values": b'{"name": "x"} {"name": "y"}',
    "blanks only": b" \n\t ",
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": Infinity}',
    "minus Infinity": b'{"name": [-Infinity]}',
    "a number beyond every float": b'{"name": 1e999}',
    "an integer of 400 digits": b'{"name": ' + b"9" * 400 + b"}",
    "an integer of 5,000 digits": b'{"name": -' + b"9" * 5_000 + b"}",
    "a leading zero": b'{"name": 01}',
    "hexadecimal": b'{"name": 0x1f}',
    "half of a character": b'{"name": "\\ud800"}',
    "the other half": b'{"name": "\\udfff\\ud83d"}',
    "half of a character in a name": b'{"\\ud800": 1}',
    "NUL, escaped": b'{"name": "a\\u0000b"}',
    "NUL in a name": b'{"na\\u0000me": "x"}',
    "NUL, raw": b'{"name": "a\0b"}',
    "a raw line feed": b'{"name": "a\nb"}',
    "a bad escape": b'{"name": "\\x41"}',
    "the same name twice": b'{"name": "x", "name": "y"}',
    "the same name twice, once escaped": b'{"name": "x", "n\\u0061me": "y"}',
    "the same name twice, deeper": b'{"a": [{"b": 1, "b": 2}]}',
    "40 lists": b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}",
    "40 objects": b'{"name": ' + b'{"a": ' * 40 + b"1" + b"}" * 40 + b"}",
    "20,000 lists": b"[" * 20_000 + b"]" * 20_000,
    "20,000 open objects": b'{"a":' * 12_000,
    "bytes that are not UTF-8": b'{"name": "\xff\xfe"}',
    "an overlong slash": b'{"name": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "Latin-1": b'{"name": "Zo\xeb"}',
    "UTF-8 with a byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "UTF-16 with a byte order mark": '{"name": "x"}'.encode("utf-16"),
    "UTF-16": '{"name": "x"}'.encode("utf-16-be"),
    "UTF-32": '{"name": "x"}'.encode("utf-32"),
    "a form": b"name=x&role=admin",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "BSON": b"\x16\x00\x00\x00\x02name\x00\x02\x00\x00\x00x\x00\x00",
}
NO_OBJECT = {
    "an empty list": b"[]",
    "a list of objects": b'[{"name": "x"}]',
    "a string": b'"x"',
    "null": b"null",
    "a number": b"1",
    "a float": b"-1.5e3",
    "true": b"true",
}
MALFORMED_FORMS = {
    "no form": b'{"grant_type": "client_credentials"}',
    "no UTF-8": b"grant_type=%ff",
    "raw bytes": b"grant_type=\xff",
    "a member twice": b"grant_type=client_credentials&grant_type=password",
    "NUL": b"grant_type=a%00b",
    "a surrogate": b"grant_type=%ed%a0%80",
    "too many members": b"&".join(b"a%d=1" % number for number in range(100)),
    "two separators": b"grant_type=a&&scope=b",
}
WRONG_TYPES = {
    "no type": (),
    "text": (("Content-Type", "text/plain"),),
    "a form": (("Content-Type", "application/x-www-form-urlencoded"),),
    "parts": (("Content-Type", "multipart/form-data; boundary=x"),),
    "XML": (("Content-Type", "application/xml"),),
    "a merge patch": (("Content-Type", "application/merge-patch+json"),),
    "nearly JSON": (("Content-Type", "application/jsonp"),),
    "nonsense": (("Content-Type", ";;/;="),),
    "an empty type": (("Content-Type", ""),),
    "a starred parameter": (("Content-Type", "application/json; x*"),),
    "a starred parameter with accents": (("Content-Type", "application/json; é*0*"),),
    "a parameter's endless number": (("Content-Type", "application/json; x*" + "9" * 5_000),),
    "UTF-16": (("Content-Type", "application/json; charset=utf-16"),),
    "an unknown charset": (("Content-Type", "application/json; charset=klingon"),),
    "gzip": (("Content-Type", "application/json"), ("Content-Encoding", "gzip")),
    "gzip twice": (("Content-Type", "application/json"), ("Content-Encoding", "gzip, gzip")),
    "deflate": (("Content-Type", "application/json"), ("Content-Encoding", "deflate")),
    "brotli": (("Content-Type", "application/json"), ("Content-Encoding", "br")),
}
MUTATIONS = length("BODY_MUTATIONS", short=6, soak=20)


def test_a_row_of_a_decision_point_differs_in_its_path_only():
    """So the tests of bodies ask it at the point of all accounts."""
    of_all = {POINT_PATH + row.path: row for row in ROWS if row not in OF_POINTS}
    own = [row for row in OF_POINTS if row.takes is not None]
    assert len(own) == len(DECISIONS) // 2
    for row in own:
        other = of_all[row.path]
        named = replace(other, operation_id=row.operation_id, summary=row.summary)
        assert row == replace(named, path=row.path)
        assert row.handler is other.handler


def test_every_row_with_a_body_has_examples_with_every_member(gathered: People):
    bodies = examples(gathered)
    assert set(bodies) == {row.operation_id for row in (*WITH_BODY, *OF_POINTS) if row.takes}
    assert len({row.operation_id for row in ROWS}) == len(ROWS)
    for row in WITH_BODY:
        assert row.takes is not None
        members = {name for body in bodies[row.operation_id] for name in body}
        assert members == set(row.takes.model_json_schema(by_alias=True)["properties"])
        for body in bodies[row.operation_id]:
            row.takes.model_validate_json(json.dumps(body), strict=True)


@pytest.mark.rule("T22")
async def test_a_body_that_is_not_strict_json_is_malformed_json(asking: Asking, people: People):
    def cases() -> Iterator[Case]:
        rows = [row for row in WITH_BODY if row.media is not Media.FORM]
        for row, (name, body) in row_pairs(rows, MALFORMED.items()):
            yield request(row, people, name, body, statuses={400}, code="malformed-json")
        for row in rows:
            for sent in examples(people)[row.operation_id]:
                cut = encoded(row, sent)[:-1]
                yield request(row, people, "truncated", cut, statuses={400}, code="malformed-json")
                first = next(iter(sent))
                twice = b'{"%s": "x", %s' % (first.encode(), encoded(row, sent)[1:])
                yield request(row, people, "twice", twice, statuses={400}, code="malformed-json")

    await asking.check(cases())


async def test_json_that_is_not_an_object_is_invalid(asking: Asking, people: People):
    def cases() -> Iterator[Case]:
        for row in WITH_BODY:
            if row.media is Media.FORM:
                continue
            lenient = row.strictness is Strictness.LENIENT
            expected: dict[str, Any] = (
                {"statuses": {400}, "code": "bad-request"}
                if lenient
                else {"statuses": {422}, "code": "invalid", "pointer": ""}
            )
            for name, body in NO_OBJECT.items():
                yield request(row, people, name, body, **expected)

    await asking.check(cases())


async def test_a_body_that_is_not_a_form_is_malformed(asking: Asking, people: People):
    await asking.check(
        request(row, people, name, body, statuses={400})
        for row in WITH_BODY
        if row.media is Media.FORM
        for name, body in MALFORMED_FORMS.items()
    )


async def test_missing_and_malformed_bodies_have_different_codes(asking: Asking, people: People):
    await asking.check(
        request(row, people, "empty", body, statuses={400}, code="body-missing")
        for row in WITH_BODY
        for body in (b"", None)
    )


async def test_a_body_beyond_the_cap_is_too_large_however_it_is_sent(
    asking: Asking, people: People
):
    def cases() -> Iterator[Case]:
        for row in WITH_BODY:
            for size in (row.body_cap + 1, row.body_cap + 15 * BODY_CAP_BYTES):
                for chunked in (False, True):
                    name = f"{size} bytes, chunked: {chunked}"
                    yield request(
                        row,
                        people,
                        name,
                        b" " * size,
                        chunked=chunked,
                        statuses={413},
                        code="body-too-large",
                    )

    await asking.check(cases())


async def test_another_content_type_or_coding_is_refused_before_reading(
    asking: Asking, people: People
):
    def cases() -> Iterator[Case]:
        other = (("Content-Type", "application/json"),)
        for row, (name, headers) in row_pairs(WITH_BODY, WRONG_TYPES.items()):
            sent = body_of(row, people) or b""
            yield request(
                row,
                people,
                name,
                gzip.compress(sent) if name.startswith("gzip") else sent,
                headers=other if headers == content_type(row) else headers,
                statuses={400},
                code="wrong-content-type",
            )

    await asking.check(cases())


async def test_no_small_change_to_a_good_body_causes_an_internal_error(
    asking: Asking, people: People
):
    """Bytes are changed, dropped, doubled and put in; the order of the tests' run is the seed."""

    def cases() -> Iterator[Case]:
        for row in WITH_BODY:
            for sent in examples(people)[row.operation_id]:
                for _ in range(MUTATIONS):
                    body = mutated(encoded(row, without_revision(sent)))
                    yield request(row, people, repr(body), body, statuses=SANE)

    await asking.check(cases())


def mutated(body: bytes) -> bytes:
    """The body with up to three small changes."""
    changed = bytearray(body)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(changed))
        match random.randrange(4):
            case 0:
                changed[at] = random.randrange(256)
            case 1:
                del changed[at : at + random.randint(1, 4)]
            case 2:
                changed[at:at] = changed[at : at + random.randint(1, 8)]
            case _:
                changed[at:at] = random.choice(
                    [b"\0", b'"', b"{", b"}", b"\\u", b"9" * 30, b"\xc3"]
                )
    return bytes(changed) or b"{"
