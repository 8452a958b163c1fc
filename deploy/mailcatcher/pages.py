"""The pages and the JSON interface over the caught mails."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import jinja2
from aiohttp import web
from markupsafe import Markup

from deploy.mailcatcher.mailbox import Mailbox
from deploy.mailcatcher.mails import CaughtMail
from shared.http.hosts import names_this_machine

MAILBOX = web.AppKey("mailbox", Mailbox)
PREFIX = web.AppKey("prefix", str)
SHOWN_MAILS = 200
"""How many mails the page lists; the JSON interface has all of them."""

_FOLDER = Path(__file__).parent
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")

_ANCHOR = Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>')

# Pages run no script. The HTML of a mail has its own frame, which can open links in a new window
# and show images inside the mail, but fetches nothing.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'"
)


def linked(text: str) -> Markup:
    """Escape a text and turn its web addresses into links."""
    pieces: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        pieces += [text[end : found.start()], _ANCHOR.format(found.group())]
        end = found.end()
    return Markup().join([*pieces, text[end:]])  # escapes the plain pieces


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["linked"] = linked


async def list_mails(request: web.Request) -> web.Response:
    """Answer `GET /api/messages?to=&limit=` with the mails, newest first."""
    limit = request.query.get("limit", "10000")
    if not re.fullmatch(r"[0-9]{1,9}", limit):
        raise web.HTTPBadRequest(text="The parameter `limit` must be a whole number.\n")
    mails = request.app[MAILBOX].newest_first(to=request.query.get("to"))
    items = [mail.to_json() for mail, _ in zip(mails, range(int(limit)), strict=False)]
    return web.json_response({"items": items})


async def delete_mails(request: web.Request) -> web.Response:
    """Answer `DELETE /api/messages`: delete every mail."""
    request.app[MAILBOX].clear()
    return web.Response(status=204)


async def page(request: web.Request) -> web.Response:
    """Answer `GET /` and `GET /messages/{number}`: the list, and the chosen mail beside it."""
    to = request.query.get("to", "").strip()
    mails = list(request.app[MAILBOX].newest_first(to=to or None))
    template = _TEMPLATES.get_template("page.html")
    chosen = _mail(request) if "number" in request.match_info else None
    html = template.render(
        mails=mails[:SHOWN_MAILS],
        count=len(mails),
        chosen=chosen,
        to=to,
        prefix=request.app[PREFIX],
    )
    return _html(html, _PAGE_POLICY)


async def mail_html(request: web.Request) -> web.Response:
    """Answer `GET /messages/{number}/html`: the HTML of a mail, which is untrusted."""
    # Links in the mail open outside the frame.
    return _html('<base target="_blank">' + (_mail(request).html or ""), _MAIL_POLICY)


async def style(request: web.Request) -> web.Response:
    """Answer `GET /style.css`."""
    return web.Response(text=(_FOLDER / "style.css").read_text(), content_type="text/css")


def _mail(request: web.Request) -> CaughtMail:
    mail = request.app[MAILBOX].get(int(request.match_info["number"]))
    if mail is None:
        raise web.HTTPNotFound(text="This mail does not exist.\n")
    return mail


def _html(html: str, policy: str) -> web.Response:
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=html, content_type="text/html", headers=headers)


def application(mailbox: Mailbox, *, prefix: str = "") -> web.Application:
    """Build the web application over one mailbox.

    Every path begins with `prefix`, and may have a slash at its end.
    """
    app = web.Application(middlewares=[_local_hosts, _nothing_there])
    app[MAILBOX], app[PREFIX] = mailbox, prefix
    number = "{number:[0-9]{1,9}}"
    for method, path, handler in (
        (web.get, "", page),
        (web.get, f"/messages/{number}", page),
        (web.get, f"/messages/{number}/html", mail_html),
        (web.get, "/style.css", style),
        (web.get, "/api/messages", list_mails),
        (web.delete, "/api/messages", delete_mails),
    ):
        paths = {f"{prefix}{path}" or "/", f"{prefix}{path}/"}
        app.add_routes(method(each, handler) for each in paths)
    return app


@web.middleware
async def _nothing_there(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer an unknown path, such as the page's address without its key."""
    if isinstance(request.match_info.http_exception, web.HTTPNotFound):
        raise web.HTTPNotFound(text=_NOTHING_THERE)
    return await handler(request)


_NOTHING_THERE = (
    "Nothing is at this address. The start of the product prints the address of the mails;\n"
    "with `make run` it ends with a key, and the file run.json in the data folder has it, too.\n"
)


@web.middleware
async def _local_hosts(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse requests that name another host: a web page must not read mails (DNS rebinding)."""
    if not names_this_machine(request.host):
        raise web.HTTPMisdirectedRequest(text="Use the address 127.0.0.1 or localhost.\n")
    return await handler(request)
