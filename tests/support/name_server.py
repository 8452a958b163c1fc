"""A local name server, which answers with the text records that a test gives it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """The server. `texts` are the records by name; a `silent` one does not answer."""

    port: int = 0
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silent: bool = False
    broken: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.silent:
            return
        question = dns.message.from_wire(data)
        [asked] = question.question
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        texts = self.texts.get(asked.name.to_text().rstrip("."))
        if self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif texts:
            records = ['"' + '" "'.join(text.split("|")) + '"' for text in texts]
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", "TXT", *records))
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """A name server of this machine."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
