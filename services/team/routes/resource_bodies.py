"""What requests about registered resources take."""

import json
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from services.team.domain.resources import Property
from shared.http.paging import PageQuery
from shared.http.routes import Body
from shared.ids import FORMS

MAX_BATCH = 500
"""A change of this many takes half of the time that a transaction has."""
BATCH_CAP_BYTES = 2 * 1024 * 1024
MAX_PROPERTIES = 32
MAX_PROPERTY_BYTES = 2_048
MAX_INTEGER = 2**53 - 1
"""The largest integer that every reader of JSON takes for what it is (RFC 8259, 6)."""
TOLD_OTHERWISE = frozenset({"account_id", "project_id", "owner_id"})


def _pattern(name: str) -> str:
    return f"^{FORMS[name].pattern}$"


def _small(properties: dict[str, Property]) -> dict[str, Property]:
    if taken := TOLD_OTHERWISE & properties.keys():
        raise ValueError(f"{min(taken)} is not a property: it has a member of its own.")
    if len(json.dumps(properties, ensure_ascii=False).encode()) > MAX_PROPERTY_BYTES:
        raise ValueError(f"The properties must have {MAX_PROPERTY_BYTES} bytes at most, as JSON.")
    return properties


def _distinct(types: list[str]) -> list[str]:
    if len(set(types)) < len(types):
        raise ValueError("A type is there twice. Name each once.")
    return types


def _fraction(value: object) -> object:
    """An integer that is too large is not taken for a fraction."""
    if isinstance(value, int):
        raise ValueError(f"An integer must be between -{MAX_INTEGER} and {MAX_INTEGER}.")
    return value


PropertyName = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
PropertyValue = (
    Annotated[bool, Strict()]
    | Annotated[int, Strict(), Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | Annotated[float, BeforeValidator(_fraction), Strict(), Field(allow_inf_nan=False)]
    | Annotated[str, Strict(), Field(max_length=256)]
)
Properties = Annotated[
    dict[PropertyName, PropertyValue],
    Field(max_length=MAX_PROPERTIES, json_schema_extra={"additionalProperties": False}),
    AfterValidator(_small),
]
ResourceType = Annotated[str, Field(pattern=_pattern("type"))]
ProjectIdText = Annotated[str, Field(pattern=r"^prj_[0-9a-f]{32}$")]
UserIdText = Annotated[str, Field(pattern=r"^usr_[0-9a-f]{32}$")]


class RegisterResource(Body):
    """What is registered of a resource; what is left out is not known of it."""

    project_id: ProjectIdText | None = None
    owner_id: UserIdText | None = None
    properties: Properties = Field(default_factory=dict)


class NamedResource(RegisterResource):
    """A resource, by its type and its id at the service that registers it."""

    type: ResourceType
    id: Annotated[str, Field(pattern=_pattern("rid"))]


class RegisterResources(Body):
    """Resources that are registered by one change."""

    resources: Annotated[list[NamedResource], Field(min_length=1, max_length=MAX_BATCH)]


class ReassignResources(Body):
    """Whose resources get another owner; `types` and `project_id` narrow them down."""

    from_user_id: UserIdText
    to_user_id: UserIdText
    types: (
        Annotated[
            list[ResourceType],
            Field(min_length=1, max_length=20, json_schema_extra={"uniqueItems": True}),
            AfterValidator(_distinct),
        ]
        | None
    ) = None
    project_id: ProjectIdText | None = None


class ResourcesQuery(PageQuery):
    """The filters of the list."""

    type: ResourceType | None = Field(default=None, description="Only resources of this type")
    project: ProjectIdText | None = Field(default=None, description="Only those of this project")
    owner: UserIdText | None = Field(default=None, description="Only those of this user")
