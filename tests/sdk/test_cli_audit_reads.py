"""`rolecall audit search`, `export` and `tail`, with a stub service."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from rolecall.cli import main
from tests.sdk.stub import StubAnswer, stub_server

ACCOUNT = "acc_1"
JSON = {"Content-Type": "application/json"}
CUT = {"Content-Length": "9999999"}
"""More than comes: the connection is lost in the middle."""


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setenv("ROLECALL_TOKEN", "rct_1")
    with stub_server() as server:
        yield server


def record(number, **fields):
    shown = {
        "id": f"evt_{number}",
        "occurred_at": f"2026-03-05T12:00:{number:02}Z",
        "actor": {"id": "usr_1", "name": "Ana", "email": None},
        "action": "member.removed",
        "resource": {"type": "member", "id": "usr_2", "name": "Bo"},
        "outcome": "succeeded",
    }
    return shown | fields


def run(stub, *arguments):
    return main(["audit", *arguments, "--url", stub.url, "--account", ACCOUNT])


def queries(stub):
    return [
        {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        for path, _, _ in stub.asked
    ]


def test_a_search_reads_pages_up_to_its_limit(stub, capsys):
    pages = iter(
        [
            {"items": [record(3), record(2)], "next_cursor": "c1", "complete_until": "2026-03-05"},
            {"items": [record(1)], "next_cursor": None, "complete_until": "2026-03-06"},
        ]
    )
    stub.answer = lambda _path, _body: (200, JSON, json.dumps(next(pages)).encode())
    assert run(stub, "search", "--action", "member.", "--on-behalf-of", "usr_9") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"2026-03-05T12:00:0{number}Z  member.removed  Ana  member Bo  succeeded"
        for number in (3, 2, 1)
    ]
    assert "Complete until 2026-03-05." in said.err
    common = {"action": "member.", "on_behalf_of": "usr_9"}
    assert queries(stub) == [
        common | {"limit": "50"},
        common | {"limit": "48", "cursor": "c1"},
    ]


def test_a_name_does_not_command_the_terminal(stub, capsys):
    actor = {"id": "usr_1", "name": "\x1b[2J\u202eAna", "email": None}
    page = {"items": [record(1, actor=actor)], "next_cursor": None, "complete_until": None}
    stub.answer = 200, JSON, json.dumps(page).encode()
    assert run(stub, "search") == 0
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().out)


def lines(*objects):
    return "".join(json.dumps(each) + "\n" for each in objects).encode()


HEAD = {
    "type": "export",
    "account_id": ACCOUNT,
    "filters": {"since": "2026-03-01T00:00:00+00:00"},
    "after": None,
    "size": 2,
    "estimate": 4,
    "complete_until": None,
}


def row(number):
    return {"type": "record", **record(number), "seal": None}


def test_an_export_goes_on_after_a_lost_connection(stub, tmp_path, capsys):
    answers: Iterator[StubAnswer] = iter(
        [
            (200, CUT, lines(HEAD, row(1), row(2)) + b'{"type":"rec'),
            (200, CUT, lines({**HEAD, "after": "evt_2"}, row(3))),
            (
                200,
                {},
                lines({**HEAD, "after": "evt_3"}, row(4), {"type": "end", "records": 1, "x": 1}),
            ),
        ]
    )
    stub.answer = lambda _path, _body: next(answers)
    file = tmp_path / "audit.jsonl"
    assert run(stub, "export", "--output", str(file), "--from", "2026-03-01T00:00:00Z") == 0
    end = {"type": "end", "records": 4, "x": 1, "first": "evt_1", "last": "evt_4"}
    assert file.read_bytes().splitlines() == [
        json.dumps(each, separators=None if each["type"] != "end" else (",", ":")).encode()
        for each in (HEAD, *map(row, range(1, 5)), end)
    ]
    asked = queries(stub)
    assert [each.get("after") for each in asked] == [None, "evt_2", "evt_3"]
    assert {each["size"] for each in asked[1:]} == {"2"}, "the seals are about the same log"
    assert asked[1]["from"] == "2026-03-01T00:00:00+00:00"
    assert "rolecall audit verify" in capsys.readouterr().err


def test_a_file_that_was_cut_off_is_gone_on_with(stub, tmp_path):
    file = tmp_path / "audit.jsonl"
    file.write_bytes(lines(HEAD, row(1)) + b'{"type":"record","id":"evt_')
    stub.answer = 200, {}, lines(HEAD, row(2), {"type": "end", "records": 1})
    assert run(stub, "export", "--output", str(file), "--resume") == 0
    told = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [each.get("id") for each in told] == [None, "evt_1", "evt_2", None]
    assert told[-1]["records"] == 2
    assert run(stub, "export", "--output", str(file), "--resume") == 0
    assert len(stub.asked) == 1, "a whole file is not asked for again"


def test_an_export_that_stopped_is_not_whole(stub, tmp_path, capsys):
    stub.answer = 200, {}, lines(HEAD, row(1), {"type": "stopped", "code": "permission-missing"})
    file = tmp_path / "audit.jsonl"
    assert run(stub, "export", "--output", str(file)) == 1
    assert "permission-missing" in capsys.readouterr().err
    assert file.read_bytes() == lines(HEAD, row(1))


def test_hashes_that_a_resumed_export_lacks_are_not_passed_over(stub, tmp_path, capsys):
    head = HEAD | {"filters": {}}
    file = tmp_path / "audit.jsonl"
    file.write_bytes(lines(head, row(1)))
    stub.answer = 200, {}, lines(head, row(2), {"type": "end", "records": 1})
    assert run(stub, "export", "--output", str(file), "--resume") == 1
    assert "hashes-missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (lines(HEAD | {"account_id": "acc_2"}, row(1)), ["--resume"]),
        (lines(HEAD, row(1)), []),
        (lines(HEAD, row(1)), ["--resume", "--format", "csv"]),
        (lines(HEAD, row(1)), ["--resume", "--user", "usr_1"]),
    ],
    ids=["another account", "a file that is there", "a table", "other filters"],
)
def test_no_file_is_overwritten_or_mixed(stub, tmp_path, content, options):
    file = tmp_path / "audit.jsonl"
    file.write_bytes(content)
    assert run(stub, "export", "--output", str(file), *options) == 2
    assert file.read_bytes() == content
    assert stub.asked == []


@pytest.mark.parametrize(("last", "code"), [("#end,records: 1\r\n", 0), ("evt_1,x\r\n", 1)])
def test_a_table_is_whole_by_its_last_row(stub, tmp_path, last, code):
    stub.answer = 200, {}, f"id,action\r\n{last}".encode()
    file: Path = tmp_path / "audit.csv"
    assert run(stub, "export", "--format", "csv", "--output", str(file)) == code
    assert file.read_bytes().endswith(last.encode())


def event(name, content, event_id=None):
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def test_a_tail_goes_on_where_it_was_and_ends_with_the_right_to_read(stub, capsys):
    answers: Iterator[StubAnswer] = iter(
        [
            (200, {}, event("record", record(1), "1.evt_1") + b": keep-alive\n\nid: 2"),
            (
                200,
                {},
                event("progress", {"size": 2}, "2.evt_2")
                + event("record", record(3), "3.evt_3")
                + event("end", {"reason": "token-revoked"}),
            ),
        ]
    )
    stub.answer = lambda _path, _body: next(answers)
    assert run(stub, "tail", "--json", "--text", "Bo") == 1
    said = capsys.readouterr()
    assert [json.loads(line)["id"] for line in said.out.splitlines()] == ["evt_1", "evt_3"]
    assert "token-revoked. Go on with --after 3.evt_3" in said.err
    sent = [{n.lower(): value for n, value in headers.items()} for _, headers, _ in stub.asked]
    assert [each.get("last-event-id") for each in sent] == [None, "1.evt_1"]


def test_a_refused_tail_says_why(stub, capsys):
    problem = {"code": "permission-missing", "detail": "You need it."}
    stub.answer = 403, {"Content-Type": "application/problem+json"}, json.dumps(problem).encode()
    assert run(stub, "tail") == 1
    assert "permission-missing" in capsys.readouterr().err


def test_a_checkpoint_is_kept_with_its_key_and_never_overwritten(stub, tmp_path, capsys):
    told = {"checkpoint": "origin\n7\nroot\n\n- signed\n", "verifier_keys": ["v1", "v0"], "size": 7}
    stub.answer = 200, JSON, json.dumps(told).encode()
    assert run(stub, "checkpoint") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (told["checkpoint"], "key: v1\nkey: v0\n")
    kept = tmp_path / "kept.txt"
    assert run(stub, "checkpoint", "--output", str(kept)) == 0
    assert kept.read_text(encoding="utf-8") == told["checkpoint"]
    assert Path(f"{kept}.vkey").read_text(encoding="utf-8") == "v1\nv0\n"
    assert run(stub, "checkpoint", "--output", str(kept)) == 2
    assert "File exists" in capsys.readouterr().err
    stub.answer = 200, JSON, json.dumps({**told, "checkpoint": None}).encode()
    assert run(stub, "checkpoint", "--output", str(tmp_path / "other")) == 1
    assert not (tmp_path / "other").exists()


SAVED = [
    {"id": "sch_1", "name": "Refusals", "filters": {"outcome": "denied", "from": "2026-03-05"}},
    {"id": "sch_2", "name": "Twice", "filters": {}},
    {"id": "sch_3", "name": "Twice", "filters": {"action": "role."}},
]


def with_saved_searches(path, _body):
    page: dict[str, object] = {"items": [], "next_cursor": None}
    if "audit-searches" in path:
        first = "cursor" not in path
        page = {"items": SAVED[:1] if first else SAVED[1:], "next_cursor": "c" if first else None}
    return 200, JSON, json.dumps(page).encode()


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("Refusals", {"outcome": "failed", "from": "2026-03-05"}),
        ("sch_3", {"outcome": "failed", "action": "role."}),
    ],
)
def test_a_saved_search_is_run_by_its_name_or_id(stub, name, filters):
    stub.answer = with_saved_searches
    assert run(stub, "search", "--saved", name, "--outcome", "failed") == 0
    assert queries(stub)[-1] == filters | {"limit": "50"}


def test_a_saved_search_that_is_not_there_is_told_with_what_is(stub, capsys):
    stub.answer = with_saved_searches
    assert run(stub, "search", "--saved", "Gone") == 2
    assert "There are: Refusals, Twice, Twice." in capsys.readouterr().err
    assert run(stub, "search", "--saved", "Twice") == 2
    assert "Pass an id: sch_2, sch_3." in capsys.readouterr().err
