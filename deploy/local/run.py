"""How does `make run` start everything, say where it is, and stop cleanly on Ctrl-C?"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import IO

from deploy.configuration import write_private
from deploy.local.product import NotReadyError, Product, run_file
from deploy.local.settings import LocalSettings
from deploy.programs.program import ProgramError, hold
from shared import logs
from shared.cancellation import end
from shared.runtime.service import event_loop
from shared.runtime.settings import load

WELCOME = """
Rolecall is ready.

  API       {gateway}          every route: {gateway}/docs
  Mail      {mail}             what the product sends lands here
  Data      {folder}

A service client for your first check (also in {run_file}):
  id {id}    secret {secret}

Ctrl-C stops it; the data stay.
"""


LOCK_SECONDS = 30.0
"""How long a start waits for another run on the same data, which may be about to end."""
PARENT_SECONDS = 0.25
"""Between two looks at who the parent is."""


def lock(folder: Path) -> IO[str]:
    """Hold the folder, so that two runs never share it.

    Raises:
        BlockingIOError: another run holds it, and goes on doing so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("w")
    if not hold(file, seconds=0):
        sys.stderr.write(f"Another run uses {folder}: waiting for its end.\n")
        if not hold(file, seconds=LOCK_SECONDS):
            file.close()
            raise BlockingIOError
    return file


async def client_of(product: Product) -> dict[str, str]:
    """The first service client: made once, then the same at every start."""
    file = product.folder / "client.json"
    if not file.exists():
        write_private(file, json.dumps(await product.create_client("local")))
    client: dict[str, str] = json.loads(file.read_text())
    return client


async def asked_to_stop(stopping: asyncio.Event, *, parent: int | None) -> None:
    """Wait until `stopping` is set, or `parent` is not our parent any more."""
    while not stopping.is_set() and parent in {None, os.getppid()}:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PARENT_SECONDS):
                await stopping.wait()


async def serve(settings: LocalSettings, *, parent: int | None) -> None:
    """Run until somebody asks to stop."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    asked = asyncio.create_task(asked_to_stop(stopping, parent=parent))
    product = Product(settings)
    file = run_file(product.folder)
    file.unlink(missing_ok=True)
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
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local", description="The whole product in one process."
    )
    parser.add_argument(
        "--parent",
        type=int,
        metavar="PID",
        help="stop when this is not the parent process any more, as after Ctrl-C",
    )
    parent = parser.parse_args().parent
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
            runner.run(serve(settings, parent=parent))
        except (NotReadyError, ProgramError, OSError) as problem:
            sys.stderr.write(f"Rolecall did not start: {problem}\n")
            return 1
    return 0
