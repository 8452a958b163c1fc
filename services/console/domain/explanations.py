"""Why a member may do something or not, and what would change it: from the API's explanation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.domain.permission_tables import PermissionTable

NOT_REACHED = "not-reached"
"""What became of the steps after the one with which a decision ends."""


@dataclass(frozen=True, kw_only=True)
class ExplainedStep:
    """One step of the decision, in a sentence of the API. `result` is `holds` or another one."""

    result: str
    text: str


@dataclass(frozen=True, kw_only=True)
class GrantorRow:
    """A member who could allow it: by one of the roles, or inside the project."""

    user_id: str
    roles: Sequence[str]
    override: bool


@dataclass(frozen=True, kw_only=True)
class AccessExplanation:
    """A decision: its reason, what decided, its steps, and what would allow it.

    `role_id` and `role` are the id and the title of the role that decided, `override` the project
    whose override did. `roles` have the titles of the roles that would allow it. `needs_override`
    says that other permissions inside the project would.
    """

    allowed: bool
    reason: str
    role_id: str
    role: str
    override: str
    steps: Sequence[ExplainedStep]
    roles: Sequence[str]
    needs_override: bool
    grantors: Sequence[GrantorRow]
    more_grantors: int
    complete: bool

    @property
    def reached(self) -> Sequence[ExplainedStep]:
        """The steps that were looked at: those after the one that decided were not."""
        return [step for step in self.steps if step.result != NOT_REACHED]

    @property
    def nothing_helps(self) -> bool:
        """Whether a grant could help, and the account has none that does."""
        return self.reason in _BY_GRANTS and not (self.roles or self.needs_override)


_BY_GRANTS = frozenset({"permission-missing", "owner-unknown", "not-owner", "condition-failed"})
"""The reasons where a grant could help."""


def read_explanation(found: Mapping[str, Any], table: PermissionTable) -> AccessExplanation:
    """The explanation of the API, with what people call roles and permissions."""
    context, would = found["context"], found["would_allow"]
    could = found["could_grant"]
    grantors = [
        GrantorRow(
            user_id=one["user_id"],
            roles=[table.role_title(role) for role in one["roles"]],
            override=one["override"],
        )
        for one in (could or {"items": []})["items"]
    ]
    return AccessExplanation(
        allowed=found["decision"],
        reason=context["reason"],
        role_id=context["role"] or "",
        role=table.role_title(context["role"]) if context["role"] else "",
        override=context["override"] or "",
        steps=[
            ExplainedStep(result=one["result"], text=_with_titles(one["text"], table))
            for one in found["steps"]
        ],
        roles=[table.role_title(role) for role in would["roles"]] if would else [],
        needs_override=bool(would and would["override"]),
        grantors=grantors,
        more_grantors=could["count"] - len(grantors) if could else 0,
        complete=could["complete"] if could else True,
    )


def _with_titles(text: str, table: PermissionTable) -> str:
    """A sentence with the titles of permissions in place of their names, which are longer words."""
    words = []
    for word in text.split(" "):
        bare = word.rstrip(".,;")
        level = table.by_permission.get(bare)
        words.append(word if level is None else f"“{title_of(table, bare)}”{word[len(bare) :]}")
    return " ".join(words)


def title_of(table: PermissionTable, permission: str) -> str:
    """What people call a permission: its entry and level; one of several actions also has that."""
    level = table.by_permission[permission]
    entry = table.entries[level.entry]
    titles = f"{entry.title}: {level.title}"
    if permission == level.names[0] or not level.has_own_title(permission):
        return titles
    return f"{titles} ({permission.partition(':')[2]})"
