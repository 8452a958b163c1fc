"""The command `make run`: start the product, print its addresses, stop on Ctrl-C."""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from deploy.configuration import SecretsError
from deploy.local.product import NotReadyError, Product
from deploy.local.run_files import run_file, settings_file
from deploy.local.settings import LocalSettings
from deploy.private_files import (
    UnsafeFileError,
    make_folder,
    make_private,
    open_own,
    read_own,
    write_private,
)
from deploy.programs.program import ProgramError, acquire_lock
from shared import logs
from shared.cancellation import end
from shared.contracts.topology import Service
from shared.problems import StartRefused
from shared.runtime.environment import load
from shared.runtime.service import event_loop
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

WELCOME = """
Rolecall is ready.

  Pages     {public}/sign-up
  API       {public}          all routes: {public}/docs
  Mail      {mail}          every mail that the product sends
  Data      {folder}

The id and the secret of a service client for your first check are in
{run_file}. Only you can read that file.

Press Ctrl-C to stop. The data are kept.
"""

OPERATED = (Service.IDENTITY, Service.TEAM, Service.NOTIFICATION, Service.AUDIT)
"""The services that the commands for operators ask at their internal addresses."""
MADE = ("secrets.json", "client.json", "run.json", "run.env", "lock", "database", "mail")
"""What this runner makes in the data folder."""
LOCK_SECONDS = 30.0
"""How long a start waits for another run on the same data, which may be about to end."""
PARENT_POLL_SECONDS = 0.25
"""How often the runner checks that its parent process is still the same."""


def lock_folder(folder: Path, *, seconds: float) -> IO[str]:
    """Lock the folder for this run, and wait up to `seconds` for another run to end.

    Raises:
        BlockingIOError: another run still uses the folder.
        UnsafeFileError: another user may control the folder or the file.
    """
    make_folder(folder)
    file = os.fdopen(open_own(folder / "lock", os.O_RDWR | os.O_CREAT), "w")
    if not acquire_lock(file, seconds=0):
        sys.stderr.write(f"Another run uses {folder}. Waiting for it to end.\n")
        if not acquire_lock(file, seconds=seconds):
            file.close()
            raise BlockingIOError
    return file


async def first_service_client(product: Product) -> dict[str, str]:
    """The first service client, created once and the same at every later start."""
    file = product.folder / "client.json"
    if not file.exists():
        write_private(file, json.dumps(await product.create_client("local")))
    client: dict[str, str] = json.loads(read_own(file))
    return client


async def wait_for_stop(stopping: asyncio.Event, *, parent: int | None) -> None:
    """Wait until `stopping` is set, or until `parent` is no longer the parent process."""
    while not stopping.is_set() and parent in {None, os.getppid()}:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PARENT_POLL_SECONDS):
                await stopping.wait()


async def serve(settings: LocalSettings, *, parent: int | None, timeouts: Timeouts) -> None:
    """Run the product until a signal or the end of the parent stops it."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    stop_requested = asyncio.create_task(wait_for_stop(stopping, parent=parent))
    product = Product(settings, timeouts=timeouts)
    file, variables = run_file(product.folder), settings_file(product.folder)
    file.unlink(missing_ok=True)
    variables.unlink(missing_ok=True)
    starting = asyncio.create_task(product.start())
    try:
        await asyncio.wait({stop_requested, starting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            sys.stdout.write("Stopping.\n")
            return
        starting.result()
        gc.freeze()  # what is loaded now stays
        gc.enable()
        client = await first_service_client(product)
        where = {
            "gateway": product.url,
            "mail": product.mail.url,
            **{str(name): product.internal_url(name) for name in OPERATED},
            "service_client": client,
        }
        write_private(file, json.dumps(where, indent=2) + "\n")
        lines = (f"{name}={value}\n" for name, value in product.variables.items())
        write_private(variables, "".join(lines))
        sys.stdout.write(
            WELCOME.format(
                public=product.public_url,
                mail=product.mail.url,
                folder=settings.data_dir,
                run_file=file,
            )
        )
        sys.stdout.flush()
        await stop_requested
        sys.stdout.write("Stopping.\n")
    finally:
        file.unlink(missing_ok=True)
        variables.unlink(missing_ok=True)
        await end({stop_requested, starting})
        await product.stop()


def main(
    arguments: Sequence[str],
    *,
    lock_seconds: float = LOCK_SECONDS,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local", description="Run the whole product in one process."
    )
    parser.add_argument(
        "--parent",
        type=int,
        metavar="PID",
        help="stop when this is no longer the parent process, as after Ctrl-C",
    )
    parent = parser.parse_args(arguments).parent
    settings = load(LocalSettings)
    os.umask(0o077)
    try:
        held = lock_folder(settings.data_dir, seconds=lock_seconds)
    except BlockingIOError:
        sys.stderr.write(
            f"Another run still uses {settings.data_dir}. Stop it, or set ROLECALL_DATA_DIR to"
            " another folder.\n"
        )
        return 1
    except UnsafeFileError as problem:
        sys.stderr.write(f"Rolecall did not start: {problem}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(
            f"The data folder cannot be used ({problem}). Set ROLECALL_DATA_DIR to another one.\n"
        )
        return 1
    logs.setup("local", settings.log_level)
    with held, asyncio.Runner(loop_factory=event_loop) as runner:
        try:
            make_private(settings.data_dir, MADE)
            runner.run(serve(settings, parent=parent, timeouts=timeouts))
        except (NotReadyError, ProgramError, SecretsError, StartRefused, OSError) as problem:
            sys.stderr.write(f"Rolecall did not start: {problem}\n")
            return 1
    return 0
