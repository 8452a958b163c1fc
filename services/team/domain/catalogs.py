"""Published catalogs: how a platform publishes a version of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rolecall import Catalog, CatalogError, require_own_name
from shared.contracts import policy_objects, team
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.problems import Invalid, NotFound, Refusal, RefusalKind

MAX_CATALOG_BYTES = 64 * 1024
"""A published catalog is one row of the journal, and every replica of authz holds all of them."""


class CatalogTooLarge(Refusal):
    """A catalog travels in one row of the journal."""

    kind = RefusalKind.TOO_LARGE
    code = "catalog-too-large"
    detail = (
        "The catalog has {size} bytes as JSON, and {limit} are allowed. Shorten descriptions, or"
        " merge entries and levels."
    )


class CatalogNotThere(NotFound):
    """No catalog of this id is published."""

    detail = "No catalog `{catalog}` is published. List the published ones to see their ids."

    def __init__(self, catalog_id: str) -> None:
        Refusal.__init__(self, catalog=catalog_id)


@dataclass(frozen=True, kw_only=True)
class CatalogVersion:
    """A published version, without its content."""

    catalog_id: str
    name: str
    title: str
    published_at: datetime


def parse_content(content: Mapping[str, Any]) -> Catalog:
    """Check the content of a provider's own catalog.

    Raises:
        Invalid: with every fault at its place, as `rolecall catalog check` reports them.
        CatalogTooLarge: it has more than `MAX_CATALOG_BYTES`.
    """
    try:
        catalog = Catalog.from_mapping(content)
        require_own_name(catalog)
    except CatalogError as error:
        errors = [(f"/content{problem.pointer}", problem.message) for problem in error.problems]
        raise Invalid(errors=errors) from error
    size = len(json.dumps(catalog.to_mapping()))
    if size > MAX_CATALOG_BYTES:
        raise CatalogTooLarge(size=size, limit=MAX_CATALOG_BYTES)
    return catalog


def published(catalog: Catalog) -> Fact:
    """The fact that a version is there from now on."""
    digest = catalog.id.partition("@")[2]
    return Fact(
        payload=team.CatalogPublished(name=catalog.name, digest=digest),
        resource=ResourceRef(type="catalog", id=catalog.id, name=catalog.title),
        after={"name": catalog.name, "title": catalog.title, "digest": digest},
        policy_objects=(catalog_object(catalog.id, catalog.to_mapping()),),
    )


def catalog_object(catalog_id: str, content: Mapping[str, Any], *, rev: int = 0) -> PolicyObject:
    """A published catalog, as authz reads it."""
    state = policy_objects.CatalogObject(content=dict(content))
    return PolicyObject(
        kind=PolicyObjectKind.CATALOG, id=catalog_id, rev=rev, state=state.model_dump(mode="json")
    )


def unknown_catalog(known: str) -> Invalid:
    """The refusal of a name that no published catalog has; `known` lists those that there are."""
    message = f"There is no catalog with this name. Published are: {known}."
    return Invalid(errors=[("/catalog", message)])
