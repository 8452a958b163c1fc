"""The servers whose checks are measured side by side, as child processes."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.load import children
from benchmarks.workload import ROLES, Check, grants
from deploy.programs.nginx import Nginx
from deploy.programs.program import Program, free_port
from tests.e2e.processes import ROOT, answers_with_200

CERBOS = Path("node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64")
"""The program, below the folder of the peers."""
_CONSTANT = """\
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


class Replica(Program):
    """One process of authz with the workload."""

    name = "replica"

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        super().__init__(folder, port=port or free_port())
        self._internal_port = free_port()
        self._options = options

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}/access/v1/evaluation"

    def command(self) -> Sequence[str]:
        """Run it with this interpreter."""
        ports = str(self.port), str(self._internal_port)
        return [sys.executable, "-m", "benchmarks.replica", *ports, *self._options]

    def environment(self) -> Mapping[str, str]:
        """The project."""
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"}

    def answers(self) -> bool:
        """Whether it is ready."""
        return answers_with_200(f"http://127.0.0.1:{self._internal_port}/health/ready")


class Cerbos(Program):
    """Cerbos with the workload's grants. The caller tells the roles of the principal."""

    name = "cerbos"

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(folder, port=free_port())
        self._program = program
        self._grpc_port = free_port()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}/api/check/resources"

    def command(self) -> Sequence[str]:
        """Write configuration and policies, then serve them from one core."""
        policies = self.folder / "policies"
        policies.mkdir(parents=True, exist_ok=True)
        for kind, rules in _rules().items():
            policy = {"version": "default", "resource": kind, "rules": rules}
            text = json.dumps({"apiVersion": "api.cerbos.dev/v1", "resourcePolicy": policy})
            (policies / f"{kind}.json").write_text(text)
        configuration = {
            "server": {
                "httpListenAddr": f"127.0.0.1:{self.port}",
                "grpcListenAddr": f"127.0.0.1:{self._grpc_port}",
                "logRequestPayloads": False,
            },
            "storage": {"driver": "disk", "disk": {"directory": str(policies)}},
            "telemetry": {"disabled": True},
        }
        file = self.folder / "cerbos.yaml"
        file.write_text(json.dumps(configuration))
        return [str(self._program), "server", f"--config={file}", "--log-level=error"]

    def environment(self) -> Mapping[str, str]:
        """One core, as the others."""
        return {"GOMAXPROCS": "1"}

    def answers(self) -> bool:
        """Whether it is ready."""
        return answers_with_200(f"http://127.0.0.1:{self.port}/_cerbos/health")


def constant(folder: Path) -> Nginx:
    """An nginx that answers every request with the same decision."""
    port = free_port()
    return Nginx(folder, _CONSTANT.format(port=port), port=port)


def of_cerbos(check: Check) -> dict[str, object]:
    """The check as Cerbos is asked."""
    resource = {"kind": check.type, "id": "r-1", "attr": {"owner": check.owner or ""}}
    return {
        "principal": {"id": check.user, "roles": [check.role]},
        "resources": [{"actions": [check.action], "resource": resource}],
    }


def pids_of(program: Program) -> list[int]:
    """Its processes."""
    return children(program.pid)


def _rules() -> dict[str, list[dict[str, object]]]:
    """The grants as rules of Cerbos, by type."""
    rules: dict[str, list[dict[str, object]]] = {}
    by_action: dict[tuple[str, str, str], list[str]] = {}
    for role, kind, action, held in grants():
        by_action.setdefault((kind, action, held), []).append(role)
    own = {"match": {"expr": "request.resource.attr.owner == request.principal.id"}}
    for (kind, action, held), roles in by_action.items():
        rule: dict[str, object] = {"actions": [action], "effect": "EFFECT_ALLOW", "roles": roles}
        rules.setdefault(kind, []).append(rule if held == "all" else rule | {"condition": own})
    assert {role for rule in by_action.values() for role in rule} <= set(ROLES)
    return rules
