"""What the script of a page follows, over a stand-in of the API."""

import asyncio
import contextlib
import re
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from services.console.adapters.api import PublicApi, Visitor
from tests.services.console.accounts import API, COUNTS, PAGE, describe_account, member
from tests.services.console.browsing import (
    ACCESS,
    EXPORT,
    FOLLOW,
    SESSION,
    TAIL,
    TOKENS,
    StandIn,
    problem,
    tokens,
)
from tests.waiting import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIVE = "/notifications/live"
EVENT = b'id: 1.msg_1\nevent: unread\ndata: {"unread":1}\n\n'
OWN_SITE = {"Sec-Fetch-Site": "same-origin"}
SECONDS = 30.0


@pytest.fixture
def api(api: StandIn) -> StandIn:
    api.pieces, api.followed, api.left = asyncio.Queue(), [], asyncio.Event()
    api.late = {}
    return api


@asynccontextmanager
async def followed(browser, **headers):
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    sent = {"Cookie": cookies, **OWN_SITE, **headers}
    async with (
        asyncio.timeout(SECONDS),
        browser.http.get(browser.url + LIVE, headers=sent) as answer,
    ):
        yield answer


@pytest.mark.rule("T11")
async def test_a_page_follows_the_api_and_its_token_stays_with_the_console(browser, api):
    await browser.sign_in()
    async with followed(browser, **{"Last-Event-ID": "1.msg_0"}) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        api.pieces.put_nowait(EVENT)
        assert await answer.content.readexactly(len(EVENT)) == EVENT
        api.pieces.put_nowait(b"")
        assert await answer.content.read() == b""
        assert ACCESS not in str(answer.raw_headers)
    [headers] = api.followed
    assert headers["Authorization"] == f"Bearer {ACCESS}"
    assert headers["Last-Event-ID"] == "1.msg_0"
    assert "Cookie" not in headers


async def test_a_token_that_ends_soon_is_replaced_before_the_api_is_followed(browser, api):
    api.answers["POST /v1/login"] = (200, tokens(expires_in=10))
    api.answers["POST /v1/token/refresh"] = (200, tokens(access="e30.newer.token"))
    await browser.sign_in()
    api.pieces.put_nowait(b"")
    async with followed(browser) as answer:
        assert list(answer.cookies) == [TOKENS]
    assert api.followed[0]["Authorization"] == "Bearer e30.newer.token"


@pytest.mark.rule("T25")
async def test_only_a_page_of_ours_with_a_session_follows_the_api(browser, api):
    async with followed(browser) as answer:
        assert (answer.status, await answer.read()) == (204, b"")  # a browser does not ask again
    await browser.sign_in()
    async with followed(browser, **{"Sec-Fetch-Site": "same-site"}) as answer:
        assert answer.status == 403
    for refusal, status in (
        (problem(401, "token-revoked"), 204),
        (problem(429, "too-many-live-lists-at-once"), 429),
        (problem(503, "unavailable"), 503),
    ):
        api.answers[FOLLOW] = refusal
        async with followed(browser) as answer:
            assert (answer.status, await answer.read()) == (status, b"")
            assert SESSION not in answer.cookies
    assert api.followed == []


async def test_a_browser_that_leaves_ends_the_answer_of_the_api(browser, api):
    await browser.sign_in()
    async with followed(browser) as answer:
        api.pieces.put_nowait(EVENT)
        await answer.content.readexactly(len(EVENT))

    def left():
        api.pieces.put_nowait(EVENT)
        return api.left.is_set()

    await wait_for(left, what="the end of the answer of the API")


@pytest.mark.rule("B12")
@pytest.mark.parametrize(
    ("name", "path"),
    [
        (FOLLOW, LIVE),
        (TAIL, f"{PAGE}/log/live"),
        (EXPORT, f"{PAGE}/log/export/file"),
    ],
)
async def test_a_browser_that_left_before_the_answer_leaves_none_open(browser, api, name, path):
    """What the API has opened for it would keep one of the user's few places."""
    describe_account(api)
    await browser.sign_in()
    api.late[name] = asyncio.Event()
    site = URL(browser.url)
    _, leaving = await asyncio.open_connection(site.host, site.port)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    leaving.write(
        f"GET {path} HTTP/1.1\r\nHost: {site.authority}\r\nCookie: {cookies}\r\n"
        "Sec-Fetch-Site: same-origin\r\n\r\n".encode()
    )
    await wait_for(lambda: api.followed, what="the request to the API")
    leaving.transport.abort()
    with contextlib.suppress(ConnectionError):
        await leaving.wait_closed()
    api.late[name].set()

    def left():
        api.pieces.put_nowait(EVENT)
        return api.left.is_set()

    await wait_for(left, what="the end of the answer of the API")


async def test_a_console_that_stops_ends_what_is_followed_through_it(site, api):
    client = PublicApi(site[0].url)
    await client.open()
    visitor = Visitor(address=None, user_agent=None, languages=None, request_id="req_1")
    answer = await client.follow(
        "GET", "/v1/me/notifications/stream", visitor=visitor, token=ACCESS, after=None
    )
    pieces = answer.pieces
    api.pieces.put_nowait(EVENT)
    async with asyncio.timeout(SECONDS):
        assert await anext(pieces) == EVENT
        rest = asyncio.create_task(anext(pieces, None))
        await asyncio.sleep(0)  # it waits for the next piece
        client.drain()
        assert await rest is None
    api.pieces.put_nowait(b"")
    await client.close()


@pytest.mark.rule("T24")
async def test_a_page_of_a_signed_in_user_may_follow_this_host_alone(browser, api):
    await browser.sign_in()
    for path in ("/console", "/notifications", "/security"):
        async with browser.http.get(
            browser.url + path,
            headers={"Cookie": "; ".join(f"{n}={v}" for n, v in browser.cookies.items())},
        ) as answer:
            policy = answer.headers["Content-Security-Policy"]
            text = await answer.text()
        assert policy.endswith(
            "; script-src 'self'; require-trusted-types-for 'script'; connect-src 'self'"
        )
        assert "unsafe" not in policy
        assert text.count("<script") == text.count('<script src="/console/static/') == 3
        assert f'data-live="{LIVE}"' in text


LIST = f"{PAGE}/members/live"


def state_of(text):
    return re.findall(r'data-state="([0-9a-f]{32})"', text)[0]


async def ask_state(browser, query=""):
    await browser.send("GET", LIST + query, headers=OWN_SITE)
    return browser.text


async def test_a_list_has_another_state_when_someone_has_changed_it(browser, api):
    bea = member(2)
    describe_account(api, members=(bea,))
    await browser.sign_in()
    await browser.open(f"{PAGE}/members?sort=-name")
    shown = state_of(browser.text)
    assert await ask_state(browser, "?sort=-name&q=") == shown
    assert api.queries[-1] == (
        f"GET {API}/members",
        {"limit": "50", "counts": "true", "sort": "-name"},
    )
    describe_account(api, members=(bea | {"last_active_at": "2026-11-27T09:00:00Z"},))
    assert await ask_state(browser) == shown
    for others in ((bea | {"role": "viewer"},), (bea, member(3)), ()):
        describe_account(api, members=others)
        assert await ask_state(browser) not in {shown, ""}
    describe_account(api, members=(bea,))
    for counted in COUNTS:  # of the other pages of the list
        changed = {"items": [bea], "next_cursor": None, "counts": COUNTS | {counted: 9}}
        api.answers[f"GET {API}/members"] = (200, changed)
        assert await ask_state(browser) not in {shown, ""}


@pytest.mark.rule("T25")
async def test_a_state_is_told_to_a_page_of_ours_with_a_session_alone(browser, api):
    describe_account(api, members=(member(2),))
    assert (await ask_state(browser), browser.status) == ("", 204)
    await browser.sign_in()
    await browser.send("GET", LIST, headers={"Sec-Fetch-Site": "cross-site"})
    assert browser.status == 403
    for refusal, status in (
        (problem(401, "token-invalid"), 204),
        (problem(404, "not-found"), 404),
        (problem(403, "permission-missing"), 403),
    ):
        api.answers[f"GET {API}/members"] = refusal
        assert (await ask_state(browser), browser.status) == ("", status)
