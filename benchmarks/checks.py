"""P2 to P5: checks of authz over HTTP, beside nginx with a constant answer and beside Cerbos.

    PYTHONPATH=.:sdk python -m benchmarks.checks [--peers FOLDER] [--seconds N]

Peers are never packages of the project. They come from a folder of your own:

    python -m venv FOLDER && FOLDER/bin/pip install pycasbin cedarpy vakt pemba
    npm install --prefix FOLDER @cerbos/cerbos-linux-x64
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import aiohttp

from benchmarks.load import Load, Measured, median, pin
from benchmarks.replica import token
from benchmarks.servers import CERBOS, Cerbos, Replica, constant, of_cerbos, pids_of
from benchmarks.workload import Check, authzen, checks
from deploy.programs.program import Program

ROUNDS, SECONDS, COMPARED, ITEMS = 3, 4, 2_000, 100
CONNECTIONS = (16, 64)
AUTHZ, NGINX, ORDINARY, PEER = "authz", "nginx, a constant", "authz without the hot path", "Cerbos"


class Server(NamedTuple):
    """A server, and how it is asked."""

    program: Program
    url: str
    bodies: Sequence[str]
    headers: Mapping[str, str]


def run(peers: Path | None = None, *, seconds: int = SECONDS) -> str:
    """Measure, interleaved; the text of the report."""
    asked = checks()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token()}"}
    bodies = [json.dumps(authzen(check), separators=(",", ":")) for check in asked]
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
        notes = []
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
            found = loaded(servers, folder, seconds)
            notes.append(asyncio.run(batch_note(servers[AUTHZ])) or batches(servers[AUTHZ], folder))
        finally:
            for server in servers.values():
                server.program.stop()
        notes.append(two_processes(folder, bodies, headers, seconds))
    return "\n".join([*table(found), "", *ratios(found), *(f"- {note}" for note in notes)])


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


def table(found: Mapping[tuple[str, int], list[Measured]]) -> list[str]:
    """The rows of the report."""
    rows = [
        "| server | connections | requests/s | CPU of a request, µs | p50 ms | p99 ms | errors |",
        "|---|---|---|---|---|---|---|",
    ]
    for (name, connections), runs in found.items():
        middle = median(runs)
        rows.append(
            f"| {name} | {connections} | {middle.rate:,.0f} | {middle.cpu:.1f} | {middle.p50:.2f} "
            f"| {middle.p99:.2f} | {sum(run.errors for run in runs)} |"
        )
    return rows


def ratios(found: Mapping[tuple[str, int], list[Measured]]) -> list[str]:
    """The goals, each beside what was reached."""
    ours, constants = (median(found[name, 64]) for name in (AUTHZ, NGINX))
    share = f"{ours.rate / constants.rate:.2f} of nginx (goal 0.5)"
    lines = [f"- P2, 64 connections: {share}, {ours.cpu:.1f} µs of CPU a request (goal 30)."]
    if (PEER, 64) in found:
        theirs = median(found[PEER, 64])
        lines.append(
            f"- P2: {ours.rate / theirs.rate:.1f} times Cerbos (goal 20);"
            f" in CPU {theirs.cpu / ours.cpu:.1f} times."
        )
    ours, constants = (median(found[name, 16]) for name in (AUTHZ, NGINX))
    lines.append(
        f"- P3, 16 connections: p99 {ours.p99 / constants.p99:.1f} times nginx's (goal at most 5)."
    )
    return lines


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


def _batch(bodies: Sequence[str]) -> list[str]:
    """The checks as evaluations of `ITEMS` items."""
    return [
        f'{{"evaluations":[{",".join(bodies[start : start + ITEMS])}]}}'
        for start in range(0, len(bodies), ITEMS)
    ]


async def batch_note(server: Server) -> str | None:
    """Why batches cannot be measured."""
    async with aiohttp.ClientSession() as http:
        url, [body, *_] = f"{server.url}s", _batch(server.bodies)
        async with http.post(url, data=body, headers=server.headers) as answer:
            if answer.status == 200:
                return None
            return f"P4: not measured, `/access/v1/evaluations` answers {answer.status}."


def batches(server: Server, folder: Path) -> str:
    """P4: decisions per second in batches, beside single checks."""
    results = []
    for url, bodies in ((server.url, server.bodies), (f"{server.url}s", _batch(server.bodies))):
        load = Load(
            url,
            bodies=bodies,
            headers=server.headers,
            connections=16,
            seconds=SECONDS,
            folder=folder,
            servers=pids_of(server.program),
        )
        results.append(load.result())
    single, batch = results
    return (
        f"P4, {ITEMS} items of as many subjects: {batch.rate * ITEMS:,.0f} decisions/s,"
        f" {batch.rate * ITEMS / single.rate:.1f} times single checks; {batch.errors} errors."
    )


def two_processes(
    folder: Path, bodies: Sequence[str], headers: Mapping[str, str], seconds: int
) -> str:
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
    return (
        f"P5: {rates[1]:,.0f} checks/s of two processes on one port, each with a load on its core;"
        f" {rates[1] / rates[0]:.2f} times one (goal 1.6)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder with the other products")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of each run")
    given = parser.parse_args()
    print(run(given.peers, seconds=given.seconds))


if __name__ == "__main__":
    main()
