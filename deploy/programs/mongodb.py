"""Servers of MongoDB's protocol as child processes: SecantusDB and mongod."""

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

# A client that is killed inside a transaction leaves it open. The rows that it wrote then refuse
# every other writer until the server ends the transaction, by default after 60 seconds.
_TRANSACTION_SECONDS = 5

# The command line has no option for this limit, but the server's class has a parameter.
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
        """The address for clients; a direct connection, because there is only one member."""
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    @property
    def data(self) -> Path:
        """The folder with the server's data files."""
        path = self.folder / "data"
        path.mkdir(exist_ok=True)
        return path

    def answers(self) -> bool:
        """Whether the server accepts writes."""
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
        """The address for clients, with retryable writes turned off.

        The server remembers every retryable write for half an hour and searches all of them at the
        next one. After 10,000 writes each takes seven times as long. Transactions are still
        retried.
        """
        return f"{super().url}&retryWrites=false"

    def command(self) -> Sequence[str]:
        """The command line, with this interpreter and an empty configuration file."""
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
        """The command line of the `mongod` on the PATH.

        Raises:
            ProgramError: mongod is missing.
        """
        program = shutil.which("mongod")
        if program is None:
            message = "mongod is not on the PATH. Install MongoDB, or remove this setting."
            raise ProgramError(message)
        return [
            *(program, "--bind_ip", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--dbpath", str(self.data)),
            *("--replSet", "rs0"),
            *("--setParameter", f"transactionLifetimeLimitSeconds={_TRANSACTION_SECONDS}"),
        ]

    def answers(self) -> bool:
        """Whether the server accepts writes; initiates the replica set at the first call."""
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        with MongoClient[dict[str, object]](self.url, serverSelectionTimeoutMS=1000) as client:
            try:
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
            except OperationFailure:
                pass  # already initiated
            except PyMongoError:
                return False
        return super().answers()


def database(folder: Path, *, port: int | None = None) -> Secantusdb | Mongod:
    """The best server on this machine: `mongod` if it is on the PATH, otherwise SecantusDB."""
    if shutil.which("mongod"):
        return Mongod(folder, port=port)
    return Secantusdb(folder, port=port)
