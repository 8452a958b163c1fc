"""Checks that are written to one replica at a chosen moment, even while it is stopped."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

ANSWER_SECONDS = 30.0
"""How long an answer may take; a replica that does not answer at all is a fault."""
NO_ANSWER = "no answer"


@dataclass(frozen=True)
class MemberCheck:
    """One check: whether a user has a permission on a resource of an account."""

    user_id: str
    account_id: str
    permission: str = "instance:view"
    resource_id: str = "i-1"
    project_id: str | None = None
    subject_type: str = "user"
    """With another type, `user_id` is the id of that subject."""

    def request(self, token: str) -> bytes:
        """The whole HTTP request."""
        resource_type, action = self.permission.split(":")
        properties = {"account_id": self.account_id}
        if self.project_id is not None:
            properties["project_id"] = self.project_id
        body = json.dumps(
            {
                "subject": {"type": self.subject_type, "id": self.user_id},
                "action": {"name": action},
                "resource": {
                    "type": resource_type,
                    "id": self.resource_id,
                    "properties": properties,
                },
            }
        )
        head = (
            "POST /access/v1/evaluation HTTP/1.1\r\nHost: authz\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode()


class CheckConnection:
    """One connection to a replica: requests are written at once, answers are read later."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting = 0

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect; the kernel accepts the connection for a stopped process, too."""
        address = urlsplit(url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    def send(self, request: bytes, *, times: int) -> None:
        """Write the request several times, without waiting."""
        self._writer.write(request * times)
        self._waiting += times

    async def answers(self) -> Counter[str]:
        """Count the answers: `allow`, `deny`, or the HTTP status.

        Raises:
            TimeoutError: an answer does not come within `ANSWER_SECONDS`.
        """
        counts: Counter[str] = Counter()
        while self._waiting:
            async with asyncio.timeout(ANSWER_SECONDS):
                counts[await self._answer()] += 1
            self._waiting -= 1
        return counts

    async def _answer(self) -> str:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = head.split(" ", 2)[1]
        length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
        body = json.loads(await self._reader.readexactly(length))
        if status != "200":
            return status
        return "allow" if body["decision"] else "deny"

    async def next_answers(self, count: int) -> Counter[str]:
        """Count the next answers; those that a killed replica does not give are `no answer`."""
        counts: Counter[str] = Counter()
        try:
            for _ in range(count):
                async with asyncio.timeout(ANSWER_SECONDS):
                    counts[await self._answer()] += 1
        except (OSError, EOFError, TimeoutError):
            counts[NO_ANSWER] = count - counts.total()
        self._waiting -= count
        return counts

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()
