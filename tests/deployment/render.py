"""Render the chart with the code of Helm, apart from pytest: it brings a runtime of its own.

Reads sets of values as JSON, and writes what Helm makes of each, or its refusal.
"""

import json
import sys
from pathlib import Path

import helm_python as helm

CHART = Path(__file__).parents[2] / "deploy" / "chart"


def main() -> None:
    """Answer on standard output."""
    sets = json.load(sys.stdin)
    helm.disable_logging()
    made: dict[str, object] = {}
    with helm.Chart.load(CHART) as chart:
        for name, values in sets.items():
            try:
                files = chart.render(values, name="iam", namespace="prod")
            except helm.HelmError as refused:
                made[name] = {"refused": str(refused)}
            else:
                report = helm.lint(CHART, values, strict=True, kube_version="v1.27.0")
                found = [each for each in report["messages"] if each["severity"] > 1]
                made[name] = {"files": files, "lint": found + report["errors"]}
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
