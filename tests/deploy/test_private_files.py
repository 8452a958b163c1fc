"""Other users of the machine can neither read nor replace what the product writes."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.compose_files import write_files
from deploy.configuration import Secrets
from deploy.local import run
from deploy.passwords import load_or_create
from deploy.private_files import (
    UnsafeFileError,
    check_own,
    make_folder,
    make_private,
    trusted_owners,
    write_private,
    write_readable,
)


def mode(path: Path) -> int:
    """The rights of a path itself."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A file outside of the data folder that a link may lead to."""
    file = tmp_path / "theirs"
    file.write_text("theirs")
    file.chmod(0o644)
    return file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder."""
    folder = tmp_path / "data"
    make_folder(folder)
    return folder


def compose_files(folder: Path) -> None:
    """Write the files of `make up`."""
    write_files(
        folder,
        public_url="http://localhost:8080",
        proxies=(),
        limits_factor=1,
        nginx_version=(1, 30),
    )


@pytest.mark.parametrize("rights", [0o1777, 0o777, 0o775, 0o757])
def test_a_data_folder_that_others_can_write_to_is_refused(
    tmp_path: Path, monkeypatch, capsys, rights: int
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(rights)
    with pytest.raises(UnsafeFileError):
        make_folder(folder)
    monkeypatch.setenv("ROLECALL_DATA_DIR", str(folder))
    assert run.main([], lock_seconds=0) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Rolecall did not start: {folder} can be written by other users. Use")
    assert (list(folder.iterdir()), mode(folder)) == ([], rights)
    with pytest.raises(UnsafeFileError):
        compose_files(folder)
    assert list(folder.iterdir()) == []


def test_a_new_folder_inside_a_shared_one_is_private(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    before = os.umask(0)
    try:
        make_folder(tmp_path / "shared" / "mine" / "data")
    finally:
        os.umask(before)
    assert (
        mode(tmp_path / "shared" / "mine") == mode(tmp_path / "shared" / "mine" / "data") == 0o755
    )


def test_what_belongs_to_another_user_is_refused(data: Path) -> None:
    # Every file and folder passes this check, as the tests with links prove.
    (data / "secrets.json").touch()
    for path in (data, data / "secrets.json"):
        assert check_own(path).st_uid in trusted_owners()
        with pytest.raises(UnsafeFileError, match="belongs to another user"):
            check_own(path, owners={path.stat().st_uid + 1})


def test_a_data_folder_that_is_a_link_is_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "link").symlink_to(data)
    with pytest.raises(UnsafeFileError, match="is a link"):
        make_folder(tmp_path / "link")


LINKED: dict[str, Callable[[Path], object]] = {
    "lock": lambda folder: run.lock_folder(folder, seconds=0),
    "secrets.json": lambda folder: Secrets.load_or_create(folder / "secrets.json"),
    "secrets.draft": lambda folder: write_private(folder / "secrets.json", "new"),
    "broker.json": lambda folder: load_or_create(folder / "broker.json", ["team"]),
    "nginx.conf": lambda folder: write_readable(folder / "nginx.conf", "new"),
    "gateway": compose_files,
    "mongo": compose_files,
    "database": lambda folder: make_private(folder, run.MADE),
    "client.json": lambda folder: make_private(folder, run.MADE),
}


@pytest.mark.parametrize("name", LINKED)
def test_no_link_is_followed(data: Path, theirs: Path, name: str) -> None:
    (data / name).symlink_to(theirs)
    with pytest.raises(UnsafeFileError, match="is a link"):
        LINKED[name](data)
    assert (theirs.read_text(), mode(theirs)) == ("theirs", 0o644)


def test_a_link_inside_the_database_is_refused(data: Path, theirs: Path) -> None:
    (data / "database").mkdir()
    (data / "database" / "key").symlink_to(theirs)
    with pytest.raises(UnsafeFileError, match="is a link"):
        make_private(data, run.MADE)
    assert mode(theirs) == 0o644


def test_only_what_the_runner_made_loses_rights(data: Path) -> None:
    for name in ("secrets.json", "mine.json", "mail/mails.jsonl", "compose/gateway/nginx.conf"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
        (data / name).chmod(0o644)
    make_private(data, run.MADE)
    assert mode(data) == mode(data / "mail") == 0o700
    assert mode(data / "secrets.json") == mode(data / "mail" / "mails.jsonl") == 0o600
    assert mode(data / "mine.json") == mode(data / "compose" / "gateway" / "nginx.conf") == 0o644


def test_the_draft_of_a_killed_run_is_not_written_into(data: Path) -> None:
    draft = data / "secrets.draft"
    draft.touch()
    draft.chmod(0o666)
    with draft.open() as opened_before:
        write_private(data / "secrets.json", "secret")
        assert opened_before.read() == ""
    assert ((data / "secrets.json").read_text(), mode(data / "secrets.json")) == ("secret", 0o600)
    assert not draft.exists()
