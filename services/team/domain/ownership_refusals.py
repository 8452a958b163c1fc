"""The refusals of changes of an account's ownership."""

from services.team.domain.accounts import OwnerOnly
from shared.problems import NotFound, Refusal, RefusalKind


class TransferOwnerOnly(OwnerOnly):
    """Only the owner offers the ownership, and takes the offer back (`Nv7`)."""

    detail = "Only the owner can transfer this account. Ask the owner."


class ReceiverUnfit(Refusal):
    """The ownership goes to an active member who does not have it."""

    kind = RefusalKind.INVALID
    code = "receiver-unfit"
    detail = "The ownership can be offered to an active member of the account other than its owner."

    def __init__(self) -> None:
        super().__init__(errors=[("/user_id", "Name an active member who is not the owner.")])


class TransferPending(Refusal):
    """An account is offered to one member at a time."""

    kind = RefusalKind.CONFLICT
    code = "transfer-pending"
    detail = (
        "The ownership of this account is offered to {name} until {expires_at}. Cancel that offer"
        " first."
    )


class NoTransfer(NotFound):
    """There is no offer, or it is not for the caller."""

    detail = "No offer of the ownership of this account waits for your answer or was made by you."


class TransferExpired(Refusal):
    """The receiver answered too late."""

    kind = RefusalKind.GONE
    code = "transfer-expired"
    detail = "The offer of the ownership has expired. Ask the owner to make it again."


class AccountLimit(Refusal):
    """A user owns a bounded number of accounts."""

    kind = RefusalKind.CONFLICT
    code = "account-limit"
    detail = (
        "You own {limit} accounts, the most that one user can own. Transfer or delete one of them"
        " first."
    )


class AddressNotVerified(Refusal):
    """A team belongs to a user whose address is proved."""

    kind = RefusalKind.DENIED
    code = "address-not-verified"
    detail = "Your e-mail address is not verified. Verify it before you create an account."
