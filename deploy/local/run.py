"""How does `make run` start everything, say where it is, and stop cleanly on Ctrl-C?"""

import asyncio
import fcntl
import json
import signal
import sys
from pathlib import Path
from typing import IO

from deploy.configuration import write_private
from deploy.local.product import NotReadyError, Product, run_file
from deploy.local.settings import LocalSettings
from deploy.programs.program import ProgramError
from shared import logs
from shared.cancellation import end
from shared.serve import event_loop
from shared.settings import load

WELCOME = """
Rolecall is ready.

  API       {gateway}          every route: {gateway}/docs
  Mail      {mail}             what the product sends lands here
  Data      {folder}

A service client for your first check (also in {run_file}):
  id {id}    secret {secret}

Ctrl-C stops it; the data stay.
"""


def lock(folder: Path) -> IO[str]:
    """Hold the folder, so that two runs never share it.

    Raises:
        BlockingIOError: another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("w")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


async def client_of(product: Product) -> dict[str, str]:
    """The first service client: made once, then the same at every start."""
    file = product.folder / "client.json"
    if not file.exists():
        write_private(file, json.dumps(await product.create_client("local")))
    client: dict[str, str] = json.loads(file.read_text())
    return client


async def serve(settings: LocalSettings) -> None:
    """Run until somebody asks to stop."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    product = Product(settings)
    file = run_file(product.folder)
    file.unlink(missing_ok=True)
    asked = asyncio.create_task(stopping.wait())
    starting = asyncio.create_task(product.start())
    try:
        await asyncio.wait({asked, starting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            sys.stdout.write("Stopping.\n")
            return
        starting.result()
        client = await client_of(product)
        where = {"gateway": product.url, "mail": product.mail.url, "service_client": client}
        write_private(file, json.dumps(where, indent=2) + "\n")
        sys.stdout.write(
            WELCOME.format(
                gateway=product.url,
                mail=product.mail.url,
                folder=settings.data_dir,
                run_file=settings.data_dir / "run.json",
                **client,
            )
        )
        sys.stdout.flush()
        await asked
        sys.stdout.write("Stopping.\n")
    finally:
        file.unlink(missing_ok=True)
        await end({asked, starting})
        await product.stop()


def main() -> int:
    """The command; its exit status."""
    settings = load(LocalSettings)
    try:
        held = lock(settings.data_dir)
    except BlockingIOError:
        sys.stderr.write(
            f"Another run uses {settings.data_dir}: stop it, or set ROLECALL_DATA_DIR.\n"
        )
        return 1
    except OSError as problem:
        sys.stderr.write(f"Cannot keep data there ({problem}): set ROLECALL_DATA_DIR.\n")
        return 1
    logs.setup("local", settings.log_level)
    with held, asyncio.Runner(loop_factory=event_loop) as runner:
        try:
            runner.run(serve(settings))
        except (NotReadyError, ProgramError, OSError) as problem:
            sys.stderr.write(f"Rolecall did not start: {problem}\n")
            return 1
    return 0
