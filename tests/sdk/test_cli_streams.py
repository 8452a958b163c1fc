"""`rolecall audit streams` and `rolecall notifications`, with a stub service."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from rolecall.cli import main
from tests.sdk.stub import stub_server

JSON = {"Content-Type": "application/json"}
STREAM = {
    "id": "str_1",
    "account_id": "acc_1",
    "name": "SIEM",
    "url": "https://siem.example/ingest",
    "header": "Authorization",
    "secret_at": "2026-03-05T12:00:00Z",
    "enabled": True,
    "paused_because": None,
    "created_by": "usr_1",
    "created_at": "2026-03-05T12:00:00Z",
    "place": 1204,
    "waiting_records": 3,
    "sent_at": None,
    "problem": None,
    "failing_since": None,
    "next_attempt_at": None,
    "test_due": False,
    "tested": None,
    "etag": '"a"',
}
GONE = STREAM | {
    "id": "str_2",
    "name": "Old\x1b[2J",
    "paused_because": "gone",
    "problem": "The receiver answered 410.",
    "failing_since": "2026-03-06T12:00:00Z",
}
PLACE = "at record 1204 of the log, 3 wait"
TAKEN = {"at": "2026-03-07T12:00:00Z", "milliseconds": 31, "status": 204, "problem": None}
FAILED = TAKEN | {"status": 500, "problem": "The receiver answered 500."}


class Streams:
    """An account with two streams; `results` are what each look after a test shows."""

    def __init__(self, results):
        self.results = results

    def answer(self, path, _body):
        path = urlsplit(path).path
        if path.endswith("/audit-streams"):
            return 200, JSON, json.dumps({"items": [STREAM, GONE], "next_cursor": None}).encode()
        shown = STREAM | {"test_due": True} if path.endswith("/test") else STREAM
        if self.results and not path.endswith("/test"):
            shown = STREAM | self.results.pop(0)
        return 202 if path.endswith("/test") else 200, JSON, json.dumps(shown).encode()


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setenv("ROLECALL_TOKEN", "rct_1")
    with stub_server() as server:
        server.answer = Streams([]).answer
        yield server


def run(stub, *arguments):
    return main(["audit", "streams", *arguments, "--url", stub.url, "--account", "acc_1"])


def asked(stub):
    return [
        (urlsplit(path).path.rpartition("/audit-streams")[2], body) for path, _, body in stub.asked
    ]


def test_streams_are_listed_with_their_state_and_place(stub, capsys):
    assert run(stub, "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"str_1  sends  {PLACE}  siem.example  SIEM",
        f"str_2  paused: the receiver answered 410  {PLACE}  siem.example  Old\ufffd[2J",
    ]
    assert run(stub, "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"items": [STREAM, GONE]}


def test_a_stream_is_shown_by_its_name_or_id_with_its_problem(stub, capsys):
    assert run(stub, "show", "SIEM") == 0
    assert "problem" not in capsys.readouterr().out
    assert run(stub, "show", "str_2") == 0
    said = capsys.readouterr().out
    assert "The receiver answered 410. (since 2026-03-06T12:00:00Z)" in said
    assert "\x1b" not in said
    assert run(stub, "show", "Other") == 2
    assert capsys.readouterr().err.startswith("No stream has the name Other. There are: Old")


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        (TAKEN, 0, "The receiver took the test (2026-03-07T12:00:00Z, 31 ms)."),
        (FAILED, 1, "The receiver answered 500 (2026-03-07T12:00:00Z, 31 ms)."),
    ],
)
def test_a_test_tells_what_came_of_it(stub, capsys, result, code, said):
    stub.answer = Streams([{"tested": result}]).answer
    assert run(stub, "test", "SIEM") == code
    assert capsys.readouterr().out.splitlines() == [said]
    assert asked(stub)[1:] == [("/str_1/test", b"{}"), ("/str_1", b"")]


def test_a_test_that_is_not_waited_for_is_only_ordered(stub, capsys):
    assert run(stub, "test", "SIEM", "--wait", "0") == 0
    assert capsys.readouterr().err.startswith("The test is ordered.")
    assert len(stub.asked) == 2
    assert run(stub, "test", "SIEM", "--wait", "-1") == 2


def test_a_stream_goes_on_where_it_stopped_or_from_elsewhere(stub):
    assert run(stub, "resume", "str_2") == 0
    assert run(stub, "resume", "str_2", "--from", "beginning") == 0
    changes = [(path, json.loads(body)) for path, body in asked(stub) if body]
    assert changes == [
        ("/str_2", {"enabled": True}),
        ("/str_2", {"enabled": True, "start": "beginning"}),
    ]


def test_notifications_are_listed_newest_first_up_to_a_limit(stub, capsys):
    entry = {"id": "msg_2", "created_at": "2026-03-05", "title": "Hello\x07", "unread": True}
    pages = {"": ([entry], "c"), "c": ([entry | {"id": "msg_1", "unread": False}] * 2, None)}

    def answer(path, _body):
        query = parse_qs(urlsplit(path).query)
        items, following = pages[query.get("cursor", [""])[0]]
        return 200, JSON, json.dumps({"items": items, "next_cursor": following}).encode()

    stub.answer = answer
    of_reader = ["--url", stub.url, "--unread", "--account", "acc_1", "--limit", "2"]
    assert main(["notifications", "list", *of_reader]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "* 2026-03-05  msg_2  Hello\N{REPLACEMENT CHARACTER}",
        "  2026-03-05  msg_1  Hello\N{REPLACEMENT CHARACTER}",
    ]
    assert said.err == "There are more. Pass a larger --limit.\n"
    first = parse_qs(urlsplit(stub.asked[0][0]).query)
    assert first == {"account": ["acc_1"], "unread": ["true"], "limit": ["3"]}


def test_a_notification_that_is_not_in_the_list_is_told(stub, capsys):
    fault = {"pointer": "/up_to", "message": "Your list has no notification with this id."}
    refusal = {"title": "Invalid", "status": 422, "code": "invalid", "detail": "See `errors`."}
    refused = json.dumps(refusal | {"errors": [fault]}).encode()
    stub.answer = 422, JSON, refused
    given = ["--up-to", "msg_" + "0" * 32, "--url", stub.url]
    assert main(["notifications", "read", *given]) == 1
    assert "Your list has no notification with this id." in capsys.readouterr().err


def test_notifications_are_marked_as_read_by_ids_or_up_to_one(stub, capsys):
    stub.answer = 200, JSON, json.dumps({"unread": 100}).encode()
    for given, body in (
        (["msg_1", "msg_2"], {"ids": ["msg_1", "msg_2"]}),
        (["--up-to", "msg_2"], {"up_to": "msg_2"}),
    ):
        assert main(["notifications", "read", *given, "--url", stub.url]) == 0
        assert json.loads(stub.asked[-1][2]) == body
        assert capsys.readouterr().out == "100 or more unread\n"
    for given in ([], ["msg_1", "--up-to", "msg_2"]):
        assert main(["notifications", "read", *given, "--url", stub.url]) == 2
    assert len(stub.asked) == 2
