"""The mail catcher as a separate program."""

import argparse
import asyncio
import signal
from pathlib import Path

from deploy.mailcatcher.catcher import MailCatcher


async def serve(catcher: MailCatcher) -> None:
    """Catch mails until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await catcher.start()
    print(f"SMTP on {catcher.smtp_host}:{catcher.smtp_port}, page on {catcher.url}", flush=True)  # noqa: T201 (a command prints)
    await stopped.wait()
    await catcher.stop()


def main() -> None:
    """Read the command line and serve."""
    options = argparse.ArgumentParser(
        prog="python -m deploy.mailcatcher",
        description="Accept every mail and show it on a web page. For development only.",
    )
    options.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    options.add_argument("--smtp-port", type=int, default=1025, help="0 chooses a free port")
    options.add_argument("--http-port", type=int, default=8025, help="0 chooses a free port")
    options.add_argument("--data-dir", type=Path, help="folder that keeps the mails over a restart")
    given = options.parse_args()
    catcher = MailCatcher(
        host=given.host,
        smtp_port=given.smtp_port,
        http_port=given.http_port,
        data_dir=given.data_dir,
    )
    asyncio.run(serve(catcher))


if __name__ == "__main__":
    main()
