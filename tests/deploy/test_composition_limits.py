"""How long a killed client blocks rows, and how long a container may take to stop."""

from itertools import pairwise

import yaml

from deploy.compose import ROOT
from deploy.programs.mongodb import Mongod, Secantusdb
from shared.contracts.topology import Service
from shared.runtime.listeners import DRAIN_SECONDS, LINGER_SECONDS

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
    needed = DRAIN_SECONDS + LINGER_SECONDS
    for service in Service:
        grace = FILE["services"][service].get("stop_grace_period", "10s")
        assert grace.endswith("s")
        assert int(grace.removesuffix("s")) > needed, service
