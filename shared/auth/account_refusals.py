"""Why an account refuses a member everything: it is closed, or demands a second factor."""

from collections.abc import Mapping

from shared.problems import Refusal, RefusalKind


class SuspendedAccount(Refusal):
    """The platform has suspended the account: its members can do nothing in it."""

    kind = RefusalKind.DENIED
    code = "account-suspended"
    detail = (
        "The platform has suspended this account. Nothing in it is lost. Its owner can ask the"
        " platform."
    )


class DeletingAccount(Refusal):
    """The owner has deleted the account, and may still restore it."""

    kind = RefusalKind.DENIED
    code = "account-deleting"
    detail = "This account is being deleted. Only its owner can restore it."


class SecondFactorRequired(Refusal):
    """The account demands a second factor of its members, and the caller has none."""

    kind = RefusalKind.DENIED
    code = "second-factor-required"
    detail = (
        "This account demands a second factor of its members, and you have none. Add an app that"
        " makes codes with POST /v1/me/mfa/totp, or a passkey with POST /v1/me/passkey-challenges,"
        " then try again."
    )


ACCOUNT_CLOSED: Mapping[str, type[Refusal]] = {
    refusal.code: refusal for refusal in (SuspendedAccount, DeletingAccount)
}
"""The refusal for each reason by which a decision denies everything in an account."""
SHUT_OUT: Mapping[str, type[Refusal]] = {
    **ACCOUNT_CLOSED,
    SecondFactorRequired.code: SecondFactorRequired,
}
"""The refusal for each reason by which a decision denies a member everything in an account."""
