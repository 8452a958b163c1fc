"""The script that checks in a browser that a record is in the sealed log, against the SDK's own."""

import html
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, Route

import services.console
from rolecall.audit.exports import ExportHead, is_of_an_export, verify_export
from rolecall.audit.notes import Checkpoint, NoteError, VerifierKey, opened_checkpoint, signed
from rolecall.audit.sealed import SALT_BYTES, commitment, encoded, leaf_of, personal_values
from rolecall.audit.trees import GrowingTree, leaf_hash, siblings
from rolecall.audit.verification import Verified
from tests.e2e.visitors import chromium
from tests.sdk.sealed_logs import Log, erased

SCRIPTS = Path(services.console.__file__).parent / "static"
SCRIPT = (SCRIPTS / "proof.js").read_text()
OF_FILES = (SCRIPTS / "exports.js").read_text()
ORIGIN = "rolecall.example/audit/acc_1"
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([start] * 32)) for start in (1, 2))
SIZE, INDEX = 13, 11
RECORD: dict[str, Any] = {
    "id": "evt_1",
    "account_rev": 7,
    "actor": {"type": "user", "id": "usr_1", "name": "Ana \u2028 <b>", "email": None, "via": None},
    "action": "role.changed",
    "resource": {"type": "role", "id": "r", "name": "Zoë \U0001f600"},
    "before": {},
    "after": {
        "__proto__": {"a": 1},
        "ratio": 1e-7,
        "great": 1e21,
        "10": [True, None, -0.0],
        "9": {"\ue000": 1, "\U0001f600": 2},
        "none": None,
    },
    "reason": None,
    "ip": "192.0.2.1",
    "user_agent": 'A "quoted"\tone\x7f',
    "position": {"source": "team", "epoch": "e", "shard": 0, "seq": 3},
}
ERASED = {"reason": "ab" * 32}
"""The commitment to a value that was erased with its salt."""


def a_proof(*, salt_bytes: int = SALT_BYTES) -> dict[str, Any]:
    """What the page of a proof has: the line of the record, its way, checkpoint and keys."""
    values = personal_values(RECORD)
    salts = {name: bytes([number] * salt_bytes) for number, name in enumerate(values)}
    committed = {name: commitment(salts[name], value) for name, value in values.items()}
    leaf = leaf_of(RECORD, {**committed, **ERASED})
    leaves = [leaf_hash(bytes([number])) for number in range(SIZE)]
    leaves[INDEX] = leaf

    def root(low: int, high: int) -> bytes:
        tree = GrowingTree()
        tree.extend(leaves[low:high])
        return tree.root()

    seal = {
        "index": INDEX,
        "salts": {name: encoded(salt) for name, salt in salts.items()},
        "erased": ERASED,
    }
    note = signed(Checkpoint(ORIGIN, SIZE, root(0, SIZE)).text(), ORIGIN, [OTHER, KEY])
    return {
        "line": {**RECORD, "seal": seal},
        "way": [encoded(root(*each)) for each in siblings(INDEX, (0, SIZE))],
        "checkpoint": note,
        "keys": [str(VerifierKey(ORIGIN, KEY.public_key().public_bytes_raw()))],
    }


def other_key(name: str) -> str:
    return str(
        VerifierKey(
            name, Ed25519PrivateKey.from_private_bytes(b"3" * 32).public_key().public_bytes_raw()
        )
    )


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a name": lambda proof: proof["line"]["actor"].update(name="Eve"),
    "a value": lambda proof: proof["line"]["after"].update(none=0),
    "a value that is taken away": lambda proof: proof["line"]["after"].pop("none"),
    "a value that is added": lambda proof: proof["line"]["before"].update(role="x"),
    "a fact": lambda proof: proof["line"].update(action="role.created"),
    "a fact inside": lambda proof: proof["line"]["position"].update(seq=4),
    "a salt": lambda proof: proof["line"]["seal"]["salts"].update(ip=encoded(bytes([9] * 16))),
    "an erased value": lambda proof: proof["line"]["seal"].update(erased={"reason": "cd" * 32}),
    "an erased value that is given": lambda proof: proof["line"].update(reason="because"),
    "the place": lambda proof: proof["line"]["seal"].update(index=INDEX - 1),
    "a place beyond": lambda proof: proof["line"]["seal"].update(index=SIZE),
    "a hash": lambda proof: proof["way"].reverse(),
    "a hash that is missing": lambda proof: proof["way"].pop(),
    "a hash too many": lambda proof: proof["way"].append(proof["way"][0]),
    "the root": lambda proof: proof.update(
        checkpoint=proof["checkpoint"].replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n")
    ),
    "a salt without its end": lambda proof: proof["line"]["seal"]["salts"].update(
        ip=proof["line"]["seal"]["salts"]["ip"].rstrip("=")
    ),
    "nothing that is something else": lambda proof: proof["line"].update(before=[]),
    "another key": lambda proof: proof.update(keys=[other_key(ORIGIN)]),
    "the name of another log": lambda proof: proof.update(keys=[other_key("else.example/x")]),
    "no signature": lambda proof: proof.update(
        checkpoint=proof["checkpoint"].partition("\n\n")[0] + "\n\n"
    ),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """A page of a secure origin, where browsers have WebCrypto."""
    return browser.new_page()


def verdict(page: Page, proof: dict[str, Any]) -> str:
    """What the script says of a proof."""
    data = {
        **proof,
        "line": json.dumps(proof["line"], ensure_ascii=False),
        "way": "\n".join(proof["way"]),
        "keys": "\n".join(proof["keys"]),
        "good": "good",
        "bad": "bad",
    }
    told = " ".join(f'data-{name}="{html.escape(text)}"' for name, text in data.items())
    body = (
        f'<meta charset="utf-8"><div id="proof" {told}><p>unable</p></div><script>{SCRIPT}</script>'
    )

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="text/html")

    page.route("http://localhost/proof", answer)
    page.goto("http://localhost/proof")
    page.unroute("http://localhost/proof")
    page.wait_for_function("document.querySelector('p').textContent !== 'unable'", timeout=30_000)
    return page.text_content("p") or ""


@pytest.mark.rule("Rp13")
def test_a_browser_finds_a_record_that_is_in_the_log(page):
    assert verdict(page, a_proof()) == "good"


@pytest.mark.rule("Rp13")
@pytest.mark.parametrize("change", CHANGES)
def test_a_browser_finds_each_alteration(page, change):
    proof = json.loads(json.dumps(a_proof()))
    CHANGES[change](proof)
    assert verdict(page, proof) == "bad"


@pytest.mark.rule("Rp13")
@pytest.mark.parametrize("salt_bytes", [0, SALT_BYTES - 1, SALT_BYTES + 1])
def test_a_browser_takes_no_salt_of_another_length(page, salt_bytes):
    assert verdict(page, a_proof(salt_bytes=salt_bytes)) == "bad"


# --- a whole file

LAST, OLDER, GREAT = 9, 4, 2**60
TOLD: dict[int, dict[str, Any]] = {
    number: {"after": {"role": f"r{number}"}} for number in range(LAST - 2)
}
EMPTY = 0
TOLD[EMPTY] = {"before": {}, "after": {"none": [None], "share": 1.0}}
ERASURE = {
    "action": "records.erased",
    "after": {"records": 2},
    "position": {"source": "audit", "epoch": "e", "shard": 0, "seq": 2},
}
"""The last record but one: it says of how many others values were erased."""
ENDED = {
    "action": "records.ended",
    "after": {"until": 2, "days": 90},
    "position": {"source": "audit", "epoch": "e", "shard": 0, "seq": 1},
}
"""The last record: it says how far retention has ended the others."""
FILE_LOG = Log(LAST, minutes=7, told={**TOLD, LAST - 2: ERASURE, LAST - 1: ENDED})


def told_by_others(**members: Any) -> Log:
    """The same log, whose last records are not those of audit itself."""
    told = {LAST - 2: {**ERASURE, **members}, LAST - 1: {**ENDED, **members}}
    return Log(LAST, minutes=7, told={**TOLD, **told})


NOT_OF_AUDIT = {
    "a platform has reported": told_by_others(reported_by="svc_1"),
    "another service has made": told_by_others(
        position={"source": "team", "epoch": "e", "shard": 0, "seq": 2}
    ),
}
WITHOUT_DAYS = Log(3, told={0: TOLD[2], 1: TOLD[3], 2: {**ENDED, "after": {"until": 1}}})


def file_lines(size: int = LAST, *, key: Ed25519PrivateKey = KEY, log: Log = FILE_LOG) -> list[str]:
    """An export of all records, with a checkpoint of `size` of them."""
    tree = log.checkpoint(size)
    note = signed(Checkpoint(ORIGIN, size, tree.root).text(), ORIGIN, [key])
    return log.export(size, note=note)


def altered(lines: list[str], at: int, **members: Any) -> list[str]:
    return [*lines[:at], json.dumps({**json.loads(lines[at]), **members}), *lines[at + 1 :]]


def as_filtered(lines: list[str]) -> list[str]:
    head = {**json.loads(lines[0]), "filters": {"action": "member."}}
    return [json.dumps(head), *lines[1:-1:3], json.dumps({"type": "end", "records": 3})]


def at_place(index: int) -> int:
    """Where the line of a record stands."""
    seals = [json.loads(line).get("seal") for line in LINES]
    return next(at for at, seal in enumerate(seals) if seal and seal["index"] == index)


def sealed_as(index: int, **members: Any) -> list[str]:
    """The file with other members in the seal of a record."""
    at = at_place(index)
    return altered(LINES, at, seal={**json.loads(LINES[at])["seal"], **members})


def rewritten(at: int, old: str, new: str) -> list[str]:
    """The file with a line that is written in another way."""
    assert LINES[at].count(old) == 1
    return [*LINES[:at], LINES[at].replace(old, new), *LINES[at + 1 :]]


def without_values(lines: list[str], *places: int) -> list[str]:
    """The file without the personal values of records: their commitments say that they had some."""
    found = [*lines]
    for at in places:
        for path in json.loads(found[at])["seal"]["salts"]:
            found[at] = erased(found[at], path)
    return found


def with_hashes(lines: list[str], count: int, *, log: Log = FILE_LOG) -> list[str]:
    """The oldest records as retention leaves them: their hashes alone."""
    found = []
    for line in lines:
        told = json.loads(line)
        if told["type"] == "record" and told["seal"]["index"] < count:
            seal = {name: told["seal"][name] for name in ("index", "proof")}
            leaf = encoded(log.leaves[seal["index"]])
            told = {"type": "hash", "seal": {**seal, "leaf": leaf}}
        found.append(json.dumps(told))
    end = {"type": "end", "records": len(lines) - 2 - count}
    return [*found[:-1], json.dumps(end)]


def signed_by(*signatures: str) -> list[str]:
    """The file with these lines below the text of its checkpoint."""
    text, _, _ = json.loads(LINES[0])["checkpoint"].rpartition("\n\n")
    note = "".join(f"{line}\n" for line in signatures)
    return altered(LINES, 0, checkpoint=f"{text}\n\n{note}")


def twice(place: int) -> list[str]:
    """A file of some that has a record, and its hash: the one or the other first."""
    at, last = at_place(0), json.dumps({"type": "end", "records": LAST - 1})
    pair = [with_hashes(LINES, 2)[at]]
    pair.insert(1 - place, LINES[at])
    lines = with_hashes(LINES, 2)
    return altered([*lines[:at], *pair, *lines[at + 1 : -1], last], 0, after="evt_0")


LINES = file_lines()
RIGHT = json.loads(LINES[0])["checkpoint"].splitlines()[-1]
FALSE = json.loads(file_lines(OLDER)[0])["checkpoint"].splitlines()[-1]
"""Signatures of the same key: of this checkpoint, and of another one."""
FORMS: tuple[Any, ...] = ("a text", 5, 0, True, False, "", [])
"""What is not an object, in the place of an empty one."""
LOG_KEY = VerifierKey(ORIGIN, KEY.public_key().public_bytes_raw())
FILES: dict[str, tuple[list[str], str]] = {
    "whole": (LINES, "good 9"),
    "filtered": (as_filtered(LINES), "some 3"),
    "all records removed": (
        [*altered(LINES[:1], 0, after="evt_0"), json.dumps({"type": "end", "records": 0})],
        "some 0",
    ),
    "some are newer than the seal": (file_lines(OLDER), "sealed 4 newer 5"),
    "without its end": (LINES[:-1], "sealed 9 cut"),
    "stopped": ([*LINES[:-1], '{"type": "stopped", "code": "x"}'], "sealed 9 cut"),
    "stopped, and continued": ([*LINES[:1], '{"type": "stopped"}', *LINES[1:]], "bad 3"),
    "the batch of a stream": (
        [
            *altered(LINES[:1], 0, filters={"a": "b"}, order="place"),
            *reversed(LINES[1:-1]),
            LINES[-1],
        ],
        "some 9",
    ),
    "all values hidden": (
        without_values(LINES, *map(at_place, range(1, LAST))),
        "good 9 erased 8 untold 8",
    ),
    "values erased, as a record tells": (
        without_values(LINES, *map(at_place, (2, 3))),
        "good 9 erased 2 told",
    ),
    "more erased than a record tells": (
        without_values(LINES, *map(at_place, (2, 3, 4))),
        "good 9 erased 3 untold 1",
    ),
    "some, with erased values": (as_filtered(without_values(LINES, 1)), "some 3 erased 1"),
    "something in the place of an erasure": (sealed_as(3, erased=None), "bad"),
    "more in a seal": (sealed_as(3, approved_by="the auditor"), "bad"),
    "salts in a list": (sealed_as(3, salts=[]), "bad"),
    "hashes that are names": (
        sealed_as(8, proof=dict.fromkeys(json.loads(LINES[at_place(8)])["seal"]["proof"], 1)),
        "bad",
    ),
    "a salt without its end": (
        sealed_as(
            3,
            salts={
                name: salt.rstrip("=")
                for name, salt in json.loads(LINES[at_place(3)])["seal"]["salts"].items()
            },
        ),
        "bad",
    ),
    "a number beyond all": (rewritten(at_place(EMPTY), "[null]", "[1e400]"), "bad"),
    "filters beyond all numbers": (rewritten(0, '"filters": {}', '"filters": 1e400'), "bad 1"),
    "a first line without a member": (rewritten(0, '"after": null, ', ""), "bad 1"),
    "a mark before the first line": (rewritten(0, '{"type"', '\ufeff{"type"'), "bad 1"),
    "a moment that is a number": (altered(LINES, 0, complete_until=5), "bad 1"),
    "more among the signatures": (rewritten(0, "\\n\\n", "\\n\\n\u2014 x\\n"), "bad 1"),
    "a false signature before a right one": (signed_by(FALSE, RIGHT), "bad 1"),
    "a false signature behind a right one": (signed_by(RIGHT, FALSE), "bad 1"),
    "as many signatures as there may be": (signed_by(*[RIGHT] * 100), "good 9"),
    "a signature too many": (signed_by(*[RIGHT] * 101), "bad 1"),
    "no end of the signatures": (rewritten(0, '=\\n"', '="'), "bad 1"),
    "a place with a point": (
        rewritten(at_place(3), '"index": 3,', '"index": 3.0,'),
        "unable",
    ),
    "a size with a point": (rewritten(0, '"size": 9', '"size": 9.0'), "unable"),
    "a count with a point": (rewritten(LAST + 1, "9", "9.0"), "unable"),
    "an end with a point": (
        rewritten(at_place(LAST - 1), '"until": 2', '"until": 2.0'),
        "unable",
    ),
    "a nest": (
        altered(LINES[:1], 0, filters={}, more=json.loads("[" * 200 + "]" * 200)) + LINES[1:],
        "unable",
    ),
    "a newer one without a number": (
        [
            json.dumps({**told, "position": {"seq": "4"}}) if told.get("seal", 1) is None else line
            for line in file_lines(OLDER)
            for told in [json.loads(line)]
        ],
        "bad",
    ),
    "a value altered": (altered(LINES, 3, outcome="denied"), "bad 4"),
    "a line that is not JSON": ([*LINES[:3], "{", *LINES[4:]], "bad 4"),
    "a member that is there twice": (
        [*LINES[:3], LINES[3].replace('"outcome"', '"outcome": "denied", "outcome"'), *LINES[4:]],
        "bad 4",
    ),
    "a line twice": ([*LINES[:3], LINES[2], *LINES[3:]], "bad 4"),
    "two lines exchanged": ([*LINES[:2], LINES[-2], *LINES[3:-2], LINES[2], LINES[-1]], "bad 4"),
    "a line missing": ([*LINES[:3], *LINES[4:]], "bad 10"),
    "a line and its count missing": (
        [*LINES[:3], *LINES[4:-1], json.dumps({"type": "end", "records": LAST - 1})],
        "bad 11",
    ),
    "the last line of filtered ones missing": (as_filtered(LINES)[:3] + LINES[-1:], "bad 4"),
    "a line behind the end": ([*LINES, LINES[1]], "bad 12"),
    "signed by another key": (file_lines(key=OTHER), "bad 1"),
    "another account": (altered(LINES, 0, account_id="acc_2"), "bad 1"),
    "no account": (altered(LINES, 0, account_id=None), "bad 1"),
    "another size": (altered(LINES, 0, size=8), "bad 1"),
    "records that have ended, as a record tells": (with_hashes(LINES, 2), "good 9 days 2 90"),
    "records that have ended without a number of days": (
        with_hashes(file_lines(3, log=WITHOUT_DAYS), 1, log=WITHOUT_DAYS),
        "good 3 ended 1",
    ),
    "hashes in a file of some": (
        altered(with_hashes(LINES, 2), 0, after="evt_0"),
        "some 9 hashes 2",
    ),
    "a record behind its hash": (twice(0), "bad"),
    "a record before its hash": (twice(1), "bad"),
    "more beside a hash": (
        [line.replace('"leaf"', '"salts": 1, "leaf"') for line in with_hashes(LINES, 2)],
        "bad",
    ),
    "more hashes than a record tells of": (with_hashes(LINES, 3), "bad 12"),
    **{
        f"values erased, as a record tells that {one}": (
            without_values(file_lines(log=log), *map(at_place, (2, 3))),
            "good 9 erased 2 untold 2",
        )
        for one, log in NOT_OF_AUDIT.items()
    },
    **{
        f"records that have ended, as a record tells that {one}": (
            with_hashes(file_lines(log=log), 2, log=log),
            "bad 12",
        )
        for one, log in NOT_OF_AUDIT.items()
    },
    "empty": ([], "foreign"),
    "a text": (["hello"], "foreign"),
    "a table": (["seq,occurred_at,type,action", "1,2026-11-01T00:00:00Z,x,y"], "foreign"),
    "lines of another kind": (['{"type": "invoice", "total": 3}', LINES[1]], "foreign"),
    "a first line that is gone": (LINES[1:], "bad 1"),
    "a first line that is broken": ([LINES[0][:-1], *LINES[1:]], "bad 1"),
    "a number that a browser rounds": (altered(LINES, 3, after={"size": GREAT}), "unable"),
} | {f"before is {form!r}": (altered(LINES, at_place(EMPTY), before=form), "bad") for form in FORMS}
PARTS = (
    *("busy", "good #", "sealed #", "some #", "erased #", "told", "untold #", "ended #"),
    *("days # #", "hashes #", "newer #", "cut", "bad #", "foreign", "unable"),
)
"""The sentences of the page, in short."""


@pytest.fixture(scope="module")
def file_page(browser: Browser) -> Page:
    """A page that verifies files by the key of the log."""
    words = {part.partition(" ")[0]: part for part in PARTS} | {"keys": str(LOG_KEY)}
    told = " ".join(f'data-{name}="{html.escape(text)}"' for name, text in words.items())
    body = (
        f'<meta charset="utf-8"><div id="verify" hidden {told}><input type="file">'
        f'<div role="status" hidden><p></p></div></div><script>{SCRIPT}</script>'
        f"<script>{OF_FILES}</script>"
    )

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="text/html")

    page = browser.new_page()
    page.route("http://localhost/file", answer)
    page.goto("http://localhost/file")
    return page


@pytest.mark.rule("Rp13", "B11")
@pytest.mark.parametrize(("lines", "said"), FILES.values(), ids=FILES)
def test_a_browser_verifies_a_file_as_the_command_does(file_page, lines, said):
    buffer = "".join(f"{line}\n" for line in lines).encode()
    file_page.set_input_files(
        "input", {"name": "audit.jsonl", "mimeType": "application/jsonl", "buffer": buffer}
    )
    file_page.wait_for_function(
        "!['', 'busy'].includes(document.querySelector('p').textContent)", timeout=30_000
    )
    told = file_page.text_content("p") or ""
    assert told == said or (said == "bad" and told.startswith("bad "))
    assert is_of_an_export(lines[0] if lines else "") is (said != "foreign")
    found = by_command(lines)
    looks = file_page.get_attribute("[role=status]", "class")
    judged = said not in {"unable", "foreign"}
    assert (looks == "note good") is (judged and is_all_checked(found))
    assert (looks == "note warn") or judged
    if judged:
        assert in_parts(found) in {told, told.partition(" ")[0]}


def by_command(lines: list[str]) -> Verified | None:
    """What the command finds; `None` if it refuses the file."""
    head = ExportHead.read(lines[0]) if lines else None
    if head is None or head.note is None:
        return None
    try:
        checkpoint = opened_checkpoint(head.note, LOG_KEY)
    except NoteError:
        return None
    found = verify_export(head, lines[1:], checkpoint) if checkpoint.size == head.size else None
    return found if isinstance(found, Verified) else None


def is_all_checked(found: Verified | None) -> bool:
    """Whether nothing is left that could not be judged."""
    if found is None or found.erased or found.unsealed:
        return False
    return found.complete and found.ended


def in_parts(found: Verified | None) -> str:
    """What the page says where the command finds this: each member of it is told."""
    if found is None:
        return "bad"
    told = asdict(found)
    complete, ended, unsealed = told.pop("complete"), told.pop("ended"), told.pop("unsealed")
    emptied, untold = told.pop("erased"), told.pop("untold")
    hashes, days = told.pop("by_retention"), told.pop("days")
    whole = "good" if ended and not unsealed else "sealed"
    parts = [f"{whole if complete else 'some'} {told.pop('records')}"]
    assert not told, "a member of the verdict has no sentence on the page"
    if emptied:
        parts.append(f"erased {emptied}")
    if emptied and complete:
        parts.append(f"untold {untold}" if untold else "told")
    if hashes and not complete:
        parts.append(f"hashes {hashes}")
    elif hashes:
        parts.append(f"ended {hashes}" if days is None else f"days {hashes} {days}")
    if unsealed:
        parts.append(f"newer {unsealed}")
    return " ".join(parts if ended else [*parts, "cut"])
