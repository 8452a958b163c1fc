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
    "ReportUsage": {
        "id": "7f3a",
        "quantity": "1.5",
        "unit": "gpu_hour",
        "occurred_at": "2026-03-05T12:00:00Z",
    },
    "ReportedCost": {"amount": "3.75", "currency": "EUR"},
    "UsageMember": {
        "id": _USER,
        "name": "Ana Diaz",
        "email": "ana@example.com",
        "erased": False,
    },
    "UsageQuantity": {"unit": "gpu_hour", "quantity": "1.5"},
    "UsageCost": {"currency": "EUR", "amount": "3.75"},
    "UsageRow": {
        "day": "2026-03-05",
        "activity": 12,
        "project_id": None,
        "resource_type": None,
        "action": None,
    },
    "UsageList": {"first_day": "2026-03-01", "last_day": "2026-03-31"},
}
"""Per model, as in `shared.http.examples`."""
