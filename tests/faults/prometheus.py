"""A Prometheus that reads a running product every second, with the rules in a hurry."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from typing import TYPE_CHECKING, Any

import yaml

from deploy.monitoring.alert_rules import ALERT_FILES, RECORDINGS
from deploy.programs.program import Program, free_port
from deploy.programs.rabbitmq import Rabbitmq
from tests.e2e.processes import answers_with_200
from tests.servers import require_promtool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WINDOW = "[20s]"
"""What every range of the rules becomes: the drill cannot wait for an hour."""
LASTS = re.compile(r"^(\s+)for: \w+$", re.MULTILINE)
RANGE = re.compile(r"\[\d+[smhd]\]")


def hurried(rules: str) -> str:
    """The rules with short ranges, and alerts that fire at once. Thresholds stay as they are."""
    return RANGE.sub(WINDOW, LASTS.sub(r"\1for: 0s", rules))


class MeasuredRabbitmq(Rabbitmq):
    """A node that shows its metrics, as operators of a broker are told to let it."""

    def __init__(self, folder: Path, *, definitions: Mapping[str, object]) -> None:
        """Choose a port for the metrics, too."""
        super().__init__(folder, definitions=definitions)
        self.metrics_port = free_port()

    def command(self) -> Sequence[str]:
        """Write the configuration with the plugin."""
        command = super().command()
        (self.folder / "enabled_plugins").write_text("[rabbitmq_prometheus].\n")
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write(f"\nprometheus.tcp.port = {self.metrics_port}\n")
            file.write("prometheus.tcp.ip = 127.0.0.1\n")
        return command


class Prometheus(Program):
    """Prometheus with its data and its rules below its folder."""

    name = "prometheus"

    def __init__(self, folder: Path, targets: Mapping[str, Mapping[str, str]]) -> None:
        """Read `targets`: the name of a job → an instance → its address (host and port)."""
        super().__init__(folder)
        self._targets = targets

    @property
    def url(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        """Write the configuration and the rules, and return the command line."""
        require_promtool()
        rules = self.folder / "rules"
        rules.mkdir(exist_ok=True)
        for path in (RECORDINGS, *ALERT_FILES):
            (rules / path.name).write_text(hurried(path.read_text()))
        jobs = [
            {
                "job_name": job,
                "honor_labels": True,
                "static_configs": [
                    {"targets": [address], "labels": {"instance": instance}}
                    for instance, address in instances.items()
                ],
            }
            for job, instances in self._targets.items()
        ]
        file = self.folder / "prometheus.yml"
        file.write_text(
            yaml.safe_dump(
                {
                    "global": {
                        "scrape_interval": "1s",
                        "scrape_timeout": "1s",
                        "evaluation_interval": "1s",
                    },
                    "rule_files": [f"{rules}/*.yml"],
                    "scrape_configs": jobs,
                }
            )
        )
        return [
            str(shutil.which("prometheus")),
            f"--config.file={file}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def answers(self) -> bool:
        """Whether it answers queries; it listens before that."""
        return answers_with_200(f"{self.url}/-/ready")

    def query(self, text: str) -> list[Mapping[str, Any]]:
        """What a query gives now."""
        address = f"{self.url}/api/v1/query?query={urllib.request.quote(text)}"  # type: ignore[attr-defined]
        with urllib.request.urlopen(address, timeout=10) as answer:
            found: list[Mapping[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def firing(self) -> set[str]:
        """The names of the alerts that are firing."""
        found = self.query('ALERTS{alertstate="firing"}')
        return {one["metric"]["alertname"] for one in found}
