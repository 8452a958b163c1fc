"""Sign-up: which input is accepted, and the facts of a new user."""

from dataclasses import dataclass

from services.identity.domain.passwords import password_fault
from services.identity.domain.users import User, payload_fields, user_fact
from services.identity.domain.verification import verified_fact
from shared.addresses import Address, parse_address
from shared.contracts.facts import Fact
from shared.contracts.identity import UserSignedUp
from shared.names import parse_name
from shared.problems import Invalid, Refusal, RefusalKind


class AccountExists(Refusal):
    """The address of an e-mailed invitation has a user with another password.

    Only the holder of the e-mailed invitation learns it: they have proved to read the mail.
    """

    kind = RefusalKind.CONFLICT
    code = "account-exists"
    detail = "A user with this address exists already. Sign in, then accept the invitation."


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The input of a sign-up after its checks."""

    address: Address
    name: str
    password: str


def check_registration(*, email: str, name: str, password: str) -> Registration:
    """Check the input of a sign-up.

    Raises:
        Invalid: it names every field that is wrong.
    """
    faults = []
    address = None
    try:
        address = parse_address(email)
    except ValueError as problem:
        faults.append(("/email", str(problem)))
    try:
        name = parse_name(name)
    except ValueError as problem:
        faults.append(("/name", str(problem)))
    if fault := password_fault(password, name=name, email=email):
        faults.append(("/password", fault))
    if address is None or faults:
        raise Invalid(errors=faults)
    return Registration(address=address, name=name, password=password)


def sign_up(user: User) -> tuple[Fact, ...]:
    """Return the facts of a new user; an e-mailed invitation verifies the user at once (Ci2)."""
    payload = UserSignedUp(
        **payload_fields(user), verified=user.verified, generation=user.generation
    )
    facts = (user_fact(user, payload, after={"email": user.email, "name": user.name}),)
    return (*facts, verified_fact(user)) if user.verified else facts
