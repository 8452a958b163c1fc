"""A lost file of secrets stops the start with a sentence, before anything is changed."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.compose import Compose
from deploy.compose_texts import SILENT
from deploy.configuration import SecretsError
from deploy.doctor.credentials import LISTS, OTHER_KEYS
from deploy.documents import ROOT
from deploy.engine import Engine, EngineError
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


class WithVolume(Engine):
    """An engine that has every volume."""

    def has_volume(self, name: str) -> bool:
        return True


class RunsNothing(Compose):
    """A composition that runs nothing."""

    def run(self, *arguments: str) -> int:
        raise AssertionError(f"{arguments} ran")


@pytest.fixture
def composition(tmp_path: Path) -> Compose:
    made = RunsNothing(
        project="test", folder=tmp_path / "files", port=1, mail_port=2, engine=WithVolume()
    )
    made.prepare()
    return made


def refusal(composition: Compose) -> str:
    """The sentence that ends the start, which changed nothing."""
    before = contents(composition.folder)
    with pytest.raises((SecretsError, EngineError)) as refused:
        composition.up()
    assert contents(composition.folder) == before
    return str(refused.value)


def test_the_containers_are_not_started_without_their_secrets(composition: Compose) -> None:
    lost = composition.folder / "secrets.json"
    lost.unlink()
    sentence = refusal(composition)
    assert f"Restore {lost} from a backup" in sentence
    assert "the volume test_mongo exists" in sentence
    assert "down --volumes" in sentence


@pytest.mark.parametrize("also", [(), ("mongo/key",), ("mongo/key", "identity.env")])
def test_lost_passwords_of_the_database_do_not_cost_the_data(
    composition: Compose, also: tuple[str, ...]
) -> None:
    lost = composition.folder / "database.json"
    for file in (lost, *(composition.folder / name for name in also)):
        file.unlink()
    sentence = refusal(composition)
    assert f"Restore {lost} from a backup" in sentence
    assert "docs/operations/rotation.md" in sentence
    assert "--volumes" not in sentence
    assert "sealed" not in sentence


def test_an_operator_asks_for_new_passwords_with_an_empty_file(composition: Compose) -> None:
    file = composition.folder / "database.json"
    before = json.loads(file.read_text())
    file.write_text("{}")
    with pytest.raises(AssertionError, match="build"):
        composition.up()
    after = json.loads(file.read_text())
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())


def test_the_passwords_are_also_in_the_variables_of_the_setup(composition: Compose) -> None:
    file, setup = composition.folder / "database.json", composition.folder / "mongo-setup.env"
    before = json.loads(file.read_text())
    file.write_text(setup.read_text().removeprefix("MONGO_PASSWORDS="))
    with pytest.raises(AssertionError, match="build"):
        composition.up()
    after = json.loads(file.read_text())
    assert {user: after[user] for user in USERS} == {user: before[user] for user in USERS}


def test_a_damaged_file_of_passwords_is_not_to_be_deleted(composition: Compose) -> None:
    (composition.folder / "database.json").write_text("{")
    sentence = refusal(composition)
    assert "database.json is damaged. Restore it from a backup" in sentence
    assert "delete" not in sentence


def test_a_lost_password_of_the_broker_is_replaced(composition: Compose) -> None:
    (composition.folder / "broker.json").unlink()
    with pytest.raises(AssertionError, match="build"):
        composition.up()
    assert (composition.folder / "broker.json").exists()


def test_data_of_a_version_without_users_get_passwords(composition: Compose) -> None:
    for name in ("database.json", "broker.json", "mongo/key", "mongo-setup.env"):
        (composition.folder / name).unlink()
    variables = composition.folder / "identity.env"
    variables.write_text(re.sub("mongodb://identity:[^@]+@", "mongodb://", variables.read_text()))
    with pytest.raises(AssertionError, match="build"):
        composition.up()
    assert (composition.folder / "database.json").exists()


@pytest.mark.parametrize("lost", ["secrets.json", "database.json"])
def test_no_secrets_are_made_while_docker_does_not_answer(
    composition: Compose, tmp_path: Path, lost: str
) -> None:
    (composition.folder / lost).unlink()
    silent = Engine(program=None, host=f"unix://{tmp_path}/none")
    sentence = refusal(replace(composition, engine=silent))
    assert "cannot be asked whether the volume test_mongo exists" in sentence
    assert "Start Docker" in sentence


def test_a_first_start_without_docker_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    folder = tmp_path / "files"
    sentence = refusal(RunsNothing(project="test", folder=folder, port=1, mail_port=2))
    assert "Nothing was written" in sentence
    assert not folder.exists()


def test_with_all_secrets_docker_is_not_asked(composition: Compose, tmp_path: Path) -> None:
    silent = Engine(program=None, host=f"unix://{tmp_path}/none")
    with pytest.raises(AssertionError, match="build"):
        replace(composition, engine=silent).up()


def test_silent_services_are_first_a_reason_to_restore_secrets(tmp_path: Path) -> None:
    command = "docker compose -p rolecall"
    said = SILENT.format(silent="identity", command=command, folder=tmp_path)
    assert said.index("Restore secrets.json") < said.index("down --volumes")


@pytest.mark.parametrize("setting", [*LISTS, *OTHER_KEYS, "cookie_keys"])
def test_the_page_says_of_each_key_what_is_lost_with_it(setting: str) -> None:
    page = (ROOT / "docs/operations/lost-secrets.md").read_text()
    assert f"\n| `{setting.upper()}`" in page


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
