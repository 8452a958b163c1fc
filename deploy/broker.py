"""What RabbitMQ is told: a user for each service, its rights, exchanges, queues and limits.

A node reads them before it accepts a connection (`load_definitions`), so no service depends on
another one having started. `python -m deploy.broker FILE` prints them for a broker of your own. The
passwords are in FILE, which is created when it is missing.
"""

import argparse
import base64
import hashlib
import json
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.passwords import load_or_create
from shared.contracts.facts import MAX_ROW_BYTES
from shared.contracts.topology import (
    DEAD_ARGUMENTS,
    MAX_DEAD_LETTERS,
    QUEUES,
    SOURCES,
    TOPOLOGY,
    QueueKind,
    Service,
    queue_arguments,
)

VHOST = "/"
NOTHING = "^$"
"""A pattern that no name and no routing key matches."""
MAX_MESSAGE_BYTES = 4 * MAX_ROW_BYTES
"""The broker refuses a larger message; no row comes near it."""
MAX_DEAD_LETTER_BYTES = 64 * 1024 * 1024
"""Of all dead letters of one queue."""
READS_OF_A_DEAD_LETTER = 1_000_000
"""How often a dead letter can be read and put back. RabbitMQ 4 drops a message of a quorum queue
after 20 times unless it is told another limit."""


def definitions(passwords: Mapping[str, str]) -> dict[str, Any]:
    """Everything that RabbitMQ has to know, without a password in clear."""
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(service, passwords[service]) for service in Service],
        "permissions": [
            {"user": service, "vhost": VHOST, **rights(service)} for service in Service
        ],
        "topic_permissions": [
            {"user": service, "vhost": VHOST, "exchange": exchange, **keys}
            for service in Service
            for exchange, keys in topic_rights(service).items()
        ],
        "exchanges": [
            {"name": name, "type": kind, **_DURABLE, "internal": False, "arguments": {}}
            for name, kind in _exchanges()
        ],
        "policies": [
            {
                "vhost": VHOST,
                "name": "dead-letters",
                "pattern": "^rolecall\\..+\\.dead$",
                "apply-to": "queues",
                "priority": 0,
                "definition": {
                    "max-length": MAX_DEAD_LETTERS,
                    "max-length-bytes": MAX_DEAD_LETTER_BYTES,
                    "overflow": "drop-head",
                    "delivery-limit": READS_OF_A_DEAD_LETTER,
                },
            }
        ],
        "queues": [
            {"name": name, **_DURABLE, "arguments": dict(arguments)}
            for name, arguments in _queues()
        ],
        "bindings": [
            {
                "source": source,
                "vhost": VHOST,
                "destination": queue,
                "destination_type": "queue",
                "routing_key": key,
                "arguments": {},
            }
            for source, queue, key in _bindings()
        ],
    }


def configuration(definitions_file: str | None, *, memory_mib: int | None = None) -> str:
    """The lines of rabbitmq.conf that the product needs; the definitions are optional.

    With `memory_mib`, the broker accepts no more messages while it uses more memory.
    """
    lines = [f"max_message_size = {MAX_MESSAGE_BYTES}"]
    if memory_mib is not None:
        lines.append(f"vm_memory_high_watermark.absolute = {memory_mib}MiB")
    if definitions_file is not None:
        lines.append(f"load_definitions = {definitions_file}")
    return "".join(f"{line}\n" for line in lines)


def rights(service: Service) -> dict[str, str]:
    """The names that a service may configure, write to and read from, as patterns.

    A service owns the names that begin with its queue's: the queue, its dead letters, and the
    queues of its replicas. It publishes to its own exchange only. A right to publish to a common
    exchange could be stretched to foreign routing keys, by dead letters or by a `CC` header.
    """
    queue = QUEUES[service]
    own = f"{re.escape(queue.name)}(\\..+)?"
    exchanges = [TOPOLOGY.exchange_of(service)] if service in SOURCES else []
    sources = [TOPOLOGY.exchange_of(source) for source in queue.sources]
    return {
        "configure": _one_of(own),
        "write": _one_of(own, *map(re.escape, exchanges)),
        "read": _one_of(own, *map(re.escape, sources)),
    }


def topic_rights(service: Service) -> dict[str, dict[str, str]]:
    """The routing keys that a service may publish and bind, by exchange."""
    queue = QUEUES[service]
    return {
        TOPOLOGY.exchange_of(source): {
            "write": f"^{source}\\." if source == service else NOTHING,
            "read": f"^{source}\\." if source in queue.sources else NOTHING,
        }
        for source in SOURCES
    }


_DURABLE = {"vhost": VHOST, "durable": True, "auto_delete": False}


def _one_of(*patterns: str) -> str:
    return f"^({'|'.join(patterns)})$"


def _user(name: str, password: str) -> dict[str, Any]:
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
    }


def _exchanges() -> Iterator[tuple[str, str]]:
    for source in SOURCES:
        yield TOPOLOGY.exchange_of(source), "topic"
    for queue in TOPOLOGY.queues:
        if queue.kind is QueueKind.SERVICE:
            yield queue.dead, "fanout"


def _queues() -> Iterator[tuple[str, Mapping[str, str | int]]]:
    for queue in TOPOLOGY.queues:
        if queue.kind is QueueKind.SERVICE:
            yield queue.dead, DEAD_ARGUMENTS
            yield queue.name, queue_arguments(queue)


def _bindings() -> Iterator[tuple[str, str, str]]:
    """Exchange, queue and routing key."""
    for queue in TOPOLOGY.queues:
        if queue.kind is QueueKind.SERVICE:
            yield queue.dead, queue.dead, ""
            for binding in TOPOLOGY.bindings(queue):
                yield binding.exchange, queue.name, binding.key


def main() -> None:
    """Print the definitions."""
    options = argparse.ArgumentParser(
        prog="python -m deploy.broker",
        description="Print the definitions of users, rights, exchanges and queues for RabbitMQ.",
    )
    options.add_argument(
        "file", type=Path, metavar="FILE", help="has the passwords; created if it is missing"
    )
    passwords = load_or_create(options.parse_args().file, tuple(Service))
    sys.stdout.write(json.dumps(definitions(passwords), indent=2) + "\n")


if __name__ == "__main__":
    main()
