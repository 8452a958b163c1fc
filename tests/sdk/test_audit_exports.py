"""An export in the order of time is verified by the proof in each of its lines."""

import json
import random

import pytest

from rolecall.audit.exports import ExportHead, verify_export
from rolecall.audit.notes import Checkpoint
from rolecall.audit.scattered import EarlierTrees, Indexes
from rolecall.audit.sealed import commitments, encoded, leaf_of, personal_values
from rolecall.audit.trees import siblings
from rolecall.audit.verification import Tampered, Tampering, Verified
from tests.lengths import AUDIT_MUTATIONS, SEED
from tests.sdk.sealed_logs import Log, erased
from tests.sdk.test_audit_verification import CHANGES, changed, flipped

LOG = Log(61, minutes=40)
EXPORT = LOG.export()
CHECKPOINT = LOG.checkpoint()
BY_TIME = [json.loads(line)["seal"]["index"] for line in EXPORT[1:-1]]


def verified(lines, checkpoint=CHECKPOINT, previous=()):
    head = ExportHead.read(lines[0])
    assert head is not None
    return verify_export(head, lines[1:], checkpoint, previous)


def bad(fault, index, line):
    return Tampered(fault=fault, index=index, line=line)


@pytest.mark.rule("B11")
@pytest.mark.parametrize("size", [0, 1, 2, 7, 32, 60, 61])
def test_an_export_is_verified_by_the_checkpoint_of_its_size(size):
    assert sorted(BY_TIME) != BY_TIME
    found = verified(LOG.export(size), LOG.checkpoint(size))
    assert found == Verified(records=size, unsealed=61 - size)


@pytest.mark.parametrize("earlier", [(), (0,), (1, 17, 32, 60, 61), (61,), (0, 1, 2, 3, 4, 5)])
def test_an_export_that_grew_from_earlier_checkpoints_is_verified(earlier):
    previous = [LOG.checkpoint(size) for size in earlier]
    assert verified(EXPORT, previous=previous) == Verified(records=61)


@pytest.mark.parametrize("path", [path for path in CHANGES if path != "seal/path"])
def test_every_member_of_an_exported_record_is_covered(path):
    lines = [*EXPORT]
    lines[9] = changed(lines[9], path, CHANGES[path])
    assert verified(lines) == bad(Tampering.ALTERED, BY_TIME[8], 10)


@pytest.mark.rule("B11")
@pytest.mark.parametrize("account", ["acc_2", "", "audit/acc_1", "acc_"])
def test_an_export_names_the_account_of_its_checkpoint(account):
    head = json.dumps({**json.loads(EXPORT[0]), "account_id": account})
    assert verified([head, *EXPORT[1:]]) == bad(Tampering.MISNAMED, None, 1)
    assert verified(filtered(EXPORT, account_id=account)) == bad(Tampering.MISNAMED, None, 1)


def test_a_first_line_that_names_no_account_is_not_one_of_an_export():
    head = json.loads(EXPORT[0])
    assert ExportHead.read(json.dumps(head | {"account_id": None})) is None
    assert ExportHead.read(json.dumps({**head, "complete_until": 1})) is None
    del head["account_id"]
    assert ExportHead.read(json.dumps(head)) is None


def test_lines_of_an_export_that_are_not_records_are_alterations():
    for text in ("", "[]", '{"type": "record"}', '{"type": "record", "seal": null}', '{"a": NaN}'):
        lines = [*EXPORT]
        lines[9] = text
        assert verified(lines) == bad(Tampering.ALTERED, BY_TIME[8], 10)
    hash_of_another = {"index": 5, "leaf": encoded(LOG.leaves[5]), "proof": []}
    lines[9] = json.dumps({"type": "hash", "seal": hash_of_another})
    assert isinstance(verified(lines), Tampered)


@pytest.mark.rule("B11")
@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize("form", [0, "", False, [], 5, True, "text"])
def test_what_is_not_an_object_is_not_taken_for_an_empty_one(name, form):
    log = Log(3, told={1: {name: {}}})
    lines, newest = log.export(), log.checkpoint()
    assert verified(lines, newest) == Verified(records=3)
    at = next(at for at, line in enumerate(lines) if json.loads(line).get(name) == {})
    lines[at] = changed(lines[at], name, form)
    assert verified(lines, newest) == bad(Tampering.ALTERED, 1, at + 1)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("seal/proof", dict.fromkeys(json.loads(EXPORT[9])["seal"]["proof"])),
        ("seal/leaf", None),
        ("seal/approved_by", "the auditor"),
        ("seal/index", float(BY_TIME[8])),
    ],
)
def test_a_seal_of_an_export_has_one_form(path, form):
    lines = [*EXPORT]
    lines[9] = changed(lines[9], path, form)
    assert isinstance(verified(lines), Tampered)


@pytest.mark.parametrize(
    ("name", "form"), [("occurred_at", 5), ("id", 5), ("seq", "9"), ("seq", 9.0)]
)
def test_a_record_without_a_seal_has_its_place_in_one_form(name, form):
    new = {"id": "evt_x", "occurred_at": "2026-11-27T09:00:00.000Z", "seq": 9} | {name: form}
    place = {"seq": new.pop("seq")}
    line = json.dumps({"type": "record", **new, "position": place, "seal": None})
    end = json.dumps({"type": "end", "records": 62})
    assert isinstance(verified([*EXPORT[:-1], line, end]), Tampered)


@pytest.mark.parametrize("count", ["61", 61.0, 61.5, None, True])
def test_the_last_line_tells_a_whole_number_of_records(count):
    end = json.dumps({"type": "end", "records": count})
    assert verified([*EXPORT[:-1], end]) == bad(Tampering.INSERTED, None, 63)


@pytest.mark.parametrize("number", ["1e400", "-1E400", "NaN", "Infinity"])
def test_numbers_without_a_canonical_form_are_refused_in_each_line(number):
    new = json.loads(EXPORT[9]) | {"seal": None, "ip": "@"}
    line = json.dumps(new).replace('"@"', number)
    assert isinstance(verified([EXPORT[0], line]), Tampered)
    assert ExportHead.read(EXPORT[0].replace('"filters": {}', f'"filters": {number}')) is None


@pytest.mark.parametrize("lacks", ["filters", "after", "account_id", "size", "checkpoint"])
@pytest.mark.parametrize("filters", [{}, {"action": "member."}])
def test_a_first_line_has_each_of_its_members(lacks, filters):
    told = {**json.loads(EXPORT[0]), "filters": filters}
    assert ExportHead.read(json.dumps(told)) is not None
    del told[lacks]
    assert ExportHead.read(json.dumps(told)) is None


def filtered(lines, **told):
    """Every third record of an export, with a first line that says so."""
    head = {**json.loads(lines[0]), "filters": {"action": "member."}, **told}
    some = lines[1:-1:3]
    return [json.dumps(head), *some, json.dumps({"type": "end", "records": len(some)})]


@pytest.mark.rule("B11")
def test_lines_that_filters_took_are_verified_one_by_one():
    lines = filtered(EXPORT)
    assert verified(lines) == Verified(records=21, complete=False)
    assert verified(filtered(EXPORT, filters={}, after="evt_1")) == Verified(
        records=21, complete=False
    )
    lines[4] = changed(lines[4], "outcome", "denied")
    assert verified(lines) == bad(Tampering.ALTERED, BY_TIME[9], 5)
    del lines[4]
    assert verified(lines) == bad(Tampering.REMOVED, None, 22)


def test_an_export_without_its_last_line_was_cut_off():
    assert verified(EXPORT[:-1]) == Verified(records=61, ended=False)
    stopped = json.dumps({"type": "stopped", "code": "permission-missing"})
    assert verified([*EXPORT[:-1], stopped]) == Verified(records=61, ended=False)
    assert verified([EXPORT[0], stopped, *EXPORT[1:]]) == bad(Tampering.INSERTED, BY_TIME[0], 3)
    assert verified([*EXPORT, EXPORT[4]]) == bad(Tampering.INSERTED, BY_TIME[3], 64)


def test_nothing_follows_the_last_line():
    end = json.loads(EXPORT[-1])
    new = {**LOG.records[60], "id": "evt_new", "occurred_at": "2026-11-27T08:00:00.000Z"}
    more = json.dumps({"type": "record", **new, "seal": None})
    lines = [*EXPORT, more, json.dumps({**end, "records": 62})]
    assert verified(lines) == bad(Tampering.INSERTED, None, 64)
    assert verified([*EXPORT[:-1], more, EXPORT[-1]]) == bad(Tampering.INSERTED, None, 64)


def test_records_of_one_moment_stand_in_the_order_of_their_rows_and_ids():
    log = Log(8)
    for each in log.records:
        each["position"] = {**each["position"], "seq": 1}
    log.leaves = [
        leaf_of(each, commitments(personal_values(each), salts))
        for each, salts in zip(log.records, log.salts, strict=True)
    ]
    lines = log.export()
    assert verified(lines, log.checkpoint()) == Verified(records=8)
    lines[3], lines[4] = lines[4], lines[3]
    assert verified(lines, log.checkpoint()) == bad(Tampering.REORDERED, 3, 4)


def test_the_checkpoint_of_another_log_is_not_an_earlier_one():
    other = Checkpoint("elsewhere/audit/acc_1", 20, LOG.checkpoint(20).root)
    assert verified(EXPORT, previous=[other]) == bad(Tampering.REPLACED, 0, None)


def test_erased_values_leave_an_export_verifiable():
    lines = [*EXPORT]
    for number in range(1, 11):
        paths = LOG.salts[BY_TIME[number - 1]]
        lines[number] = erased(lines[number], next(path for path in paths if path != "after.é"))
    assert verified(lines) == Verified(records=61, erased=10, untold=10)


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    ("hashes", "result"),
    [
        ((), Verified(records=61)),
        ((0, 1, 2), Verified(records=61, by_retention=3, days=90)),
        ((4, 2, 0, 3, 1), Verified(records=61, by_retention=5, days=90)),
        (range(6), bad(Tampering.REMOVED, 5, None)),
        ((0, 1, 7), bad(Tampering.REMOVED, 7, None)),
        ((60,), bad(Tampering.REMOVED, 60, None)),
    ],
)
def test_hashes_are_an_end_as_far_as_the_log_says(hashes, result):
    position = {"source": "audit", "epoch": "e1", "shard": 3, "seq": 31}
    told = {"action": "records.ended", "position": position, "after": {"until": 5, "days": 90}}
    log = Log(61, minutes=6, told={30: told})
    head, *lines, _ = log.export()
    lines = [line for line in lines if json.loads(line)["seal"]["index"] not in hashes]
    for index in hashes:
        proof = [encoded(log.node(*each)) for each in siblings(index, (0, 61))]
        seal = {"index": index, "leaf": encoded(log.leaves[index]), "proof": proof}
        lines.append(json.dumps({"type": "hash", "seal": seal}))
    end = json.dumps({"type": "end", "records": 61 - len(hashes)})
    assert verified([head, *lines, end], log.checkpoint()) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "7",
        EXPORT[3],
        EXPORT[0].replace("61", '"61"'),
        EXPORT[0].replace("61", "-1"),
        EXPORT[0] * 2,
    ],
)
def test_a_first_line_that_tells_no_tree_is_none_of_an_export(text):
    assert ExportHead.read(text) is None


def forked(at):
    """The log as it is up to a place, and with other records from there on."""
    other, log = Log(61, seed=2, minutes=40), Log(61, minutes=40)
    for part in ("records", "salts", "leaves"):
        setattr(log, part, [*getattr(LOG, part)[:at], *getattr(other, part)[at:]])
    return log


def mutated(chance):
    """One random mutation: lines, checkpoint, earlier ones, and the index and line to be named."""
    lines, at, kind = [*EXPORT], chance.randrange(1, 62), chance.choice(KINDS)
    held = CHECKPOINT
    index = BY_TIME[at - 1]
    named = (index, at + 1)
    if kind == "flip":
        lines[at] = flipped(lines[at], chance)
    elif kind == "delete":
        del lines[at]
        named = (index, None)
    elif kind == "duplicate":
        lines.insert(at, lines[at])
        named = (index, at + 2)
    elif kind == "swap":
        other = 1 + (at - 1 + chance.randrange(1, 61)) % 61
        lines[at], lines[other] = lines[other], lines[at]
        first, later = sorted((at, other))
        named = (BY_TIME[later - 1], first + 1)
    elif kind == "insert":
        lines.insert(at, changed(lines[chance.randrange(1, 62)], "request_id", "req_new"))
        named = (None, at + 1)
    elif kind == "truncate":
        del lines[at:]
        named = (min(BY_TIME[at - 1 :]), None)
    elif kind == "older backup":
        at %= 61
        backup = Log(61, minutes=40)
        for part in ("records", "salts", "leaves"):
            setattr(backup, part, getattr(backup, part)[:at])
        lines, held, named = backup.export(), backup.checkpoint(), (at, None)
    else:
        log = forked(at - 1)
        lines, held, named = log.export(), log.checkpoint(), (None, None)
    return kind, lines, held, named


KINDS = ("flip", "delete", "duplicate", "swap", "insert", "truncate", "older backup", "fork")


@pytest.mark.rule("B11")
def test_random_mutations_of_an_export_are_found_at_the_right_record():
    chance = random.Random(SEED)
    known = [LOG.checkpoint(size) for size in range(0, 62, 4)]
    for _ in range(AUDIT_MUTATIONS):
        kind, lines, held, (index, line) = mutated(chance)
        found = verified(lines, held, [*known, CHECKPOINT])
        assert isinstance(found, Tampered), kind
        assert found.line == line, kind
        if kind == "insert":
            assert found.fault in {Tampering.INSERTED, Tampering.REORDERED}
        elif kind == "fork":
            # The newest earlier checkpoint that still agrees is before the place of the fork.
            assert found.fault == Tampering.REPLACED
        else:
            assert found.index == index, kind


def test_places_are_told_apart_in_any_order():
    chance = random.Random(SEED)
    for size in (1, 2, 5, 40):
        order = chance.sample(range(size), size)
        indexes, there = Indexes(), set()
        for index in order:
            assert indexes.add(index)
            assert not indexes.add(index)
            there.add(index)
            lacking = [each for low, high in indexes.gaps(size) for each in range(low, high)]
            assert lacking == [each for each in range(size) if each not in there]
        assert indexes.lacks(None, size) is None
        assert indexes.lacks(3, size + 7) == (3 if size < 4 else size)


def test_earlier_trees_follow_from_leaves_in_any_order():
    sizes = range(62)
    trees = EarlierTrees(sizes)
    for index in BY_TIME:
        trees.add(index, LOG.leaves[index])
    assert [trees.root(size) for size in sizes] == [LOG.checkpoint(size).root for size in sizes]
