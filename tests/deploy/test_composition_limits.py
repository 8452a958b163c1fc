"""How long a killed client blocks rows, and how long a container may take to stop."""

from itertools import pairwise

import yaml

from deploy.compose import ROOT
from deploy.programs.mongodb import Mongod, Secantusdb
from shared.contracts.topology import Service
from shared.runtime.listeners import DRAIN_SECONDS, LAST_REQUEST_SECONDS, LINGER_SECONDS
from shared.runtime.settings import StatelessSettings
from shared.timeouts import DEFAULT_TIMEOUTS

TRANSACTION_SECONDS = 5
"""A client that was killed inside a transaction blocks its rows no longer."""
FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def pairs(command: list[str]) -> list[tuple[str, str]]:
    return list(pairwise(command))


def test_mongod_ends_a_transaction_without_a_client(tmp_path, monkeypatch):
    mongod = tmp_path / "mongod"
    mongod.write_text("#!/bin/sh\n")
    mongod.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    command = list(Mongod(tmp_path).command())
    limit = f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"
    assert ("--setParameter", limit) in pairs(command)


def test_the_local_database_ends_a_transaction_without_a_client(tmp_path):
    tmp_path.joinpath("secantusd.toml").touch()
    command = list(Secantusdb(tmp_path).command())
    assert (str(ROOT / "deploy" / "programs" / "secantusdb.py"), str(TRANSACTION_SECONDS)) in pairs(
        command
    )


def test_the_database_in_containers_ends_a_transaction_without_a_client():
    command = FILE["services"]["mongo"]["command"]
    limit = f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"
    assert ("--setParameter", limit) in pairs(command)


def test_a_container_may_take_longer_to_stop_than_its_service_needs():
    answers_for = StatelessSettings.model_fields["drain_seconds"].default
    requests = LAST_REQUEST_SECONDS + DRAIN_SECONDS + LINGER_SECONDS
    needed = answers_for + requests + DEFAULT_TIMEOUTS.handler_drain
    for service in Service:
        grace = FILE["services"][service].get("stop_grace_period", "10s")
        assert grace.endswith("s")
        assert int(grace.removesuffix("s")) > needed, service


def test_the_database_and_the_broker_have_a_minute_to_stop():
    """What they are killed with, they repair at the next start."""
    for name in ("mongo", "rabbitmq"):
        assert FILE["services"][name]["stop_grace_period"] == "60s"


def test_a_name_that_is_not_answered_is_looked_up_again_after_a_second():
    for service in Service:
        assert FILE["services"][service]["dns_opt"] == ["timeout:1", "attempts:1"]
