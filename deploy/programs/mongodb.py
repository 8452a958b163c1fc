"""Which server answers MongoDB's protocol here, and how is it started?"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.programs.program import Program, ProgramError

if TYPE_CHECKING:
    from collections.abc import Sequence

# A client that is killed inside a transaction leaves it open, and the rows that it wrote refuse
# every other writer until the server gives the transaction up: a minute if nobody says otherwise.
_TRANSACTION_SECONDS = 5

# The program has no option for it, the server's class has a parameter.
_SECANTUSDB = f"""
from functools import partial
from secantus import cli
cli.SecantusDBServer = partial(
    cli.SecantusDBServer, transaction_lifetime_seconds={_TRANSACTION_SECONDS}
)
raise SystemExit(cli.main())
"""


class _Database(Program):
    @property
    def url(self) -> str:
        """The address for clients; one server, so no discovery of a replica set's members."""
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    @property
    def data(self) -> Path:
        """The folder with the server's data files."""
        path = self.folder / "data"
        path.mkdir(exist_ok=True)
        return path

    def answers(self) -> bool:
        """Tell whether the server takes writes."""
        with MongoClient[dict[str, object]](self.url, serverSelectionTimeoutMS=1000) as client:
            try:
                return bool(client.admin.command("hello")["isWritablePrimary"])
            except PyMongoError:
                return False


class Secantusdb(_Database):
    """SecantusDB, a server in Python and C from PyPI, always with `--sync-on-commit`."""

    name = "secantusdb"

    @property
    def url(self) -> str:
        """The address for clients, whose driver must not number its writes to repeat them.

        The server keeps every numbered write for half an hour and goes through all of them at the
        next one: after 10,000 each takes seven times as long. Transactions repeat as ever.
        """
        return f"{super().url}&retryWrites=false"

    def command(self) -> Sequence[str]:
        """Start it with the interpreter that runs us, and without anybody's configuration file."""
        configuration = self.folder / "secantusd.toml"
        configuration.touch()
        return [
            *(sys.executable, "-c", _SECANTUSDB),
            *("--config", str(configuration)),
            *("--host", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--storage-path", str(self.data)),
            *("--log-level", "WARNING"),
            "--sync-on-commit",
        ]


class Mongod(_Database):
    """MongoDB's own server as a replica set of one, which transactions need."""

    name = "mongod"

    def command(self) -> Sequence[str]:
        """Start the `mongod` on the PATH; raises `ProgramError` when there is none."""
        program = shutil.which("mongod")
        if program is None:
            message = "there is no mongod on the PATH"
            raise ProgramError(message)
        return [
            *(program, "--bind_ip", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--dbpath", str(self.data)),
            *("--replSet", "rs0"),
            *("--setParameter", f"transactionLifetimeLimitSeconds={_TRANSACTION_SECONDS}"),
        ]

    def answers(self) -> bool:
        """Make the server a replica set when it is not yet one; then as every database."""
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        with MongoClient[dict[str, object]](self.url, serverSelectionTimeoutMS=1000) as client:
            try:
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
            except OperationFailure:
                pass  # it is one already
            except PyMongoError:
                return False
        return super().answers()


def database(folder: Path, *, port: int | None = None) -> Secantusdb | Mongod:
    """Give the best server that this machine has: `mongod` when it is on the PATH."""
    if shutil.which("mongod"):
        return Mongod(folder, port=port)
    return Secantusdb(folder, port=port)
