"""The answers to a browser: pages, redirects and cookies, with the headers of each."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from aiohttp import web

from services.console.domain.browser_state import Cookie
from services.console.domain.moments import shown_moment
from services.console.domain.places import changed_address
from services.console.pages.rendering import Form, render
from services.console.pages.texts import DONE, FAILURES
from services.console.pages.words import WORDS, fault_in
from services.console.routes.browser_requests import PageContext
from services.console.routes.outcomes import Download, Outcome, SeeOther
from services.console.routes.visits import Visit
from shared.http.streams import Stream, StreamedResponse
from shared.locales import preferred_locale

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
SCRIPTED_POLICY = f"{POLICY}; script-src 'self'; require-trusted-types-for 'script'"
"""What a page with a script of ours may do. No page has a script in its text."""
LIVE_POLICY = f"{SCRIPTED_POLICY}; connect-src 'self'"
"""What a page of a signed-in user may do: its script follows their notifications."""
STALL_SECONDS = 30.0
"""A browser that takes nothing of a file for so long is cut off."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def page_response(visit: Visit, outcome: Outcome) -> web.StreamResponse:
    """Make the answer of an outcome, with the cookies that the visit sets."""
    response: web.StreamResponse
    if isinstance(outcome, SeeOther):
        visit.keep_note(outcome.path)
        response = web.Response(status=303, headers={**HEADERS, "Location": outcome.path})
    elif isinstance(outcome, Download):
        response = _file(outcome)
    else:
        language = str(outcome.words.get("language", visit.language))
        form = outcome.form
        pressed = bool(visit.typed) and outcome.reloads
        words = {
            "product": visit.ctx.product,
            "form": replace(
                form,
                problem=fault_in(language, form.problem),
                errors={name: fault_in(language, fault) for name, fault in form.errors.items()},
            ),
            "mark": visit.form_mark(),
            "once": form.values.get("once") or visit.ctx.new_text(),
            "when": partial(shown_moment, locale=language, time_zone=visit.time_zone),
            "here_path": visit.path,
            "spoken": partial(fault_in, language),
            "here": partial(changed_address, visit.path, visit.query),
            "time_zone": visit.time_zone,
            "signed_in": visit.session is not None,
            "passkeys_work": visit.ctx.passkeys_work,
            "unread": visit.unread,
            "pressed": pressed,
            "done": fault_in(language, DONE.get(visit.said("done"), "")),
            "language": language,
            **(visit.frame or {}),
            **outcome.words,
        }
        if form.state and "state" in words:
            words["state"] = form.state
        text = render(outcome.template, words)
        response = _page(text, status=outcome.form.status)
        if visit.session is not None:
            response.headers["Content-Security-Policy"] = LIVE_POLICY
        elif outcome.scripted or pressed:
            response.headers["Content-Security-Policy"] = SCRIPTED_POLICY
    for cookie, value in visit.kept.items():
        set_cookie(response, cookie, value)
    return response


def _file(outcome: Download) -> web.StreamResponse:
    headers = outcome.answer.headers
    stream = Stream(
        pieces=outcome.answer.pieces,
        stall_seconds=STALL_SECONDS,
        media=headers.get("Content-Type", "application/octet-stream"),
    )
    unnamed = f'attachment; filename="{outcome.name}"' if outcome.name else "attachment"
    named = headers.get("Content-Disposition", unnamed)
    if outcome.own_name:
        named = f'attachment; filename="{outcome.own_name}"'
    return StreamedResponse(stream, {**HEADERS, "Content-Disposition": named})


def set_cookie(response: web.StreamResponse, cookie: Cookie, value: str) -> None:
    """Set a cookie of this browser session; an empty one is deleted."""
    response.set_cookie(
        cookie,
        value,
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
        max_age=None if value else 0,
    )


def failed_page(ctx: PageContext, *, status: int, languages: str | None) -> web.Response:
    """Make the page of a request that no page took, in the language that its browser prefers."""
    language = preferred_locale(languages or "")
    words = {
        "language": language,
        "product": ctx.product,
        "form": Form(problem=FAILURES[status].of(language), status=status),
        "signed_in": False,
        "unread": 0,
        "pressed": False,
        "mark": "",
        "done": "",
        "title": WORDS["missing" if status == 404 else "not_done"].of(language),
    }
    response = _page(render("problem", words), status=status)
    response.headers["Vary"] = "Accept-Language"
    if status in {408, 413}:
        response.force_close()  # the rest of the body is not read
    return response


def _page(text: str, *, status: int) -> web.Response:
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=HEADERS
    )
