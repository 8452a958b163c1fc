"""P2 to P5: checks of authz over HTTP, beside nginx with a constant answer and beside Cerbos.

    PYTHONPATH=.:sdk python -m benchmarks.checks [--peers FOLDER] [--seconds N]

Peers are never packages of the project. They come from a folder of your own:

    python -m venv FOLDER && FOLDER/bin/pip install pycasbin cedarpy vakt pemba
    npm install --prefix FOLDER @cerbos/cerbos-linux-x64
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError
from typing import NamedTuple

import aiohttp

from benchmarks.checks_found import (
    AUTHZ,
    ITEMS,
    NGINX,
    ONE_SUBJECT,
    ORDINARY,
    PEER,
    SINGLE,
    SUBJECTS,
    result,
)
from benchmarks.load import Load, Measured, pin
from benchmarks.replica import token
from benchmarks.results import Result
from benchmarks.servers import CERBOS, Cerbos, Replica, constant, of_cerbos, pids_of
from benchmarks.workload import Check, authzen, checks, scope
from deploy.compiled import build
from deploy.programs.program import Program

ROUNDS, SECONDS, COMPARED = 3, 4, 2_000
CONNECTIONS = (16, 64)


class Server(NamedTuple):
    """A server, and how it is asked."""

    program: Program
    url: str
    bodies: Sequence[str]
    headers: Mapping[str, str]


def run(peers: Path | None = None, *, seconds: int = SECONDS) -> Result:
    """Measure, interleaved."""
    asked = checks()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token()}"}
    bodies = [json.dumps(authzen(check), separators=(",", ":")) for check in asked]
    notes = [decided_in()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replica = Replica(folder / "authz")
        ordinary = Replica(folder / "ordinary", "--without-hot-path")
        nginx = constant(folder / "constant")
        servers = {
            AUTHZ: Server(replica, replica.url, bodies, headers),
            ORDINARY: Server(ordinary, ordinary.url, bodies, headers),
            NGINX: Server(nginx, nginx.url, bodies, headers),
        }
        if peers is not None and (peers / CERBOS).is_file():
            cerbos = Cerbos(folder / "cerbos", peers / CERBOS)
            theirs = [json.dumps(of_cerbos(check), separators=(",", ":")) for check in asked]
            servers[PEER] = Server(
                cerbos, cerbos.url, theirs, {"Content-Type": headers["Content-Type"]}
            )
        else:
            notes.append("Cerbos: not compared, it is not in the folder of the peers.")
        try:
            for server in servers.values():
                server.program.start()
                pin(pids_of(server.program))
            notes.append(asyncio.run(compared(servers, asked)))
            groups = grouped(asked)
            notes.append(asyncio.run(compared_batches(servers[AUTHZ], groups)))
            found = loaded(servers, folder, seconds)
            batched = batches(servers[AUTHZ], groups, folder, seconds)
        finally:
            for server in servers.values():
                server.program.stop()
        processes = two_processes(folder, bodies, headers, seconds)
    return result(found, batched, processes, notes)


def decided_in() -> str:
    """Build the module that decides usual checks, as the image has it; what decides them."""
    try:
        build()
    except (CalledProcessError, FileNotFoundError):
        return "Usual checks are decided in Python: the module in C could not be built."
    return "Usual checks are decided by the module in C, as in the image."


def loaded(
    servers: Mapping[str, Server], folder: Path, seconds: int
) -> dict[tuple[str, int], list[Measured]]:
    """Load one server after the other, in rounds."""
    found: dict[tuple[str, int], list[Measured]] = {}
    for connections in CONNECTIONS:
        for _ in range(ROUNDS):
            for name, server in servers.items():
                load = Load(
                    server.url,
                    bodies=server.bodies,
                    headers=server.headers,
                    connections=connections,
                    seconds=seconds,
                    folder=folder,
                    servers=pids_of(server.program),
                )
                found.setdefault((name, connections), []).append(load.result())
    return found


async def compared(servers: Mapping[str, Server], asked: Sequence[Check]) -> str:
    """Compare the answers of all servers, before anything is measured.

    Raises:
        SystemExit: an answer is wrong.
    """
    read: dict[str, Callable[[dict], bool]] = {
        AUTHZ: lambda said: said["decision"],
        ORDINARY: lambda said: said["decision"],
        PEER: lambda said: "EFFECT_ALLOW" in said["results"][0]["actions"].values(),
    }
    async with aiohttp.ClientSession() as http:
        for name, server in servers.items():
            if name not in read:
                continue
            for check, body in zip(asked[:COMPARED], server.bodies, strict=False):
                async with http.post(server.url, data=body, headers=server.headers) as answer:
                    said = await answer.json()
                    if read[name](said) is not check.allowed:
                        raise SystemExit(f"{name} answers {check} with {said}.")
    allowed = sum(check.allowed for check in asked) / len(asked)
    return f"{COMPARED:,} answers of each server were compared; {allowed:.0%} of all are allowed."


def grouped(asked: Sequence[Check]) -> dict[str, list[list[Check]]]:
    """The checks of each batch: those of one subject, and those of as many subjects as items."""
    subjects = [list(asked[start : start + ITEMS]) for start in range(0, len(asked), ITEMS)]
    return {
        ONE_SUBJECT: [[_by(group[0], check) for check in group] for group in subjects],
        SUBJECTS: subjects,
    }


def _by(first: Check, check: Check) -> Check:
    """The same, without an owner, by the subject of the first one."""
    allowed = scope(first.role, check.type, check.action) == "all"
    return replace(first, type=check.type, action=check.action, owner=None, allowed=allowed)


def _batch_body(name: str, group: Sequence[Check]) -> str:
    """The evaluations of these checks; one subject stands above the items."""
    items = [authzen(check) for check in group]
    body: dict[str, object] = {"evaluations": items}
    if name == ONE_SUBJECT:
        body["subject"] = [item.pop("subject") for item in items].pop()
    return json.dumps(body, separators=(",", ":"))


async def compared_batches(server: Server, groups: Mapping[str, Sequence[Sequence[Check]]]) -> str:
    """Compare the answers to batches, before they are measured.

    Raises:
        SystemExit: an answer is wrong.
    """
    async with aiohttp.ClientSession() as http:
        for name, batches_of_kind in groups.items():
            for group in batches_of_kind[: COMPARED // ITEMS]:
                body = _batch_body(name, group)
                url = f"{server.url}s"
                async with http.post(url, data=body, headers=server.headers) as answer:
                    said = (await answer.json())["evaluations"]
                if [one["decision"] for one in said] != [check.allowed for check in group]:
                    raise SystemExit(f"{name}: {body} is answered with {said}.")
    return f"{COMPARED:,} answers of each kind of batch were compared."


def batches(
    server: Server, groups: Mapping[str, Sequence[Sequence[Check]]], folder: Path, seconds: int
) -> dict[str, float]:
    """P4: decisions per second of single checks and in batches, interleaved.

    Raises:
        SystemExit: a batch was not answered.
    """
    kinds = {SINGLE: (server.url, server.bodies, 1)} | {
        name: (f"{server.url}s", [_batch_body(name, group) for group in of_kind], ITEMS)
        for name, of_kind in groups.items()
    }
    rates: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, (url, bodies, items) in kinds.items():
            load = Load(
                url,
                bodies=bodies,
                headers=server.headers,
                connections=16,
                seconds=seconds,
                folder=folder,
                servers=pids_of(server.program),
            )
            measured = load.result()
            if measured.errors:
                raise SystemExit(f"{name}: {measured.errors} requests were refused.")
            rates[name].append(measured.rate * items)
    return {name: statistics.median(found) for name, found in rates.items()}


def two_processes(
    folder: Path, bodies: Sequence[str], headers: Mapping[str, str], seconds: int
) -> tuple[float, float]:
    """P5: one process and its load on one core, beside two such cores with one port."""
    first = Replica(folder / "first", "--share-port")
    second = Replica(folder / "second", "--share-port", port=first.port)
    rates: dict[int, float] = {}
    try:
        for number, replica in enumerate((first, second)):
            replica.start()
            pin(pids_of(replica), core=str(number))
            loads = [
                Load(
                    first.url,
                    bodies=bodies,
                    headers=headers,
                    connections=64,
                    seconds=seconds,
                    folder=folder,
                    core=str(core),
                )
                for core in range(number + 1)
            ]
            rates[number] = sum(load.result().rate for load in loads)
    finally:
        first.stop()
        second.stop()
    return rates[0], rates[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder with the other products")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of each run")
    given = parser.parse_args()
    print(run(given.peers, seconds=given.seconds).markdown())


if __name__ == "__main__":
    main()
