"""The definitions of the broker, and the passwords of its users."""

import json
import os
import re
import subprocess
import sys

import pytest

from deploy.broker import configuration, definitions, rights, topic_rights
from deploy.configuration import SecretsError
from deploy.documents import ROOT
from deploy.passwords import generate, load_or_create
from shared.contracts.topology import QUEUES, SOURCES, TOPOLOGY, QueueKind, Service

PASSWORDS = generate(tuple(Service))
GIVEN = definitions(PASSWORDS)
NAMES = [each["name"] for kind in ("exchanges", "queues") for each in GIVEN[kind]]


def owner(name: str) -> str:
    """The service that a queue or exchange belongs to."""
    return name.removeprefix(f"{TOPOLOGY.exchange}.").removeprefix("rolecall.").partition(".")[0]


def matching(pattern: str, names: list[str]) -> set[str]:
    return {name for name in names if re.search(pattern, name)}


@pytest.mark.parametrize("service", Service)
def test_a_service_configures_only_its_queues_and_dead_letters(service):
    queue = QUEUES[service]
    replica = f"{queue.name}.0123456789abcdef"
    own = {queue.name, queue.dead} & set(NAMES) | {replica}
    strangers = [f"{queue.name}2", f"x{queue.name}", "amq.default", "", "rolecall.events.x"]
    assert matching(rights(service)["configure"], [*NAMES, replica, *strangers]) == own


@pytest.mark.parametrize("service", Service)
def test_a_service_writes_to_no_exchange_of_another(service):
    written = matching(rights(service)["write"], NAMES)
    assert {owner(name) for name in written} <= {service}
    assert (TOPOLOGY.exchange_of(service) in written) is (service in SOURCES)


@pytest.mark.parametrize("service", Service)
def test_a_service_reads_its_queue_and_the_exchanges_of_its_sources(service):
    read = matching(rights(service)["read"], NAMES)
    exchanges = {TOPOLOGY.exchange_of(source) for source in QUEUES[service].sources}
    assert {name for name in read if name.startswith(TOPOLOGY.exchange)} == exchanges
    assert {owner(name) for name in read - exchanges} <= {service}


def test_a_routing_key_can_only_be_published_by_its_source():
    for service in Service:
        for exchange, keys in topic_rights(service).items():
            for source in SOURCES:
                allowed = re.search(keys["write"], f"{source}.thing.happened.v1")
                own = source == service and exchange == TOPOLOGY.exchange_of(source)
                assert bool(allowed) is own


def test_every_queue_is_bound_to_each_source_by_its_keys_only():
    bound = {
        (each["destination"], each["source"], each["routing_key"]) for each in GIVEN["bindings"]
    }
    for queue in TOPOLOGY.queues:
        if queue.kind is QueueKind.SERVICE:
            for source in queue.sources:
                assert (queue.name, TOPOLOGY.exchange_of(source), f"{source}.#") in bound
    assert not any(key in {"#", "*"} for _, _, key in bound)


def test_a_dead_letter_can_be_read_and_put_back_more_than_20_times():
    """From RabbitMQ 4 on a quorum queue without a limit drops a message after 20 deliveries."""
    dead = {queue["name"] for queue in GIVEN["queues"] if queue["name"].endswith(".dead")}
    assert dead == {queue.dead for queue in TOPOLOGY.queues if queue.kind is QueueKind.SERVICE}
    [policy] = GIVEN["policies"]
    assert matching(policy["pattern"], NAMES) == dead
    assert policy["apply-to"] == "queues"
    assert policy["definition"]["delivery-limit"] >= 1_000_000
    for queue in GIVEN["queues"]:
        assert ("x-delivery-limit" in queue["arguments"]) is (queue["name"] not in dead)


def test_no_queue_needs_what_rabbitmq_4_has_removed():
    for queue in GIVEN["queues"]:
        assert (queue["durable"], queue["auto_delete"]) == (True, False)
        assert queue["arguments"]["x-queue-type"] == "quorum"
        assert not {"x-queue-mode", "x-queue-version", "x-queue-master-locator"} & set(
            queue["arguments"]
        )
    assert "ha-mode" not in json.dumps(GIVEN["policies"])


def test_a_limit_of_memory_is_in_the_configuration_only_if_it_is_given():
    assert "vm_memory_high_watermark.absolute = 600MiB\n" in configuration(None, memory_mib=600)
    assert "vm_memory" not in configuration(None)


def test_no_definition_contains_a_password_and_no_user_has_a_tag():
    text = json.dumps(GIVEN)
    assert not any(password in text for password in PASSWORDS.values())
    assert all(user["tags"] == [] for user in GIVEN["users"])
    assert len({user["password_hash"] for user in GIVEN["users"]}) == len(Service)


def test_passwords_are_kept_and_missing_ones_are_added(tmp_path):
    file = tmp_path / "passwords.json"
    first = load_or_create(file, ("identity",))
    second = load_or_create(file, ("identity", "team"))
    assert second["identity"] == first["identity"]
    assert load_or_create(file, ("identity", "team")) == second
    file.write_text("{")
    with pytest.raises(SecretsError, match="is damaged"):
        load_or_create(file, ("identity",))


def test_the_command_prints_definitions_with_the_kept_passwords(tmp_path):
    command = [sys.executable, "-m", "deploy.broker", str(tmp_path / "passwords.json")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    given = json.loads(printed.stdout)
    assert given["permissions"] == json.loads(json.dumps(GIVEN["permissions"]))
    assert set(json.loads((tmp_path / "passwords.json").read_text())) == set(Service)
    wrong = subprocess.run(command[:-1], capture_output=True, text=True, check=False)
    assert (wrong.returncode, "usage" in wrong.stderr) == (2, True)


def test_asking_the_command_for_help_creates_no_file(tmp_path):
    command = [sys.executable, "-m", "deploy.broker", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    helped = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )
    assert helped.stdout.startswith("usage: python -m deploy.broker")
    assert list(tmp_path.iterdir()) == []
