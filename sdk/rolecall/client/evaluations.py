"""One evaluation as HTTP has it: the body that asks, and the answer that is a decision."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from rolecall.core.condition_facts import NOTHING_GIVEN, Given, Properties
from rolecall.core.state import NO_RESOURCE_ID, Resource


class UndecidedError(Exception):
    """The check could not be decided, so the caller must not proceed.

    `temporary`: another attempt may be answered. Otherwise the request or the client is wrong.
    `request_refused`: Rolecall refused this request, and may answer the client's others.
    """

    def __init__(self, message: str, *, temporary: bool, request_refused: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary
        self.request_refused = request_refused


@dataclass(frozen=True, slots=True)
class CheckDecision:
    """The answer to one check; true in a condition only if it allows.

    `reason` is stable. `role` or `override` names what decided, if grants did. `revision` is the
    state that the answer rests on. `at` is the past time that the answer is as of (RFC 3339).
    """

    allowed: bool
    reason: str
    role: str | None = None
    override: str | None = None
    revision: str | None = None
    at: str | None = None

    def __bool__(self) -> bool:
        """Return whether the check is allowed."""
        return self.allowed


Moment = datetime | str
"""A past time: with a zone, or as RFC 3339 has it. Rolecall says what is wrong with another one."""


class CheckArguments(TypedDict, total=False):
    """The arguments of a check that may be left out.

    `owner_id` is the user who owns the resource. `at_least_revision` is a revision that Rolecall
    returned; the answer is at least as fresh. After a restore of Rolecall's database, an earlier
    revision stands for the restored state. `at` is a past time, from whose state is answered.
    `given` has the properties that conditions of grants test.
    """

    account_id: str | None
    project_id: str | None
    resource_id: str | None
    owner_id: str | None
    session_id: str | None
    at_least_revision: str | None
    at: Moment | None
    given: Given


def evaluation_of(
    subject_id: str, permission: str, **arguments: Unpack[CheckArguments]
) -> dict[str, Any]:
    """The body of the access evaluation with these arguments; it raises as `evaluation`."""
    return evaluation(
        subject_id,
        permission,
        Resource(
            arguments.get("resource_id"), arguments.get("owner_id"), arguments.get("project_id")
        ),
        account_id=arguments.get("account_id"),
        session_id=arguments.get("session_id"),
        at_least_revision=arguments.get("at_least_revision"),
        at=arguments.get("at"),
        given=arguments.get("given", NOTHING_GIVEN),
    )


def evaluation(
    subject_id: str,
    permission: str,
    resource: Resource,
    *,
    account_id: str | None = None,
    session_id: str | None = None,
    at_least_revision: str | None = None,
    at: Moment | None = None,
    given: Given = NOTHING_GIVEN,
) -> dict[str, Any]:
    """The body of one access evaluation (AuthZEN).

    Raises:
        UndecidedError: the properties cannot be sent.
    """
    resource_type, _, action = permission.partition(":")
    sent = request_properties(
        resource,
        account_id=account_id,
        session_id=session_id,
        at_least_revision=at_least_revision,
        given=given,
    )
    return {
        "subject": {
            "type": subject_type_of(subject_id),
            "id": subject_id,
            "properties": sent.subject,
        },
        "action": {"name": action, **({"properties": sent.action} if sent.action else {})},
        "resource": {
            "type": resource_type,
            "id": resource.id or NO_RESOURCE_ID,
            "properties": sent.resource,
        },
        "context": {**sent.context, **({} if at is None else {"at": _written(at)})},
    }


def subject_type_of(subject_id: str) -> str:
    """The type of a subject, which its id tells: an API token, or a user by any of their ids."""
    return "user" if _API_TOKEN.fullmatch(subject_id) is None else "api_token"


_API_TOKEN = re.compile(r"tok_[0-9a-f]{32}", re.ASCII)


def _written(at: Moment) -> str:
    return at.isoformat() if isinstance(at, datetime) else at


def request_properties(
    resource: Resource,
    *,
    account_id: str | None,
    session_id: str | None,
    at_least_revision: str | None,
    given: Given,
) -> Given:
    """All properties of a check's request: those of its own arguments, and the given ones.

    Raises:
        UndecidedError: a given property has the name of an argument, or is not JSON; or the
            resource has properties, which only a registered one has.
    """
    if resource.properties:
        raise _not_sendable(
            "Pass the properties of the resource as `given`, in `Given(resource=…)`."
        )
    subject: Properties = {"session_id": session_id}
    place: Properties = {
        "account_id": account_id,
        "project_id": resource.project_id,
        "owner_id": resource.owner_id,
    }
    context: Properties = {"at_least_revision": at_least_revision}
    if given is NOTHING_GIVEN:
        return Given(subject, place, given.action, context)
    return Given(
        subject=_joined("subject", given.subject, subject),
        resource=_joined("resource", given.resource, place),
        action=_joined("action", given.action, {}),
        context=_joined("context", given.context, context),
    )


def _joined(part: str, given: Properties, own: Properties) -> Properties:
    """The given properties of one part as JSON has them, and the request's own ones."""
    for name in (*own, *_READ_BY_ROLECALL.get(part, ())):
        if name in given:
            raise _not_sendable(
                f"`given.{part}` cannot have `{name}`, which Rolecall reads itself."
                " Pass it as an argument of the check, or leave it out."
            )
    try:
        return {**json.loads(json.dumps(dict(given), allow_nan=False)), **own}
    except (TypeError, ValueError, RecursionError) as error:
        raise _not_sendable(f"`given.{part}` is not JSON: {error}.") from error


_READ_BY_ROLECALL: Mapping[str, tuple[str, ...]] = {"context": ("at",)}
"""Names that Rolecall reads itself, besides the arguments of a check."""


def _not_sendable(message: str) -> UndecidedError:
    return UndecidedError(message, temporary=False, request_refused=True)


def decision_of(content: object) -> CheckDecision:
    """Read the answer to one evaluation.

    Raises:
        UndecidedError: it is not a decision.
    """
    match content:
        case {"decision": bool(allowed), "context": {"reason": str(reason)} as context}:
            return CheckDecision(
                allowed=allowed,
                reason=reason,
                role=context.get("role"),
                override=context.get("override"),
                revision=context.get("revision"),
                at=context.get("at"),
            )
    raise UndecidedError("The answer is not a decision of Rolecall.", temporary=True)
