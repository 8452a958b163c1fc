"""Values of the examples of what services of a platform report."""

from collections.abc import Mapping
from typing import Any

_USER = "usr_01990b5d2f0c7a3fb1e2c3d4e5f60718"

REPORTS: Mapping[str, Mapping[str, Any]] = {
    "ReportEvent": {
        "id": "7f3a",
        "action": "instance.resized",
        "reason": "more load",
        "before": {"gpus": 1},
        "after": {"gpus": 2},
        "outcome": "succeeded",
    },
    "ReportedActor": {"type": "user", "id": _USER, "on_behalf_of": None},
    "ReportedRequest": {"id": f"req_{_USER[4:]}"},
    "ReportedResource": {"type": "instance", "id": "i-17", "name": "web"},
    "Report": {"id": "7f3a", "status": "recorded", "refusal": None},
}
"""Per model, as in `shared.http.examples`."""
