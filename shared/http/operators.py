"""What an operator says with a request: a name for the audit log, and the service that is meant."""

from collections.abc import Sequence
from urllib.parse import unquote

from shared.problems import Invalid, Refusal, RefusalKind

OPERATOR_HEADER = "Rolecall-Operator"
SERVICE_HEADER = "Rolecall-Service"
NAME_LENGTH = 100
_MESSAGE = f"Send the operator's name once: 1 to {NAME_LENGTH} characters, percent-encoded UTF-8."


class OtherService(Refusal):
    """The request is for another service: several have routes of the same name."""

    kind = RefusalKind.MISDIRECTED
    code = "other-service"
    detail = (
        "This is the internal address of {service}, and the request is for another service."
        " Send it to the internal address of that one."
    )


def require_service(values: Sequence[str], service: str) -> None:
    """Check that the header's values, if there are any, name this service.

    Raises:
        OtherService: they name another one.
    """
    if any(value != service for value in values):
        raise OtherService(service=service)


def operator_name(values: Sequence[str]) -> str | None:
    """Return the name of the header's values; `None` without one.

    Raises:
        Invalid: there are several, or it is not a name.
    """
    if not values:
        return None
    try:
        [text] = values
        name = " ".join(unquote(text, errors="strict").split())
    except ValueError:
        name = ""
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise Invalid(errors=[(f"/headers/{OPERATOR_HEADER}", _MESSAGE)])
    return name
