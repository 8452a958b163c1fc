"""Who may ask about whom, and what is the answer?"""

from dataclasses import dataclass
from typing import Protocol

from rolecall import NO_ACCOUNT, AccountState, Decision, Reason, Resource, Subject, decide
from shared.contracts.policy_objects import ServiceClientObject
from shared.problems import Refusal, RefusalKind

CHECK = "authz:check"
USER = "user"
SUBJECT_UNKNOWN = "subject-unknown"
"""The reason of a denial for a type of subject that is not known here."""


class AccountNotBound(Refusal):
    """The service client is bound to other accounts."""

    kind = RefusalKind.DENIED
    code = "account-not-bound"
    detail = "This service client is not made for this account."


class TypeNotBound(Refusal):
    """The service client is bound to other resource types."""

    kind = RefusalKind.DENIED
    code = "type-not-bound"
    detail = "This service client is not made for resources of the type {resource_type}."


class OtherSubject(Refusal):
    """A person asks about somebody else."""

    kind = RefusalKind.DENIED
    code = "other-subject"
    detail = "With a user's token you may ask about yourself only."


class Sources(Protocol):
    """What is known, as `decide` needs it."""

    def account(self, account_id: str) -> AccountState | None:
        """The account's state."""

    def ended(self, session_id: str) -> bool:
        """Whether the session was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question: may this user (in this session) do that, to this resource of this account?"""

    user_id: str
    session_id: str | None
    account_id: str | None
    permission: str
    resource: Resource


def account_for_client(
    client: ServiceClientObject, *, named: str | None, resource_type: str
) -> str | None:
    """The account that a service client's question is about.

    That is the one that it names, else the only one that it is bound to.

    Raises:
        TypeNotBound, AccountNotBound: it may not ask about that type or account.
    """
    if client.resource_types is not None and resource_type not in client.resource_types:
        raise TypeNotBound(resource_type=resource_type)
    bound = client.account_ids
    if named is None:
        return bound[0] if bound is not None and len(bound) == 1 else None
    if bound is not None and named not in bound:
        raise AccountNotBound
    return named


def judge(known: Sources, check: Check, *, now: int) -> Decision:
    """Answer from what is known; whether that is fresh enough is asked afterwards.

    `now` is in epoch milliseconds.
    """
    account = None if check.account_id is None else known.account(check.account_id)
    if account is None:
        return NO_ACCOUNT
    ended = check.session_id is not None and known.ended(check.session_id)
    subject = Subject(check.user_id, session_ended=ended)
    return decide(account, subject, check.permission, check.resource, now=now)


def shows_membership(decision: Decision) -> bool:
    """Whether the user of this decision may know that the account exists."""
    return decision.reason not in {
        Reason.NO_ACCOUNT,
        Reason.NOT_A_MEMBER,
        Reason.MEMBERSHIP_EXPIRED,
    }
