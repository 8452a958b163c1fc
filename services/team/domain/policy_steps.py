"""The changes that make an account as a policy file says."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rolecall.core.json_values import same_json
from services.team.domain.members import Membership
from services.team.domain.policy_files import (
    PolicyFile,
    PolicyGuardrail,
    PolicyMember,
    PolicyRole,
    PolicyRows,
    named_rule,
    overrides_in_force,
)
from services.team.domain.policy_names import PolicyNames
from shared.ids import UserId
from shared.names import name_key
from shared.problems import Refusal, RefusalKind

MAX_STEPS = 100
"""The changes of one transaction at most. How many have room in its time, the server decides."""


class PolicyTooLarge(Refusal):
    """All changes of a policy are one transaction, so their number and its time are bounded."""

    kind = RefusalKind.CONFLICT
    code = "policy-too-large"
    detail = (
        "The policy makes {changes} changes, and {limit} are possible at once. Apply it in parts:"
        " leave out some of its members first."
    )


class PolicyStepKind(StrEnum):
    """What a step does, in the order in which the steps are made."""

    GUARDRAIL_DELETE = "guardrail_delete"
    PROJECT_CREATE = "project_create"
    PROJECT_RENAME = "project_rename"
    ROLE_CREATE = "role_create"
    ROLE_CHANGE = "role_change"
    MEMBER_ROLE = "member_role"
    OVERRIDE_SET = "override_set"
    OVERRIDE_REMOVE = "override_remove"
    ROLE_DELETE = "role_delete"
    PROJECT_DELETE = "project_delete"
    GUARDRAIL_CREATE = "guardrail_create"


@dataclass(frozen=True, kw_only=True)
class PolicyStep:
    """One change: what it is about, its place in the file, and the state before and after it.

    `name` is that of the role, project or guardrail, or the address of the member. `target` is the
    id of what is there already.
    """

    kind: PolicyStepKind
    pointer: str
    name: str
    project: str | None = None
    target: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyPlan:
    """The steps from the account to a file; `policy_id` is a digest of what the file says."""

    policy_id: str
    steps: tuple[PolicyStep, ...]


def planned(rows: PolicyRows, wanted: PolicyFile, *, by: UserId) -> PolicyPlan:
    """Return the steps that make the account as the file says, in their order.

    What concerns the acting member comes after the changes of the other members: with less they
    could not make those.

    Raises:
        Invalid: the file does not fit the account, with a pointer to each fault.
        PolicyTooLarge: it makes too many changes at once.
    """
    named, people = PolicyNames(rows, wanted).resolved()
    steps = [*_guardrails(rows, named), *_projects(rows, named), *_roles(rows, named)]
    present = [project.name for project in rows.projects]
    kept = {name_key(name) for name in (present if named.projects is None else named.projects)}
    for number, member in enumerate(named.members or ()):
        pointer = f"/policy/members/{number}"
        steps += _of_member(rows, pointer, member, people[number], kept=kept)
    kinds = [*PolicyStepKind]
    own = {PolicyStepKind.MEMBER_ROLE, PolicyStepKind.OVERRIDE_SET, PolicyStepKind.OVERRIDE_REMOVE}
    first = kinds.index(PolicyStepKind.MEMBER_ROLE)

    def place(step: PolicyStep) -> tuple[int, bool, int]:
        at = kinds.index(step.kind)
        of_member = step.kind in own
        return (first if of_member else at, of_member and step.target == by, at)

    steps.sort(key=place)
    if len(steps) > MAX_STEPS:
        raise PolicyTooLarge(changes=len(steps), limit=MAX_STEPS)
    return PolicyPlan(policy_id=policy_id(named), steps=tuple(steps))


def policy_id(policy: PolicyFile) -> str:
    """The id of what a file says: the same file has the same one."""
    text = json.dumps(asdict(policy), sort_keys=True, default=str)
    return f"pol_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _roles(rows: PolicyRows, wanted: PolicyFile) -> Iterator[PolicyStep]:
    if wanted.roles is None:
        return
    there = {name_key(role.name): role for role in rows.account.roles}
    for number, role in enumerate(wanted.roles):
        pointer, known = f"/policy/roles/{number}", there.pop(name_key(role.name), None)
        if known is None:
            yield PolicyStep(
                kind=PolicyStepKind.ROLE_CREATE,
                pointer=pointer,
                name=role.name,
                after=role.shown(),
            )
            continue
        before = PolicyRole(
            name=known.name, description=known.description, grants=known.grants
        ).shown()
        if not same_json(before, role.shown()):
            yield PolicyStep(
                kind=PolicyStepKind.ROLE_CHANGE,
                pointer=pointer,
                name=role.name,
                target=known.role_id,
                before=before,
                after=role.shown(),
            )
    for gone in there.values():
        yield PolicyStep(
            kind=PolicyStepKind.ROLE_DELETE,
            pointer="/policy/roles",
            name=gone.name,
            target=gone.role_id,
            before=gone.shown(),
        )


def _projects(rows: PolicyRows, wanted: PolicyFile) -> Iterator[PolicyStep]:
    if wanted.projects is None:
        return
    there = {name_key(project.name): project for project in rows.projects}
    for number, name in enumerate(wanted.projects):
        pointer, known = f"/policy/projects/{number}", there.pop(name_key(name), None)
        if known is None:
            yield PolicyStep(
                kind=PolicyStepKind.PROJECT_CREATE,
                pointer=pointer,
                name=name,
                after={"name": name},
            )
        elif known.name != name:
            yield PolicyStep(
                kind=PolicyStepKind.PROJECT_RENAME,
                pointer=pointer,
                name=name,
                target=known.project_id,
                before={"name": known.name},
                after={"name": name},
            )
    for gone in there.values():
        yield PolicyStep(
            kind=PolicyStepKind.PROJECT_DELETE,
            pointer="/policy/projects",
            name=gone.name,
            target=gone.project_id,
            before={"name": gone.name},
        )


def _of_member(
    rows: PolicyRows,
    pointer: str,
    member: PolicyMember,
    there: Membership,
    *,
    kept: Collection[str],
) -> Iterator[PolicyStep]:
    """The other role of a member, and their overrides if the file lists them.

    `kept` are the projects that the account has afterwards.
    """
    role = rows.role_name(there.role)
    if role != member.role:
        yield PolicyStep(
            kind=PolicyStepKind.MEMBER_ROLE,
            pointer=f"{pointer}/role",
            name=there.email,
            target=there.user_id,
            before={"role": role},
            after={"role": member.role},
        )
    if member.overrides is None:
        return
    present = {name_key(one.project): one for one in overrides_in_force(rows, there)}
    for number, override in enumerate(member.overrides):
        known = present.pop(name_key(override.project), None)
        same = known is not None and known.expires_at == override.expires_at
        if known is not None and same and same_json(known.grants, override.grants):
            continue
        yield PolicyStep(
            kind=PolicyStepKind.OVERRIDE_SET,
            pointer=f"{pointer}/overrides/{number}",
            name=there.email,
            project=override.project,
            target=there.user_id,
            before=None if known is None else known.shown(),
            after=override.shown(),
        )
    for key, gone in present.items():
        if key in kept:  # those of a project that ends, end with it
            yield PolicyStep(
                kind=PolicyStepKind.OVERRIDE_REMOVE,
                pointer=f"{pointer}/overrides",
                name=there.email,
                project=gone.project,
                target=there.user_id,
                before=gone.shown(),
            )


def _guardrails(rows: PolicyRows, wanted: PolicyFile) -> Iterator[PolicyStep]:
    """A guardrail never changes: another rule or name is another guardrail."""
    if wanted.guardrails is None:
        return
    left = Counter(_key(one) for one in wanted.guardrails)
    there: Counter[str] = Counter()
    for one in rows.account.guardrails:
        named = PolicyGuardrail(name=one.name, rule=named_rule(rows, one.rule))
        there[_key(named)] += 1
        left[_key(named)] -= 1
        if left[_key(named)] < 0:
            yield PolicyStep(
                kind=PolicyStepKind.GUARDRAIL_DELETE,
                pointer="/policy/guardrails",
                name=one.name,
                target=one.guardrail_id,
                before=named.shown(),
            )
    for number, guardrail in enumerate(wanted.guardrails):
        there[_key(guardrail)] -= 1
        if there[_key(guardrail)] < 0:
            yield PolicyStep(
                kind=PolicyStepKind.GUARDRAIL_CREATE,
                pointer=f"/policy/guardrails/{number}",
                name=guardrail.name,
                after=guardrail.shown(),
            )


def _key(guardrail: PolicyGuardrail) -> str:
    """What two guardrails have in common that say the same; the case of letters does not count."""
    rule = guardrail.rule
    named = {
        **guardrail.shown(),
        "roles": sorted(map(name_key, rule.roles)),
        "project": None if rule.project is None else name_key(rule.project),
    }
    return json.dumps(named)
