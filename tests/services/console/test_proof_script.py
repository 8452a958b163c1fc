"""The script that checks in a browser that a record is in the sealed log, against the SDK's own."""

import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, Route

import services.console
from rolecall.audit.exports import ExportHead, verify_export
from rolecall.audit.notes import Checkpoint, NoteError, VerifierKey, opened_checkpoint, signed
from rolecall.audit.sealed import commitments, encoded, leaf_of, personal_values
from rolecall.audit.trees import GrowingTree, leaf_hash, siblings
from rolecall.audit.verification import Tampered
from tests.e2e.visitors import chromium
from tests.sdk.sealed_logs import Log

SCRIPT = (Path(services.console.__file__).parent / "static" / "proof.js").read_text()
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


def a_proof() -> dict[str, Any]:
    """What the page of a proof has: the line of the record, its way, checkpoint and keys."""
    values = personal_values(RECORD)
    salts = {name: bytes([number] * 16) for number, name in enumerate(values)}
    leaf = leaf_of(RECORD, {**commitments(values, salts), **ERASED})
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


# --- a whole file

LAST, OLDER, GREAT = 9, 4, 2**60
TOLD: dict[int, dict[str, Any]] = {
    number: {"after": {"role": f"r{number}"}} for number in range(LAST - 1)
}
ENDED = {
    "action": "records.ended",
    "after": {"until": 2, "days": 90},
    "position": {"source": "audit", "epoch": "e", "shard": 0, "seq": 1},
}
"""The last record: it says how far retention has ended the others."""
FILE_LOG = Log(LAST, minutes=7, told={**TOLD, LAST - 1: ENDED})


def file_lines(size: int = LAST, *, key: Ed25519PrivateKey = KEY) -> list[str]:
    """An export of all records, with a checkpoint of `size` of them."""
    tree = FILE_LOG.checkpoint(size)
    note = signed(Checkpoint(ORIGIN, size, tree.root).text(), ORIGIN, [key])
    return FILE_LOG.export(size, note=note)


def altered(lines: list[str], at: int, **members: Any) -> list[str]:
    return [*lines[:at], json.dumps({**json.loads(lines[at]), **members}), *lines[at + 1 :]]


def as_filtered(lines: list[str]) -> list[str]:
    head = {**json.loads(lines[0]), "filters": {"action": "member."}}
    return [json.dumps(head), *lines[1:-1:3], json.dumps({"type": "end", "records": 3})]


def with_hashes(lines: list[str], count: int) -> list[str]:
    """The oldest records as retention leaves them: their hashes alone."""
    found = []
    for line in lines:
        told = json.loads(line)
        if told["type"] == "record" and told["seal"]["index"] < count:
            seal = {name: told["seal"][name] for name in ("index", "proof")}
            leaf = encoded(FILE_LOG.leaves[seal["index"]])
            told = {"type": "hash", "seal": {**seal, "leaf": leaf}}
        found.append(json.dumps(told))
    end = {"type": "end", "records": len(lines) - 2 - count}
    return [*found[:-1], json.dumps(end)]


LINES = file_lines()
LOG_KEY = VerifierKey(ORIGIN, KEY.public_key().public_bytes_raw())
FILES: dict[str, tuple[list[str], str]] = {
    "whole": (LINES, "good 9"),
    "filtered": (as_filtered(LINES), "good 3"),
    "some are newer than the seal": (file_lines(OLDER), "newer 4 5"),
    "without its end": (LINES[:-1], "cut 9"),
    "stopped": ([*LINES[:-1], '{"type": "stopped", "code": "x"}'], "cut 9"),
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
    "records that have ended, as a record tells": (with_hashes(LINES, 2), "good 7"),
    "more hashes than a record tells of": (with_hashes(LINES, 3), "bad 12"),
    "empty": ([], "bad 1"),
    "a number that a browser rounds": (altered(LINES, 3, after={"size": GREAT}), "unable"),
}


@pytest.fixture(scope="module")
def file_page(browser: Browser) -> Page:
    """A page that verifies files by the key of the log."""
    words = {
        "busy": "busy",
        "good": "good #",
        "newer": "newer # #",
        "cut": "cut #",
        "bad": "bad #",
        "unable": "unable",
        "keys": str(LOG_KEY),
    }
    told = " ".join(f'data-{name}="{html.escape(text)}"' for name, text in words.items())
    body = (
        f'<meta charset="utf-8"><div id="verify" hidden {told}><input type="file">'
        f'<div role="status" hidden><p></p></div></div><script>{SCRIPT}</script>'
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
    assert file_page.text_content("p") == said
    if said != "unable":
        assert command_refuses(lines) is said.startswith("bad")


def command_refuses(lines: list[str]) -> bool:
    head = ExportHead.read(lines[0]) if lines else None
    if head is None or head.note is None:
        return True
    try:
        checkpoint = opened_checkpoint(head.note, LOG_KEY)
    except NoteError:
        return True
    return checkpoint.size != head.size or isinstance(
        verify_export(head, lines[1:], checkpoint), Tampered
    )
