"""Explanations of decisions, and who may do something, from a running Rolecall."""

from collections.abc import Iterator
from dataclasses import dataclass

from rolecall.client.checks import RolecallClient
from rolecall.client.evaluations import CheckDecision, UndecidedError, decision_of, evaluation
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.core.explain import Step, StepId, StepResult
from rolecall.core.state import Resource
from rolecall.core.who_can import Holder

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


def explain(
    client: RolecallClient,
    subject_id: str,
    permission: str,
    resource: Resource,
    *,
    account_id: str | None = None,
    at_least_revision: str | None = None,
    given: Given = NOTHING_GIVEN,
) -> CheckExplanation:
    """Explain a check of a user.

    Raises:
        UndecidedError: there is no decision, or the client may not ask.
    """
    content = client.ask(
        "/v1/authz/explain",
        evaluation(
            subject_id,
            permission,
            resource,
            account_id=account_id,
            at_least_revision=at_least_revision,
            given=given,
        ),
    )
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


def who_can(
    client: RolecallClient, permission: str, resource: Resource, *, account_id: str | None = None
) -> Iterator[Holder]:
    """Yield the members who may do something, page by page.

    Raises:
        UndecidedError: there is no answer, or the client may not ask.
    """
    question = {
        "account_id": account_id,
        "permission": permission,
        "project_id": resource.project_id,
        "resource_id": resource.id,
        "owner_id": resource.owner_id,
    }
    cursor = ""
    while True:
        match client.ask(f"/v1/authz/who-can?limit={PAGE_SIZE}{cursor}", question):
            case {"items": list(items), "next_cursor": str() | None as following}:
                for one in items:
                    inside, role = one["override"], one["role"]
                    by = f"role:{role}" if inside is None else f"override:{inside}"
                    yield Holder(one["user_id"], role, by)
                if following is None:
                    return
                cursor = f"&cursor={following}"
            case _:
                raise UndecidedError("The answer is not a list of Rolecall.", temporary=True)
