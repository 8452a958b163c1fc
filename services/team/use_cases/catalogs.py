"""Publish the shipped catalogs."""

import contextlib

from rolecall import SHIPPED_CATALOGS, Catalog, load_catalog
from services.team.store import catalog_object
from services.team.use_cases.context import Ctx
from shared.contracts import team
from shared.contracts.facts import Fact, ResourceRef, service_caller
from shared.contracts.topology import Service
from shared.journal import JournalWrite
from shared.mongo import AlreadyThere


async def publish_shipped(ctx: Ctx) -> None:
    """Publish the shipped catalogs that are not published yet."""
    for name in SHIPPED_CATALOGS:
        catalog = load_catalog(name)
        if await ctx.store.catalog(catalog.id) is None:
            with contextlib.suppress(AlreadyThere):  # another process of team was first
                await _publish(ctx, catalog)


async def _publish(ctx: Ctx, catalog: Catalog) -> None:
    digest = catalog.id.partition("@")[2]
    fact = Fact(
        payload=team.CatalogPublished(name=catalog.name, digest=digest),
        resource=ResourceRef(type="catalog", id=catalog.id, name=catalog.title),
        policy_objects=(catalog_object(catalog.id, catalog.to_mapping()),),
    )

    async def change(write: JournalWrite) -> None:
        await ctx.store.insert_catalog(catalog, rev=write.rev, now=write.now, session=write.session)
        write.record(fact)

    await ctx.journal.write(
        catalog.id, change, caller=service_caller(Service.TEAM), effective_everywhere=True
    )
