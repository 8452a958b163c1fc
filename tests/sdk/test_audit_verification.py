"""An export is verified, and the first record that was tampered with is named."""

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from rolecall.audit.exports import ExportHead, verify_export
from rolecall.audit.notes import Checkpoint
from rolecall.audit.sealed import SealError, commitments, encoded
from rolecall.audit.verification import Tampered, Tampering, Verified, verify
from tests.lengths import AUDIT_MUTATIONS, SEED
from tests.sdk.sealed_logs import Log, erased

LOG = Log(61)
LINES = LOG.lines()
CHECKPOINT = LOG.checkpoint()


def bad(fault, index, line):
    return Tampered(fault=fault, index=index, line=line)


@pytest.mark.rule("B11")
@pytest.mark.parametrize("size", [0, 1, 2, 3, 8, 60, 61])
def test_a_whole_export_is_verified(size):
    found = verify(LOG.lines(size), LOG.checkpoint(size))
    assert found == Verified(records=size)


def test_an_export_that_grew_from_earlier_checkpoints_is_verified():
    previous = [LOG.checkpoint(size) for size in (0, 1, 17, 32, 61)]
    assert verify(LINES, CHECKPOINT, previous) == Verified(records=61)


def changed(line, path, value):
    content = json.loads(line)
    inner = content
    *outer, last = path.split("/")
    for name in outer:
        inner = inner[name]
    inner[last] = value
    return json.dumps(content)


CHANGES = {
    "id": "evt_9",
    "action": "member.added",
    "occurred_at": "2026-11-27T07:00:00.001Z",
    "actor/id": "usr_9",
    "actor/name": "Eve",
    "resource/id": "usr_9",
    "outcome": "denied",
    "before": {"role": "viewer"},
    "after": {},
    "reason": "none",
    "ip": "192.0.2.8",
    "position/seq": 4,
    "account_rev": 1.5,
    "new": "x",
    "seal/salts": {},
    "seal/path": [],
    "seal/index": True,
    "seal/new": "x",
    "seal/erased": {"actor.name": "00"},
    "seal": {"index": 8, "leaf": "", "path": []},
}


@pytest.mark.parametrize("path", CHANGES)
def test_every_member_of_a_record_is_covered(path):
    lines = [*LINES]
    lines[8] = changed(lines[8], path, CHANGES[path])
    assert verify(lines, CHECKPOINT) == bad(Tampering.ALTERED, 8, 9)


def test_a_second_member_of_one_name_is_an_alteration():
    lines = [*LINES]
    lines[5] = lines[5].replace("{", '{"action": "member.added", ', 1)
    assert verify(lines, CHECKPOINT) == bad(Tampering.ALTERED, 5, 6)


def test_the_kinds_of_tampering_are_told_apart():
    new = changed(LINES[20], "id", "evt_new")
    removed, moved, inserted, doubled = ([*LINES] for _ in range(4))
    del removed[20]
    moved[20], moved[30] = moved[30], moved[20]
    inserted.insert(20, new)
    doubled.insert(21, doubled[20])
    assert verify(removed, CHECKPOINT) == bad(Tampering.REMOVED, 20, 21)
    assert verify(moved, CHECKPOINT) == bad(Tampering.REORDERED, 20, 21)
    assert verify(inserted, CHECKPOINT) == bad(Tampering.INSERTED, 20, 21)
    assert verify(doubled, CHECKPOINT) == bad(Tampering.INSERTED, 21, 22)
    assert verify(LINES[:50], CHECKPOINT) == bad(Tampering.REMOVED, 50, None)
    assert verify([*LINES, new], CHECKPOINT) == bad(Tampering.INSERTED, 61, 62)


def test_a_log_that_was_rewritten_is_not_that_of_an_earlier_checkpoint():
    forked = Log(61, seed=2)
    previous = [LOG.checkpoint(20)]
    assert verify(forked.lines(), forked.checkpoint(), previous) == bad(Tampering.REPLACED, 0, None)
    late = Log(61)
    late.records, late.salts, late.leaves = (
        [*old[:40], *new[40:]]
        for old, new in (
            (LOG.records, forked.records),
            (LOG.salts, forked.salts),
            (LOG.leaves, forked.leaves),
        )
    )
    earlier = [LOG.checkpoint(20), LOG.checkpoint(50)]
    assert verify(late.lines(), late.checkpoint(), earlier) == bad(Tampering.REPLACED, 20, None)


def test_a_log_that_was_set_back_is_shorter_than_an_earlier_checkpoint():
    found = verify(LOG.lines(30), LOG.checkpoint(30), [CHECKPOINT])
    assert found == bad(Tampering.REMOVED, 30, None)


def test_the_checkpoint_of_another_log_is_not_an_earlier_one():
    other = Checkpoint("elsewhere/audit/acc_1", 20, LOG.checkpoint(20).root)
    assert verify(LINES, CHECKPOINT, [other]) == bad(Tampering.REPLACED, 0, None)


def test_erased_values_leave_every_record_verifiable():
    lines = [*LINES]
    expected = 0
    for number in range(0, 61, 3):
        paths = [path for path in LOG.salts[number] if path != "after.é"]
        for path in paths:
            lines[number] = erased(lines[number], path)
        expected += bool(paths)
    assert verify(lines, CHECKPOINT) == Verified(records=61, erased=expected, untold=expected)


TELLS: dict[str, Any] = {
    "action": "records.erased",
    "position": {"source": "audit", "epoch": "e1", "shard": 3, "seq": 1},
    "after": {"records": 2},
}
"""What a record has that says that values of two records were erased."""


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    ("told", "untold"),
    [
        ({6: TELLS}, 1),
        ({6: TELLS, 7: TELLS | {"after": {"records": 1}}}, 0),
        ({6: TELLS | {"after": {"records": 9}}}, 0),
        ({}, 3),
        ({6: TELLS | {"action": "records.ended"}}, 3),
        ({6: TELLS | {"reported_by": "cli_1"}}, 3),
        ({6: TELLS | {"position": TELLS["position"] | {"source": "team"}}}, 3),
        ({6: TELLS | {"after": {"records": True}}}, 3),
        ({6: TELLS | {"after": {"records": "3"}}}, 3),
        ({6: TELLS | {"after": None}}, 3),
        ({6: TELLS | {"after": {"records": 4}}, 7: TELLS | {"after": {"records": -3}}}, 0),
    ],
)
def test_erased_values_are_compared_with_what_the_log_tells(told, untold):
    log = Log(9, told=told)
    lines, export = log.lines(), log.export()
    for index in (1, 2, 4):
        lines[index] = erased(lines[index], next(iter(log.salts[index])))
        place = next(number for number, text in enumerate(export) if f'"index": {index},' in text)
        export[place] = erased(export[place], next(iter(log.salts[index])))
    expected = Verified(records=9, erased=3, untold=untold)
    assert verify(lines, log.checkpoint()) == expected
    head = ExportHead.read(export[0])
    assert head is not None
    assert verify_export(head, export[1:], log.checkpoint()) == expected
    some = replace(head, complete=False)
    found = verify_export(some, export[1:], log.checkpoint())
    assert found == replace(expected, complete=False, untold=0), "others may tell it"


def test_no_other_value_takes_the_place_of_an_erased_one():
    number = next(n for n, salts in enumerate(LOG.salts) if "actor.name" in salts)
    without = changed(erased(LINES[number], "actor.name"), "actor/name", "Eve")
    with_salt = changed(without, "seal/salts/actor.name", encoded(bytes(16)))
    for line in (without, with_salt):
        lines = [*LINES[:number], line, *LINES[number + 1 :]]
        assert verify(lines, CHECKPOINT) == bad(Tampering.ALTERED, number, number + 1)


ENDS: dict[str, Any] = {
    "action": "records.ended",
    "position": {"source": "audit", "epoch": "e1", "shard": 3, "seq": 1},
    "after": {"until": 5, "days": 90},
}
"""What a record has that says that the five oldest records ended."""


def ended(log, numbers):
    """The export of a log; of these records it has the hash alone."""
    lines = log.lines()
    for number in numbers:
        path = json.loads(lines[number])["seal"]["path"]
        leaf = {"index": number, "path": path, "leaf": encoded(log.leaves[number])}
        lines[number] = json.dumps({"seal": leaf})
    return lines


@pytest.mark.rule("B11")
@pytest.mark.parametrize("number", range(6))
def test_hashes_of_the_oldest_records_are_their_end_as_the_log_says(number):
    log = Log(61, told={30: ENDS})
    days = 90 if number else None
    assert verify(ended(log, range(number)), log.checkpoint()) == Verified(
        records=61, by_retention=number, days=days
    )


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    ("numbers", "told", "index"),
    [
        (range(6), ENDS, 5),  # one more than the log says
        ((0, 1, 2, 7), ENDS, 7),  # not among the oldest
        ((2,), ENDS, 2),
        ((60,), ENDS, 60),
        (range(5), {}, 0),  # no record says so
        (range(5), ENDS | {"reported_by": "svc_1"}, 0),  # a service of the platform said so
        (range(5), ENDS | {"position": ENDS["position"] | {"source": "team"}}, 0),
        (range(5), ENDS | {"after": {"until": "5"}}, 0),
        (range(5), ENDS | {"after": None}, 0),
        (range(5), ENDS | {"action": "records.endeds"}, 0),
        (range(3), ENDS | {"after": {"until": 2, "days": 90}}, 2),
        (range(31), ENDS | {"after": {"until": 31, "days": 90}}, 0),  # it is itself among them
    ],
)
def test_a_hash_that_the_log_does_not_tell_of_is_a_removal(numbers, told, index):
    log = Log(61, told={30: told})
    assert verify(ended(log, numbers), log.checkpoint()) == bad(Tampering.REMOVED, index, index + 1)


def test_the_newest_record_of_an_end_counts():
    log = Log(61, told={20: ENDS, 30: ENDS | {"after": {"until": 9, "days": 30}}})
    assert verify(ended(log, range(9)), log.checkpoint()) == Verified(
        records=61, by_retention=9, days=30
    )


def test_what_stands_beside_a_kept_hash_is_an_alteration():
    seal = json.loads(LINES[7])["seal"]
    leaf = {"index": 7, "path": seal["path"], "leaf": encoded(LOG.leaves[7])}
    lines = [*LINES]
    lines[7] = json.dumps({"action": "member.added", "seal": leaf})
    assert verify(lines, CHECKPOINT) == bad(Tampering.ALTERED, 7, 8)


def test_no_part_of_a_value_moves_into_its_salt():
    values, salts = {"after.size": 12}, {"after.size": bytes(16)}
    assert commitments(values, salts)
    with pytest.raises(SealError):
        commitments({"after.size": 2}, {"after.size": bytes(16) + b"1"})


def test_records_that_are_not_sealed_yet_stand_at_the_end_only():
    unsealed = json.dumps({**LOG.records[60], "seal": None})
    assert verify([*LOG.lines(60), unsealed], LOG.checkpoint(60)) == Verified(
        records=60, unsealed=1
    )
    early = [*LINES[:20], unsealed, *LINES[20:]]
    assert verify(early, CHECKPOINT) == bad(Tampering.INSERTED, 20, 21)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"seal": 7}', '{"seal": {"index": NaN}}', "[" * 100_000],
)
def test_a_line_that_is_not_a_record_is_an_alteration(text):
    lines = [*LINES]
    lines[9] = text
    assert verify(lines, CHECKPOINT) == bad(Tampering.ALTERED, 9, 10)


def flipped(text, chance):
    """The line with one bit of one letter changed, so that it says something else."""
    while True:
        place = chance.randrange(len(text))
        letter = chr(ord(text[place]) ^ (1 << chance.randrange(5)))
        changed_text = text[:place] + letter + text[place + 1 :]
        if not same(changed_text, text):
            return changed_text


def mutated(lines, chance):
    """One random mutation of an export: the lines, and the index of the first bad record."""
    lines, at, bad_index = [*lines], chance.randrange(len(lines)), None
    kind = chance.choice(("flip", "delete", "duplicate", "swap", "insert", "truncate"))
    if kind == "flip":
        lines[at] = flipped(lines[at], chance)
    elif kind == "delete":
        del lines[at]
    elif kind == "duplicate":
        lines.insert(at, lines[at])
        bad_index = at + 1
    elif kind == "swap":
        other = (at + chance.randrange(1, len(lines))) % len(lines)
        lines[at], lines[other] = lines[other], lines[at]
        bad_index = min(at, other)
    elif kind == "insert":
        lines.insert(at, changed(lines[chance.randrange(len(lines))], "request_id", "req_new"))
    else:
        del lines[at:]
    return lines, at if bad_index is None else bad_index


def same(one, other):
    """Whether two lines say the same: white space, escapes and members that are null count not."""
    try:
        return told(one) == told(other)
    except ValueError:
        return False


def told(line):
    def members(pairs):
        return {name: value for name, value in pairs if value is not None}

    return json.loads(line, object_pairs_hook=members)


@pytest.mark.rule("B11")
def test_random_mutations_are_found_at_the_right_record():
    chance = random.Random(SEED)
    for _ in range(AUDIT_MUTATIONS):
        lines, index = mutated(LINES, chance)
        found = verify(lines, CHECKPOINT)
        assert isinstance(found, Tampered)
        assert found.index == index
