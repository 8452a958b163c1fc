"""The rules of a check: which accounts and types a client may ask about, and the decision."""

from msgspec import Struct

from rolecall import (
    NO_ACCOUNT,
    NOTHING_GIVEN,
    AccountState,
    AnyGiven,
    AnyResource,
    Decision,
    Member,
    Reason,
    Resource,
    Subject,
    TokenSubject,
    active_member,
    decide_for_member,
    is_outsider,
    ordinary_member,
)
from rolecall.core.condition_work import ConditionWork
from rolecall.core.control_permissions import API_TOKEN_PERMISSIONS
from rolecall.core.restrictions import has_api_tokens
from shared.auth.bindings import require_account, require_type
from shared.contracts.calls.authz import CheckResult
from shared.contracts.policy_objects import ServiceClientObject
from shared.ids import TokenId
from shared.problems import Refusal, RefusalKind

CHECK_SCOPE = "authz:check"
HISTORY_PERMISSION = "audit_log:view"
"""With it a member may ask about other subjects as of a past time: that is material of an audit."""
USER_TYPE = "user"
TOKEN_TYPE = "api_token"  # noqa: S105 - a type of subjects
SUBJECT_UNKNOWN, SUBJECT_AMBIGUOUS = "subject-unknown", "subject-ambiguous"
UNNAMED_BECAUSE = {
    SUBJECT_UNKNOWN: "the type of the subject does not name members: use `user`",
    SUBJECT_AMBIGUOUS: "several members have this external id: name the subject by the user id",
}
"""The reasons of denials whose subject is not found by its name."""
NAMES_NO_MEMBER = Decision(allowed=False, reason=SUBJECT_UNKNOWN)  # type: ignore[arg-type]
NAMES_SEVERAL = Decision(allowed=False, reason=SUBJECT_AMBIGUOUS)  # type: ignore[arg-type]
"""Their reasons are not of the SDK's, which decides about users only."""
SHOWS_MEMBERSHIP = frozenset(
    {
        Reason.ALLOWED,
        Reason.ACCOUNT_SUSPENDED,
        Reason.ACCOUNT_DELETING,
        Reason.SECOND_FACTOR_REQUIRED,
        Reason.PERMISSION_UNKNOWN,
        Reason.PROJECT_UNKNOWN,
        Reason.RESOURCE_CONFLICT,
        Reason.PERMISSION_MISSING,
        Reason.OWNER_UNKNOWN,
        Reason.NOT_OWNER,
        Reason.CONDITION_FAILED,
        Reason.TOKEN_RESTRICTED,
    }
)
"""The reasons of `decide_for_user` that only a member gets. Any other one tells nothing about the
account: neither that it exists nor how far it is."""

OF_ACTIVE_MEMBERS = SHOWS_MEMBERSHIP - {Reason.ACCOUNT_SUSPENDED, Reason.ACCOUNT_DELETING}
"""The reasons of a decision about a member whose membership is in force; an account that is
suspended or being deleted is refused before the member is looked up."""


_NO_FACTOR = Reason.SECOND_FACTOR_REQUIRED
"""As a name of the module: a value of an enumeration is found ten times as slowly."""
_SIGN_IN_OVER = frozenset({Reason.USER_DISABLED, Reason.SESSION_ENDED})
_ANY_RESOURCE = Resource()
_LEFT_OUT = Decision(allowed=False, reason=Reason.PERMISSION_UNKNOWN)
ELSEWHERE = Decision(allowed=False, reason=Reason.RESOURCE_CONFLICT)


def names_member(account: AccountState | None, subject_type: str) -> bool:
    """Return whether subjects of this type are members: `user`, or a type of the catalog's own."""
    if subject_type == USER_TYPE:
        return True
    return account is not None and subject_type in account.catalog.catalog.policies.subject_types


class OtherSubject(Refusal):
    """A user or an API token asks about another subject."""

    kind = RefusalKind.DENIED
    code = "other-subject"
    detail = (
        "With a user's token you can only ask about that user, and with an API token about that"
        " token. Use a service client to ask about other subjects."
    )


class PermissionCheck(Struct, kw_only=True, gc=False):
    """One check of a permission; `account_id` is `None` if the caller and its token name none.

    It is a struct because one is made for each check: a dataclass takes five times as long to make.

    `elsewhere`: the request says that its resource belongs to another account. `given` has the
    properties of the request, which conditions test. `token` is the API token `token_id` by which
    the user acts; `None` if there is no such token any more.
    """

    user_id: str
    session_id: str | None = None
    token_id: TokenId | None = None
    token: TokenSubject | None = None
    account_id: str | None
    permission: str
    resource: AnyResource = _ANY_RESOURCE
    elsewhere: bool = False
    given: AnyGiven = NOTHING_GIVEN


def account_for_client(
    client: ServiceClientObject, *, named: str | None, resource_type: str
) -> str | None:
    """The account that a service client asks about.

    It is the account that the request names, otherwise the only one that the client is bound to.

    Raises:
        TypeNotBound: the client is bound to other resource types.
        AccountNotBound: the client is bound to other accounts.
    """
    types, bound = client.resource_types, client.account_ids
    if types is not None:
        require_type(types, resource_type)
    if named is None:
        return bound[0] if bound is not None and len(bound) == 1 else None
    if bound is not None:
        require_account(bound, named)
    return named


def decide_check(
    account: AccountState | None,
    check: PermissionCheck,
    *,
    sign_in_denial: Reason | None,
    now: int,
    work: ConditionWork | None = None,
) -> Decision:
    """Decide a check from the state of its account; `now` is in epoch milliseconds.

    The caller tests afterwards whether that state was fresh enough. Checks of one answer share
    `work`.
    """
    found = member_of(
        account,
        check.user_id,
        sign_in_denial=sign_in_denial,
        now=now,
        token=check.token,
    )
    return decide_found(account, found, check, now=now, work=work)


def member_of(
    account: AccountState | None,
    user_id: str,
    *,
    sign_in_denial: Reason | None,
    now: int,
    token: TokenSubject | None = None,
) -> Member | Decision:
    """Whom a check is about, or why every check of this subject is denied."""
    if account is None:
        return NO_ACCOUNT
    if sign_in_denial is None and token is None:
        member = ordinary_member(account, user_id)
        if member is not None:
            return member
    return active_member(account, subject_of(user_id, sign_in_denial, token), now=now)


def subject_of(user_id: str, sign_in_denial: Reason | None, token: TokenSubject | None) -> Subject:
    """The subject of a decision.

    `sign_in_denial` says what is wrong with the sign-in, if anything: the user is disabled, the
    session has ended, or the user has no second factor and the account demands one.
    """
    return Subject(
        user_id,
        user_disabled=sign_in_denial is Reason.USER_DISABLED,
        session_ended=sign_in_denial is Reason.SESSION_ENDED,
        token=token,
        second_factor=sign_in_denial is not _NO_FACTOR,
    )


def decide_found(
    account: AccountState | None,
    found: Member | Decision,
    check: PermissionCheck,
    *,
    now: int,
    work: ConditionWork | None = None,
) -> Decision:
    """Decide a check whose subject was found by `member_of` or `member_for_user`."""
    if account is None or isinstance(found, Decision):
        return found if isinstance(found, Decision) else NO_ACCOUNT
    decision = decide_for_member(
        account,
        found,
        check.permission,
        check.resource,
        now=now,
        given=check.given,
        work=work,
        token=check.token,
    )
    return ELSEWHERE if check.elsewhere and decision.allowed else decision


def decide_for_user(
    account: AccountState | None,
    check: PermissionCheck,
    *,
    sign_in_denial: Reason | None = None,
    now: int,
    work: ConditionWork | None = None,
) -> Decision:
    """Decide a check whose answer reaches its user; `now` is in epoch milliseconds."""
    found = member_for_user(
        account,
        check.account_id,
        check.user_id,
        sign_in_denial=sign_in_denial,
        now=now,
        token=check.token,
    )
    return decide_found(account, found, check, now=now, work=work)


def member_for_user(
    account: AccountState | None,
    account_id: str | None,
    user_id: str,
    *,
    sign_in_denial: Reason | None,
    now: int,
    token: TokenSubject | None = None,
) -> Member | Decision:
    """Whom a check is about whose answer reaches its user, or why every check is denied.

    An outsider gets the decision of an unknown account, and a sign-in that is over learns of none.
    """
    if sign_in_denial is not None and sign_in_denial is not _NO_FACTOR:
        return Decision(allowed=False, reason=sign_in_denial)
    if account_id is None:
        return NO_ACCOUNT
    if is_outsider(account, user_id, now=now):
        return Decision(allowed=False, reason=Reason.NOT_A_MEMBER)
    return member_of(account, user_id, sign_in_denial=sign_in_denial, now=now, token=token)


def check_for_service(
    account: AccountState | None,
    check: PermissionCheck,
    *,
    sign_in_denial: Reason | None = None,
    now: int,
) -> CheckResult:
    """Decide a check of another service of the product, which answers the user."""
    decision = decide_for_user(account, check, sign_in_denial=sign_in_denial, now=now)
    member = decision.reason in SHOWS_MEMBERSHIP
    if account is not None and member and check.permission in API_TOKEN_PERMISSIONS:
        decision = decision if has_api_tokens(account.catalog) else _LEFT_OUT
    return CheckResult(
        allowed=decision.allowed,
        member=member,
        session_ended=decision.reason in _SIGN_IN_OVER,
        reason=decision.reason,
    )
