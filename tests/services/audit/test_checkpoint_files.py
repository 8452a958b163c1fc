"""Checkpoints in files: the last whole one is read, and a torn line is passed over."""

import pytest

from services.audit.adapters.checkpoint_files import CheckpointFiles

NOTE, NEXT = "origin\n1\nroot\n\n\u2014 origin sig\n", "origin\n2\nroot\n\n\u2014 origin sig\n"


@pytest.fixture
def files(tmp_path) -> CheckpointFiles:
    return CheckpointFiles(tmp_path / "checkpoints")


def only_file(tmp_path):
    [file] = (tmp_path / "checkpoints").rglob("*.jsonl")
    return file


async def test_the_last_note_of_each_tree_is_read(files):
    assert await files.last("acc_1") is None
    for number in range(500):
        await files.append("acc_1", f"{NOTE}{number}")
    await files.append("acc_2", NEXT)
    assert await files.last("acc_1") == f"{NOTE}499"
    assert await files.last("acc_2") == NEXT


async def test_earlier_notes_stay_in_the_file(files, tmp_path):
    await files.append("acc_1", NOTE)
    before = only_file(tmp_path).read_bytes()
    await files.append("acc_1", NEXT)
    assert only_file(tmp_path).read_bytes().startswith(before)


@pytest.mark.parametrize("torn", [b'"origin', b'"', b"\xff"])
async def test_a_line_that_a_crash_has_torn_is_passed_over(files, tmp_path, torn):
    await files.append("acc_1", NOTE)
    with only_file(tmp_path).open("ab") as file:
        file.write(torn)
    assert await files.last("acc_1") == NOTE
    await files.append("acc_1", NEXT)
    assert await files.last("acc_1") == NEXT


@pytest.mark.parametrize(
    "damaged",
    [b"\0" * 20_000, b"\n" * 20_000, b'"origin\n', b"\xff\n" * 10],
    ids=lambda one: one[:9],
)
async def test_a_file_without_a_line_that_can_be_read_is_not_empty(files, tmp_path, damaged):
    await files.append("acc_1", NOTE)
    only_file(tmp_path).write_bytes(damaged)
    for read in (files.last, files.accepted):
        with pytest.raises(OSError, match="No line at the end"):
            await read("acc_1")


async def test_a_crash_in_the_first_line_of_a_file_is_passed_over(files, tmp_path):
    await files.append("acc_1", NOTE)
    only_file(tmp_path).write_bytes(b'"orig')
    assert await files.last("acc_1") is None
    await files.append("acc_1", NEXT)
    assert await files.last("acc_1") == NEXT


async def test_the_name_of_a_tree_leads_to_no_other_folder(files, tmp_path):
    await files.append("../../acc_1", NOTE)
    assert only_file(tmp_path).is_relative_to(tmp_path / "checkpoints")
    assert await files.last("../../acc_1") == NOTE


async def test_without_a_folder_nothing_is_kept():
    await CheckpointFiles(None).append("acc_1", NOTE)
    assert await CheckpointFiles(None).last("acc_1") is None
