"""Explanations of decisions, and who may do something, from a running Rolecall."""

from dataclasses import dataclass

from rolecall.client.evaluations import CheckDecision, UndecidedError, decision_of
from rolecall.core.decision_steps import StepId, StepResult
from rolecall.core.explain import Step
from rolecall.core.state import Resource
from rolecall.core.who_can import Holder

EXPLAIN_PATH = "/v1/authz/explain"
WHO_CAN_PATH = "/v1/authz/who-can"
PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class CheckExplanation:
    """A decision, its steps, what would allow it, and the first members who could.

    `would_allow` is empty for what is allowed. `could_grant` are user ids, `count` says how many
    there are.
    """

    decision: CheckDecision
    steps: tuple[Step, ...]
    would_allow: str
    could_grant: tuple[str, ...]
    count: int


def explanation_of(content: object) -> CheckExplanation:
    """Read the answer to a question for an explanation.

    Raises:
        UndecidedError: it is not one.
    """
    decision = decision_of(content)
    match content:
        case {
            "steps": list(steps),
            "would_allow": dict() | None as remedies,
            "could_grant": dict() | None as grantors,
        }:
            could = grantors or {}
            return CheckExplanation(
                decision,
                tuple(
                    Step(StepId(one["id"]), StepResult(one["result"]), one["text"]) for one in steps
                ),
                would_allow=(remedies or {}).get("text", ""),
                could_grant=tuple(one["user_id"] for one in could.get("items", ())),
                count=could.get("count", 0),
            )
    raise UndecidedError("The answer is not an explanation of Rolecall.", temporary=True)


def who_can_question(
    permission: str, resource: Resource, *, account_id: str | None
) -> dict[str, str | None]:
    """The body that asks who may do something."""
    return {
        "account_id": account_id,
        "permission": permission,
        "project_id": resource.project_id,
        "resource_id": resource.id,
        "owner_id": resource.owner_id,
    }


def who_can_path(cursor: str | None) -> str:
    """The address of the page at a cursor; `None` is the first one."""
    return f"{WHO_CAN_PATH}?limit={PAGE_SIZE}" + ("" if cursor is None else f"&cursor={cursor}")


def holders_of(content: object) -> tuple[list[Holder], str | None]:
    """Read a page of members, and the cursor of the next one.

    Raises:
        UndecidedError: it is not one.
    """
    match content:
        case {"items": list(items), "next_cursor": str() | None as following}:
            found = []
            for one in items:
                inside, role = one["override"], one["role"]
                by = f"role:{role}" if inside is None else f"override:{inside}"
                found.append(Holder(one["user_id"], role, by, one["limited_to"]))
            return found, following
    raise UndecidedError("The answer is not a list of Rolecall.", temporary=True)
