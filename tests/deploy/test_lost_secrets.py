"""A lost file of secrets stops the start with a sentence, before anything is changed."""

import hashlib
from pathlib import Path

import pytest

from deploy.compose import Compose
from deploy.configuration import SecretsError
from deploy.local.product import load_secrets
from deploy.mongo import USERS
from deploy.passwords import derive
from deploy.programs.mongodb import Secantusdb
from deploy.programs.program import ProgramError


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_local_run_asks_for_its_lost_secrets(tmp_path: Path) -> None:
    data = tmp_path / "database" / "data"
    data.mkdir(parents=True)
    (data / "WiredTiger").touch()
    before = contents(tmp_path)
    with pytest.raises(SecretsError) as refused:
        load_secrets(tmp_path)
    assert f"Restore {tmp_path}/secrets.json from a backup" in str(refused.value)
    assert f"delete {tmp_path}/database" in str(refused.value)
    assert contents(tmp_path) == before


def test_a_start_that_was_stopped_before_there_were_data_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "database" / "data").mkdir(parents=True)
    assert load_secrets(tmp_path) == load_secrets(tmp_path)


class WithVolume(Compose):
    """A composition whose volume exists, and which runs nothing."""

    def has_data(self) -> bool:
        return True

    def run(self, *arguments: str) -> int:
        raise AssertionError(f"{arguments} ran without the secrets")


@pytest.fixture
def composition(tmp_path: Path) -> WithVolume:
    made = WithVolume(project="test", folder=tmp_path / "files", port=1234, mail_port=1235)
    made.prepare()
    return made


@pytest.mark.parametrize("name", ["secrets.json", "database.json"])
def test_the_containers_are_not_started_without_their_secrets(
    composition: WithVolume, name: str
) -> None:
    lost = composition.folder / name
    lost.unlink()
    before = contents(composition.folder)
    with pytest.raises(SecretsError) as refused:
        composition.up()
    assert f"Restore {lost} from a backup" in str(refused.value)
    assert "the volume test_mongo exists" in str(refused.value)
    assert "down --volumes" in str(refused.value)
    assert contents(composition.folder) == before


def test_a_lost_password_of_the_broker_is_replaced(composition: WithVolume) -> None:
    (composition.folder / "broker.json").unlink()
    with pytest.raises(AssertionError, match="build"):
        composition.up()
    assert (composition.folder / "broker.json").exists()


def test_data_of_a_version_without_users_get_passwords(composition: WithVolume) -> None:
    for name in ("database.json", "broker.json", "mongo/key"):
        (composition.folder / name).unlink()
    with pytest.raises(AssertionError, match="build"):
        composition.up()
    assert (composition.folder / "database.json").exists()


def test_secrets_of_other_data_are_named(tmp_path: Path) -> None:
    server = Secantusdb(tmp_path)
    server.start_with_users(derive("one", USERS))
    server.stop()
    try:
        with pytest.raises(ProgramError, match=r"made with other secrets\. Restore those"):
            Secantusdb(tmp_path).start_with_users(derive("another", USERS))
        server.start_with_users(derive("one", USERS))
    finally:
        server.stop()
