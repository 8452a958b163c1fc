"""Published catalogs: those of Rolecall, those of the platform, and how many accounts use each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rolecall import SHIPPED_CATALOGS, Catalog, CompiledCatalog, load_catalog
from services.team.domain import catalogs
from services.team.domain.catalogs import CatalogNotThere, CatalogVersion, unknown_catalog
from services.team.use_cases.context import Ctx
from shared.contracts.facts import Caller, service_caller
from shared.contracts.topology import Service
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere
from shared.problems import StartRefused, Unavailable


@dataclass(frozen=True, kw_only=True)
class ShownCatalog:
    """A published version; `newest` is what its bare name stands for.

    `of_new_accounts`: new personal accounts get it. `accounts` have it now.
    """

    version: CatalogVersion
    newest: bool
    of_new_accounts: bool
    accounts: int


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The version of a content; `new` if no one had published it before."""

    catalog: Catalog
    new: bool


async def publish_shipped(ctx: Ctx) -> None:
    """Publish the shipped catalogs that are not published yet."""
    for name in SHIPPED_CATALOGS:
        catalog = load_catalog(name)
        if await ctx.store.catalog(catalog.id) is None:
            await _publish(ctx, catalog, caller=service_caller(Service.TEAM))


async def require_personal_catalog(ctx: Ctx) -> None:
    """Check at the start that new accounts have a catalog.

    Raises:
        StartRefused: the setting names none that is published.
    """
    name = ctx.settings.personal_catalog
    if await ctx.store.catalog_named(name) is None:
        raise StartRefused(
            f"ROLECALL_TEAM_PERSONAL_CATALOG names the catalog {name}, which is not published."
            f" Published are: {await _known(ctx)}. Start with one of them, publish yours with"
            " `rolecall catalog publish`, and then name it."
        )


async def personal_catalog(ctx: Ctx) -> Catalog:
    """The catalog of new personal accounts; of a bare name the newest version.

    Raises:
        Unavailable: it is not published yet, because the service is starting.
    """
    name = ctx.settings.personal_catalog
    found = await ctx.store.catalog_named(name)
    if found is None:
        raise Unavailable
    return found.catalog


async def publish(
    ctx: Ctx, caller: Caller, *, content: Mapping[str, Any], dry_run: bool
) -> WriteResult[Publication]:
    """Publish a version of the platform's own catalog; the same content is published once.

    Raises:
        Invalid, CatalogTooLarge: see the domain.
    """
    catalog = catalogs.parse_content(content)
    if dry_run:
        new = await ctx.store.catalog(catalog.id) is None
        return WriteResult(result=Publication(catalog=catalog, new=new), revision=None)
    return await _publish(ctx, catalog, caller=caller)


async def list_all(ctx: Ctx) -> list[ShownCatalog]:
    """List the published versions, the newest first."""
    versions = await ctx.store.catalog_versions()
    return [await _shown(ctx, version) for version in versions]


async def get(ctx: Ctx, catalog_id: str) -> tuple[ShownCatalog, CompiledCatalog]:
    """Return one published version with its content.

    Raises:
        CatalogNotThere: there is none of that id.
    """
    compiled = await ctx.store.catalog(catalog_id)
    if compiled is None:
        raise CatalogNotThere(catalog_id)
    [version] = [
        one
        for one in await ctx.store.catalog_versions(name=compiled.catalog.name)
        if one.catalog_id == catalog_id
    ]
    return await _shown(ctx, version), compiled


async def catalog_named(ctx: Ctx, name: str) -> CompiledCatalog:
    """The published version that a request names, by its id or a bare name.

    Raises:
        Invalid: there is none.
    """
    found = await ctx.store.catalog_named(name)
    if found is None:
        raise unknown_catalog(await _known(ctx))
    return found


async def _publish(ctx: Ctx, catalog: Catalog, *, caller: Caller) -> WriteResult[Publication]:
    """Publish the version, or wait until an earlier publication is in force everywhere."""

    async def change(write: JournalWrite) -> Publication:
        if await ctx.store.catalog(catalog.id) is not None:
            return Publication(catalog=catalog, new=False)
        await ctx.store.insert_catalog(catalog, rev=write.rev, now=write.now, session=write.session)
        write.record(catalogs.published(catalog))
        return Publication(catalog=catalog, new=True)

    try:
        return await ctx.journal.write(catalog.id, change, caller=caller, effective_everywhere=True)
    except AlreadyThere:  # another process of team was first
        return WriteResult(result=Publication(catalog=catalog, new=False), revision=None)


async def _shown(ctx: Ctx, version: CatalogVersion) -> ShownCatalog:
    newest = await ctx.store.catalog_named(version.name)
    personal = await ctx.store.catalog_named(ctx.settings.personal_catalog)
    return ShownCatalog(
        version=version,
        newest=newest is not None and newest.id == version.catalog_id,
        of_new_accounts=personal is not None and personal.id == version.catalog_id,
        accounts=await ctx.store.count_accounts(version.catalog_id),
    )


async def _known(ctx: Ctx) -> str:
    return ", ".join(sorted({version.name for version in await ctx.store.catalog_versions()}))
