"""Servers of MongoDB's protocol as child processes: SecantusDB and mongod."""

from __future__ import annotations

import secrets
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.mongo import ADMIN, AUTHENTICATION_FAILED_CODE, create_users
from deploy.private_files import write_private
from deploy.programs.program import Program, ProgramError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TRANSACTION_SECONDS = 5
"""A client that is killed inside a transaction leaves it open. The rows that it wrote then refuse
every other writer until the server ends the transaction, by default after 60 seconds."""
_SECANTUSDB = Path(__file__).parent / "secantusdb.py"
_PROJECT = Path(__file__).parents[2]


class _Database(Program):
    passwords: Mapping[str, str] = {}
    """The passwords by user, once `require_users` was called."""
    authenticates = False
    """Clients need a password. While there is no user, only the first one may be created."""
    options = "directConnection=true"

    @property
    def url(self) -> str:
        """The address for clients, as the administrator if there are users."""
        return self.url_for(ADMIN) if self.passwords else self._url("")

    def url_for(self, user: str) -> str:
        """The address for one user."""
        return f"{self._url(f'{user}:{self.passwords[user]}@')}&authSource=admin"

    def _url(self, user: str) -> str:
        return f"mongodb://{user}127.0.0.1:{self.port}/?{self.options}"

    def require_users(self, passwords: Mapping[str, str]) -> None:
        """Start with authentication, and create a user for each service."""
        self.authenticates = True
        self.start()
        create_users(self.url, passwords)
        self.passwords = passwords

    def start_with_users(self, passwords: Mapping[str, str]) -> None:
        """Start with authentication; the users get these passwords when the data have none yet.

        Raises:
            ProgramError: the data have users with other passwords.
        """
        created = self.folder / "users-created"
        if created.exists():
            self.authenticates, self.passwords = True, passwords
            self.start()
        else:
            self.require_users(passwords)
            created.touch()

    @property
    def data(self) -> Path:
        """The folder with the server's data files."""
        path = self.folder / "data"
        path.mkdir(exist_ok=True)
        return path

    def answers(self) -> bool:
        """Whether the server accepts writes.

        Raises:
            ProgramError: it does not accept the administrator's password.
        """
        with MongoClient[dict[str, object]](self.url, serverSelectionTimeoutMS=1000) as client:
            try:
                return bool(client.admin.command("hello")["isWritablePrimary"])
            except OperationFailure as problem:
                if problem.code != AUTHENTICATION_FAILED_CODE:
                    return False
                raise ProgramError(
                    f"{self.name} does not accept the password of {ADMIN}: the data in"
                    f" {self.folder} were made with other secrets. Restore those from a backup."
                ) from problem
            except PyMongoError:
                return False


class Secantusdb(_Database):
    """SecantusDB, a server in Python and C from PyPI, always with `--sync-on-commit`."""

    name = "secantusdb"
    # The server remembers every retryable write for half an hour and searches all of them at the
    # next one. After 10,000 writes each takes seven times as long. Transactions are still retried.
    options = "directConnection=true&retryWrites=false"
    cache_size = "256M"
    """The memory for documents; the default of 1G is filled by writes alone. An operation waits
    without end for room in a cache that is full of what open transactions still need."""
    expiry_seconds: float = 60
    """Between two looks for documents that have expired: each reads those of all databases."""

    def environment(self) -> Mapping[str, str]:
        """The program finds the modules of this project, and nothing beside its own file."""
        return {"PYTHONPATH": str(_PROJECT)}

    def command(self) -> Sequence[str]:
        """The command line, with this interpreter and an empty configuration file."""
        configuration = self.folder / "secantusd.toml"
        configuration.touch()
        return [
            *(sys.executable, "-P", str(_SECANTUSDB)),
            *(str(TRANSACTION_SECONDS), str(self.expiry_seconds)),
            *("--config", str(configuration)),
            *("--host", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--storage-path", str(self.data)),
            *("--log-level", "WARNING"),
            *("--cache-size", self.cache_size),
            "--sync-on-commit",
            *(["--auth"] if self.authenticates else []),
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
            *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"),
            *(["--keyFile", str(self._key())] if self.authenticates else []),
        ]

    def _key(self) -> Path:
        """The file with the key of the replica set, which also turns authentication on."""
        file = self.folder / "key"
        if not file.exists():
            write_private(file, secrets.token_hex(32))
        return file

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
