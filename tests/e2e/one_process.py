"""The program of `make run`, as a process of a test."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.configuration import Secrets
from deploy.mongo import ADMIN
from deploy.passwords import derive
from deploy.programs.program import free_port
from tests.e2e.journey import Deployment, Operator
from tests.e2e.processes import ROOT, answers_with_200
from tests.support.forked import Forked


class OneProcess(Forked):
    """The one-process runner, with its data below `folder`."""

    name = "local"

    def __init__(self, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        """Take free ports; `options` are settings of services, by the names of their variables."""
        super().__init__(folder)
        self.mail_port = free_port()
        self.options = dict(options or {})

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    def command(self) -> Sequence[str]:
        """The command of `make run`."""
        return [sys.executable, "-m", "deploy.local"]

    def environment(self) -> Mapping[str, str]:
        """The port and the data folder."""
        return {
            "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}",
            "PORT": str(self.port),
            "MAIL_PORT": str(self.mail_port),
            "ROLECALL_DATA_DIR": str(self.data),
            **self.options,
        }

    def answers(self) -> bool:
        """Whether it answers and has written its addresses to `run.json`."""
        # In this order: the file of a killed run stays until the next run begins.
        keys = f"{self.url}/.well-known/jwks.json"
        return answers_with_200(keys) and (self.data / "run.json").exists()

    def database_port(self) -> int:
        """The port of its database, found in the system's list of processes."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if str(self.data / "database" / "data") in words and "--port" in words:
                return int(words[words.index("--port") + 1])
        raise LookupError("the database of the one process is not running")

    def database_url(self) -> str:
        """The address of its database for the administrator."""
        secrets = Secrets.load_or_create(self.data / "secrets.json")
        password = derive(secrets.admin_key, [ADMIN])[ADMIN]
        at = f"127.0.0.1:{self.database_port()}"
        return f"mongodb://{ADMIN}:{password}@{at}/?directConnection=true&authSource=admin"

    def logs(self) -> list[Path]:
        """What it writes."""
        return [self.log]

    def internal_urls(self) -> list[str]:
        """The internal addresses: each tells the metrics of the one process."""
        return [str(json.loads((self.data / "run.json").read_text())["identity"])]

    def deployment(self) -> Deployment:
        """The addresses in `run.json`."""
        run = json.loads((self.data / "run.json").read_text())
        secrets = Secrets.load_or_create(self.data / "secrets.json")
        return Deployment(
            gateway=run["gateway"],
            mail=run["mail"],
            client_id=run["service_client"]["id"],
            client_secret=run["service_client"]["secret"],
            authz=(run["gateway"],),
            operator=Operator(run["team"], run["identity"], secrets.admin_key),
        )
