"""The routes of saved searches of the audit log."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from services.audit.domain.saved_searches import SavedSearch, SearchChange, TooManySearches
from services.audit.routes.filters import READ, SavedFilters
from services.audit.use_cases import saved_searches
from services.audit.use_cases.context import Ctx
from shared.http.entity_tags import TaggedAnswer
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import AccountId, SearchId, UserId
from shared.names import parse_name

OF_OTHERS = "account:update"
"""The permission to change and delete what other members have shared."""
PATH = "/v1/accounts/{account_id}/audit-searches"

Name = Annotated[
    str,
    Field(min_length=1, max_length=400, examples=["Denials of this month"]),
    AfterValidator(parse_name),
]


class NewSavedSearch(Body):
    """A name and filters, as a search takes them. `shared` shows it to every reader of the log."""

    name: Name
    filters: SavedFilters
    shared: bool = False


class ChangeSavedSearch(Body):
    """What changes; a member that is left out stays as it is. New filters replace all former."""

    name: Name | None = None
    filters: SavedFilters | None = None
    shared: bool | None = None


class SavedSearchView(TaggedAnswer):
    """A saved search. Send its `filters` as the query of a search, an export or a tail."""

    id: SearchId
    account_id: AccountId
    name: str
    filters: dict[str, str]
    shared: bool
    created_by: UserId
    created_at: datetime

    @classmethod
    def of(cls, search: SavedSearch) -> Self:
        """Return the search as the API shows it."""
        return cls(
            id=search.id,
            account_id=search.account_id,
            name=search.name,
            filters=dict(search.filters),
            shared=search.shared,
            created_by=search.created_by,
            created_at=search.created_at,
        )


def search_id(call: Call[Any, Any]) -> SearchId:
    """Return the search that the path names."""
    return SearchId(call.path["search_id"])


def _given(filters: SavedFilters) -> Mapping[str, str]:
    """The filters that are set, as the query of a search has them."""
    given: dict[str, str] = filters.model_dump(mode="json", by_alias=True, exclude_none=True)
    return given


async def _require_manager(ctx: Ctx, call: Call[Any, Any]) -> None:
    await ctx.checker.check(call.member, call.account_id, OF_OTHERS, revision=None)


async def list_searches(ctx: Ctx, call: Call[None, PageQuery]) -> Page[SavedSearchView]:
    """List the searches that the caller sees."""
    found = await saved_searches.list_searches(ctx, call.account_id, call.member.user_id)
    page, following = paged(found, call, key=lambda search: (search.id, ""))
    return Page[SavedSearchView](items=list(map(SavedSearchView.of, page)), next_cursor=following)


async def save_search(ctx: Ctx, call: Call[NewSavedSearch, None]) -> Reply:
    """Save a search."""
    saved = await saved_searches.save_search(
        ctx,
        call.caller,
        call.account_id,
        user_id=call.member.user_id,
        name=call.body.name,
        filters=_given(call.body.filters),
        shared=call.body.shared,
        guard=call.guard,
        answer=SavedSearchView.of,
    )
    return Reply(body=SavedSearchView.of(saved.result))


async def show_search(ctx: Ctx, call: Call[None, None]) -> SavedSearchView:
    """Return a search."""
    return SavedSearchView.of(
        await saved_searches.show_search(
            ctx, call.account_id, search_id(call), user_id=call.member.user_id
        )
    )


async def change_search(ctx: Ctx, call: Call[ChangeSavedSearch, None]) -> SavedSearchView:
    """Change a search."""
    filters = call.body.filters
    changed = await saved_searches.change_search(
        ctx,
        call.caller,
        call.account_id,
        search_id(call),
        user_id=call.member.user_id,
        wanted=SearchChange(
            name=call.body.name,
            filters=None if filters is None else _given(filters),
            shared=call.body.shared,
        ),
        may_change=partial(_require_manager, ctx, call),
        precondition=call.precondition,
    )
    return SavedSearchView.of(changed.result)


async def delete_search(ctx: Ctx, call: Call[None, None]) -> None:
    """Delete a search."""
    await saved_searches.delete_search(
        ctx,
        call.caller,
        call.account_id,
        search_id(call),
        user_id=call.member.user_id,
        may_change=partial(_require_manager, ctx, call),
        precondition=call.precondition,
    )


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handler=list_searches,
        operation_id="listAuditSearches",
        summary="List the saved searches that the caller sees: their own, and shared ones",
        tag="audit",
        access=READ,
        query=PageQuery,
        gives=Page[SavedSearchView],
    ),
    Route(
        method="POST",
        path=PATH,
        handler=save_search,
        operation_id="saveAuditSearch",
        summary="Save filters of the audit log under a name",
        tag="audit",
        access=READ,
        takes=NewSavedSearch,
        gives=SavedSearchView,
        status=201,
        refuses=(TooManySearches,),
        idempotent=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/{{search_id}}",
        handler=show_search,
        operation_id="getAuditSearch",
        summary="Show a saved search",
        tag="audit",
        access=READ,
        gives=SavedSearchView,
        represent=SavedSearchView.of,
    ),
    Route(
        method="PATCH",
        path=f"{PATH}/{{search_id}}",
        handler=change_search,
        operation_id="changeAuditSearch",
        summary="Change a saved search; of other members with `account:update`",
        tag="audit",
        access=READ,
        takes=ChangeSavedSearch,
        gives=SavedSearchView,
        refuses=(TooManySearches,),
        represent=SavedSearchView.of,
    ),
    Route(
        method="DELETE",
        path=f"{PATH}/{{search_id}}",
        handler=delete_search,
        operation_id="deleteAuditSearch",
        summary="Delete a saved search; of other members with `account:update`",
        tag="audit",
        access=READ,
        refuses=(),
        represent=SavedSearchView.of,
    ),
)
