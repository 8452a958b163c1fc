"""Three RabbitMQ nodes on this machine as one cluster, behind one address."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from deploy.programs.program import Program, free_port, listens
from deploy.programs.rabbitmq import Rabbitmq
from tests.faults.chaos_proxy import ChaosProxy

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from pathlib import Path

NODES = 3
HOST = "127.0.0.1"
COOKIE = "A" * 20
COOKIE_FILE = ".erlang.cookie"
NODE_NAME = "rolecall{number}@localhost"


class ClusterNode(Rabbitmq):
    """One node, with its own ports and data; all nodes of a cluster share a port mapper."""

    def __init__(self, folder: Path, *, name: str, mapper: Rabbitmq | None) -> None:
        """`mapper` is the node that runs the port mapper; without one, this node does."""
        super().__init__(folder)
        self.node = name
        self._runs_mapper = mapper is None
        if mapper is not None:
            self._port_mapper = mapper._port_mapper

    def environment(self) -> Mapping[str, str]:
        """The node's own name, and the cookie of the cluster."""
        return {**super().environment(), "RABBITMQ_NODENAME": self.node}

    def start(self) -> None:
        """Start the node, and first the port mapper if it does not run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cookie = self.folder / COOKIE_FILE
        if not cookie.exists():
            cookie.write_text(COOKIE)
            cookie.chmod(0o400)
        if not self._port_mapper.running:
            self._port_mapper.start()
        Program.start(self)

    def stop(self) -> None:
        """End the node in order; the others go on."""
        Program.stop(self)

    def kill(self) -> None:
        """End the node as a crash would; the others go on."""
        Program.kill(self)

    def join(self, other: ClusterNode) -> None:
        """Become a part of the other node's cluster."""
        self.control("stop_app")
        self.control("join_cluster", other.node)
        self.control("start_app")


class ClusterFront(ChaosProxy):
    """The address of the cluster: a new connection goes to the first node that listens."""

    def __init__(self, nodes: list[ClusterNode]) -> None:
        super().__init__(HOST, nodes[0].port)
        self._nodes = nodes

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        living = (node.port for node in self._nodes if node.running and listens(node.port))
        self._upstream = (HOST, next(living, self._nodes[0].port))
        await super()._accept(reader, writer)


class BrokerCluster:
    """The cluster with the product's definitions, as `Processes` uses a broker."""

    def __init__(self, folder: Path, definitions: Mapping[str, object]) -> None:
        self.folder = folder
        self.port = free_port()
        """Of the front, once it is open."""
        self.nodes: list[ClusterNode] = []
        for number in range(NODES):
            name = NODE_NAME.format(number=number)
            first = self.nodes[0] if self.nodes else None
            self.nodes.append(ClusterNode(folder / str(number), name=name, mapper=first))
        self.front = ClusterFront(self.nodes)
        self._definitions = definitions

    def url_for(self, user: str, password: str) -> str:
        """The address for one user."""
        return f"amqp://{user}:{password}@{HOST}:{self.front.port}/"

    def start(self) -> None:
        """Start the nodes, join them, and let the cluster read the definitions."""
        first, *others = self.nodes
        first.start()
        with ThreadPoolExecutor() as threads:
            list(threads.map(ClusterNode.start, others))
        for node in others:
            node.join(first)
        file = self.folder / "definitions.json"
        file.write_text(json.dumps(self._definitions))
        first.control("import_definitions", str(file))

    def stop(self) -> None:
        """End every node, and the port mapper."""
        self.kill()

    def kill(self) -> None:
        """End every node as a crash would."""
        for node in self.nodes:
            node.kill()
        self.nodes[0]._port_mapper.kill()

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against the first node that runs."""
        return next(node for node in self.nodes if node.running).control(*arguments)

    def leader_of(self, queue: str) -> ClusterNode:
        """The node that leads a quorum queue."""
        listed = self.control("list_queues", "name", "leader", "--formatter", "json")
        leaders = {found["name"]: found["leader"] for found in json.loads(listed)}
        return next(node for node in self.nodes if node.node == leaders[queue])

    def members_of(self, queue: str) -> int:
        """How many nodes have a copy of a quorum queue."""
        listed = self.control("list_queues", "name", "members", "--formatter", "json")
        members = {found["name"]: found["members"] for found in json.loads(listed)}
        return len(members[queue])
