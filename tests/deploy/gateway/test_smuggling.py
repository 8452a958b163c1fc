"""nginx and a service agree where each request ends, no matter how its bytes are written."""

import asyncio
import re

import pytest
import pytest_asyncio

from tests.deploy.gateway.recorded import fronted

HIDDEN = b"GET /v1/teams/hidden HTTP/1.1\r\nHost: a\r\nRolecall-Request-ID: req_forged\r\n\r\n"
NEXT = b"GET /v1/teams/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN
SIZE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)


def post(*fields: bytes, body: bytes = CHUNKED, end: bytes = b"\r\n") -> bytes:
    lines = (b"POST /v1/teams HTTP/1.1", b"Host: a", *fields)
    return end.join(lines) + end * 2 + body


def both(coding: bytes, length: int = len(CHUNKED)) -> bytes:
    """A length and a coding: each tells another end of the request."""
    return post(b"Content-Length: %d" % length, coding)


def chunks(body: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", body=body)


REFUSED = {
    "CL.TE": both(b"Transfer-Encoding: chunked"),
    "TE.CL": post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=SIZE),
    "TE.CL with length zero": post(b"Content-Length: 0", b"Transfer-Encoding: chunked"),
    "TE.TE: another coding second": both(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
    "TE.TE: another coding first": both(b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked"),
    "TE.TE: chunked twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "TE.TE: a list": post(b"Transfer-Encoding: chunked, chunked"),
    "TE.TE: identity in a list": both(b"Transfer-Encoding: chunked, identity"),
    "TE.TE: identity": both(b"Transfer-Encoding: identity"),
    "TE.TE: a letter before": both(b"Transfer-Encoding: xchunked"),
    "TE.TE: a blank before the colon": both(b"Transfer-Encoding : chunked"),
    "TE.TE: a tab before the colon": both(b"Transfer-Encoding\t: chunked"),
    "TE.TE: a tab before the value": both(b"Transfer-Encoding:\tchunked"),
    "TE.TE: a vertical tab": both(b"Transfer-Encoding: \x0bchunked"),
    "TE.TE: quotes": both(b'Transfer-Encoding: "chunked"'),
    "TE.TE: capitals": both(b"TRANSFER-ENCODING: CHUNKED"),
    "TE.TE: a comma": both(b"Transfer-Encoding: ,chunked"),
    "TE.TE: a parameter": both(b"Transfer-Encoding: chunked;q=1"),
    "TE.TE: a NUL": both(b"Transfer-Encoding: chunked\x00"),
    "TE.TE: an empty value": both(b"Transfer-Encoding:"),
    "TE.TE: a blank at the beginning": both(b" Transfer-Encoding: chunked"),
    "TE.TE: a bare return before": both(b"X: y\rTransfer-Encoding: chunked"),
    "TE.TE: a bare feed before": both(b"X: y\nTransfer-Encoding: chunked"),
    "TE.TE: folded": both(b"Transfer-Encoding:\r\n chunked"),
    "TE.TE: folded after another": both(b"X: y\r\n Transfer-Encoding: chunked"),
    "TE.TE: a colon twice": both(b"Transfer-Encoding:: chunked"),
    "CL.CL: two": post(b"Content-Length: 5", b"Content-Length: %d" % len(CHUNKED)),
    "CL.CL: the same twice": post(b"Content-Length: 5", b"Content-Length: 5"),
    "CL.CL: a list": post(b"Content-Length: 5, 5"),
    "CL: a sign": post(b"Content-Length: +5"),
    "CL: negative": post(b"Content-Length: -5"),
    "CL: hexadecimal": post(b"Content-Length: 0x5"),
    "CL: a fraction": post(b"Content-Length: 5.0"),
    "CL: empty": post(b"Content-Length:"),
    "CL: a blank inside": post(b"Content-Length: 5 0"),
    "CL: an overflow": post(b"Content-Length: 18446744073709551621"),
    "CL: a blank before the colon": post(b"Content-Length : 5"),
    "chunk: no number": chunks(b"x\r\n" + HIDDEN),
    "chunk: a sign": chunks(b"+5\r\nabcde\r\n" + CHUNKED),
    "chunk: a prefix": chunks(b"0x5\r\nabcde\r\n" + CHUNKED),
    "chunk: an overflow": chunks(b"ffffffffffffffff5\r\nabcde\r\n" + CHUNKED),
    "chunk: a longer body": chunks(b"2\r\nabcde\r\n" + CHUNKED),
    "chunk: a bare return": chunks(b"5\rabcde\r\n" + CHUNKED),
    "HTTP/1.0 and chunks": post(b"Transfer-Encoding: chunked").replace(b"1.1", b"1.0", 1),
    "no blank in the line": b"GET/v1/teams HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab in the line": b"GET\t/v1/teams HTTP/1.1\r\nHost: a\r\n\r\n",
    "small letters": b"get /v1/teams HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.1 in small letters": b"GET /v1/teams http/1.1\r\nHost: a\r\n\r\n",
    "a NUL in the path": b"GET /v1/teams/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "two hosts": b"GET /v1/teams HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "a host with a path": b"GET /v1/teams HTTP/1.1\r\nHost: a/b\r\n\r\n",
}
"""Bytes that two readers could divide in two ways: refused, and the connection ends."""

DIVIDED = {
    "a length": (post(b"Content-Length: %d" % len(CHUNKED)), [200, 200]),
    "chunks": (chunks(SIZE), [200, 200]),
    "a request behind chunks": (chunks(CHUNKED), [200, 200, 200]),
    "a request behind a length": (post(b"Content-Length: 5"), [200, 200, 200]),
    "a request behind a GET without a body": (HIDDEN + HIDDEN, [200, 200, 200]),
    "an underscore": (both(b"Transfer_Encoding: chunked"), [200, 200]),
    "chunks with an extension": (chunks(b"5;x=y\r\nabcde\r\n" + CHUNKED), [200, 200, 200]),
    "chunks with a long extension": (
        chunks(b"5;" + b"x" * 999 + b"\r\nabcde\r\n0\r\n\r\n"),
        [200, 200],
    ),
    "chunks with trailers": (chunks(b"0\r\nContent-Length: 99\r\n\r\n" + HIDDEN), [200, 200, 200]),
    "chunks behind bare feeds": (chunks(b"5\nabcde\n0\n\n" + HIDDEN), [200, 200, 200]),
    "an extension with a bare return": (chunks(b"5;\rx\r\nabcde\r\n" + CHUNKED), [400]),
    "an extension with a bare feed": (chunks(b"0;\n\r\n" + HIDDEN), [200, 200, 200]),
    "a blank behind the size": (chunks(b"5 \r\nabcde\r\n" + CHUNKED), [200, 200, 200]),
    "many zeros": (chunks(b"0" * 99 + b"5\r\nabcde\r\n" + CHUNKED), [200, 200, 200]),
    "bare feeds": (post(b"Content-Length: %d" % len(CHUNKED), end=b"\n"), [200, 200]),
    "blank lines before": (b"\r\n\r\n" + post(b"Content-Length: 5"), [200, 200, 200]),
    "a body of GET": (
        b"GET /v1/teams HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
        [200, 200],
    ),
    "a whole address": (b"GET http://b/v1/teams HTTP/1.1\r\nHost: a\r\n\r\n", [200, 200]),
    "expect": (post(b"Content-Length: 5", b"Expect: 100-continue"), [200, 200, 200]),
    "upgrade": (
        post(b"Content-Length: 5", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"),
        [200, 200, 200],
    ),
    "a rest that never comes": (post(b"Content-Length: 99999"), []),
    "a chunk that never ends": (chunks(b"ffff\r\nabc"), []),
}
"""Bytes that have one meaning, or one that nginx chooses; the last answer is for `NEXT`.

nginx reads a body whole, and sends it on with a length of its own.
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def front(tmp_path_factory):
    async with fronted(tmp_path_factory.mktemp("smuggling"), seconds=1) as made:
        yield made


async def sent(front, text):
    answers = await front.answers(text, NEXT)
    return [answer.status for answer in answers if answer.status != 100], answers


def passed_on(answers):
    """The gateway's ids of the requests that the service has answered to this sender."""
    return [each.headers["x-seen-id"] for each in answers if "x-seen-id" in each.headers]


@pytest.mark.rule("T17")
@pytest.mark.asyncio(loop_scope="module")
async def test_ambiguous_requests_are_refused_and_reach_no_service(front):
    front.service.requests.clear()
    results = await asyncio.gather(*(sent(front, text) for text in REFUSED.values()))
    wrong = {
        name: statuses
        for name, (statuses, _) in zip(REFUSED, results, strict=True)
        if statuses not in ([400], [501], [505])
    }
    assert wrong == {}
    assert front.service.requests == []


@pytest.mark.rule("T17")
@pytest.mark.asyncio(loop_scope="module")
async def test_each_request_at_the_service_has_one_answer_of_its_own(front):
    front.service.requests.clear()
    results = await asyncio.gather(*(sent(front, text) for text, _ in DIVIDED.values()))
    given = [one for _, answers in results for one in passed_on(answers)]
    assert sorted(given) == sorted(front.service.ids)
    assert len(set(given)) == len(given)
    assert all(re.fullmatch("req_[0-9a-f]{32}", each) for each in given)
    found = {name: statuses for name, (statuses, _) in zip(DIVIDED, results, strict=True)}
    assert found == {name: statuses for name, (_, statuses) in DIVIDED.items()}
    for method, path, headers, body in front.service.requests:
        assert "transfer-encoding" not in headers, (method, path)
        assert len(body) == int(headers.get("content-length", "0")), (method, path)
