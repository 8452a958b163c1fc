"""The product behind two gateways, with replicas that come and go, of this release or another."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from deploy.programs.nginx import Nginx
from deploy.programs.program import Process, Program, free_port
from shared.contracts.topology import SOURCES, Service
from tests.e2e.journey import Deployment
from tests.e2e.processes import ROOT, Processes, ServiceProcess
from tests.faults.test_kills import LIMITS

DRAIN_SECONDS = "3"
"""The default of the product."""
LEASE_SECONDS = "10"
"""Starts take all processors of a small machine for seconds; no replica may be stale by that."""
ORDER = (Service.AUDIT, Service.NOTIFICATION, Service.AUTHZ, Service.IDENTITY, Service.TEAM)
"""The services in the order of an update (docs/operations/updating.md)."""
FOLDERS = ("sdk", "shared", "services", "deploy")
"""What the image of a release has."""


class ReleaseMissingError(RuntimeError):
    """The history of this checkout does not have the release."""


def unpack_release(commit: str, folder: Path) -> Path:
    """Write the product of an earlier release below `folder`, and return it.

    Raises:
        ReleaseMissingError: this checkout has no history, or not enough of it.
    """
    folder.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, *FOLDERS], capture_output=True, check=False
    )
    if archive.returncode:
        raise ReleaseMissingError(
            f"This checkout does not have {commit}. Fetch its history: git fetch --unshallow. "
            + archive.stderr.decode(errors="replace")
        )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


class ReleasedService(ServiceProcess):
    """A replica whose code is that of this release, or of another one."""

    code: Path = ROOT

    def environment(self) -> Mapping[str, str]:
        """The code of its release, and its variables."""
        return {**super().environment(), "PYTHONPATH": f"{self.code}:{self.code / 'sdk'}"}

    def spawn(self, *, log: IO[bytes], lock: IO[str]) -> Process:
        """Fork it from a process with the present code, or start an interpreter of its own."""
        if self.code == ROOT:
            return super().spawn(log=log, lock=lock)
        return Program.spawn(self, log=log, lock=lock)


class RollingProduct(Processes):
    """Several replicas of each service, behind two gateways that know those that run."""

    replica_class = ReleasedService

    def __init__(
        self, folder: Path, *, replicas: int, running: int, code: Path = ROOT, apart: bool = False
    ) -> None:
        """Prepare this many replicas of each service; `running` of them are started first.

        With `apart` they leave the migrations of this release to `migrate`.
        """
        options: dict[str, dict[str, str]] = {
            str(service): {"drain_seconds": DRAIN_SECONDS} | LIMITS.get(service, {})
            for service in Service
        }
        for service in (Service.IDENTITY, Service.TEAM):
            options[service]["lease_seconds"] = LEASE_SECONDS
        for service in SOURCES:
            options[service]["migrate"] = "apart" if apart else "at-start"
        super().__init__(folder, replicas=dict.fromkeys(Service, replicas), options=options)
        self._running = running
        self.second_gateway = Nginx(folder / "gateway-2", "", port=free_port())
        for process in self.services.values():
            self.give_code(process, code)

    @property
    def gateways(self) -> tuple[Nginx, Nginx]:
        """Both gateways."""
        return self.gateway, self.second_gateway

    def started_first(self) -> Sequence[ServiceProcess]:
        """The replicas that run, and to which the gateways send requests."""
        return [each for each in self.services.values() if each.replica < self._running]

    def start_gateway(self) -> None:
        """Start both gateways."""
        for gateway in self.gateways:
            gateway.configuration = self.gateway_configuration(gateway.port)
            gateway.start()

    def stop(self) -> None:
        """Stop everything."""
        self.second_gateway.stop()
        super().stop()

    def running_authz(self) -> tuple[str, ...]:
        """The addresses of the replicas of authz that run."""
        return tuple(each.url for each in self.replicas_of(Service.AUTHZ) if each.running)

    def give_code(self, process: ServiceProcess, code: Path) -> None:
        """Let a replica run this code from its next start on."""
        assert isinstance(process, ReleasedService)
        process.code = code

    def roll(self, service: str, code: Path) -> None:
        """Replace each replica of a service by one with this code, one after the other."""
        for process in self.replicas_of(service):
            process.stop()
            self.give_code(process, code)
            process.start()

    def route_to(self, running: int) -> None:
        """Let both gateways send requests to this many replicas of each service."""
        self._running = running
        for gateway in self.gateways:
            gateway.configuration = self.gateway_configuration(gateway.port)
            gateway.command()
            os.kill(gateway.pid, signal.SIGHUP)

    def migrate(self, service: str, *arguments: str) -> str:
        """Run `python -m deploy.migrate` of this release for a service; return what it says."""
        [process, *_] = self.replicas_of(service)
        done = subprocess.run(
            [sys.executable, "-m", "deploy.migrate", service, *arguments],
            env={**os.environ, **process.variables, "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{service}: {done.stdout}{done.stderr}"
        return done.stdout

    def deployments(self) -> tuple[Deployment, Deployment]:
        """The addresses, once with each gateway."""
        first = self.deployment()
        return first, replace(first, gateway=self.second_gateway.url)
