"""Values of the examples of the audit log: its filters, its records."""

from collections.abc import Mapping
from typing import Any

_DIGITS = "01990b5d2f0c7a3fb1e2c3d4e5f60718"
_A_SEARCH = {"name": "Refusals", "filters": {"action": "member.", "outcome": "denied"}}
_A_STREAM = {"name": "SIEM", "url": "https://siem.acme.example/ingest", "header": "Authorization"}
OF_LOG_FILTER: Mapping[str, Any] = {
    "on_behalf_of": f"usr_{_DIGITS}",
    "text": "ana",
    "through": f"tok_{_DIGITS}",
}
"""The value of a parameter of this name."""
OF_LOG: Mapping[str, Mapping[str, Any]] = {
    "AuditRecord": {
        "id": f"evt_{_DIGITS}",
        "before": {"role": "developer"},
        "after": None,
        "reason": None,
    },
    "NewSavedSearch": _A_SEARCH | {"shared": True},
    "ChangeSavedSearch": _A_SEARCH,
    "SavedSearchView": _A_SEARCH | {"id": f"sch_{_DIGITS}", "shared": True},
    "NewStream": _A_STREAM | {"secret": "Bearer 4f6b1c"},
    "ChangeStream": {"name": "SIEM", "start": "beginning", "enabled": True},
    "StreamView": _A_STREAM
    | {
        "id": f"str_{_DIGITS}",
        "paused_because": None,
        "place": 1204,
        "waiting_records": 0,
        "problem": None,
        "failing_since": None,
        "next_attempt_at": None,
        "test_due": False,
        "tested": None,
    },
}
"""Values of a schema's members where the name alone does not tell."""
