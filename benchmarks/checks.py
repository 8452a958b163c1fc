"""P2: checks per second of one authz process, beside nginx with a constant answer."""

import asyncio
import json
import tempfile
from pathlib import Path

import aiohttp

from benchmarks.load import Measured, median, pin, post
from deploy.programs.nginx import Nginx
from deploy.programs.program import free_port
from tests.e2e.journey import World, gather_team
from tests.e2e.processes import Processes

ROUNDS, SECONDS = 3, 4
CONSTANT = """\
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f;
  uwsgi_temp_path u; scgi_temp_path s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ default_type application/json; return 200 '{{"decision":true}}'; }}
  }}
}}
"""


async def question(product: Processes) -> tuple[str, dict[str, str]]:
    """A check that is allowed, and the headers to ask it with."""
    deployment = product.deployment()
    async with aiohttp.ClientSession() as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        team = await gather_team(world, "standard")
        reason = await world.decision(
            team.mail.user_id, "instance:write", account=team.account_id, base=deployment.authz[0]
        )
        assert reason == "allowed", reason
        body = {
            "subject": {"type": "user", "id": team.mail.user_id},
            "action": {"name": "write"},
            "resource": {
                "type": "instance",
                "id": "i-1",
                "properties": {"account_id": team.account_id},
            },
        }
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {world.platform.token}",
        }
        return json.dumps(body), headers


def run() -> str:
    """Measure, interleaved; the rows of the report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        product = Processes(folder / "product", replicas={"authz": 1})
        port = free_port()
        constant = Nginx(folder / "constant", CONSTANT.format(port=port), port=port)
        try:
            product.start()
            constant.start()
            body, headers = asyncio.run(question(product))
            [authz] = product.replicas_of("authz")
            pin([authz.pid, *children(constant.pid)])
            found: dict[str, list[Measured]] = {}
            for connections in (16, 64):
                for _ in range(ROUNDS):
                    for server, url in (
                        ("authz, one process", f"{authz.url}/access/v1/evaluation"),
                        ("nginx, a constant", constant.url),
                    ):
                        measured = post(
                            url,
                            body=body,
                            headers=headers,
                            connections=connections,
                            seconds=SECONDS,
                            folder=folder,
                        )
                        found.setdefault(f"{server} | {connections}", []).append(measured)
        finally:
            constant.stop()
            product.stop()
    lines = [
        "| server | connections | requests/s | p50 ms | p99 ms | errors |",
        "|---|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        middle = median(runs)
        lines.append(
            f"| {name} | {middle.rate:,.0f} | {middle.p50:.2f} | {middle.p99:.2f} "
            f"| {sum(run.errors for run in runs)} |"
        )
    for connections in (16, 64):
        ours = median(found[f"authz, one process | {connections}"]).rate
        theirs = median(found[f"nginx, a constant | {connections}"]).rate
        lines.append(f"\nRatio at {connections} connections: {ours / theirs:.3f}")
    return "\n".join(lines)


def children(pid: int) -> list[int]:
    """A process and its children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in listed)]


if __name__ == "__main__":
    print(run())
