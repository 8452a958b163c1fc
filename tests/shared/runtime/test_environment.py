"""Secrets in files, and variables that no setting reads."""

import json
import logging
import os
import re

import pytest
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings

from deploy.documents import ROOT
from deploy.settings_page import COMMANDS, settings_classes, settings_rows
from rolecall.client.jwk import encode
from shared.runtime.environment import (
    FILE,
    MAX_FILE_BYTES,
    OTHERS,
    PARTS,
    known_names,
    load,
    unknown_names,
    variables,
    warn_of_unknown_names,
)
from shared.runtime.settings import settings_config
from shared.secret_keys import Secret32, Secret32s, secret_keys
from tests.architecture.files import tracked

KEYS = [encode(bytes(range(start, start + 32))) for start in (0, 32, 64)]
NAME = "ROLECALL_TEAM_LINK_KEY"


class Issuer(BaseModel):
    secret: SecretStr


class FewSettings(BaseSettings):
    model_config = settings_config("team")

    link_key: Secret32s = Field(description="several keys")
    cookie_keys: tuple[Secret32, ...] = Field((), description="a list of secrets")
    issuers: tuple[Issuer, ...] = Field((), description="secrets inside")
    password: SecretStr | None = Field(None, description="an optional secret")
    port: int = Field(1, description="not secret")


@pytest.fixture
def give(monkeypatch, tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        monkeypatch.setenv(f"ROLECALL_TEAM_{name}{FILE}", str(path))
        return path

    return write


def refusal(capsys):
    with pytest.raises(SystemExit) as stopped:
        load(FewSettings)
    assert stopped.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_a_file_without_the_end_of_its_line(give, end):
    give("LINK_KEY", KEYS[0] + end)
    give("PASSWORD", f" a word \n{end}")
    settings = load(FewSettings)
    assert settings.link_key.get_secret_value() == KEYS[0]
    word = " a word " + ("\n" if end else "")
    assert settings.password == SecretStr(word)


def test_a_file_may_hold_lists_and_objects_as_json(give):
    give("LINK_KEY", KEYS[0])
    give("COOKIE_KEYS", json.dumps(KEYS))
    give("ISSUERS", json.dumps([{"secret": "of the issuer"}]))
    settings = load(FewSettings)
    assert [key.get_secret_value() for key in settings.cookie_keys] == KEYS
    assert settings.issuers[0].secret.get_secret_value() == "of the issuer"


def test_an_empty_value_gives_way_to_a_file(give, monkeypatch):
    give("LINK_KEY", KEYS[0])
    monkeypatch.setenv(NAME, "")
    assert load(FewSettings).link_key.get_secret_value() == KEYS[0]


def test_a_value_beside_a_file_stops_the_start(give, monkeypatch, capsys):
    give("LINK_KEY", KEYS[0])
    monkeypatch.setenv(NAME, KEYS[1])
    said = f"{NAME}_FILE is not valid: {NAME} is set as well. Remove one of them.\n"
    assert refusal(capsys) == said


BAD_FILES = {
    "empty": (b"\n", "its file is empty"),
    "binary": (b"\xff\xfe" * 16, "its file is not UTF-8 text"),
    "large": (b"x" * (MAX_FILE_BYTES + 1), "its file has more than 65536 bytes"),
    "a weak key": (b"a" * 43, "must be 32 random bytes in base64url without padding"),
}


@pytest.mark.rule("T37")
@pytest.mark.parametrize(("content", "fault"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_wrong_file_stops_the_start_and_its_variable_is_named(give, capsys, content, fault):
    give("LINK_KEY", content)
    assert refusal(capsys) == f"{NAME}_FILE is not valid: {fault}.\n"


def test_a_secret_in_place_of_a_file_name_is_not_shown(monkeypatch, capsys):
    monkeypatch.setenv(f"{NAME}_FILE", KEYS[0])
    said = refusal(capsys)
    assert said == (
        f"{NAME}_FILE is not valid: its file cannot be read (No such file or directory).\n"
    )


def test_a_file_that_is_not_json_is_told_and_not_shown(give, capsys):
    give("LINK_KEY", KEYS[0])
    give("COOKIE_KEYS", KEYS[1])
    assert refusal(capsys) == (
        "ROLECALL_TEAM_COOKIE_KEYS_FILE is not valid: its file must contain JSON.\n"
    )


def test_all_faults_are_told_at_once(monkeypatch, capsys):
    monkeypatch.setenv("ROLECALL_TEAM_PASSWORD_FILE", "/no/such/file")
    monkeypatch.setenv("ROLECALL_TEAM_PORT", "x")
    assert [line.split()[0] for line in refusal(capsys).splitlines()] == [
        "ROLECALL_TEAM_PASSWORD_FILE",
        NAME,
        "ROLECALL_TEAM_PORT",
    ]


def test_secrets_are_known_also_inside_lists_and_objects():
    secret = {each.name for each in variables(FewSettings) if each.secret}
    names = ("LINK_KEY", "COOKIE_KEYS", "ISSUERS", "PASSWORD")
    assert secret == {f"ROLECALL_TEAM_{name}" for name in names}


UNKNOWN = {
    "ROLECALL_TEAM_LINK_KEYS": NAME,
    "ROLECALL_TEAM_PORT_FILE": "ROLECALL_TEAM_PORT",
    "ROLECALL_TEAM_NOTHING_LIKE_IT": "",
    "ROLECALL_TAEM_PORT": "ROLECALL_TEAM_PORT",
    "rolecall_team_prot": "ROLECALL_TEAM_PORT",
    "ROLECALL_TOKENN": "ROLECALL_TOKEN",
}
KNOWN = (
    *(NAME, f"{NAME}_FILE", "ROLECALL_TEAM_PORT", "rolecall_team_port"),
    *("ROLECALL_IDENTITY_PROT", "ROLECALL_TEAM_INTERNAL_URL", "ROLECALL_ADMIN_KEY", "PATH"),
)


def test_a_misspelt_variable_is_found_with_the_one_that_is_meant():
    environment = dict.fromkeys((*UNKNOWN, *KNOWN), "x")
    assert unknown_names(FewSettings, environment) == UNKNOWN


def test_a_misspelt_variable_is_logged_at_the_start(monkeypatch, caplog):
    for name in [name for name in os.environ if name.startswith("ROLECALL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ROLECALL_TEAM_PROT", "s3cret")
    with caplog.at_level(logging.WARNING):
        warn_of_unknown_names(FewSettings)
    assert [each.getMessage() for each in caplog.records] == [
        "ROLECALL_TEAM_PROT is not a setting. Did you mean ROLECALL_TEAM_PORT?"
    ]


BAD_KEYS = {
    "no key": " , ",
    "a weak one behind": f"{KEYS[0]},{'a' * 43}",
    "one twice": f"{KEYS[0]} {KEYS[0]}",
    "too many": ",".join(encode(bytes(range(n, n + 32))) for n in range(9)),
}


@pytest.mark.parametrize("text", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_wrong_list_of_keys_is_refused(text):
    with pytest.raises(ValueError, match="must"):
        secret_keys(SecretStr(text))


@pytest.mark.parametrize("text", [",".join(KEYS), "\n".join(KEYS), f" {', '.join(KEYS)}\n"])
def test_several_keys_stand_in_one_setting_the_first_one_first(text):
    assert secret_keys(SecretStr(text)) == tuple(bytes(range(n, n + 32)) for n in (0, 32, 64))


def test_every_setting_has_a_meaning_and_a_place_on_the_page():
    page = (ROOT / "docs/operations/settings.md").read_text()
    assert not [each for each in settings_rows().values() for row in each for c in row[:4] if not c]
    for service, settings in settings_classes().items():
        for each in variables(settings):
            short = each.name.removeprefix(f"ROLECALL_{service}_".upper())
            assert f"| `{each.name}` |" in page or f"| `…_{short}` |" in page


INSIDE = {
    *("PATH", "MONGO_HOST", "MONGO_PASSWORDS", "MONGO_PASSWORDS_FILE"),
    *("NGINX_IMAGE", "PYTHON_IMAGE", "ROLECALL_IMAGE"),
}
"""Variables that no one sets by hand, and two that the page names among the images."""
READ = re.compile(
    r"(?:environ(?:\.get\(|\[)|_from_environment\(|validation_alias=)\s*\"([A-Z_]+)\""
)


def test_a_variable_that_a_command_reads_is_listed():
    """Each one in the code of commands is on the page, and no service takes it for a mistake."""
    listed = {name for names, *_ in COMMANDS for name in names.split(", ")} | INSIDE
    settings = {name for each in settings_classes().values() for name in known_names(each)}
    found = {
        name
        for path in tracked("sdk/*.py", "deploy/*.py")
        for name in READ.findall(path.read_text())
    }
    assert {"ROLECALL_URL", "ROLECALL_DATA_DIR", "PORT"} <= found
    assert found - listed - settings - OTHERS == set()
    assert {name for name in found if name.startswith("ROLECALL_")} <= OTHERS | settings


def test_every_part_of_the_product_is_known_by_its_variables():
    assert set(PARTS) == {name.upper() for name in settings_classes()}
