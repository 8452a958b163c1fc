"""The operator's routes of published catalogs."""

from datetime import datetime
from typing import Any

from pydantic import Field

from services.team.domain.catalogs import CatalogNotThere, CatalogTooLarge
from services.team.routes.catalog_fields import CatalogName, MappingBody, catalog_mapping
from services.team.routes.catalog_moves import MoveView, move_view
from services.team.use_cases import catalog_moves, catalogs
from services.team.use_cases.catalog_moves import BatchItem
from services.team.use_cases.catalogs import ShownCatalog
from services.team.use_cases.context import Ctx
from shared.http.access import Admin
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId

CONTENT_CAP_BYTES = 256 * 1024
"""Of a request with a catalog: its own limit is stated in its refusal, with the size."""
MAX_BATCH = 100


class PublishCatalog(Body):
    """A catalog as JSON; with `dry_run` it is checked and not published."""

    content: dict[str, Any]
    dry_run: bool = False


class PublishedView(Answer):
    """A version; `new` if this request published it, or would have without `dry_run`."""

    id: str
    name: str
    title: str
    new: bool


class CatalogVersionView(Answer):
    """A published version. `newest` is the one that the bare name stands for."""

    id: str
    name: str
    title: str
    published_at: datetime
    newest: bool
    of_new_accounts: bool
    accounts: int


class CatalogContentView(CatalogVersionView):
    """A published version with its content."""

    content: dict[str, Any]


class MoveAccounts(Body):
    """The catalog to which the accounts of this version move, a batch at a time.

    `after` is the `last` of the batch before. With `dry_run` nothing changes, and each item says
    what would.
    """

    catalog: CatalogName
    mapping: MappingBody = MappingBody()
    after: str | None = Field(default=None, pattern="^acc_[0-9a-f]{32}$")
    dry_run: bool = False
    limit: int = Field(default=50, ge=1, le=MAX_BATCH)


class FaultView(Answer):
    """A place in the request, and what is wrong there or missing."""

    pointer: str
    message: str


class BatchItemView(Answer):
    """One account of a batch; `code` and `detail` say why it cannot be moved.

    A dry run moves none: `moved` is false, and `changed` is what a move would change.
    """

    account_id: str
    moved: bool
    revision: str | None
    effective: bool
    changed: MoveView | None
    code: str | None
    detail: str | None
    errors: list[FaultView]


class BatchView(Answer):
    """One batch. `last` is what the next one goes on `after`; null at the end."""

    catalog: str
    items: list[BatchItemView]
    last: str | None


async def publish(ctx: Ctx, call: Call[PublishCatalog, None]) -> Reply:
    """Publish a catalog, or check it."""
    written = await catalogs.publish(
        ctx, call.caller, content=call.body.content, dry_run=call.body.dry_run
    )
    catalog = written.result.catalog
    body = PublishedView(
        id=catalog.id, name=catalog.name, title=catalog.title, new=written.result.new
    )
    return Reply(body=body, written=written)


async def list_all(ctx: Ctx, call: Call[None, PageQuery]) -> Page[CatalogVersionView]:
    """List the published versions by name, those of one name by their time."""
    found = await catalogs.list_all(ctx)
    page, following = paged(found, call, key=_key)
    return Page[CatalogVersionView](
        items=[CatalogVersionView(**_version(one)) for one in page], next_cursor=following
    )


async def get(ctx: Ctx, call: Call[None, None]) -> CatalogContentView:
    """Return one published version."""
    shown, compiled = await catalogs.get(ctx, call.path["catalog_id"])
    return CatalogContentView(**_version(shown), content=compiled.catalog.to_mapping())


async def move(ctx: Ctx, call: Call[MoveAccounts, None]) -> BatchView:
    """Move a batch of accounts."""
    body = call.body
    batch = await catalog_moves.move_batch(
        ctx,
        call.caller,
        catalog_id=call.path["catalog_id"],
        target_name=body.catalog,
        mapping=catalog_mapping(body.mapping),
        after=None if body.after is None else AccountId(body.after),
        limit=body.limit,
        dry_run=body.dry_run,
    )
    return BatchView(
        catalog=batch.target.id, items=[_item(item) for item in batch.items], last=batch.last
    )


def _key(shown: ShownCatalog) -> tuple[str, str]:
    version = shown.version
    return f"{version.name}@{version.published_at.isoformat()}", version.catalog_id


def _version(shown: ShownCatalog) -> dict[str, Any]:
    version = shown.version
    return {
        "id": version.catalog_id,
        "name": version.name,
        "title": version.title,
        "published_at": version.published_at,
        "newest": shown.newest,
        "of_new_accounts": shown.of_new_accounts,
        "accounts": shown.accounts,
    }


def _item(item: BatchItem) -> BatchItemView:
    refusal = item.refusal
    return BatchItemView(
        account_id=item.account_id,
        moved=refusal is None and not item.dry_run,
        revision=item.revision,
        effective=item.effective,
        changed=None if item.move is None else move_view(item.move),
        code=None if refusal is None else refusal.code,
        detail=None if refusal is None else str(refusal),
        errors=[] if refusal is None else [FaultView(**e._asdict()) for e in refusal.errors],
    )


ROUTES = (
    Route(
        method="POST",
        path="/internal/admin/catalogs",
        handler=publish,
        operation_id="publishCatalog",
        summary="Publish a catalog of the platform's own",
        tag="admin",
        access=Admin(),
        takes=PublishCatalog,
        gives=PublishedView,
        refuses=(CatalogTooLarge,),
        body_cap=CONTENT_CAP_BYTES,
        effective_everywhere=True,
        on_repeat="The same content is one version: a repeat answers the same, with `new: false`.",
    ),
    Route(
        method="GET",
        path="/internal/admin/catalogs",
        handler=list_all,
        operation_id="listCatalogs",
        summary="The published catalogs, and how many accounts have each",
        tag="admin",
        access=Admin(),
        query=PageQuery,
        gives=Page[CatalogVersionView],
    ),
    Route(
        method="GET",
        path="/internal/admin/catalogs/{catalog_id}",
        handler=get,
        operation_id="getPublishedCatalog",
        summary="One published catalog with its content",
        tag="admin",
        access=Admin(),
        gives=CatalogContentView,
        refuses=(CatalogNotThere,),
    ),
    Route(
        method="POST",
        path="/internal/admin/catalogs/{catalog_id}/move",
        handler=move,
        operation_id="moveAccounts",
        summary="Move accounts of one version to another, a batch at a time",
        tag="admin",
        access=Admin(),
        takes=MoveAccounts,
        gives=BatchView,
        refuses=(CatalogNotThere,),
        on_repeat="Accounts that were moved have another version, and are not taken again.",
    ),
)
