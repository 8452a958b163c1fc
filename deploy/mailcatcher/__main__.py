"""How is the mail catcher run as a program of its own?"""

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
    print(f"mails to {catcher.smtp_host}:{catcher.smtp_port}, page on {catcher.url}", flush=True)  # noqa: T201 (what a person who starts it needs)
    await stopped.wait()
    await catcher.stop()


def main() -> None:
    """Read the command line, and serve."""
    options = argparse.ArgumentParser(
        prog="python -m deploy.mailcatcher",
        description="Take every mail and show it on a web page. For development only.",
    )
    options.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    options.add_argument("--smtp-port", type=int, default=1025, help="0 for a free one")
    options.add_argument("--http-port", type=int, default=8025, help="0 for a free one")
    options.add_argument("--data-dir", type=Path, help="where to keep mails over a restart")
    given = options.parse_args()
    asyncio.run(serve(MailCatcher(given.host, given.smtp_port, given.http_port, given.data_dir)))


if __name__ == "__main__":
    main()
