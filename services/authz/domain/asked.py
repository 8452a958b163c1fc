"""What a request says of a resource, and its properties, as structures that are made quickly."""

from msgspec import Struct

from rolecall import NO_PROPERTIES, Properties


class AskedResource(Struct, gc=False):
    """The resource of a request, as a `Resource`; it takes a third of the time to make."""

    id: str | None = None
    owner_id: str | None = None
    project_id: str | None = None
    properties: Properties = NO_PROPERTIES


class AskedProperties(Struct, gc=False):
    """The properties of a request, as a `Given`; they take a third of the time to make."""

    subject: Properties
    resource: Properties
    action: Properties = NO_PROPERTIES
    context: Properties = NO_PROPERTIES
