"""The members of requests that name a catalog, and what becomes of roles and levels in it."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.config import JsonDict

from services.team.domain.catalog_mapping import CatalogMapping
from shared.http.routes import Body

CatalogName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="A name, for the newest version of that catalog, or a version `name@sha256`",
    ),
]
Word = Annotated[str, Field(min_length=1, max_length=200)]
RoleKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
LevelKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}:[a-z][a-z0-9_-]{0,63}$")]
NO_OTHER_KEY: JsonDict = {"additionalProperties": False}
"""A key that does not have the form is refused; a schema of patterns alone would permit it."""


class MappingBody(Body):
    """What becomes of roles and levels that are in use and have no certain counterpart."""

    roles: dict[RoleKey, Word] = Field(
        default_factory=dict,
        max_length=500,
        json_schema_extra=NO_OTHER_KEY,
        description="Role of the present catalog, or custom role → role of the new catalog",
    )
    levels: dict[LevelKey, Word | None] = Field(
        default_factory=dict,
        max_length=1_000,
        json_schema_extra=NO_OTHER_KEY,
        description="Level of the present catalog (`entry:level`) → level of the new one; null ends"
        " its grants",
    )
    overrides: Literal["keep", "end"] = Field(
        default="keep", description="`end`: they end if the new catalog does not offer them"
    )


def catalog_mapping(body: MappingBody) -> CatalogMapping:
    """The mapping of a request."""
    return CatalogMapping(
        roles=body.roles, levels=body.levels, end_overrides=body.overrides == "end"
    )
