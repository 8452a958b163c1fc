"""How does a mail reach the mail server, and what did the server say?"""

import asyncio
import contextlib
import time
from enum import StrEnum

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from pydantic import SecretStr

from services.notification.domain import Attempt, Deferred, Refused, Sent, Unreachable
from services.notification.mails import Mail
from services.notification.names import deliverable

CONNECT_SECONDS = 10.0
REPLY_SECONDS = 120.0
"""How long a reply may take: a server that scans a mail is slow, and giving up means a double."""
IDLE_SECONDS = 30.0
_OUR_FAULT = {530, 534, 535, 538}  # sign-in refused: no reason to give up on a recipient


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Mailer:
    """Connections to one mail server, kept open between mails."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Security,
        username: str | None = None,
        password: SecretStr | None = None,
        own_name: str = "localhost",
    ) -> None:
        """`own_name` is how we greet the server."""
        self._host = host
        self._port = port
        self._security = security
        self._username = username
        self._password = password
        self._own_name = own_name
        self._idle: list[tuple[SMTP, float]] = []

    async def send(self, mail: Mail) -> Attempt:
        """Hand the mail over once, and say what came of it. Never raises for what a server does."""
        if deliverable(mail.recipient) != mail.recipient:
            # The library would cut the address down to what it can read, and mail a stranger.
            return Refused(reply="not an address that mail can be sent to")
        try:
            connection = await self._connection()
        except (SMTPException, OSError, TimeoutError, ValueError) as problem:
            return Unreachable(reason=_text(problem))
        try:
            _, reply = await connection.sendmail(
                mail.sender, [mail.recipient], mail.content, timeout=REPLY_SECONDS
            )
        except SMTPRecipientsRefused as refused:
            attempt = _judged(refused.recipients[0])
        except (SMTPDataError, SMTPSenderRefused) as refused:
            attempt = _judged(refused)
        except (SMTPException, OSError, TimeoutError) as problem:
            # Perhaps it has the mail, perhaps not: the repeat carries the same Message-ID.
            connection.close()
            return Deferred(reply=_text(problem))
        except BaseException:
            connection.close()
            raise
        else:
            attempt = Sent(reply=_readable(reply))
        if connection.is_connected:
            self._idle.append((connection, time.monotonic()))
        return attempt

    async def close(self) -> None:
        """Say goodbye on every connection that is open and unused."""
        while self._idle:
            connection, _ = self._idle.pop()
            await _leave(connection)

    async def _connection(self) -> SMTP:
        while self._idle:
            connection, since = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and await _alive(connection):
                return connection
            await _leave(connection)
        connection = SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._own_name,
            username=self._username,
            password=self._password.get_secret_value() if self._password else None,
            use_tls=self._security is Security.TLS,
            start_tls=self._security is Security.STARTTLS,
            timeout=CONNECT_SECONDS,
        )
        try:
            await connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection


async def _alive(connection: SMTP) -> bool:
    try:
        await connection.noop(timeout=CONNECT_SECONDS)
    except (SMTPException, OSError, TimeoutError):
        return False
    return True


async def _leave(connection: SMTP) -> None:
    with contextlib.suppress(SMTPException, OSError, TimeoutError, asyncio.InvalidStateError):
        await connection.quit(timeout=1.0)
    connection.close()


def _judged(refused: SMTPResponseException) -> Attempt:
    if isinstance(refused, SMTPAuthenticationError) or refused.code in _OUR_FAULT:
        return Unreachable(reason=_text(refused))
    if refused.code < 500:
        return Deferred(reply=_text(refused))
    return Refused(reply=_text(refused))


def _text(problem: Exception) -> str:
    if isinstance(problem, SMTPResponseException):
        return _readable(f"{problem.code} {problem.message}")
    return _readable(str(problem) or type(problem).__name__)


def _readable(reply: str) -> str:
    """What is kept of a reply: enough for a person who looks into it.

    The library leaves half a character for each byte that is not UTF-8, which no database takes.
    """
    return reply[:500].encode(errors="replace").decode()
