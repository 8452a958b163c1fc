"""`rolecall audit verify`: the exit codes and sentences."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.audit.notes import VerifierKey, signed
from rolecall.audit.sealed import encoded
from rolecall.cli import main
from tests.sdk.sealed_logs import ORIGIN, Log, erased

LOG = Log(9)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEXT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))

WHOLE = f"All 9 records of {ORIGIN} are as they were sealed."


def verifier(key):
    return str(VerifierKey(ORIGIN, key.public_key().public_bytes_raw()))


def note(size, key=KEY):
    return signed(LOG.checkpoint(size).text(), ORIGIN, [key])


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command over these lines and notes; the exit code and what it says."""

    def run(lines, newest, *previous, keys=(KEY,), more=()):
        files = {"export.jsonl": "".join(f"{line}\n" for line in lines), "note.txt": newest}
        files |= {f"old{number}.txt": text for number, text in enumerate(previous)}
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        options = ["--checkpoint", str(tmp_path / "note.txt"), *more]
        for number in range(len(previous)):
            options += ["--previous", str(tmp_path / f"old{number}.txt")]
        for key in keys:
            options += ["--key", verifier(key)]
        code = main(["audit", "verify", str(tmp_path / "export.jsonl"), *options])
        written = capsys.readouterr()
        return code, (written.out or written.err).strip()

    return run


def test_a_whole_export_exits_with_0_and_one_with_erased_values_with_3(run):
    told = {
        "action": "records.erased",
        "position": {"source": "audit", "epoch": "e1", "shard": 3, "seq": 1},
        "after": {"records": 1},
    }
    log = Log(9, told={7: told})
    newest = signed(log.checkpoint().text(), ORIGIN, [KEY])
    lines = log.lines()
    assert run(lines, newest) == (0, WHOLE)
    lines[4] = erased(lines[4], next(iter(log.salts[4])))
    code, said = run(lines, newest)
    assert (code, "Personal values were erased in 1 of them" in said) == (3, True)
    assert "The log itself tells of these erasures." in said
    assert run(lines, newest, more=["--allow-erased"])[0] == 0
    lines[5] = erased(lines[5], next(iter(log.salts[5])))
    code, said = run(lines, newest, more=["--allow-erased"])
    assert (code, "Of 1 of these no record `records.erased` of the log tells." in said) == (3, True)


def test_records_that_ended_by_retention_are_told(run):
    told = {
        "action": "records.ended",
        "position": {"source": "audit", "epoch": "e1", "shard": 3, "seq": 1},
        "after": {"until": 2, "days": 90},
    }
    log = Log(9, told={7: told})
    lines = log.lines()
    for index in (0, 1, 2):
        path = json.loads(lines[index])["seal"]["path"]
        leaf = {"index": index, "path": path, "leaf": encoded(log.leaves[index])}
        lines[index] = json.dumps({"seal": leaf})
    newest = signed(log.checkpoint().text(), ORIGIN, [KEY])
    assert run(lines, newest) == (1, "Record 3 was removed (at line 3).")
    lines[2] = log.lines()[2]
    code, said = run(lines, newest)
    assert (code, said) == (
        0,
        f"{WHOLE} The first 2 of them ended by retention of 90 days: their hashes are kept.",
    )


def test_a_checkpoint_of_the_key_before_is_taken_with_both_keys(run):
    code, _ = run(LOG.lines(), note(9, NEXT_KEY), note(3), keys=(NEXT_KEY, KEY))
    assert code == 0


def test_an_export_that_was_tampered_with_exits_with_1(run):
    altered = LOG.lines()
    altered[6] = altered[6].replace("evt_", "evt-", 1)
    assert run(altered, note(9)) == (1, "Record 7 was altered (at line 7).")
    assert run(LOG.lines()[:5], note(9)) == (
        1,
        "Record 6 was removed (at the end of the export).",
    )


def test_a_log_that_was_replaced_exits_with_1(run):
    other = Log(9, seed=2)
    forged = signed(other.checkpoint().text(), ORIGIN, [KEY])
    code, said = run(other.lines(), forged, note(4))
    assert (code, "replaced from record 1 on" in said) == (1, True)


@pytest.mark.parametrize("newest", ["", "nothing", note(9, NEXT_KEY), note(9).replace("9", "8")])
def test_a_checkpoint_that_the_key_did_not_sign_exits_with_2(run, newest):
    code, said = run(LOG.lines(), newest)
    assert (code, "is not a checkpoint of this key" in said) == (2, True)


def test_files_that_cannot_be_read_exit_with_2(tmp_path, capsys):
    (tmp_path / "note.txt").write_text(note(9), encoding="utf-8")
    for export, checkpoint in (("none", "note.txt"), ("note.txt", "none")):
        options = ["--checkpoint", str(tmp_path / checkpoint), "--key", verifier(KEY)]
        assert main(["audit", "verify", str(tmp_path / export), *options]) == 2
        assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("lines", [[], ["hello"], ["seq,type", "1,x"], ['{"total": 3}']])
@pytest.mark.parametrize("held", [True, False])
def test_a_file_of_another_kind_is_not_called_a_forgery(run, tmp_path, capsys, lines, *, held):
    if held:
        code, said = run(lines, note(9))
    else:
        export = tmp_path / "other.csv"
        export.write_text("\n".join(lines), encoding="utf-8")
        code = main(["audit", "verify", str(export), "--key", verifier(KEY)])
        said = capsys.readouterr().err
    assert (code, "is not an export in JSON Lines" in said) == (2, True)


def test_an_export_with_its_checkpoint_needs_the_key_alone(run, tmp_path, capsys):
    export = tmp_path / "own.jsonl"
    export.write_text("\n".join([*LOG.export(7, note=note(7)), ""]), encoding="utf-8")
    key = tmp_path / "log.vkey"
    key.write_text(f"{verifier(NEXT_KEY)}\n{verifier(KEY)}\n", encoding="utf-8")
    assert main(["audit", "verify", str(export), "--key", str(key)]) == 3
    said = capsys.readouterr().out
    assert f"All 7 records of {ORIGIN}" in said
    assert "2 records are newer than the checkpoint" in said
    assert main(["audit", "verify", str(export), "--key", verifier(KEY), "--allow-newer"]) == 0
    assert main(["audit", "verify", str(export), "--key", verifier(NEXT_KEY)]) == 2


@pytest.mark.parametrize(
    ("size", "held", "expected"),
    [
        (9, 9, (0, WHOLE)),
        (9, 4, (0, WHOLE)),
        (4, 9, (2, "`size=` and the size of yours")),
    ],
)
def test_an_export_is_verified_by_a_checkpoint_of_its_size_or_before(run, size, held, expected):
    code, said = run(LOG.export(size, note=note(size)), note(held))
    assert (code, expected[1] in said) == (expected[0], True)


def test_an_export_of_another_log_than_the_held_checkpoint_exits_with_1(run):
    other = Log(9, seed=2)
    newer = signed(other.checkpoint().text(), ORIGIN, [KEY])
    code, said = run(other.export(note=newer), note(4))
    assert (code, "replaced from record 1 on" in said) == (1, True)


def test_an_altered_export_names_its_line(run):
    lines = LOG.export(note=note(9))
    lines[3] = lines[3].replace("evt_", "evt-", 1)
    assert run(lines, note(9)) == (1, "Record 3 was altered (at line 4).")
    del lines[3]
    assert run(lines, note(9)) == (1, "Record 3 was removed (at the end of the export).")


def test_an_export_says_what_of_its_first_line_is_not_sealed(run):
    lines = LOG.export(note=note(9))
    _, said = run(lines, note(9))
    assert "Not sealed: `complete_until` of the first line, 2026-11-27T09:00:00.000Z." in said
    lines[0] = lines[0].replace('"acc_1"', '"acc_2"')
    assert run(lines, note(9)) == (
        1,
        "The export names another account than its checkpoint (at line 1).",
    )


def test_an_export_of_some_does_not_tell_hashes_as_the_end_of_records(run):
    lines = LOG.export(note=note(9))
    lines[0] = lines[0].replace('"filters": {}', '"filters": {"outcome": "denied"}')
    seal = json.loads(lines[4])["seal"]
    leaf = encoded(LOG.leaves[seal["index"]])
    hash_only = {"index": seal["index"], "proof": seal["proof"], "leaf": leaf}
    lines[4] = json.dumps({"type": "hash", "seal": hash_only})
    lines[-1] = json.dumps({"type": "end", "records": 8})
    _, said = run(lines, note(9))
    assert "Of 1 of them it has only the hashes: whether retention ended these cannot be" in said
    assert "ended by retention" not in said


def test_an_export_with_filters_says_what_cannot_be_judged(run):
    lines = LOG.export(note=note(9))
    lines[0] = lines[0].replace('"filters": {}', '"filters": {"outcome": "denied"}')
    code, said = run(lines, note(9))
    assert (code, "whether others are missing cannot be judged" in said) == (0, True)
    code, said = run(lines, note(9), note(3))
    assert (code, "`size=3`" in said) == (2, True)
    code, said = run(lines[:3], note(9))
    assert (code, "was cut off" in said) == (3, True)
    del lines[4]
    code, said = run(lines, note(9))
    assert (code, "the last line tells of more" in said) == (1, True)


def test_a_log_without_any_checkpoint_exits_with_2(tmp_path, capsys):
    for lines in (LOG.lines(), LOG.export()):
        export = tmp_path / "export.jsonl"
        export.write_text("\n".join(lines), encoding="utf-8")
        assert main(["audit", "verify", str(export), "--key", verifier(KEY)]) == 2
        assert "Give --checkpoint" in capsys.readouterr().err


def test_a_checkpoint_after_a_restore_says_which_one_it_does_not_continue(run):
    other = Log(9, seed=2)
    ended = LOG.checkpoint(6)
    newest = replace(other.checkpoint(), extensions=(ended.after_restore(),))
    code, said = run(other.lines(), signed(newest.text(), ORIGIN, [KEY]), note(6))
    assert code == 1
    assert "does not continue the checkpoint of 6 records" in said
