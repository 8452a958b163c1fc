"""The environment a service needs, and what it says when something is missing."""

import json

import pytest

from shared.auth.keys import generate_service_keys
from shared.runtime.environment import load, service_name, variables
from shared.runtime.replica_settings import ReplicaSettings
from shared.runtime.settings import ServiceSettings, StatelessSettings, settings_config
from tests.support.journal_keys import JOURNAL_KEYS, PUBLIC_KEYS

KEYS = generate_service_keys(("team", "authz"))
ADMIN_KEY = "0123456789abcdef0123456789abcdef"
GOOD = {
    "MONGO_URL": "mongodb://db/?replicaSet=rs0",
    "AMQP_URL": "amqp://team:s3cret@rabbitmq:5672/",
    "PUBLIC_URL": "http://localhost:8080/",
    "INTERNAL_KEY": KEYS.private["team"],
    "INTERNAL_KEYS": json.dumps(KEYS.public),
    "INTERNAL_URLS": json.dumps({"authz": ["http://authz:9000"]}),
    "JOURNAL_KEY": JOURNAL_KEYS.private["team"],
    "JOURNAL_KEYS": json.dumps(PUBLIC_KEYS),
    "ADMIN_KEY": ADMIN_KEY,
}


class Settings(ServiceSettings):
    model_config = settings_config("team")


class Replica(ReplicaSettings):
    model_config = settings_config("team")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    def give(**changes: str | None) -> None:
        for name, value in (GOOD | changes).items():
            if value is not None:
                monkeypatch.setenv(f"ROLECALL_TEAM_{name}", value)

    return give


def test_a_whole_environment_is_read(environment):
    environment(TRUSTED_PROXIES='["10.0.0.0/8"]', PORT="8000")
    settings = load(Settings)
    assert settings.port == 8000
    assert settings.public_url == "http://localhost:8080"
    assert settings.internal_urls == {"authz": ("http://authz:9000",)}
    assert str(settings.trusted_proxies[0]) == "10.0.0.0/8"
    assert settings.mongo_database == "rolecall_team"
    assert settings.drain_seconds == 3
    assert service_name(Settings) == "team"


def test_a_replica_is_named_after_its_port_unless_it_shares_it(environment):
    environment(PORT="8000")
    assert load(Replica).slot == load(Replica).slot
    environment(PORT="8000", SHARE_PORT="true")
    assert load(Replica).slot != load(Replica).slot


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_value_stops_the_start_and_is_named(environment, capsys, name: str):
    environment(**{name: None})
    with pytest.raises(SystemExit) as stopped:
        load(Settings)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f"ROLECALL_TEAM_{name} is not set.\n"


def test_all_missing_values_are_named_at_once(capsys):
    with pytest.raises(SystemExit):
        load(Settings)
    assert capsys.readouterr().err.count(" is not set.\n") == len(GOOD)


WEAK = {
    "guest on another machine": ("AMQP_URL", "amqp://guest:guest@rabbitmq:5672/"),
    "no account, which means guest": ("AMQP_URL", "amqp://rabbitmq:5672/"),
    "guest, percent-encoded": ("AMQP_URL", "amqp://g%75est:gues%74@rabbitmq/"),
    "guest without a password": ("AMQP_URL", "amqps://guest@10.0.0.1/"),
    "no broker": ("AMQP_URL", "http://rabbitmq/"),
    "a database that is none": ("MONGO_URL", "postgresql://db/"),
    "a short operator's key": ("ADMIN_KEY", "changeme"),
    "an operator's key of one character": ("ADMIN_KEY", "a" * 64),
    "a short private key": ("INTERNAL_KEY", "c2VjcmV0"),
    "a private key that is not base64url": ("INTERNAL_KEY", "!" * 43),
    "a short public key": ("INTERNAL_KEYS", '{"authz": "c2VjcmV0"}'),
    "a key that two journals share": (
        "JOURNAL_KEYS",
        json.dumps(PUBLIC_KEYS | {"audit": PUBLIC_KEYS["identity"]}),
    ),
    "a journal that has no key": ("JOURNAL_KEYS", json.dumps(PUBLIC_KEYS | {"audit": []})),
    "a key that signs no journal of the others": ("JOURNAL_KEY", JOURNAL_KEYS.private["audit"]),
    "keys that are not JSON": ("INTERNAL_KEYS", "authz=" + KEYS.private["authz"]),
    "addresses that are not JSON": ("INTERNAL_URLS", "http://authz"),
    "a gateway that is not an address": ("PUBLIC_URL", "localhost"),
    "a port that is none": ("PORT", "http"),
    "a level that is none": ("LOG_LEVEL", "LOUD"),
}


@pytest.mark.rule("T37")
@pytest.mark.parametrize(("name", "value"), WEAK.values(), ids=WEAK.keys())
def test_a_weak_or_wrong_value_stops_the_start_without_being_shown(
    environment, capsys, name: str, value: str
):
    environment(**{name: value})
    with pytest.raises(SystemExit) as stopped:
        load(Settings)
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said.startswith(f"ROLECALL_TEAM_{name} is not valid: ")
    assert value not in said
    assert len(said.splitlines()) == 1


def test_a_number_or_a_level_that_is_none_is_explained_in_plain_words(environment, capsys):
    environment(PORT="abc", LOG_LEVEL="loud")
    with pytest.raises(SystemExit):
        load(Settings)
    assert capsys.readouterr().err.splitlines() == [
        "ROLECALL_TEAM_PORT is not valid: must be an integer.",
        "ROLECALL_TEAM_LOG_LEVEL is not valid: must be DEBUG, INFO, WARNING or ERROR.",
    ]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_the_default_account_is_accepted_on_this_machine(environment, host: str):
    environment(AMQP_URL=f"amqp://guest:guest@{host}:5672/")
    assert host.strip("[]") in load(Settings).amqp_url.get_secret_value()


def test_the_text_of_settings_shows_no_secret(environment):
    environment()
    shown = repr(load(Settings)) + load(Settings).model_dump_json()
    assert not [secret for secret in ("s3cret", ADMIN_KEY, KEYS.private["team"]) if secret in shown]


def test_every_variable_is_listed_with_what_it_means():
    listed = {variable.name: variable for variable in variables(Settings)}
    assert len(listed) == len(Settings.model_fields)
    assert all(variable.description for variable in listed.values())
    required = {name for name, variable in listed.items() if variable.default is None}
    assert required == {f"ROLECALL_TEAM_{name}" for name in GOOD}


def test_a_service_without_a_database_needs_none():
    assert "mongo_url" not in StatelessSettings.model_fields
