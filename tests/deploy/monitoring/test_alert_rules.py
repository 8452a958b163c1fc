"""The rules of Prometheus, as promtool reads and evaluates them."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.monitoring.alert_rules import ALERT_FILES, RECORDINGS, alerts, alerts_of
from tests.servers import require_promtool

Series = Mapping[str, str]
CASES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "alert_cases.yml").read_text()
)


def firing(alert: str) -> str:
    """What the alert says while it is firing."""
    own = CASES[alert].get("labels", {})
    severity = alerts()[alert]["labels"]["severity"]
    labels = {"alertname": alert, "alertstate": "firing", "severity": severity, **own}
    named = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    return f"ALERTS{{{named}}}"


def trial(alert: str, given: Series, fired: list[object]) -> object:
    """One test of promtool: which alerts of this name are firing."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": str(values)} for name, values in given.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{alert}", alertstate="firing"}}',
                "eval_time": f"{CASES[alert]['minutes']}m",
                "exp_samples": fired,
            }
        ],
    }


def trials(alert: str) -> Iterator[object]:
    case = CASES[alert]
    yield trial(alert, case["fires"], [{"labels": firing(alert), "value": 1}])
    for given in case["quiet"]:
        yield trial(alert, given, [])


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [require_promtool(), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_every_file_of_rules():
    promtool("check", "rules", RECORDINGS, *ALERT_FILES)


@pytest.mark.parametrize("rules", ALERT_FILES, ids=lambda path: path.stem)
def test_each_alert_fires_on_its_fault_and_is_quiet_beside_it(rules, tmp_path):
    tests = {
        "rule_files": [str(RECORDINGS), str(rules)],
        "evaluation_interval": "1m",
        "tests": [each for alert in alerts_of(rules) for each in trials(alert)],
    }
    file = tmp_path / "alerts.yml"
    file.write_text(yaml.safe_dump(tests))
    promtool("test", "rules", file)


def test_every_alert_has_a_case_that_fires_it_and_one_that_does_not():
    assert CASES.keys() == alerts().keys()
    assert all(case["fires"] and case["quiet"] for case in CASES.values())
