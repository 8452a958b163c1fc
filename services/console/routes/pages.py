"""The page of a row: from the browser's request to the answer, the same way for every page."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from services.console.adapters.api import ApiRefusal, Visitor, path_step
from services.console.domain import places
from services.console.domain.browser_state import Cookie, read_link
from services.console.domain.origins import is_foreign
from services.console.pages.rendering import STATIC_FILES, Form, StaticFile
from services.console.pages.texts import NO_COOKIES, STALE_FORM
from services.console.routes.account_frame import gone_page, refused_page
from services.console.routes.answers import failed_page, page_response
from services.console.routes.browser_requests import PageContext
from services.console.routes.forms import MAX_FIELDS, NotAForm, read_form, read_pairs
from services.console.routes.kept_forms import KEPT, ask_again, go_on, keep, show_stale
from services.console.routes.live import LiveRoute, live_response
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    Shown,
    lost_secrets,
    refused_form,
    with_query,
)
from services.console.routes.session_ends import AccountGone, FormerSessionLives, SignedOut
from services.console.routes.sign_in import NOT_SIGNED_IN
from services.console.routes.visits import Visit
from shared import context
from shared.http.page_preference import prefers_page
from shared.http.proxies import Proxies

_log = logging.getLogger(__name__)
_GZIP_TAKEN = re.compile(r"(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))", re.IGNORECASE)

ENTER = "account:view"
"""What each member holds."""
FACTOR_REQUIRED = "second-factor-required"
"""The refusal that leads to the page where a user adds a second factor."""


def add_pages(
    app: web.Application,
    rows: Sequence[PageRoute],
    live: Sequence[LiveRoute],
    ctx: PageContext,
    *,
    proxies: Proxies,
) -> None:
    """Route every page, and the files that they load; an unknown address is a page for people."""
    app.middlewares.append(_missing(ctx))
    for file in STATIC_FILES.values():
        app.router.add_get(file.path, _file(file))
    for one in live:
        app.router.add_get(one.path, _live(one, ctx, proxies), allow_head=False)
    for row in rows:
        handler = _handler(row, ctx, proxies)
        for method in row.methods:
            app.router.add_route(method, row.path, handler)


def _file(file: StaticFile) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    packed = headers | {"Content-Encoding": "gzip"}

    async def give(request: web.Request) -> web.StreamResponse:
        small = _takes_gzip(request.headers.get("Accept-Encoding", ""))
        return web.Response(
            body=file.packed if small else file.body,
            content_type=file.content_type,
            charset="utf-8",
            headers=packed if small else headers,
        )

    return give


def _takes_gzip(accepted: str) -> bool:
    """Whether an answer may be packed (RFC 9110, 12.5.3): `gzip` is named, and not as unwanted."""
    return _GZIP_TAKEN.search(accepted) is not None


def _failed(ctx: PageContext, request: web.Request, *, status: int) -> web.Response:
    return failed_page(ctx, status=status, languages=request.headers.get("Accept-Language"))


def _missing(ctx: PageContext) -> Middleware:
    @web.middleware
    async def missing(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if prefers_page(request.headers.get("Accept", "")):
                return _failed(ctx, request, status=404)
            raise

    return missing


def _handler(
    row: PageRoute, ctx: PageContext, proxies: Proxies
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            visit = await _visit(request, ctx, proxies, max_fields=row.max_fields)
        except NotAForm as fault:
            return _failed(ctx, request, status=fault.status)
        if row.of_account and _names_nothing(visit):
            return _failed(ctx, request, status=404)
        if (request.method == "POST" or row.downloads) and _foreign(request, ctx):
            return _failed(ctx, request, status=403)
        try:
            outcome = await answer(row, visit, press=request.method == "POST")
            if isinstance(outcome, Shown) and visit.known:
                await visit.count_unread()
            return page_response(visit, outcome)
        except Exception:  # noqa: BLE001 - the visitor gets a page, the log gets the rest
            _log.exception("page failed")
            return _failed(ctx, request, status=500)

    return handle


def _live(
    row: LiveRoute, ctx: PageContext, proxies: Proxies
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            visit = await _visit(request, ctx, proxies)
        except NotAForm as fault:
            return _failed(ctx, request, status=fault.status)
        if _names_nothing(visit):
            return _failed(ctx, request, status=404)
        if _foreign(request, ctx):
            return _failed(ctx, request, status=403)
        return await live_response(visit, row, after=request.headers.get("Last-Event-ID"))

    return handle


async def _visit(
    request: web.Request, ctx: PageContext, proxies: Proxies, *, max_fields: int = MAX_FIELDS
) -> Visit:
    """Read a request of a browser.

    Raises:
        NotAForm: its body or its query is not one that our pages send.
    """
    return Visit(
        ctx=ctx,
        address=ctx.origin + request.rel_url.raw_path,
        place=request.match_info,
        query=read_pairs(request.rel_url.raw_query_string),
        typed=await read_form(request, max_fields=max_fields) if request.method == "POST" else {},
        cookies=request.cookies,
        visitor=Visitor(
            address=proxies.client_address(request),
            user_agent=request.headers.get("User-Agent"),
            languages=request.headers.get("Accept-Language"),
            request_id=context.request_id.get() or "",
        ),
    )


def _names_nothing(visit: Visit) -> bool:
    """Whether a part of the address cannot be an id: in a path of the API it could lead astray."""
    return any(path_step(text) != text for text in visit.place.values())


def _foreign(request: web.Request, ctx: PageContext) -> bool:
    return is_foreign(
        fetch_site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        own_origin=ctx.origin,
    )


async def answer(row: PageRoute, visit: Visit, *, press: bool) -> Outcome:
    """Answer a visit; a press counts only with the mark of a form of this browser (`T25`)."""
    try:
        if press and KEPT in visit.typed:
            return await go_on(row, visit, _here(row, visit))
        if press and row.submit is not None:
            if visit.form_fits():
                return await row.submit(visit)
            problem = STALE_FORM if Cookie.FORM in visit.cookies else NO_COOKIES
            return await show_stale(row, visit, problem)
        if row.link is not None and "token" in visit.query:
            link = read_link(visit.query["token"], visit.query.get("code", ""))
            if link is not None:
                visit.keep_link(row.link, link)
            return SeeOther(row.path)
        return _permitted(row, visit, await row.show(visit, Form()))
    except (SignedOut, FormerSessionLives) as found:
        kept = keep(row, visit) if press and isinstance(found, SignedOut) else None
        outcome: Outcome = ask_again(visit, kept) if kept else _to_sign_in(row, visit, found)
    except AccountGone:
        outcome = await gone_page(visit)
    except ApiRefusal as refusal:
        outcome = await _refused(row, visit, refusal, press=press)
    return outcome


def _permitted(row: PageRoute, visit: Visit, shown: Outcome) -> Outcome:
    """Return the page, unless the API would refuse the visitor the press of its form.

    While the account allows its members nothing, the page itself says why.

    Raises:
        ApiRefusal: it would.
    """
    may = (visit.frame or {}).get("may")
    if row.needs and callable(may) and may(ENTER) and not may(row.needs):
        raise ApiRefusal(status=403, code="permission-missing")
    return shown


def _to_sign_in(row: PageRoute, visit: Visit, found: SignedOut | FormerSessionLives) -> SeeOther:
    """Lead to the form of sign-in, and from there back to a page that needs a session."""
    if isinstance(found, FormerSessionLives):
        return SeeOther(f"{places.SIGN_IN}?{NOT_SIGNED_IN}")
    over = row.when_over if visit.typed else ""
    done = (over or "expired") if Cookie.SESSION in visit.cookies else "sign-in"
    ended = {"ended": found.ended} if found.ended else {}
    to = places.destination(_here(row, visit))
    return SeeOther(with_query(places.SIGN_IN, to=to, done=done, **ended))


def _here(row: PageRoute, visit: Visit) -> str:
    """The address of the page; one of an account keeps what a list was asked for."""
    path = row.path.format_map(visit.place)
    return places.changed_address(path, visit.query) if row.of_account else path


async def _refused(row: PageRoute, visit: Visit, refusal: ApiRefusal, *, press: bool) -> Outcome:
    """Show the form again with what is wrong; the page itself may need the API, too."""
    if refusal.code == FACTOR_REQUIRED and row.path != places.SECURITY:
        return SeeOther(with_query(places.SECURITY, done=FACTOR_REQUIRED))
    form = refused_form(visit, refusal, row.fields)
    if press:
        form.errors = {**lost_secrets(row, visit), **form.errors}
        try:
            return await row.show(visit, form)
        except AccountGone:
            return await gone_page(visit)
        except (ApiRefusal, SignedOut):
            pass
    return await refused_page(visit, form)
