"""The decision: whether a subject may do something to a resource of an account."""

from rolecall.core.condition_facts import NOTHING_GIVEN, AnyGiven, Facts
from rolecall.core.condition_work import ConditionWork
from rolecall.core.decision import Decision, Reason
from rolecall.core.level_grants import Scope
from rolecall.core.masks import Matrix
from rolecall.core.matrix import CompiledPermission
from rolecall.core.restrictions import has_api_tokens, restricted
from rolecall.core.state import (
    NO_RESOURCE_ID,
    ORDINARY,
    AccountState,
    AccountStatus,
    AnyResource,
    Member,
    MembershipStatus,
    Resource,
    Subject,
    TokenSubject,
)


def _denied(reason: Reason) -> Decision:
    return Decision(allowed=False, reason=reason)


_ACCOUNT_SUSPENDED = _denied(Reason.ACCOUNT_SUSPENDED)
_ACCOUNT_DELETING = _denied(Reason.ACCOUNT_DELETING)
_USER_DISABLED = _denied(Reason.USER_DISABLED)
_SESSION_ENDED = _denied(Reason.SESSION_ENDED)
_NOT_A_MEMBER = _denied(Reason.NOT_A_MEMBER)
_MEMBERSHIP_SUSPENDED = _denied(Reason.MEMBERSHIP_SUSPENDED)
_MEMBERSHIP_EXPIRED = _denied(Reason.MEMBERSHIP_EXPIRED)
_SECOND_FACTOR_REQUIRED = _denied(Reason.SECOND_FACTOR_REQUIRED)
_PERMISSION_UNKNOWN = _denied(Reason.PERMISSION_UNKNOWN)
_PROJECT_UNKNOWN = _denied(Reason.PROJECT_UNKNOWN)
_RESOURCE_CONFLICT = _denied(Reason.RESOURCE_CONFLICT)

_UNSPECIFIED = Resource()
_ACTIVE_ACCOUNT, _ACTIVE = AccountStatus.ACTIVE, MembershipStatus.ACTIVE
"""As names of the module: a value of an enumeration is found ten times as slowly."""


def is_outsider(account: AccountState | None, user_id: str, *, now: int) -> bool:
    """Return whether the user may not learn that the account exists; `None` is an unknown account.

    An outsider is not a member, or their membership is suspended or has expired. The status of the
    account makes no difference. `now` is in epoch milliseconds.
    """
    return account is None or _outside(account.members.get(user_id), now) is not None


def membership_denial(account: AccountState, subject: Subject, *, now: int) -> Decision | None:
    """The denial of every permission to this subject, or `None` for an active member.

    `now` is in epoch milliseconds.
    """
    return _membership_denial(account, subject, account.members.get(subject.user_id), now)


def _membership_denial(
    account: AccountState, subject: Subject, member: Member | None, now: int
) -> Decision | None:
    if account.status is not _ACTIVE_ACCOUNT:
        deleting = account.status is AccountStatus.DELETING
        return _ACCOUNT_DELETING if deleting else _ACCOUNT_SUSPENDED
    if subject.user_disabled:
        return _USER_DISABLED
    if subject.session_ended:
        return _SESSION_ENDED
    outside, token = _outside(member, now), subject.token
    if member is None or outside is not None:
        return outside
    if token is not None:
        earlier = member.membership_id != token.membership_id
        if earlier or not has_api_tokens(account.catalog):
            return _NOT_A_MEMBER
    lacks_factor = account.require_second_factor and not subject.second_factor
    return _SECOND_FACTOR_REQUIRED if lacks_factor else None


def _outside(member: Member | None, now: int) -> Decision | None:
    if member is None:
        return _NOT_A_MEMBER
    terms = member.terms
    if terms is ORDINARY:
        return None
    if terms.status is not _ACTIVE:
        return _MEMBERSHIP_SUSPENDED
    if terms.expires_at is not None and terms.expires_at <= now:
        return _MEMBERSHIP_EXPIRED
    return None


def decide(
    account: AccountState,
    subject: Subject,
    permission: str,
    resource: AnyResource = _UNSPECIFIED,
    *,
    now: int,
    given: AnyGiven | None = None,
    work: ConditionWork | None = None,
) -> Decision:
    """Decide one check; pure, and allocates nothing unless the resource is a project.

    `permission` is `<type>:<action>`; `now` is in epoch milliseconds. `given` has the properties of
    the request, which only conditions look at. Decisions that follow each other may share `work`.
    What is not granted or not known is denied.
    """
    member = active_member(account, subject, now=now)
    if isinstance(member, Decision):
        return member
    return decide_for_member(
        account, member, permission, resource, now=now, given=given, work=work, token=subject.token
    )


def ordinary_member(account: AccountState, user_id: str) -> Member | None:
    """The member, if neither their membership nor the account's state can deny them anything.

    Of another member, and of a sign-in that is over, `active_member` says more.
    """
    member = account.members.get(user_id)
    if (
        member is None
        or member.terms is not ORDINARY
        or account.status is not _ACTIVE_ACCOUNT
        or account.require_second_factor
    ):
        return None
    return member


def active_member(account: AccountState, subject: Subject, *, now: int) -> Member | Decision:
    """The first part of `decide`: the subject as an active member, or why they are not one."""
    member = account.members.get(subject.user_id)
    if (
        member is None
        or member.terms is not ORDINARY
        or account.status is not _ACTIVE_ACCOUNT
        or subject.user_disabled
        or subject.session_ended
        or subject.token is not None
        or account.require_second_factor
    ):
        refused = _membership_denial(account, subject, member, now)
        if refused is not None or member is None:
            return refused or _NOT_A_MEMBER
    return member


def decide_for_member(
    account: AccountState,
    member: Member,
    permission: str,
    resource: AnyResource,
    *,
    now: int,
    given: AnyGiven | None = None,
    work: ConditionWork | None = None,
    token: TokenSubject | None = None,
) -> Decision:
    """The rest of `decide`: what an active member may do; several checks may share the member.

    `token` is the one of the subject, by which they act.
    """
    held = account.catalog.permissions.get(permission)
    if held is None:
        return _PERMISSION_UNKNOWN
    if account.resources or held.on_project:
        known = located(account, held, resource)
        if known is None:
            return _RESOURCE_CONFLICT
        resource = known
    matrix = member.role
    if resource.project_id is not None:
        if resource.project_id not in account.projects:
            return _PROJECT_UNKNOWN
        if held.project_scoped and member.terms is not ORDINARY:
            matrix = _inside(member, resource.project_id, now)
    if matrix.all_mask & held.bit:
        decision = matrix.allowed
    else:
        decision = _by_limited_grants(matrix, held.bit, member, resource, given, work)
    if token is None:
        return decision
    return restricted(decision, account.catalog, token.restriction, held, resource, matrix)


def _inside(member: Member, project_id: str, now: int) -> Matrix:
    """What decides inside a project: the member's override, or else their role."""
    override = member.terms.overrides.get(project_id)
    return member.role if override is None or not override.active(now=now) else override.matrix


def _as_registered(
    account: AccountState, held: CompiledPermission, resource: AnyResource
) -> AnyResource | None:
    """The resource as the account registered it; `None` if the request contradicts it."""
    if resource.id is None:
        return resource
    registered = account.resources.get((held.resource_type, resource.id))
    if registered is None:
        return resource
    if resource.owner_id not in (None, registered.owner_id):
        return None
    if resource.project_id not in (None, registered.project_id):
        return None
    return registered


def located(
    account: AccountState, held: CompiledPermission, resource: AnyResource
) -> AnyResource | None:
    """The resource with its project; `None` if the request contradicts itself or the register.

    A right on a project is decided inside that project, also when the project is the resource. A
    provider's own type for projects (`clusters`) may name resources that are not projects of the
    account as well.
    """
    known = _as_registered(account, held, resource)
    if known is None or not held.on_project or known.id in (None, NO_RESOURCE_ID):
        return known
    if held.resource_type != "project" and known.id not in account.projects:
        return known
    if known.project_id not in (None, known.id):
        return None
    return Resource(
        id=known.id, owner_id=known.owner_id, project_id=known.id, properties=known.properties
    )


def _by_limited_grants(
    matrix: Matrix,
    bit: int,
    member: Member,
    resource: AnyResource,
    given: AnyGiven | None,
    work: ConditionWork | None,
) -> Decision:
    """Decide by the grants for own resources, and by those that depend on conditions."""
    if not matrix.self_mask & bit:
        decision = matrix.missing
    elif resource.owner_id is None:
        decision = matrix.owner_unknown
    elif resource.owner_id == member.user_id:
        return matrix.allowed
    else:
        decision = matrix.not_owner
    if matrix.conditional:
        return _by_conditions(matrix, bit, member, resource, given, work) or decision
    return decision


def _by_conditions(
    matrix: Matrix,
    bit: int,
    member: Member,
    resource: AnyResource,
    given: AnyGiven | None,
    work: ConditionWork | None,
) -> Decision | None:
    """Decide by the grants that depend on conditions; `None` if there is none for this bit.

    A denial names what is missing to the alternative that comes furthest: the condition, or else
    the owner.
    """
    found = matrix.conditional.get(bit)
    if found is None:
        return None
    owned = resource.owner_id == member.user_id
    reaching = [one for one in found if one.scope is Scope.ALL or owned]
    facts = check_facts(member, resource, given, work)
    if any(one.when is not None and one.when.holds(facts) for one in reaching):
        return matrix.allowed
    if reaching:
        return matrix.condition_failed
    return matrix.owner_unknown if resource.owner_id is None else matrix.not_owner


def check_facts(
    member: Member, resource: AnyResource, given: AnyGiven | None, work: ConditionWork | None = None
) -> Facts:
    """What the conditions of a check can test; `resource` is the registered one if there is one."""
    return Facts(
        subject_id=member.user_id,
        attributes=member.attributes,
        resource_id=None if resource.id == NO_RESOURCE_ID else resource.id,
        registered=resource.properties,
        given=NOTHING_GIVEN if given is None else given,
        work=ConditionWork() if work is None else work,
    )
