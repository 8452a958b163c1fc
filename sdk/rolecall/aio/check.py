"""One check among several, as a value."""

from dataclasses import dataclass
from typing import Any

from rolecall.client.evaluations import Moment, evaluation
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.core.state import Resource

_UNSPECIFIED = Resource()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of `check_many`; the fields are the arguments of `Rolecall.check`."""

    subject: str
    permission: str
    resource: Resource | str = _UNSPECIFIED
    account: str | None = None
    session: str | None = None
    at_least_revision: str | None = None
    at: Moment | None = None
    given: Given = NOTHING_GIVEN

    @property
    def known_resource(self) -> Resource:
        """The resource as far as it is known."""
        return known_resource(self.resource)

    def evaluation(self) -> dict[str, Any]:
        """The check as Rolecall takes it."""
        return evaluation(
            self.subject,
            self.permission,
            self.known_resource,
            account_id=self.account,
            session_id=self.session,
            at_least_revision=self.at_least_revision,
            at=self.at,
            given=self.given,
        )


def known_resource(resource: Resource | str) -> Resource:
    """The resource with this id, or as it is described.

    Raises:
        TypeError: it is neither an id nor a `Resource`.
    """
    if isinstance(resource, str):
        return Resource(resource)
    if not isinstance(resource, Resource):
        kind = type(resource).__name__
        raise TypeError(f"The resource is of type {kind}. Pass its id as a text, or a Resource.")
    return resource
