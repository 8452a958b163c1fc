"""The people of the demonstration, and what they have in their team: tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

TEAM = "Northwind Compute"
FURTHER_TEAM = "Northwind Labs"
PASSWORD = "quiet-otters-count-stars"  # noqa: S105 - of a demonstration, printed for its readers
"""Of every person of the demonstration; it is printed."""


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    """A person of the team: their role, and how much of each resource they use in a day."""

    name: str
    role: str
    use: Mapping[str, float]

    @property
    def email(self) -> str:
        """The address, from the name."""
        return f"{self.name.lower().replace(' ', '.')}@northwind.example"


OWNER = DemoPerson(name="Ada Moreau", role="owner", use={"instance": 1.0})
MEMBERS: Sequence[DemoPerson] = (
    DemoPerson(name="Bilal Haddad", role="admin", use={"instance": 2.0}),
    DemoPerson(name="Carla Jensen", role="admin", use={}),
    DemoPerson(name="Dmitri Volkov", role="operator", use={"instance": 6.0, "cluster": 3.0}),
    DemoPerson(name="Emeka Obi", role="developer", use={"instance": 9.0, "endpoint": 4.0}),
    DemoPerson(name="Fiona Walsh", role="developer", use={"instance": 7.5, "storage": 2.0}),
    DemoPerson(name="Goro Tanaka", role="developer", use={"endpoint": 12.0, "job": 5.0}),
    DemoPerson(name="Hana Novak", role="developer", use={"cluster": 8.0, "storage": 1.0}),
    DemoPerson(name="Ines Castro", role="basic", use={"endpoint": 3.0}),
    DemoPerson(name="Jonas Weber", role="billing", use={}),
    DemoPerson(name="Kavya Rao", role="viewer", use={}),
    DemoPerson(name="Luca Ferri", role="viewer", use={}),
)
INVITED: Mapping[str, str] = {
    "mira.solberg@northwind.example": "developer",
    "noah.okafor@partner.example": "viewer",
}
PROJECTS: Sequence[str] = ("Production", "Staging", "Research")
UNITS: Mapping[str, tuple[str, str]] = {
    "instance": ("gpu_hour", "1.90"),
    "cluster": ("node_hour", "0.85"),
    "endpoint": ("million_tokens", "0.40"),
    "job": ("gpu_hour", "1.60"),
    "storage": ("tb_day", "0.75"),
}
"""By the type of a resource: the unit of its use, and what one costs in euros."""
NIGHT_SHIFT: Mapping[str, Mapping[str, str]] = {
    "account": {"view": "all"},
    "instance": {"view": "all", "manage": "all"},
    "cluster": {"view": "all", "manage": "all"},
}
"""A role of the team's own, as it was made."""
LATER_NIGHT_SHIFT: Mapping[str, Mapping[str, str]] = {
    **NIGHT_SHIFT,
    "endpoint": {"view": "all", "manage": "all"},
}
"""The same role after an admin has changed it."""
IN_RESEARCH: Mapping[str, Mapping[str, str]] = {
    "instance": {"view": "all", "manage": "all", "delete": "self"},
    "job": {"view": "all", "manage": "all"},
}
"""What one member may do in one project instead of their role."""
TOKEN_DAYS: Mapping[str, int] = {"Nightly export": 90, "Deployments": 30}
"""API tokens, with the days until they end; the first one only reads."""
GUARDRAILS: Sequence[Mapping[str, Any]] = (
    {
        "name": "Two who may invite",
        "rule": {"type": "minimum_holders", "permission": "member:invite", "minimum": 2},
    },
    {
        "name": "Billing deletes nothing",
        "rule": {"type": "never", "permission": "instance:delete", "role": "billing"},
    },
)
WEBHOOK: Mapping[str, Any] = {
    "url": "https://hooks.northwind.example/rolecall",
    "event_types": ["member.*", "invitation.*", "role.*"],
    "description": "The directory of the company",
}
STREAM: Mapping[str, Any] = {
    "name": "Company SIEM",
    "url": "https://siem.northwind.example/events",
    "header": "Authorization",
    "secret": "Bearer of-the-demonstration",
    "start": "now",
}
SEARCHES: Mapping[str, Mapping[str, str]] = {
    "What was denied": {"outcome": "denied"},
    "Changes of members": {"action": "member."},
}
"""Saved searches of the audit log; the last one is the last thing that the demonstration makes."""


def belongings(now: datetime) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """What the owner makes besides people, roles and projects: paths and bodies."""
    tokens = [
        {
            "name": name,
            "expires_at": (now + timedelta(days=days)).isoformat(),
            "restriction": {"projects": None, "grants": None, "read_only": number == 0},
        }
        for number, (name, days) in enumerate(TOKEN_DAYS.items())
    ]
    searches = [
        {"name": name, "filters": filters, "shared": True} for name, filters in SEARCHES.items()
    ]
    return [
        *(("/api-tokens", token) for token in tokens),
        *(("/guardrails", guardrail) for guardrail in GUARDRAILS),
        ("/audit-streams", STREAM),
        *(("/audit-searches", search) for search in searches),
    ]
