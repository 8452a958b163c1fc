"""What a condition can test: what is stored of subject and resource, and what the request says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from rolecall.core.condition_work import ConditionWork

Properties = Mapping[str, object]
"""Names and values, as JSON has them."""

NO_PROPERTIES: Properties = MappingProxyType({})


@dataclass(slots=True, unsafe_hash=True)
class Given:
    """The properties of a request, by its parts; its caller is trusted for them.

    No one changes it; a frozen class takes four times as long to make.
    """

    subject: Properties = field(default_factory=lambda: NO_PROPERTIES)
    resource: Properties = field(default_factory=lambda: NO_PROPERTIES)
    action: Properties = field(default_factory=lambda: NO_PROPERTIES)
    context: Properties = field(default_factory=lambda: NO_PROPERTIES)


NOTHING_GIVEN = Given()


class AnyGiven(Protocol):
    """What a decision reads of a request's properties: a `Given`, or another class like it."""

    @property
    def subject(self) -> Properties:
        """Those of the subject."""

    @property
    def resource(self) -> Properties:
        """Those of the resource."""

    @property
    def action(self) -> Properties:
        """Those of the action."""

    @property
    def context(self) -> Properties:
        """Those of the context."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the conditions of one check can test.

    `attributes` of the member and `registered` properties of the resource win over the `given`
    ones, name by name: a request only adds to what is stored. `work` has what the tests prepare.
    """

    subject_id: str
    attributes: Properties
    resource_id: str | None
    registered: Properties
    given: AnyGiven
    work: ConditionWork = field(default_factory=ConditionWork, compare=False, repr=False)

    def of_subject(self, name: str) -> object:
        """The subject's property of that name; `None` if there is none."""
        stored = self.attributes.get(name)
        return self.given.subject.get(name) if stored is None else stored

    def of_resource(self, name: str) -> object:
        """The resource's property of that name; `None` if there is none."""
        stored = self.registered.get(name)
        return self.given.resource.get(name) if stored is None else stored
