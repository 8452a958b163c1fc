"""A client cannot tell the path that answers checks from raw bytes from aiohttp's own."""

import json
import random

import pytest
import pytest_asyncio

from services.authz.adapters.hot_requests import (
    MAX_AT_ONCE,
    MAX_BYTES,
    HotRequests,
    HotRoute,
    Unread,
)
from services.authz.routes.evaluation import EVALUATION
from services.authz.routes.hot_bodies import read_batch_quickly
from services.authz.routes.hot_evaluation import MAX_BATCH_BYTES
from shared.auth.api_tokens import new_api_token
from tests.lengths import SEED, length
from tests.services.authz.compiled import EITHER, compiled
from tests.services.authz.conftest import evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CY,
    OTHER_ACCOUNT,
    SESSION,
)
from tests.services.authz.pairs import BODY, PATH, Pair, pair_of

MUTATIONS = length("HOT_MUTATIONS", short=300, soak=20_000)


@pytest_asyncio.fixture(loop_scope="module")
async def pair(world, request):
    module = compiled() if getattr(request, "param", None) == "compiled" else None
    async with pair_of(world, compiled=module) as made:
        yield made


FIELDS = {
    "no more": (),
    "of a browser": (b"User-Agent: x/1 (y; z)", b"Accept: */*", b"Accept-Encoding: gzip, br"),
    "an id": (b"X-Request-ID: r-1",),
    "an id in capitals": (b"X-REQUEST-ID: r-1",),
    "an id that cannot be repeated": (b"X-Request-ID: r 1",),
    "a long id": (b"X-Request-ID: " + b"r" * 201,),
    "an own id": (b"Rolecall-Request-ID: req_" + b"a" * 32,),
    "a trace": (b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01",),
    "keep-alive": (b"Connection: keep-alive",),
    "no blank": (b"X-Request-ID:r-1",),
    "a proxy": (b"X-Forwarded-For: 203.0.113.9", b"Forwarded: for=203.0.113.9"),
    "a condition": (b'If-Match: "x"', b"Idempotency-Key: k"),
}


async def test_a_well_formed_check_is_answered_hot_as_aiohttp_would(pair: Pair):
    for name, fields in FIELDS.items():
        assert b"200 OK" in await pair.answered_hot(pair.request(fields=fields)), name


OTHER_FIELDS = {
    "chunked": (b"Transfer-Encoding: chunked",),
    "identity": (b"Transfer-Encoding: identity",),
    "another length": (b"Content-Length: 1",),
    "the same length again": (b"content-length: %d" % len(BODY),),
    "a list of lengths": (b"Content-Length: 5, 5",),
    "expect": (b"Expect: 100-continue",),
    "another expectation": (b"Expect: 200-ok",),
    "close": (b"Connection: close",),
    "close by its old name": (b"Proxy-Connection: close",),
    "keep-alive by its old name": (b"Proxy-Connection: keep-alive",),
    "an old key of WebSocket": (b"Sec-WebSocket-Key1: a",),
    "upgrade": (b"Connection: upgrade", b"Upgrade: websocket"),
    "HTTP/2": (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
    "compressed": (b"Content-Encoding: gzip",),
    "not compressed": (b"Content-Encoding: identity",),
    "folded": (b"X-A: b", b" c"),
    "folded length": (b"Content-Length:", b" 5"),
    "a blank before the colon": (b"X-A : b",),
    "a blank before the length's colon": (b"Content-Length : 5",),
    "no colon": (b"X-A",),
    "a field before another": (b"bad name: x",),
    "a tab": (b"X-A:\tb",),
    "a bare return": (b"X-A: b\rX-B: c",),
    "a bare line feed": (b"X-A: b\nX-B: c",),
    "an empty value": (b"X-A:",),
    "a blank at the end": (b"X-Request-ID: r-1 ",),
    "a NUL": (b"X-A: b\x00",),
    "bytes": (b"X-A: \xff\xfe",),
    "two credentials": (b"Authorization: Bearer x",),
    "two ids": (b"X-Request-ID: a", b"X-Request-ID: b"),
    "two ids in other letters": (b"X-Request-ID: a", b"x-request-id: a"),
    "two own ids": (b"Rolecall-Request-ID: a", b"Rolecall-Request-ID: a"),
    "two traces": (b"traceparent: a", b"Traceparent: b"),
    "a folded id": (b"X-Request-ID: a", b" b"),
    "a bare line feed in an id": (b"X-Request-ID: a\nX-B: c",),
    "a bare return in an id": (b"X-Request-ID: a\rX-B: c",),
    "a blank before the id's colon": (b"X-Request-ID : a",),
    "an empty id": (b"X-Request-ID:",),
    "two hosts": (b"Host: b",),
    "two types": (b"Content-Type: text/plain",),
    "many": tuple(b"X-%d: a" % n for n in range(70)),
    "too many": tuple(b"X-%d: a" % n for n in range(140)),
    "a long one": (b"X-A: " + b"a" * 17_000,),
    "one that is too long for aiohttp": (b"X-A: " + b"a" * 8_190,),
    "a long name": (b"X-" + b"a" * 8_190 + b": a",),
}


@pytest.mark.rule("T17")
async def test_unusual_fields_are_left_to_aiohttp(pair: Pair):
    """Another request follows: both must agree where the first one ends."""
    for name, fields in OTHER_FIELDS.items():
        hot = await pair.same(pair.request(fields=fields) + pair.request())
        assert hot.ordinary, name


LINES = {
    "lower case": b"post " + PATH + b" HTTP/1.1",
    "HTTP/1.0": b"POST " + PATH + b" HTTP/1.0",
    "HTTP/2.0": b"POST " + PATH + b" HTTP/2.0",
    "absolute": b"POST http://authz:8443" + PATH + b" HTTP/1.1",
    "a query": b"POST " + PATH + b"?a=b HTTP/1.1",
    "encoded": b"POST /access/v1/%65valuation HTTP/1.1",
    "a slash": b"POST " + PATH + b"/ HTTP/1.1",
    "two slashes": b"POST /" + PATH + b" HTTP/1.1",
    "two blanks": b"POST  " + PATH + b" HTTP/1.1",
    "no version": b"POST " + PATH,
    "GET": b"GET " + PATH + b" HTTP/1.1",
    "HEAD": b"HEAD " + PATH + b" HTTP/1.1",
    "OPTIONS": b"OPTIONS " + PATH + b" HTTP/1.1",
    "another route": b"GET /.well-known/authzen-configuration HTTP/1.1",
    "nothing there": b"POST /access/v1/evaluationx HTTP/1.1",
}


@pytest.mark.rule("T17")
async def test_other_request_lines_are_left_to_aiohttp(pair: Pair):
    for name, line in LINES.items():
        assert (await pair.same(pair.request(line=line) + pair.request())).ordinary, name


@pytest.mark.rule("T17")
async def test_other_ends_of_lines_are_left_to_aiohttp(pair: Pair):
    for end in (b"\n", b"\r", b"\r\r\n", b"\n\r"):
        assert (await pair.same(pair.request(end=end))).ordinary, end


async def test_a_missing_field_is_left_to_aiohttp(pair: Pair):
    for name in (b"Host", b"Content-Type", b"Authorization", b"Content-Length"):
        assert (await pair.same(pair.request(without=name))).ordinary, name


TYPES = (
    b"text/plain",
    b"application/json; charset=latin-1",
    b"application/json; charset=utf-8",
    b"Application/JSON;Charset=UTF-8",
    b'application/json; charset="utf-8"',
    b"application/json; q=1",
    b"application/json;",
    b"application/x-www-form-urlencoded",
    b"application/problem+json",
)


async def test_each_type_of_body_gets_the_same_answer(pair: Pair):
    for media in TYPES:
        sent = pair.request(without=b"Content-Type", fields=(b"Content-Type: " + media,))
        await pair.same(sent + pair.request())


LENGTHS = (b"0", b"00", b"+5", b"-1", b"0x5", b"5 5", b"05", b"1e2", b"\xd9\xa5")


@pytest.mark.rule("T17")
async def test_each_form_of_length_gets_the_same_answer(pair: Pair):
    for sent_length in LENGTHS:
        fields = (b"Content-Length: " + sent_length,)
        await pair.same(pair.request(b"", without=b"Content-Length", fields=fields))


def bodies() -> dict[str, bytes]:
    text = BODY.decode()
    bound = json.dumps(evaluation(BO, "instance:write") | {"context": {"time": "now"}})
    return {
        "as JSON": BODY,
        "with unusual blanks": b" \r\n\t" + BODY.replace(b":", b" \n: ") + b"\n",
        "with a blank of Unicode": b"\xc2\xa0" + BODY,
        "with a byte order mark": b"\xef\xbb\xbf" + BODY,
        "in UTF-16": text.encode("utf-16"),
        "not in UTF-8": BODY.replace(b"i-1", b"i-\xff"),
        "with other letters": BODY.replace(b"i-1", "i-Ω".encode()),
        "with an escape": BODY.replace(b"i-1", b"i-\\u0031"),
        "with a NUL": BODY.replace(b"i-1", b"i-\\u0000"),
        "with a lone surrogate": BODY.replace(b"i-1", b"i-\\ud800"),
        "with a pair of surrogates": BODY.replace(b"i-1", b"i-\\ud83d\\ude00"),
        "with a raw control": BODY.replace(b"i-1", b"i-\x01"),
        "with a member twice": BODY.replace(b'"type": "user"', b'"type": "user", "type": "user"'),
        "with an escaped member twice": BODY.replace(
            b'"type": "user"', b'"type": "user", "\\u0074ype": "robot"'
        ),
        "with a subject twice": b'{"subject": {},' + BODY[1:],
        "with NaN": BODY[:-1] + b', "x": NaN}',
        "with infinity": BODY[:-1] + b', "x": -Infinity}',
        "with a large number": BODY[:-1] + b', "x": 1e999}',
        "with a large integer": BODY[:-1] + b', "x": 123456789012345678901234567890}',
        "with unknown members": BODY[:-1] + b', "x": {"y": [1, null, true]}}',
        "with an unknown property": BODY.replace(b'"account_id"', b'"x": 1, "account_id"'),
        "with a context": bound.encode(),
        "with an old revision": BODY[:-1] + b', "context": {"at_least_revision": "team.x.1.1"}}',
        "with no revision": BODY[:-1] + b', "context": {"at_least_revision": null}}',
        "with a bad revision": BODY[:-1] + b', "context": {"at_least_revision": 1}}',
        "deep": BODY[:-1] + b', "x": ' + b"[" * 40 + b"]" * 40 + b"}",
        "very deep": BODY[:-1] + b', "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        "with more behind": BODY + b"{}",
        "cut": BODY[:-1],
        "blank": b" ",
        "null": b"null",
        "a list": b"[" + BODY + b"]",
        "a text": b'"x"',
        "without a subject": b"{}",
        "with a wrong type": BODY.replace(b'"user"', b"1"),
        "with an empty id": BODY.replace(b'"i-1"', b'""'),
        "with a long id": BODY.replace(b"i-1", b"i" * 1025),
        "with another type of subject": BODY.replace(b'"user"', b'"robot"'),
        "about another account": BODY.replace(ACCOUNT.encode(), OTHER_ACCOUNT.encode()),
        "about no account": BODY.replace(b'"account_id"', b'"other"'),
        "about another permission": BODY.replace(b'"write"', b'"fly"'),
        "about an ended session": BODY.replace(
            b'"type": "user"', b'"properties": {"session_id": "%s"}, "type": "user"' % b"ses_x"
        ),
        "large": BODY + b" " * (MAX_BYTES - len(BODY)),
        "too large": BODY + b" " * 70_000,
    }


CONDITIONAL: tuple[tuple[str, dict[str, str], dict[str, str], str], ...] = (
    ("view", {"owner_id": CY}, {}, "allowed"),
    ("view", {"owner_id": "cy@platform"}, {}, "allowed"),
    ("view", {"owner_id": "CY@platform"}, {}, "condition-failed"),
    ("view", {"owner_id": BO}, {}, "condition-failed"),
    ("view", {}, {}, "condition-failed"),
    ("write", {}, {"session_id": "s"}, "allowed"),
    ("write", {}, {"session_id": "t"}, "condition-failed"),
    ("write", {"owner_id": CY}, {}, "condition-failed"),
    ("delete", {"state": "off"}, {}, "allowed"),
    ("delete", {"state": "on"}, {}, "condition-failed"),
    ("delete", {"owner_id": CY}, {}, "condition-failed"),
)


@EITHER
async def test_a_decision_by_a_condition_is_the_same(pair: Pair):
    """The properties that the quick reading knows are tested, and so are those that it does not."""
    for action, of_resource, of_subject, reason in CONDITIONAL:
        body = evaluation(CY, f"instance:{action}")
        body["resource"]["properties"] |= of_resource
        body["subject"]["properties"] = of_subject
        said = await pair.answered_hot(pair.request(json.dumps(body).encode()))
        assert b'"reason":"%s"' % reason.encode() in said, (action, of_resource, of_subject)


@EITHER
@pytest.mark.rule("T22")
async def test_each_body_gets_the_same_answer(pair: Pair):
    for body in bodies().values():
        await pair.same(pair.request(body))


LINE = b"POST " + PATH + b" HTTP/1.1"
BATCH, OWN_BATCH = (
    b"POST %s/access/v1/evaluations HTTP/1.1" % point
    for point in (b"", f"/accounts/{ACCOUNT}".encode())
)
WRITE, VIEW = evaluation(BO, "instance:write"), evaluation(CY, "instance:view", owner_id=CY)
OTHERS = evaluation(BO, "instance:write", account_id=OTHER_ACCOUNT)
FIRST_DENY = {"options": {"evaluations_semantic": "deny_on_first_deny"}}
FIRST_PERMIT = {"options": {"evaluations_semantic": "permit_on_first_permit"}}
USUAL_BATCHES = (
    {"evaluations": [WRITE, VIEW, WRITE, OTHERS]},
    WRITE | {"evaluations": [{}, VIEW, {"subject": {"type": "user", "id": CY}}]},
    WRITE | {"evaluations": [{"resource": {"type": "instance", "id": "i-1"}}]},
    {"evaluations": [VIEW, OTHERS, WRITE]} | FIRST_DENY,
    {"evaluations": [OTHERS, VIEW, WRITE]} | FIRST_PERMIT,
)
UNUSUAL_BATCHES = (
    WRITE,
    {"evaluations": [WRITE, evaluation(new_api_token(1), "instance:view")]},
    WRITE | {"evaluations": []},
    WRITE | {"evaluations": None},
    {"evaluations": [WRITE, {}]},
    {"evaluations": [WRITE, None, 7, VIEW]},
    {"evaluations": [WRITE, VIEW | {"action": {"name": 7}}, VIEW | {"subject": None}]},
    {"evaluations": [WRITE, VIEW | {"context": {"at_least_revision": "yesterday"}}]},
    {"evaluations": [VIEW], "context": {"at_least_revision": 7}},
    {"evaluations": [VIEW], "subject": {}},
    {"evaluations": [VIEW], "options": {}},
    {"evaluations": [VIEW], "options": {"evaluations_semantic": "all"}},
    {"evaluations": [{}] * 1_001} | WRITE,
)


def many(*batches: object) -> list[bytes]:
    return [json.dumps(batch).encode() for batch in batches]


@EITHER
@pytest.mark.rule("T22")
async def test_each_batch_gets_the_same_answer(pair: Pair):
    """A usual one is read quickly, and every other one as on the path without that."""
    for body in many(*USUAL_BATCHES):
        assert read_batch_quickly(body) is not None, body
        assert b"200 OK" in await pair.answered_hot(pair.request(body, line=BATCH)), body
    for body in many(*UNUSUAL_BATCHES):
        assert read_batch_quickly(body) is None, body
    for item in bodies().values():
        await pair.same(pair.request(b'{"evaluations": [%s, %s]}' % (BODY, item), line=BATCH))
        await pair.same(pair.request(item[:-1] + b', "evaluations": [{}]}', line=BATCH))
    for body in many(*USUAL_BATCHES, *UNUSUAL_BATCHES):
        for line in (BATCH, OWN_BATCH):
            for token in (None, pair.world.client_token(BOUND_CLIENT)):
                await pair.same(pair.request(body, line=line, token=token))
        own = pair.world.user_token(BO, SESSION)
        await pair.same(pair.request(body, line=BATCH, token=own))


@pytest.mark.rule("T17")
async def test_known_heads_with_new_ids_are_answered_with_these(pair: Pair):
    """What is known of a head are its other lines: each request has the ids that it names."""
    own = b"Rolecall-Request-ID: req_" + b"a" * 32
    kept = (own, b"X-Request-ID: r-1", b"traceparent: 00-a-b-01")
    for fields in ((), *((field,) for field in kept), kept, kept[::-1], (), (b"X-REQUEST-ID:r-2",)):
        for line in (LINE, BATCH):
            body = BODY if line == LINE else b'{"evaluations": [%s]}' % BODY
            first, second = (pair.request(body, line=line, fields=each) for each in (fields, ()))
            together = (first + second,) if line == LINE else (first, second)
            said = await pair.answered_hot(*together, second, first)
            named = [b"r-%d" % n for n in (1, 2) if any(b"r-%d" % n in each for each in fields)]
            assert [said.count(name + b"\r\n") for name in named] == [2] * len(named), fields


@pytest.mark.rule("T17")
async def test_ids_beside_a_known_head_change_where_nothing_ends(pair: Pair):
    """The lines of ids are left out of what is looked up, and never a part of another line."""
    sent = pair.request()
    await pair.answered_hot(sent)
    field = b"X-Request-ID: r-1"
    ends = [at for at in range(len(sent)) if sent[at : at + 2] == b"\r\n"]
    for at in ends:
        await pair.same(sent[:at] + b"\r\n" + field + sent[at:] + sent)
        await pair.same(sent[:at] + field + sent[at:] + sent)
        await pair.same(sent[: at + 2] + b"\r\n" + field + sent[at:] + sent)
        await pair.same(sent[: at + 2] + field + b"\n" + sent[at + 2 :] + sent)
        await pair.same(sent[: at + 2] + field + b"\r\n b\r\n" + sent[at + 2 :] + sent)


@pytest.mark.rule("T17")
async def test_what_follows_a_known_head_is_read_as_after_a_new_one(pair: Pair):
    """A head that was read before is found by its bytes; what comes after it is new."""
    longer = BODY.replace(b"i-1", b"i-10")
    for body in (BODY, b" " + BODY, BODY + b" ", b"x" + BODY[1:], b"[{}]" + BODY[4:]):
        for line in (LINE, BATCH):
            request = pair.request(body, line=line)
            await pair.same(request)
            await pair.same(request, request)
            await pair.same(request + longer)
            await pair.same(request[:-1], longer)
            await pair.same(request[: -len(body)] + longer)
            await pair.same(request + pair.request(longer) + request[:-3], request[-3:])


async def test_checks_and_batches_follow_each_other_on_a_connection(pair: Pair):
    [batch] = many(USUAL_BATCHES[0])
    check, several = pair.request(), pair.request(batch, line=BATCH)
    said = await pair.answered_hot(check + check, several, several, check)
    assert said.count(b"200 OK") == 5
    for at in range(1, len(several), 7):
        await pair.answered_hot(several[:at], several[at:])


@pytest.mark.rule("T19")
async def test_a_batch_that_arrives_with_others_is_left_to_aiohttp(pair: Pair):
    """Each may take a whole turn of the loop; aiohttp lets others go between them."""
    [batch] = many(USUAL_BATCHES[0])
    check, several = pair.request(), pair.request(batch, line=BATCH)
    for together in (several + several, check + several, several + check, several * MAX_AT_ONCE):
        assert (await pair.same(together)).ordinary


@pytest.mark.rule("T17")
async def test_a_known_head_does_not_end_where_its_body_has_begun(pair: Pair):
    """Bytes without a brace have no body yet; a few lengths near the head's were mistaken."""
    for difference in range(-2, 5):
        length = 300
        for _ in range(3):
            head = pair.request(b" " * length, token="stranger").rstrip(b" ")
            length = len(head) + difference
        await pair.same(head + b" " * length)
        for at in range(1, 4):
            await pair.same(head + b" " * at, b"x" * (length - at), pair.request())


async def test_a_batch_of_an_unusual_form_or_size_is_left_to_aiohttp(pair: Pair):
    usual = [WRITE, VIEW]
    for number in (400, 401):
        body = json.dumps({"evaluations": usual * (number // 2) + [{}] * (number % 2)} | WRITE)
        assert len(body) > MAX_BATCH_BYTES
        assert (await pair.same(pair.request(body.encode(), line=BATCH))).ordinary
    small = {"evaluations": [{}] * 400} | WRITE
    await pair.answered_hot(pair.request(json.dumps(small).encode(), line=BATCH))
    small["evaluations"].append({})
    assert (await pair.same(pair.request(json.dumps(small).encode(), line=BATCH))).ordinary
    for line in (OWN_BATCH, BATCH.replace(b"ns H", b"ns/ H"), BATCH.replace(b"ns H", b"nss H")):
        assert (await pair.same(pair.request(json.dumps(usual).encode(), line=line))).ordinary


@EITHER
async def test_each_caller_gets_the_same_answer(pair: Pair):
    world = pair.world
    tokens = {
        "client": world.client_token(),
        "bound client": world.client_token(BOUND_CLIENT),
        "unknown client": world.client_token("cli_" + "9" * 32),
        "client without the scope": world.client_token(scopes=()),
        "the user": world.user_token(BO, SESSION),
        "another user": world.user_token(ANA, SESSION),
        "a stranger": world.user_token("usr_" + "9" * 32, SESSION),
        "no token": "x",
        "half a token": world.client_token()[:-10],
        "a token and more": world.client_token() + " x",
    }
    resources = {"instance": BODY, "other": BODY.replace(b'"instance"', b'"volume"')}
    other_account = BODY.replace(ACCOUNT.encode(), OTHER_ACCOUNT.encode())
    for token in tokens.values():
        for body in (*resources.values(), other_account):
            await pair.answered_hot(pair.request(body, token=token))
            batch = b'{"evaluations":[%s,%s]}' % (body, BODY)
            await pair.answered_hot(pair.request(batch, token=token, line=BATCH))


SCHEMES = (b"Basic eDp5", b"bearer x", b"Bearer", b"Bearer  x y", b"Bearer \x7f", b"Digest a=b")


async def test_each_credential_gets_the_same_answer(pair: Pair):
    for credential in SCHEMES:
        fields = (b"Authorization: " + credential,)
        await pair.same(pair.request(without=b"Authorization", fields=fields))


KNOWN_TOKEN_FORMS = (
    b"%s",
    b" %s",
    b"bearer %s",
    b"BEARER %s",
    b"Bearer  %s",
    b"Bearer Bearer %s",
    b"Bearer%s",
    b"Token %s",
    b"Bearer %s=",
    b'Bearer "%s"',
    b"Bearer %s, Bearer x",
    b"Bearer x, Bearer %s",
)


@pytest.mark.rule("T17")
async def test_a_known_token_is_taken_in_no_other_form_than_aiohttps(pair: Pair):
    """A token that was verified before is found by its text: its header must have the form."""
    token = pair.world.client_token()
    await pair.answered_hot(pair.request(token=token))
    for form in KNOWN_TOKEN_FORMS:
        fields = (b"Authorization: " + form % token.encode(),)
        await pair.same(pair.request(without=b"Authorization", fields=fields))


async def test_a_request_may_be_split_at_every_position(pair: Pair):
    sent = pair.request(fields=(b"X-Request-ID: r-1",))
    for at in range(1, len(sent)):
        await pair.answered_hot(sent[:at], sent[at:])


async def test_a_request_may_arrive_byte_by_byte(pair: Pair):
    sent = pair.request() + pair.request(fields=(b"X-Request-ID: r-1",))
    await pair.answered_hot(*(sent[at : at + 1] for at in range(len(sent))))


async def test_pipelined_requests_are_answered_in_their_order(pair: Pair):
    sent = [pair.request(fields=(b"X-Request-ID: r-%d" % n,)) for n in range(MAX_AT_ONCE)]
    said = await pair.answered_hot(b"".join(sent))
    assert [said.index(b"r-%d\r\n" % n) for n in range(MAX_AT_ONCE)] == sorted(
        said.index(b"r-%d\r\n" % n) for n in range(MAX_AT_ONCE)
    )
    half = len(sent[0]) // 2
    await pair.same(b"".join(sent)[:-half], b"".join(sent)[-half:])
    await pair.same(b"".join(sent) * 2)


async def test_more_requests_at_once_are_left_to_aiohttp(pair: Pair):
    route = HotRoute(EVALUATION.path, EVALUATION.access, MAX_BYTES)
    requests = HotRequests((route,), own_id_field="X-Own", sent_id_field="X-Sent")
    found = requests.read(pair.request() * MAX_AT_ONCE)
    assert isinstance(found, list)
    assert len(found) == MAX_AT_ONCE
    assert requests.read(pair.request() * (MAX_AT_ONCE + 1)) is Unread.OTHER


async def test_checks_mixed_with_other_routes_keep_their_order(pair: Pair):
    check, other = pair.request(), pair.request(line=LINES["another route"])
    assert (await pair.same(check + other + check)).ordinary
    assert (await pair.same(check, other, check, other)).ordinary
    assert (await pair.same(check + other[:50], other[50:] + check[:50], check[50:])).ordinary


@pytest.mark.rule("T17")
async def test_what_follows_half_a_head_is_not_taken_for_a_request(pair: Pair):
    """A forged request in the body of an ordinary one must stay a body."""
    forged = pair.request(fields=(b"X-Request-ID: forged",))
    head = pair.request(b"", line=b"POST /nothing HTTP/1.1", without=b"Content-Length")[:-2]
    outer = head + b"Content-Length: %d\r\n\r\n" % len(forged)
    said = (await pair.same(outer, forged, pair.request())).answers
    assert b"forged" not in said
    assert (await pair.same(outer + forged + pair.request())).ordinary
    begun = b"GET /.well-known/authzen-configuration HTTP/1.1\r\nHost: a\r\nX-A: "
    assert b"200 OK" not in (await pair.same(begun[:-7], forged)).answers.split(b"forged")[0]


async def test_mutated_requests_get_the_same_answers(pair: Pair):
    chance = random.Random(SEED)
    token = pair.world.client_token()
    second = pair.request(token=token)
    for _ in range(MUTATIONS):
        sent = bytearray(pair.request(token=token, fields=(b"X-Request-ID: r-1",)))
        for _ in range(chance.choice((1, 1, 2, 4))):
            at = chance.randrange(len(sent))
            match chance.randrange(4):
                case 0:
                    sent[at] = chance.randrange(256)
                case 1:
                    del sent[at : at + chance.choice((1, 2, 10))]
                case 2:
                    sent[at:at] = chance.choice((b"\r\n", b"\n", b" ", b"\t", b":", b"\x00", b'"'))
                case _:
                    lines = bytes(sent).split(b"\r\n")
                    lines.insert(chance.randrange(1, len(lines)), chance.choice(lines))
                    sent = bytearray(b"\r\n".join(lines))
        await pair.same(bytes(sent), second)


PIECES = (
    *(b'"', b'""', b"\\", b"\x00", b"\xff", b"\xed\xa0\x80", b",", b"}", b"{", b"[", b" ", b"1"),
    *(b"null", b"true", b'"properties":{}', b',"properties":null', b'"id":"x",', b'"type":"user",'),
    *(b'"owner_id":"x",', b'"context":{},', b'"subject":{"type":"user","id":"x"},', b'"":"",'),
)


@EITHER
@pytest.mark.rule("T22")
async def test_mutated_bodies_get_the_same_answers(pair: Pair):
    chance = random.Random(SEED)
    token = pair.world.client_token()
    [batch] = many(USUAL_BATCHES[1])
    for _ in range(MUTATIONS):
        body, line = chance.choice(((BODY, LINE), (batch, BATCH)))
        sent = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(sent))
            sent[at : at + chance.choice((0, 0, 0, 1, 3))] = chance.choice(PIECES)
        await pair.same(pair.request(bytes(sent), token=token, line=line))
