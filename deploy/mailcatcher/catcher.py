"""The two listeners of the mail catcher: SMTP for senders, HTTP for readers."""

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path
from weakref import WeakSet

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deploy.mailcatcher.mailbox import Mailbox, WriteBytes
from deploy.mailcatcher.mails import RawMail
from deploy.mailcatcher.pages import application

log = logging.getLogger(__name__)

STOP_SECONDS = 1.0
"""How long open requests may still run when the catcher stops."""


class MailCatcher:
    """An SMTP server that accepts every mail and shows it on a web page.

    Port 0 chooses a free one. `data_dir` keeps the mails over a restart; without it they are in
    memory only. `smtp_port`, `smtp_address` and `url` are valid after `start`.

    With a `key`, only those who know it get in: it is part of the page's address, and the password
    of every user at the SMTP server.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        http_port: int = 0,
        data_dir: Path | None = None,
        key: str = "",
        write: WriteBytes = os.write,
    ) -> None:
        self.smtp_host = host
        self.smtp_port = smtp_port
        self._http_port = http_port
        self._data_dir = data_dir
        self._key = key
        self._write = write
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._opened = AsyncExitStack()

    @property
    def smtp_address(self) -> tuple[str, int]:
        """The host and port that accept mails."""
        return self.smtp_host, self.smtp_port

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{self.smtp_host}:{self._http_port}{self._prefix}"

    @property
    def _prefix(self) -> str:
        return f"/{self._key}" if self._key else ""

    async def start(self) -> None:
        """Listen on both ports.

        Raises:
            OSError: a port is in use, or the folder cannot be used.
        """
        # aiosmtpd warns of an attribute that it sets itself, and tells the recipients.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as opened:
            self._mailbox = Mailbox(self._data_dir, write=self._write)
            opened.callback(self._mailbox.close)
            runner = web.AppRunner(
                application(self._mailbox, prefix=self._prefix),
                access_log=None,
                shutdown_timeout=STOP_SECONDS,
            )
            await runner.setup()
            opened.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, self.smtp_host, self._http_port).start()
            self._http_port = runner.addresses[0][1]
            server = await loop.create_server(self._session, self.smtp_host, self.smtp_port)
            opened.push_async_callback(self._close, server)
            self.smtp_port = server.sockets[0].getsockname()[1]
            self._opened = opened.pop_all()

    async def stop(self) -> None:
        """Stop listening and end the sessions that clients keep open."""
        await self._opened.aclose()

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        for session in list(self._sessions):
            if session.transport:
                session.transport.close()
        await server.wait_closed()

    async def handle_MAIL(  # noqa: N802 (the name that aiosmtpd requires)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        mail_options: list[str],
    ) -> str:
        """Begin a mail; aiosmtpd calls this. Its own check of the sign-in demands TLS."""
        if self._key and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (the name that aiosmtpd requires)
        """Accept one mail; aiosmtpd calls this and sends the answer after the mail is written."""
        content = envelope.content or b""
        received = RawMail(
            received_at=datetime.now(UTC),
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            content=content.encode() if isinstance(content, str) else content,
        )
        try:
            self._mailbox.add(received)
        except OSError:
            log.exception("A mail could not be written to the disk.")
            return "452 The mail could not be stored. Try again later."
        return "250 The mail is stored."

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and compare_digest(
            data.password, self._key.encode()
        )
        return AuthResult(success=known, handled=False)

    def _session(self) -> SMTP:
        # Without a given name aiosmtpd would look up the name of this host.
        session = SMTP(
            self,
            hostname="mailcatcher",
            enable_SMTPUTF8=True,
            authenticator=self._authenticate,
            auth_require_tls=False,
        )
        self._sessions.add(session)
        return session
