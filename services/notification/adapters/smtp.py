"""The connections to the mail server, and what its replies mean."""

import asyncio
import contextlib
from pathlib import Path

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from pydantic import SecretStr

from services.notification.domain.attempts import (
    AttemptResult,
    Deferred,
    Rejected,
    Sent,
    SmtpStep,
    Unreachable,
    result_of_refusal,
)
from services.notification.domain.mails import ComposedMail
from services.notification.domain.names import mailbox_of
from services.notification.settings import Security
from shared.clock import Clock
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

QUIT_SECONDS = 1.0
MAX_REPLY_LENGTH = 500


class SmtpTransport:
    """Connections to one mail server, kept open between mails."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Security,
        clock: Clock,
        username: str | None = None,
        password: SecretStr | None = None,
        authorities: Path | None = None,
        own_name: str = "localhost",
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        """`own_name` is the name of this service in EHLO.

        `authorities` is a PEM file of those that the server's certificate may be from; without it
        they are those of the operating system.
        """
        self._host = host
        self._port = port
        self._security = security
        self._clock = clock
        self._username = username
        self._password = password
        self._authorities = authorities
        self._own_name = own_name
        self._timeouts = timeouts
        self._idle: list[tuple[SMTP, float]] = []

    async def send(self, mail: ComposedMail) -> AttemptResult:
        """Hand the mail over once; every reply of the server is a result, never an exception."""
        if mailbox_of(mail.recipient) != mail.recipient:
            # The library would shorten the address to what it can read, and mail another person.
            return Rejected(reply="The recipient is not one plain e-mail address.")
        try:
            connection = await self._connection()
        except (SMTPException, OSError, TimeoutError, ValueError) as problem:
            return Unreachable(reason=_text(problem))
        try:
            result = await self._hand_over(connection, mail)
        except (SMTPException, OSError, TimeoutError) as problem:
            # The server may have the mail: the repetition carries the same Message-ID.
            connection.close()
            return Deferred(reply=_text(problem))
        except BaseException:
            connection.close()
            raise
        if connection.is_connected:
            self._idle.append((connection, self._clock.boottime()))
        return result

    async def close(self) -> None:
        """End the session on every connection that is open and unused."""
        while self._idle:
            connection, _ = self._idle.pop()
            await _quit(connection)

    async def _hand_over(self, connection: SMTP, mail: ComposedMail) -> AttemptResult:
        try:
            _, reply = await connection.sendmail(
                mail.sender, [mail.recipient], mail.content, timeout=self._timeouts.smtp_reply
            )
        except SMTPHeloError as refused:
            connection.close()
            return result_of_refusal(SmtpStep.SESSION, refused.code, _text(refused))
        except SMTPSenderRefused as refused:
            return result_of_refusal(SmtpStep.SENDER, refused.code, _text(refused))
        except SMTPRecipientsRefused as refused:
            [recipient] = refused.recipients
            return result_of_refusal(SmtpStep.RECIPIENT, recipient.code, _text(recipient))
        except SMTPDataError as refused:
            return result_of_refusal(SmtpStep.DATA, refused.code, _text(refused))
        return Sent(reply=_readable(reply))

    async def _connection(self) -> SMTP:
        while self._idle:
            connection, idle_since = self._idle.pop()
            idle_seconds = self._clock.boottime() - idle_since
            if idle_seconds < self._timeouts.smtp_idle and await self._alive(connection):
                return connection
            await _quit(connection)
        connection = SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._own_name,
            username=self._username,
            password=self._password.get_secret_value() if self._password else None,
            use_tls=self._security is Security.TLS,
            start_tls=self._security is Security.STARTTLS,
            cert_bundle=None if self._authorities is None else str(self._authorities),
            timeout=self._timeouts.smtp_connect,
        )
        try:
            await connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    async def _alive(self, connection: SMTP) -> bool:
        try:
            await connection.noop(timeout=self._timeouts.smtp_connect)
        except (SMTPException, OSError, TimeoutError):
            return False
        return True


async def _quit(connection: SMTP) -> None:
    with contextlib.suppress(SMTPException, OSError, TimeoutError, asyncio.InvalidStateError):
        await connection.quit(timeout=QUIT_SECONDS)
    connection.close()


def _text(problem: Exception) -> str:
    if isinstance(problem, SMTPResponseException):
        return _readable(f"{problem.code} {problem.message}")
    return _readable(str(problem) or type(problem).__name__)


def _readable(reply: str) -> str:
    """The beginning of a reply, in characters that the database takes.

    The library leaves half a character (a lone surrogate) for each byte that is not UTF-8.
    """
    return reply[:MAX_REPLY_LENGTH].encode(errors="replace").decode()
