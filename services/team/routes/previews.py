"""The route that says what a change would do, without making it."""

from dataclasses import replace
from typing import Any

from services.team.routes.account_routes import account_request
from services.team.routes.preview_bodies import REAL_ROUTES, AnyChange, PreviewedChange
from services.team.routes.preview_views import ComparedTag, PreviewView, observed, preview_view
from services.team.use_cases import previews
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.access import Permission
from shared.http.paging import PageQuery, read_cursor
from shared.http.routes import Call, Route
from shared.problems import Pointed, Refusal


async def preview_change(
    ctx: Ctx, call: Call[PreviewedChange, PageQuery], request: AccountRequest
) -> PreviewView:
    """Say what a change would do."""
    read_cursor(call)  # refused before the work
    tag = ComparedTag()
    real = _real_call(call, call.body.change, tag)

    async def change(dry: Ctx, real_request: AccountRequest) -> object:
        return await real.route.handler(dry, real, real_request)

    try:
        found = await previews.preview(
            ctx, request, replace(account_request(real), previewed=None), change
        )
    except Refusal as refusal:
        refusal.errors = tuple(
            Pointed(f"/change{error.pointer.removeprefix('/query')}", error.message)
            for error in refusal.errors
        )
        raise
    return preview_view(call, found, etag=tag.value)


def _real_call(
    call: Call[PreviewedChange, PageQuery], change: AnyChange, tag: ComparedTag
) -> Call[Any, Any]:
    """The call of the route that makes the change, without a key."""
    route = REAL_ROUTES[type(change)]
    path = {
        name: call.path[name] if name in call.path else getattr(change, name)
        for name in route.parameters
    }
    return Call(
        caller=call.caller,
        principal=call.principal,
        path=path,
        body=None if route.takes is None else change,
        query=None if route.query is None else change,
        headers=call.headers,
        method=call.method,
        target=call.target,
        route=route,
        request_id=call.request_id,
        precondition=observed(call, route, tag),
    )


def _refusals() -> tuple[type[Refusal], ...]:
    """The refusals of all real routes: of each code the most general one."""
    general: dict[str, type[Refusal]] = {}
    for refusal in (one for row in REAL_ROUTES.values() for one in row.refuses):
        known = general.setdefault(refusal.code, refusal)
        if issubclass(known, refusal):
            general[refusal.code] = refusal
    return tuple(general.values())


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/changes/preview",
        handler=preview_change,
        operation_id="previewChange",
        summary="What a change would give and take, before it is made",
        tag="changes",
        access=Permission("account:view"),
        caller_rule="The caller needs what the change itself needs.",
        takes=PreviewedChange,
        query=PageQuery,
        gives=PreviewView,
        refuses=_refusals(),
        only_previews=True,
        on_repeat="Changes nothing.",
    ),
)
