"""An attacker at the broker, who forges facts of every type in the name of every source."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import aio_pika
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.auth.row_signatures import RowSigner
from shared.contracts.registry import FACTS_OF
from shared.contracts.topology import SOURCES, TOPOLOGY, Service
from shared.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

    from shared.contracts.facts import Payload
    from tests.e2e.processes import Processes

ADMINISTRATOR, PASSWORD = "attacker", "attacker"
ADDRESS = "forged@evil.example"
"""The mail address in forged facts; a mail to it would be an effect."""


SAMPLES: Mapping[str, Any] = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


class Kind(StrEnum):
    """What is wrong with a forged message."""

    UNSIGNED = "no signature"
    OTHER_KEY = "signed with the attacker's key"
    BORROWED = "the signature of another row"
    MOVED = "a genuine row under the headers of another place"


@dataclass(frozen=True)
class Forgery:
    """One message that its source did not send."""

    kind: Kind
    source: str
    type: str
    event: bytes
    headers: Mapping[str, Any]
    id: str


@dataclass
class Forger:
    """Listens to every exchange, and publishes forged facts for the next place of a shard.

    It has the rights of the broker's administrator, and the credentials of each service.
    `victim` is a member; forged facts name `stranger` in their place.
    """

    product: Processes
    victim: str = ""
    stranger: str = ""
    heard: list[AbstractIncomingMessage] = field(default_factory=list)
    _connections: dict[str, AbstractConnection] = field(default_factory=dict)
    _signer: RowSigner = field(default_factory=lambda: RowSigner(Ed25519PrivateKey.generate()))

    async def __aenter__(self) -> Self:
        """Make the administrator, connect as everyone, and listen."""
        control = self.product.broker.control
        await asyncio.to_thread(control, "add_user", ADMINISTRATOR, PASSWORD)
        everything = (ADMINISTRATOR, ".*", ".*", ".*")
        await asyncio.to_thread(control, "set_permissions", *everything)
        urls = {service: self.product.broker_url(service) for service in SOURCES}
        urls[ADMINISTRATOR] = self.product.broker.url_for(ADMINISTRATOR, PASSWORD)  # type: ignore[index]
        for user, url in urls.items():
            self._connections[user] = await aio_pika.connect(url)
        channel = await self._connections[ADMINISTRATOR].channel()
        tap = await channel.declare_queue(exclusive=True)
        for source in SOURCES:
            await tap.bind(TOPOLOGY.exchange_of(source), routing_key="#")
        await tap.consume(self._hear, no_ack=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        for connection in self._connections.values():
            await connection.close()

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        if message.app_id != ADMINISTRATOR:
            self.heard.append(message)

    def missing(self) -> list[str]:
        """The sources of which nothing was heard yet."""
        return [source for source in SOURCES if not any(self._of(source))]

    def forgeries(self) -> list[Forgery]:
        """One of each kind for every type of fact."""
        return [
            self.forged(kind, source, fact)
            for source, facts in FACTS_OF.items()
            for fact in facts
            for kind in Kind
        ]

    async def repeat(self, messages: Sequence[AbstractIncomingMessage]) -> None:
        """Publish genuine messages once more, in this order."""
        channel = await self._connections[ADMINISTRATOR].channel()
        for heard in messages:
            source = str(heard.headers["source"])
            exchange = await channel.get_exchange(TOPOLOGY.exchange_of(source), ensure=False)
            again = aio_pika.Message(
                heard.body,
                message_id=heard.message_id,
                headers=dict(heard.headers),
                app_id=ADMINISTRATOR,
            )
            await exchange.publish(again, routing_key=heard.routing_key or "")
        await channel.close()

    async def publish(self, forgery: Forgery) -> None:
        """Publish as the administrator; with an own key also as the service itself."""
        user = forgery.source if forgery.kind is Kind.OTHER_KEY else ADMINISTRATOR
        channel = await self._connections[user].channel()
        exchange = await channel.get_exchange(TOPOLOGY.exchange_of(forgery.source), ensure=False)
        message = aio_pika.Message(
            forgery.event,
            message_id=forgery.id,
            headers=dict(forgery.headers),
            app_id=ADMINISTRATOR,  # so that it does not hear itself
        )
        await exchange.publish(message, routing_key=forgery.type)
        await channel.close()

    def _of(self, source: str) -> Iterator[AbstractIncomingMessage]:
        return (each for each in self.heard if each.headers["source"] == source)

    def forged(self, kind: Kind, source: str, fact: type[Payload]) -> Forgery:
        """A forgery of this kind, for the next place of a shard."""
        genuine = list(self._of(source))
        same_type = [each for each in genuine if each.routing_key == fact.type]
        template = (same_type or genuine)[-1]
        headers = dict(template.headers)
        place = (headers["epoch"], headers["shard"])
        headers["seq"] = 1 + max(
            int(str(each.headers["seq"]))
            for each in genuine
            if (each.headers["epoch"], each.headers["shard"]) == place
        )
        event, forged_id = template.body, template.message_id or ""
        if kind is not Kind.MOVED:
            forged_id = new_id("evt")
            event = self._event(
                template.body, fact, seq=int(str(headers["seq"])), event_id=forged_id
            )
        if kind is Kind.UNSIGNED:
            del headers["signature"]
        if kind is Kind.OTHER_KEY:
            headers["signature"] = self._signer.signature(event)
        key = (template.routing_key or "") if kind is Kind.MOVED else fact.type
        return Forgery(kind, source, key, event, headers, forged_id)

    def _event(self, body: bytes, fact: type[Payload], *, seq: int, event_id: str) -> bytes:
        """A fact that would take effect if it were believed: the stranger is the member."""
        event = json.loads(body)
        sampled = sample(fact.model_json_schema(by_alias=True))
        same = event["type"] == fact.type
        event["data"] |= {"seq": seq, "change_id": new_id("chg"), "part": 1, "parts": 1}
        event["data"]["data"] = (sampled | event["data"]["data"]) if same else sampled
        for name in ("email", "user_id"):
            if name in event["data"]["data"]:
                event["data"]["data"][name] = ADDRESS if name == "email" else self.stranger
        event |= {"id": event_id, "type": fact.type}
        text = json.dumps(event).replace(self.victim, self.stranger)
        return text.encode()


def sample(schema: dict[str, Any], root: dict[str, Any] | None = None) -> Any:
    """A value that fits a JSON schema of a fact."""
    root = root or schema
    if "$ref" in schema:
        return sample(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], root)
    if "properties" in schema:
        return {name: sample(each, root) for name, each in schema["properties"].items()}
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return "2026-11-26T00:00:00.000Z"
    return SAMPLES.get(schema.get("type", ""), "forged")


def consumers(source: str) -> list[Service]:
    """The services that take the facts of a source."""
    return [
        service
        for service in Service
        if any(
            queue.name.startswith(f"rolecall.{service}") and source in queue.sources
            for queue in TOPOLOGY.queues
        )
    ]
