"""The facts about registered resources, each small enough for a row of the journal.

A fact of one resource is about that resource. A change of many is told in few facts about the
account, whose records name every resource with its owner, project and properties.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from services.team.domain.resources import RegisteredResource, ResourceChange
from shared.contracts import team_resources
from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.ids import UserId

MAX_RESOURCES = 100
"""Of one fact."""
MAX_CONTENT_BYTES = 96 * 1024
"""Of the resources in one fact; a row of the journal has 128 KiB at most."""


def registered(changes: Sequence[ResourceChange], *, account: ResourceRef) -> list[Fact]:
    """Resources were registered or changed."""
    return [
        _fact(
            team_resources.ResourcesRegistered(
                resources=tuple(change.after.item() for change in part)
            ),
            part,
            account,
        )
        for part in _parts(changes)
    ]


def reassigned(
    changes: Sequence[ResourceChange],
    *,
    account: Account,
    from_user_id: UserId,
    former: Membership | None,
    receiver: Membership,
) -> list[Fact]:
    """Resources of one user, who may have left, were given to another; the first fact tells whom.

    A mail for each fact would be several about one change.
    """
    told = {
        "account_name": account.name,
        "email": receiver.email,
        "name": receiver.name,
        "from_name": "" if former is None else former.name,
    }
    return [
        _fact(
            team_resources.ResourcesReassigned(
                from_user_id=from_user_id,
                to_user_id=receiver.user_id,
                resources=tuple(change.after.item() for change in part),
                **(told if number == 0 else {}),
            ),
            part,
            account.ref(),
        )
        for number, part in enumerate(_parts(changes))
    ]


def deleted(resource: RegisteredResource) -> Fact:
    """A resource is not registered any more."""
    return Fact(
        payload=team_resources.ResourceDeleted(resource=resource.item()),
        resource=_ref(resource),
        project_id=resource.project_id,
        before=_shown(resource),
        policy_objects=(resource.gone(),),
    )


def _fact(payload: Payload, part: Sequence[ResourceChange], account: ResourceRef) -> Fact:
    policy_objects = tuple(change.after.policy_object() for change in part)
    if len(part) == 1:
        [change] = part
        return Fact(
            payload=payload,
            resource=_ref(change.after),
            project_id=change.after.project_id,
            before=None if change.before is None else _shown(change.before),
            after=_shown(change.after),
            policy_objects=policy_objects,
        )
    before = [_named(change.before) for change in part if change.before is not None]
    return Fact(
        payload=payload,
        resource=account,
        before={"resources": before} if before else None,
        after={"resources": [_named(change.after) for change in part]},
        policy_objects=policy_objects,
    )


def _parts(changes: Sequence[ResourceChange]) -> Iterator[list[ResourceChange]]:
    """The changes in groups of which each fits into one row."""
    part: list[ResourceChange] = []
    size = 0
    for change in changes:
        bytes_more = _bytes(change)
        if part and (len(part) == MAX_RESOURCES or size + bytes_more > MAX_CONTENT_BYTES):
            yield part
            part, size = [], 0
        part.append(change)
        size += bytes_more
    if part:
        yield part


def _bytes(change: ResourceChange) -> int:
    """The bytes of everything that a row says about a change."""
    told = [
        change.after.policy_object().model_dump(mode="json"),
        change.after.item().model_dump(mode="json"),
        _named(change.after),
        None if change.before is None else _named(change.before),
    ]
    return len(json.dumps(told, ensure_ascii=False).encode())


def _ref(resource: RegisteredResource) -> ResourceRef:
    return ResourceRef(type=resource.type, id=resource.rid)


def _shown(resource: RegisteredResource) -> dict[str, Any]:
    return {
        "owner_id": resource.owner_id,
        "project_id": resource.project_id,
        "properties": dict(resource.properties),
    }


def _named(resource: RegisteredResource) -> dict[str, Any]:
    return {"type": resource.type, "id": resource.rid, **_shown(resource)}
