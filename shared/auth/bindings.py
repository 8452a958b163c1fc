"""The accounts and resource types that a service client is bound to."""

from collections.abc import Collection

from shared.problems import Refusal, RefusalKind

ACT_SCOPE = "users:act"
"""The scope of service clients that may act for a user, by a token of theirs."""


MAX_ACTORS = 3
"""The service clients that may act for a user one after the other."""
MAX_EXCHANGES = 6
"""The exchanges that may follow one another: a token names every token that it was made of."""


class AccountNotBound(Refusal):
    """The service client is bound to other accounts."""

    kind = RefusalKind.DENIED
    code = "account-not-bound"
    detail = (
        "This service client is bound to other accounts. Name one of them, or use another client."
    )


class TypeNotBound(Refusal):
    """The service client is bound to other resource types."""

    kind = RefusalKind.DENIED
    code = "type-not-bound"
    detail = (
        "This service client is not bound to the resource type {resource_type}."
        " Name a type that it is bound to, or use another client."
    )


def require_account(bound: Collection[str] | None, account_id: str) -> None:
    """Check that a client with these accounts may name this one; `None` bounds nothing.

    Raises:
        AccountNotBound: the account is not among them.
    """
    if bound is not None and account_id not in bound:
        raise AccountNotBound


def require_type(bound: Collection[str] | None, resource_type: str) -> None:
    """Check that a client with these resource types may name this one; `None` bounds nothing.

    Raises:
        TypeNotBound: the type is not among them.
    """
    if bound is not None and resource_type not in bound:
        raise TypeNotBound(resource_type=resource_type)
