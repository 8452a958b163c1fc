"""One check among several, as a value."""

from dataclasses import dataclass
from typing import Any

from rolecall.client.evaluations import evaluation
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
    given: Given = NOTHING_GIVEN

    @property
    def known_resource(self) -> Resource:
        """The resource as far as it is known."""
        return Resource(self.resource) if isinstance(self.resource, str) else self.resource

    def evaluation(self) -> dict[str, Any]:
        """The check as Rolecall takes it."""
        return evaluation(
            self.subject,
            self.permission,
            self.known_resource,
            account_id=self.account,
            session_id=self.session,
            at_least_revision=self.at_least_revision,
            given=self.given,
        )
