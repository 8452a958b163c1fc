"""Search for what would be allowed: the subjects, the resources, or the actions of a check.

A page is decided from one state, with one test of the leases. Its work is bounded: it ends after
`MOST_DECISIONS`, or when their conditions took `STEPS_OF_TURN`, whether or not they fill it, and
tells where the next one begins.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from heapq import merge
from itertools import groupby, islice, takewhile

from msgspec.structs import replace

from rolecall import (
    AccountState,
    AccountStatus,
    Reason,
    items_after,
    membership_denial,
)
from rolecall.core.condition_work import ConditionWork
from services.authz.domain.asked import AskedResource
from services.authz.domain.batches import STEPS_OF_TURN
from services.authz.domain.checks import (
    SUBJECT_AMBIGUOUS,
    SUBJECT_UNKNOWN,
    PermissionCheck,
    decide_check,
    decide_for_user,
    names_member,
    subject_of,
)
from services.authz.domain.evaluations import EvaluationRequest
from services.authz.use_cases.asked_checks import authorized_check, is_shared
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member
from services.authz.use_cases.evaluation import PAST_ALONE
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.refusals import BadRequest

MOST_DECISIONS = 500
"""The decisions of one page."""


class Sought(StrEnum):
    """The entity that is searched for."""

    SUBJECT = "subject"
    RESOURCE = "resource"
    ACTION = "action"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """What would be allowed, and the name after which the next page begins; None: there is none.

    `names` are user ids, ids of resources, or actions. `reason` is the one of every denial, if no
    name could be allowed.
    """

    account_id: str | None
    names: tuple[str, ...]
    next_after: str | None = None
    reason: str | None = None


async def search(
    ctx: Ctx,
    principal: ClientPrincipal | UserPrincipal,
    request: EvaluationRequest,
    *,
    sought: Sought,
    after: str,
    limit: int,
) -> SearchPage:
    """Find up to `limit` names, in the order of their characters, that come after `after`.

    What the request says of the sought entity's id is ignored. Subjects are the members of the
    account, and resources those that are registered, or its projects. A user may search for their
    own resources and actions only.

    Raises:
        Stale: this replica may not answer now.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: the caller may not ask this.
        BadRequest: `at_least_revision` is not a revision, or the request is about a past time.
    """
    if request.at is not None:
        raise BadRequest(errors=[("/context/at", PAST_ALONE)])
    check = ctx.while_fresh(lambda: authorized_check(ctx, principal, request))
    own = isinstance(principal, UserPrincipal)
    await ctx.reach(
        request.at_least_revision, check, may_learn=lambda: not own or is_member(ctx, check)
    )
    return ctx.while_fresh(
        lambda: _page(ctx, principal, request, sought=sought, after=after, limit=limit)
    )


def _page(
    ctx: Ctx,
    principal: ClientPrincipal | UserPrincipal,
    request: EvaluationRequest,
    *,
    sought: Sought,
    after: str,
    limit: int,
) -> SearchPage:
    check = authorized_check(ctx, principal, request)
    own = isinstance(principal, UserPrincipal)
    searched = partial(_searched_account, request=request, sought=sought, own=own)
    account = answer(ctx, check, searched)
    if not isinstance(account, AccountState):
        shared = account == Reason.NOT_A_MEMBER and is_shared(ctx, check.account_id, check.user_id)
        reason = SUBJECT_AMBIGUOUS if shared else account
        return SearchPage(account_id=check.account_id, names=(), reason=reason)
    if limit == 0:
        return SearchPage(account_id=check.account_id, names=(), next_after=after)
    work = ConditionWork()
    rule = partial(decide_for_user if own else decide_check, work=work)
    names = list(islice(_names_after(account, request, sought, after), MOST_DECISIONS + 1))
    found: list[str] = []
    last = None
    for number, name in enumerate(names[:MOST_DECISIONS], 1):
        if answer(ctx, _CHECKS[sought](check, request, name), rule).allowed:
            found.append(name)
        full = len(found) == limit or number == MOST_DECISIONS
        if full or work.steps >= STEPS_OF_TURN:
            last = name if number < len(names) else None
            break
    return SearchPage(account_id=check.account_id, names=tuple(found), next_after=last)


def _searched_account(
    account: AccountState | None,
    check: PermissionCheck,
    *,
    sign_in_denial: Reason | None,
    now: int,
    request: EvaluationRequest,
    sought: Sought,
    own: bool,
) -> AccountState | str:
    """The account that has what is sought, or the reason why nothing would be allowed.

    A user who is not a member gets the reason of an unknown account.
    """

    def reason() -> str:
        rule = decide_for_user if own else decide_check
        return rule(account, check, sign_in_denial=sign_in_denial, now=now).reason

    if account is None:
        return reason()
    if sought is Sought.SUBJECT:
        shut = account.status is not AccountStatus.ACTIVE
    else:
        subject = subject_of(check.user_id, sign_in_denial, check.token)
        shut = membership_denial(account, subject, now=now) is not None
    by_token = check.token is not None and sought is not Sought.SUBJECT
    of_members = by_token or names_member(account, request.subject_type)
    if shut and (own or of_members):
        return reason()
    if not of_members:
        return SUBJECT_UNKNOWN
    if not _knows_permission(account, check, sought):
        return Reason.PERMISSION_UNKNOWN
    project_id = check.resource.project_id
    unknown = project_id is not None and project_id not in account.projects
    return Reason.PROJECT_UNKNOWN if unknown else account


def _knows_permission(account: AccountState, check: PermissionCheck, sought: Sought) -> bool:
    known = account.catalog.permissions
    if sought is Sought.ACTION:
        return any(name.partition(":")[0] == check.permission.partition(":")[0] for name in known)
    return check.permission in known


def _names_after(
    account: AccountState, request: EvaluationRequest, sought: Sought, after: str
) -> Iterator[str]:
    """Everything after this name that may be found, in order."""
    kind = request.resource_type
    if sought is Sought.SUBJECT:
        return (user_id for user_id, _ in items_after(account.members, after))
    if sought is Sought.ACTION:
        begin = f"{kind}:"
        names = (
            name.removeprefix(begin)
            for name in account.catalog.permissions
            if name.startswith(begin)
        )
        return iter(sorted(name for name in names if name > after))
    held = account.catalog.permissions.get(f"{kind}:{request.action}")
    if held is None:
        return iter(())
    registered = (
        name
        for (_, name), _ in takewhile(
            lambda item: item[0][0] == kind, items_after(account.resources, (kind, after))
        )
    )
    if not held.on_project:
        return registered
    projects = sorted(project_id for project_id in account.projects if project_id > after)
    return (name for name, _ in groupby(merge(projects, registered)))


def _of_subject(check: PermissionCheck, request: EvaluationRequest, name: str) -> PermissionCheck:
    return replace(check, user_id=name, session_id=None)


def _of_resource(check: PermissionCheck, request: EvaluationRequest, name: str) -> PermissionCheck:
    asked = check.resource
    resource = AskedResource(name, asked.owner_id, asked.project_id, asked.properties)
    return replace(check, resource=resource)


def _of_action(check: PermissionCheck, request: EvaluationRequest, name: str) -> PermissionCheck:
    return replace(check, permission=f"{request.resource_type}:{name}")


_CHECKS: Mapping[Sought, Callable[[PermissionCheck, EvaluationRequest, str], PermissionCheck]] = {
    Sought.SUBJECT: _of_subject,
    Sought.RESOURCE: _of_resource,
    Sought.ACTION: _of_action,
}
