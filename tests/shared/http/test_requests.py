"""Requests that do not fit are refused with their place; others reach the handler."""

import asyncio
import json
from contextlib import nullcontext, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from shared.http.bodies import receive_body
from shared.http.refusals import BodyBroken
from tests.shared.http.sample import ACCOUNT, ROUTES, USER, Echo, Site, World, bearer, team
from tests.waiting import wait_for

PROBLEM_MEMBERS = {"type", "title", "status", "code", "detail", "request_id"}


async def problem(response, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer, after checking all that every problem has."""
    body: dict[str, Any] = await response.json(content_type="application/problem+json")
    assert (response.status, body.get("code")) == (status, code), body
    assert set(body) >= PROBLEM_MEMBERS
    assert body["type"] == f"urn:rolecall:problem:{code}"
    assert body["status"] == status
    assert body["request_id"] == response.headers["Rolecall-Request-ID"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return body


MALFORMED = {
    "nothing at all but a blank": b" ",
    "a word": b"hello",
    "an open object": b'{"name": "x"',
    "a comma at the end": b'{"name": "x",}',
    "single quotes": b"{'name': 'x'}",
    "a comment": b'{"name": "x"} // x',
    "two values": b'{"name": "x"} {}',
    "a doubled member": b'{"name": "x", "name": "y"}',
    "a doubled member, escaped": b'{"name": "x", "n\\u0061me": "y"}',
    "a doubled member further in": b'{"name": "x", "labels": {"a": "1", "a": "2"}}',
    "NaN": b'{"name": "x", "count": NaN}',
    "Infinity": b'{"name": "x", "count": -Infinity}',
    "a number beyond all floats": b'{"name": "x", "count": 1e400}',
    "an integer of 65 bits": b'{"name": "x", "count": 9223372036854775808}',
    "a negative integer of 65 bits": b'{"name": "x", "count": -9223372036854775809}',
    "an integer of ten thousand digits": b'{"name": "x", "count": ' + b"9" * 10_000 + b"}",
    "33 levels": b'{"name": ' + b"[" * 32 + b"]" * 32 + b"}",
    "ten thousand levels": b"[" * 10_000,
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a lone surrogate as a name": b'{"name": "x", "labels": {"\\udc00": "x"}}',
    "NUL in a string": b'{"name": "a\\u0000b"}',
    "NUL in a name": b'{"name": "x", "labels": {"\\u0000": "x"}}',
    "a raw control character": b'{"name": "a\x01b"}',
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "a number with a leading zero": b'{"name": "x", "count": 01}',
}


@pytest.mark.rule("T22")
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_body_that_is_not_strict_json_is_malformed(site: Site, body: bytes):
    headers = {"Content-Type": "application/json"}
    for who, path in ((None, "/v1/open"), ("checker", "/v1/check")):
        async with site.ask("POST", path, data=body, headers=headers | bearer(who)) as response:
            await problem(response, 400, "malformed-json")
    assert not site.world.calls


FINE = {
    "the least": b'{"name": "x"}',
    "blanks around": b' \n{"name": "x"}\n ',
    "the largest integer": b'{"name": "x", "count": 9223372036854775807}',
    "a whole pair of surrogates": b'{"name": "\\ud83d\\ude00"}',
    "escapes": b'{"name": "a\\u0001b"}',
    "a choice": b'{"name": "x", "colour": "red"}',
    "a time": b'{"name": "x", "born": "2026-03-01T12:00:00Z"}',
    "a branch": b'{"name": "x", "pet": {"kind": "cat", "lives": 9}}',
}


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
async def test_a_body_that_fits_is_taken(site: Site, body: bytes):
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    async with site.ask("POST", "/v1/open", data=body, headers=headers) as response:
        assert response.status == 200, await response.text()


MISFITS = [
    ("[]", [""]),
    ("null", [""]),
    ('"x"', [""]),
    ("{}", ["/name"]),
    ('{"name": null}', ["/name"]),
    ('{"name": 1}', ["/name"]),
    ('{"name": {"$ne": null}}', ["/name"]),
    ('{"name": ["x"]}', ["/name"]),
    ('{"name": "xxxxxxxxxxxxxxxxxxxxx"}', ["/name"]),
    ('{"name": "x", "count": "1"}', ["/count"]),
    ('{"name": "x", "count": 1.5}', ["/count"]),
    ('{"name": "x", "count": true}', ["/count"]),
    ('{"name": "x", "colour": "blue"}', ["/colour"]),
    ('{"name": "x", "born": 12}', ["/born"]),
    ('{"name": "x", "verified": true}', ["/verified"]),
    ('{"name": "x", "account_id": "acc_1", "owner": true}', ["/account_id", "/owner"]),
    ('{"name": "x", "a/b~c": 1}', ["/a~1b~0c"]),
    ('{"name": "x", "labels": {"a": 1}}', ["/labels/a"]),
    ('{"name": "x", "pet": {"kind": "cow"}}', ["/pet/kind"]),
    ('{"name": "x", "pet": {"kind": "cat"}}', ["/pet/lives"]),
    ('{"name": "x", "pet": {"kind": "cat", "lives": 1, "owner": 1}}', ["/pet/owner"]),
    ('{"name": "x", "pet": {"kind": "dog", "names": ["a", 2]}}', ["/pet/names/1"]),
    ('{"name": "x", "pet": {"kind": "dog", "names": [2]}}', ["/pet/names/0"]),
    ('{"name": "x", "food": true}', ["/food"]),
    ('{"name": "x", "food": []}', ["/food"]),
    ('{"name": "x", "food": [{"what": 1}, 2, "x"]}', ["/food/0/what", "/food/1"]),
    ('{"name": "x", "food": {"what": "x", "str": 1}}', ["/food/str"]),
    ('{"name": "x", "food": {"whaat": "x"}}', ["/food/what", "/food/whaat"]),
    (
        '{"name": "x", "food": {"what": "x", "times": [true, "a", null, []]}}',
        ["/food/times/2", "/food/times/3"],
    ),
    ('{"name": "x", "pet": {"kind": "dog", "names": []}}', ["/pet/names"]),
]


@pytest.mark.parametrize(("body", "pointers"), MISFITS)
async def test_json_that_does_not_fit_is_invalid_and_says_where(
    site: Site, body: str, pointers: list[str]
):
    headers = {"Content-Type": "application/json"}
    async with site.ask("POST", "/v1/open", data=body, headers=headers) as response:
        said = await problem(response, 422, "invalid")
    assert [error["pointer"] for error in said["errors"]] == pointers
    assert all(error["message"].endswith(".") for error in said["errors"])


TIME = "Must be an RFC 3339 time with a zone, such as 2026-03-05T12:00:00Z."
SEND = TIME.replace("Must be", "Send")
MESSAGES = [
    ("[]", "Must be an object."),
    ("{}", "This field is required."),
    ('{"name": 1}', "Must be a string."),
    ('{"name": "xxxxxxxxxxxxxxxxxxxxx"}', "Must have at most 20 characters."),
    ('{"name": "x", "count": 1.5}', "Must be an integer."),
    ('{"name": "x", "count": true}', "Must be an integer."),
    ('{"name": "x", "colour": "blue"}', "Must be one of: red, green."),
    ('{"name": "x", "born": 12}', TIME),
    ('{"name": "x", "born": "yesterday"}', TIME),
    ('{"name": "x", "born": "30.02.2026"}', TIME),
    ('{"name": "x", "born": "2026-02-30"}', f"This day does not exist in the calendar. {SEND}"),
    (
        '{"name": "x", "born": "2026-02-29T12:00:00Z"}',
        f"This day does not exist in the calendar. {SEND}",
    ),
    (
        '{"name": "x", "born": "2026-13-01T12:00:00Z"}',
        f"This day does not exist in the calendar. {SEND}",
    ),
    ('{"name": "x", "born": "2026-02-28"}', f"The time of the day is missing. {SEND}"),
    (
        '{"name": "x", "born": "2026-02-28T24:00:00Z"}',
        f"This time of the day does not exist. {SEND}",
    ),
    (
        '{"name": "x", "born": "2026-02-28T12:00:60Z"}',
        f"This time of the day does not exist. {SEND}",
    ),
    ('{"name": "x", "born": "2026-02-28T12:00:00+25:00"}', TIME),
    (
        '{"name": "x", "born": "2026-03-05T12:00:00"}',
        "The time has no zone. Add `Z` for UTC, or an offset such as `+02:00`.",
    ),
    ('{"name": "x", "verified": true}', "This field is not known. Remove it."),
    ('{"name": "x", "labels": []}', "Must be an object."),
    (
        '{"name": "x", "labls": {}}',
        "This field is not known. Did you mean `labels`? Remove it, or correct its name.",
    ),
    ('{"name": "x", "food": 1}', "Must be a string, an object, or an array."),
    ('{"name": "x", "food": [1]}', "Must be a string, or an object."),
    ('{"name": "x", "food": ["xxxxxxxxxxxxxxxxxxxxx"]}', "Must have at most 20 characters."),
    (
        '{"name": "x", "food": [{"what": "x", "time": []}]}',
        "This field is not known. Did you mean `times`? Remove it, or correct its name.",
    ),
    (
        '{"name": "x", "food": {"what": "x", "times": [{}]}}',
        "Must be a string, a number, or true or false.",
    ),
    ('{"name": "x", "pet": {"kind": "cow"}}', "Must be one of: cat, dog."),
    ('{"name": "x", "pet": {"lives": 1}}', "This field is required."),
    ('{"name": "x", "pet": {"kind": "dog", "names": 1}}', "Must be an array."),
    ('{"name": "x", "pet": {"kind": "dog", "names": []}}', "Must not be empty."),
]


@pytest.mark.parametrize(("body", "message"), MESSAGES)
async def test_a_message_names_the_rule_and_the_choices(site: Site, body: str, message: str):
    headers = {"Content-Type": "application/json"}
    async with site.ask("POST", "/v1/open", data=body, headers=headers) as response:
        said = await problem(response, 422, "invalid")
    assert [error["message"] for error in said["errors"]] == [message]


async def test_what_was_sent_is_never_echoed(site: Site):
    body = {"name": 7, "password": ["hunter2"], "colour": "hunter2", "born": "hunter2"}
    body |= {"pet": {"kind": "hunter2"}, "count": "hunter2"}
    async with site.ask("POST", "/v1/open", json=body) as response:
        await problem(response, 422, "invalid")
        assert "hunter2" not in await response.text()


async def test_a_thousand_faults_are_not_all_told(site: Site):
    body = {"name": "x"} | {f"{n}" * 300: n for n in range(100, 150)}
    async with site.ask("POST", "/v1/open", json=body) as response:
        said = await problem(response, 422, "invalid")
    assert len(said["errors"]) == 20
    assert max(len(error["pointer"]) for error in said["errors"]) == 200


async def test_a_lenient_route_answers_400_and_ignores_unknown_members(site: Site):
    headers = bearer("checker")
    async with site.ask("POST", "/v1/check", json={"name": 1}, headers=headers) as response:
        said = await problem(response, 400, "bad-request")
        assert said["errors"][0]["pointer"] == "/name"
    fine = {"name": "x", "later": {"more": 1}, "pet": {"kind": "cat", "lives": 9, "age": 1}}
    async with site.ask("POST", "/v1/check?x=1", json=fine, headers=headers) as response:
        assert response.status == 200


TYPES = [
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "application/jsonx"},
    {"Content-Type": "application/json; charset=latin-1"},
    {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    {"Content-Type": ""},
    # The standard library's parser raises for these.
    {"Content-Type": "application/json; x*"},
    {"Content-Type": "application/json; x*" + "9" * 5_000},
    {"Content-Type": "application/json; é*0*"},
]


@pytest.mark.parametrize("headers", TYPES)
async def test_another_media_type_is_refused(site: Site, headers: dict[str, str]):
    for who, path in ((None, "/v1/open"), ("checker", "/v1/check")):
        async with site.ask(
            "POST", path, data=b'{"name": "x"}', headers=headers | bearer(who)
        ) as response:
            await problem(response, 400, "wrong-content-type")


async def test_an_empty_body_is_refused_where_one_is_needed(site: Site):
    headers = {"Content-Type": "application/json"}
    async with site.ask("POST", "/v1/open", headers=headers) as response:
        await problem(response, 400, "body-missing")
    async with site.ask("POST", "/v1/open", headers=headers, data=b"") as response:
        await problem(response, 400, "body-missing")


@pytest.mark.parametrize("sent", ["at once", "in chunks"])
async def test_a_body_beyond_the_cap_is_refused(site: Site, sent: str):
    body = json.dumps({"name": "x", "labels": {"a": "x" * 200}}).encode()

    async def pieces():
        for start in range(0, len(body), 50):
            yield body[start : start + 50]

    async with site.ask(
        "POST",
        "/v1/large",
        data=pieces() if sent == "in chunks" else body,
        headers={"Content-Type": "application/json"},
    ) as response:
        said = await problem(response, 413, "body-too-large")
    assert "200 bytes" in said["detail"]


async def raw(site: Site, text: bytes, *, within: float = 5) -> bytes:
    """All that the server says to these bytes until it closes, or resets, the connection."""
    address = urlsplit(site.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    said = b""
    # A server that has read enough may close while more is coming, which is a reset.
    with suppress(ConnectionError):
        writer.write(text)
        async with asyncio.timeout(within):
            while piece := await reader.read(65536):
                said += piece
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return said


def request(path: str, *lines: str, body: bytes = b"") -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines, "", ""]
    return "\r\n".join(head).encode() + body


async def test_a_media_type_in_no_known_encoding_is_refused(site: Site):
    sane = request("/v1/open", "Content-Length: 2", "Connection: close", body=b"{}")
    answer = await raw(site, sane.replace(b"/json", b"/json; \xff*0*"))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"wrong-content-type"' in answer


@pytest.mark.rule("T19")
async def test_an_endless_body_is_cut_at_the_cap(site: Site):
    piece = b"3e8\r\n" + b" " * 1000 + b"\r\n"
    endless = request("/v1/large", "Transfer-Encoding: chunked", body=piece * 500)
    answer = await raw(site, endless)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.fixture
async def impatient(serve, world: World) -> Site:
    """The same service with little time for bodies."""
    started: Site = await serve(team(world, body_seconds=0.2))
    return started


@pytest.mark.rule("T19")
async def test_a_slow_body_is_cut(impatient: Site):
    answer = await raw(impatient, request("/v1/open", "Content-Length: 100", body=b'{"name"'))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"body-too-slow"' in answer


@pytest.mark.parametrize("ending", [b"zz\r\n\r\n", b"5\r\n{}\r\n"])
async def test_broken_chunks_are_answered_with_400_or_408(impatient: Site, ending: bytes):
    chunked = request("/v1/open", "Transfer-Encoding: chunked", body=b"1\r\n{\r\n")
    assert (await raw(impatient, chunked + ending)).split()[1] in {b"400", b"408"}


async def test_a_body_that_breaks_off_reaches_no_handler_and_logs_no_error(
    site: Site, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    address = urlsplit(site.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request("/v1/open", "Content-Length: 100", body=b'{"name"'))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    [line] = await wait_for(lambda: [r for r in caplog.records if r.name == "rolecall.access"])
    assert vars(line)["problem"] == "body-broken"
    assert not [r for r in caplog.records if r.levelname == "ERROR" and r.name != "asyncio"]
    assert not site.world.calls


class LostConnection(BaseProtocol):
    """The protocol of a connection that is lost: it has no transport."""

    ssl_context = peername = sockname = writer = None


async def test_a_body_that_is_read_after_its_connection_was_lost_is_broken():
    lost = LostConnection(asyncio.get_running_loop())
    body = StreamReader(lost, 2**16)
    body.feed_data(b'{"name"')
    headers = {"Content-Length": "100", "Content-Type": "application/json"}
    request = make_mocked_request(
        "POST", "/v1/open", headers=headers, payload=body, protocol=lost, transport=None
    )
    row = next(row for row in ROUTES if row.takes is not None)
    received = await receive_body(request, row, seconds=30.0, waiting=nullcontext)
    with pytest.raises(BodyBroken):
        received.parse(row)


UNKNOWN = "This parameter is not known. Remove it."
QUERIES = [
    ("limit=0", "/query/limit", "Must be at least 1."),
    ("limit=201", "/query/limit", "Must be at most 200."),
    ("limit=ten", "/query/limit", "Must be an integer."),
    ("limit=99999999999999999999999", "/query/limit", "Must be at most 200."),
    ("limit=", "/query/limit", "Must be an integer."),
    (
        "limit=1&limit=2",
        "/query/limit",
        "This parameter appears more than once. Send it once.",
    ),
    ("unknown=1", "/query/unknown", UNKNOWN),
    (
        "from=a%00b",
        "/query/from",
        "Contains a character that is not allowed. Remove it.",
    ),
    ("limit[$gt]=1", "/query/limit[$gt]", UNKNOWN),
]


@pytest.mark.parametrize(("query", "pointer", "message"), QUERIES)
async def test_a_query_that_does_not_fit_is_invalid(
    site: Site, query: str, pointer: str, message: str
):
    async with site.ask("GET", f"/v1/open?{query}") as response:
        said = await problem(response, 422, "invalid")
    assert said["errors"] == [{"pointer": pointer, "message": message}]


async def test_a_query_that_fits_is_read(site: Site):
    async with site.ask("GET", "/v1/open?limit=7&from=abc") as response:
        assert response.status == 200
    [call] = site.world.calls
    assert (call.query.limit, call.query.after) == (7, "abc")


async def test_a_route_without_parameters_takes_none(site: Site):
    async with site.ask("GET", "/v1/mine?a=1", headers=bearer("user")) as response:
        await problem(response, 422, "invalid")


FORMS = [
    "limit=ten",
    "limit=1&limit=2",
    "limit",
    "limit=%ff",
    "&".join(["a=1"] * 40),
    "é=1",
    "limit=%4",
]


@pytest.mark.parametrize("form", FORMS)
async def test_a_form_that_does_not_fit_is_a_bad_request(site: Site, form: str):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with site.ask("POST", "/oauth2/token", data=form, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "invalid_request"


async def test_a_form_is_read_and_what_is_unknown_in_it_ignored(site: Site):
    form = {"limit": "7", "from": "a b+c", "scope": "x"}
    async with site.ask("POST", "/oauth2/token", data=form) as response:
        assert response.status == 200
    [call] = site.world.calls
    assert (call.body.limit, call.body.after) == (7, "a b+c")


IDS = [
    "acc_1",
    "ACC_" + "0c" * 16,
    "acc_" + "0C" * 16,
    "usr_" + "0c" * 16,
    ACCOUNT + "0",
    ACCOUNT + "%0A",
    ACCOUNT + "%00",
    "%24ne",
    "..%2F..%2Fetc",
    "acc_" + "%D9%A0" * 32,
    "x" * 3000,
]


@pytest.mark.parametrize("text", IDS)
async def test_a_malformed_id_is_not_found_without_a_check(site: Site, text: str):
    async with site.ask(
        "GET", f"/v1/accounts/{text}", headers=bearer("user"), allow_redirects=False
    ) as response:
        said = await problem(response, 404, "not-found")
    assert not site.world.seen
    assert said["errors"] == [
        {
            "pointer": "/path/account_id",
            "message": "Must be an id that begins with `acc_`, as an earlier answer gave it.",
        }
    ]


async def test_an_unknown_path_is_told_from_an_unknown_thing(site: Site):
    async with site.ask("GET", "/v1/acounts", headers=bearer("user")) as response:
        said = await problem(response, 404, "not-found")
    assert said["detail"].startswith("No route has this path. Check its spelling")


@pytest.mark.parametrize(("key", "status"), [("a", 201), ("x" * 255, 201), ("x" * 256, 422)])
async def test_an_idempotency_key_is_bounded(site: Site, key: str, status: int):
    headers = bearer("user") | {"Idempotency-Key": key}
    async with site.ask("POST", "/v1/once", json={"name": "x"}, headers=headers) as response:
        assert response.status == status
    assert [call.guard and call.guard.key for call in site.world.calls] == [key] * (status == 201)


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "é"])
async def test_an_idempotency_key_has_visible_characters_only(site: Site, key: str):
    headers = bearer("user") | {"Idempotency-Key": key}
    async with site.ask("POST", "/v1/once", json={"name": "x"}, headers=headers) as response:
        said = await problem(response, 422, "invalid")
    assert said["errors"][0]["pointer"] == "/headers/Idempotency-Key"


async def test_an_idempotency_key_is_ignored_where_none_is_stored(site: Site):
    headers = {"Idempotency-Key": "\t"}
    async with site.ask("POST", "/v1/open", json={"name": "x"}, headers=headers) as response:
        assert Echo.model_validate(await response.json()).principal == "anonymous:anonymous"
    assert site.world.calls[0].guard is None


async def test_every_path_parameter_is_handed_on(site: Site):
    path = f"/v1/accounts/{ACCOUNT}/members/{USER}"
    async with site.ask("DELETE", path, headers=bearer("user")) as response:
        assert (response.status, await response.read()) == (204, b"")
    [call] = site.world.calls
    assert (call.account_id, call.path["user_id"]) == (ACCOUNT, USER)
    assert call.permission == "member:remove"
