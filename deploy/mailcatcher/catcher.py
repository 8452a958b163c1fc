"""How does the mail catcher listen, for mails and for readers?"""

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakSet

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.mailcatcher.mailbox import Mailbox
from deploy.mailcatcher.mails import Received
from deploy.mailcatcher.pages import application

log = logging.getLogger(__name__)

STOP_SECONDS = 1.0
"""What requests that are under way get when the catcher stops."""


class MailCatcher:
    """An SMTP server that takes every mail for everybody and shows it on a web page.

    Port 0 takes a free one. `data_dir` keeps the mails over a restart; without it they are in
    memory alone. `smtp_host`, `smtp_port`, `smtp_address` and `url` hold from `start` on.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        http_port: int = 0,
        data_dir: Path | None = None,
    ) -> None:
        self.smtp_host = host
        self.smtp_port = smtp_port
        self._http_port = http_port
        self._data_dir = data_dir
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._opened = AsyncExitStack()

    @property
    def smtp_address(self) -> tuple[str, int]:
        """Where to send mails to."""
        return self.smtp_host, self.smtp_port

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{self.smtp_host}:{self._http_port}"

    async def start(self) -> None:
        """Listen on both ports; raises `OSError` when one is taken or the folder is unusable."""
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as opened:
            self._mailbox = Mailbox(self._data_dir)
            opened.callback(self._mailbox.close)
            runner = web.AppRunner(
                application(self._mailbox), access_log=None, shutdown_timeout=STOP_SECONDS
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
        """Stop listening, and end the sessions that clients keep open."""
        await self._opened.aclose()

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        for session in list(self._sessions):
            if session.transport:
                session.transport.close()
        await server.wait_closed()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take one mail (aiosmtpd calls this); the answer follows the write."""
        content = envelope.content or b""
        received = Received(
            received_at=datetime.now(UTC),
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            content=content.encode() if isinstance(content, str) else content,
        )
        try:
            self._mailbox.add(received)
        except OSError:
            log.exception("mail not kept")
            return "452 the mail could not be kept"
        return "250 kept"

    def _session(self) -> SMTP:
        # With a name given, nothing is looked up.
        session = SMTP(self, hostname="mailcatcher", enable_SMTPUTF8=True)
        self._sessions.add(session)
        return session
