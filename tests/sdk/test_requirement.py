"""Tests of guarded applications: aiohttp and ASGI, decorators and middleware."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import rolecall
from rolecall import NOTHING_GIVEN, CheckDecision, Given, Resource, UndecidedError
from rolecall.aio import (
    BusyError,
    ClientRefusedError,
    RequestRefusedError,
    Requirement,
    Rolecall,
    TokenExpiredError,
    TokenRejectedError,
    TokenUser,
)
from rolecall.client import jwt
from rolecall.client.access_tokens import ACCESS_TYPE
from rolecall.integrations import aiohttp as with_aiohttp
from rolecall.integrations import asgi as with_asgi
from shared.auth.access_tokens import user_claims
from shared.auth.keys import generate_key, public_jwk
from shared.ids import SessionId, UserId
from tests.sdk.faulty import faulty_rolecall

USER = TokenUser("usr_b", "ses_1", "acc_1", 0)
PATH = "/accounts/{account_id}/projects/{project_id}/instances/{instance_id}"
ASKED = "/accounts/acc_1/projects/prj_1/instances/i-1"


class Authority:
    """Verifies the token `good`, and decides what a test says."""

    def __init__(self) -> None:
        self.answer: CheckDecision | UndecidedError = CheckDecision(allowed=True, reason="allowed")
        self.asked: list[Any] = []
        self.given: list[Given] = []

    async def verify(self, token):
        if token == "old":
            raise TokenExpiredError
        if token != "good":
            raise TokenRejectedError
        return USER

    async def check(
        self,
        subject,
        permission,
        resource="",
        *,
        account=None,
        session=None,
        at_least_revision=None,
        given=NOTHING_GIVEN,
    ):
        self.given.append(given)
        self.asked.append((subject, permission, resource, account, session, at_least_revision))
        if isinstance(self.answer, UndecidedError):
            raise self.answer
        return self.answer


@pytest.fixture
def authority():
    return Authority()


def requirement(authority, **more):
    known = {"account": "account_id", "project": "project_id", "resource": "instance_id"} | more
    return Requirement(authority, "instance:view", **known)


class Starlette:
    """What the guard sees of Starlette: a request, and a response that is called."""

    def __init__(self, scope, path_params):
        self.scope = scope
        self.headers = with_asgi._headers(scope)
        self.path_params = path_params


async def answer(app, method="GET", path=ASKED, **headers):
    """Status, headers and content that an ASGI application sends."""
    listed = [(n.replace("_", "-").lower().encode(), v.encode()) for n, v in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": listed}
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    await app(scope, receive, send)
    start, body = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], found, json.loads(body["body"] or b"null")


async def reached(scope, receive, send):
    """The guarded application."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'"reached"'})


def asgi_middleware(needed):
    return with_asgi.PermissionMiddleware(reached, {f"GET {PATH}": needed})


def starlette_endpoint(needed):
    @with_asgi.guarded(needed)
    async def endpoint(request):
        return reached

    async def app(scope, receive, send):
        parts = scope["path"].split("/")
        params = {"account_id": parts[2], "project_id": parts[4], "instance_id": parts[6]}
        response = await endpoint(Starlette(scope, params))
        await response(scope, receive, send)

    return app


def aiohttp_app(needed, *, by_middleware):
    async def handler(request):
        return web.json_response("reached")

    rules = {f"GET {PATH}": needed}
    middlewares = [with_aiohttp.permission_middleware(rules)] if by_middleware else []
    made = web.Application(middlewares=middlewares)
    made.router.add_get(PATH, handler if by_middleware else with_aiohttp.guarded(needed)(handler))
    made.router.add_get("/other", handler)
    return made


def through_aiohttp(made):
    async def app(scope, receive, send):
        async with TestClient(TestServer(made)) as http:
            headers = [(n.decode(), v.decode()) for n, v in scope["headers"]]
            async with http.request(scope["method"], scope["path"], headers=headers) as found:
                listed = [(n.lower().encode(), v.encode()) for n, v in found.headers.items()]
                await send({"type": "", "status": found.status, "headers": listed})
                await send({"type": "", "body": await found.read()})

    return app


FORMS = {
    "asgi middleware": asgi_middleware,
    "starlette": starlette_endpoint,
    "aiohttp": lambda needed: through_aiohttp(aiohttp_app(needed, by_middleware=False)),
    "aiohttp middleware": lambda needed: through_aiohttp(aiohttp_app(needed, by_middleware=True)),
}


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


async def test_an_allowed_request_reaches_the_handler(form, authority):
    app = form(requirement(authority))
    headers = {"Authorization": "Bearer good", "Rolecall_Revision": "team.e.3.7"}
    assert (await answer(app, **headers))[::2] == (200, "reached")
    known = Resource("i-1", None, "prj_1")
    assert authority.asked == [
        ("usr_b", "instance:view", known, "acc_1", "ses_1", "team.e.3.7"),
    ]


@pytest.mark.parametrize(
    "header",
    ["x", "team.e.3", "team.e.3.-1", "team.e.3.7.8", "Team.e.3.7", "team.e.3." + "9" * 5_000],
)
async def test_a_header_that_cannot_be_a_revision_is_not_forwarded(authority, header):
    app = asgi_middleware(requirement(authority))
    headers = {"Authorization": "Bearer good", "Rolecall_Revision": header}
    assert (await answer(app, **headers))[0] == 200
    assert [asked[-1] for asked in authority.asked] == [None]


async def test_the_guard_of_the_readme_serves_a_request():
    text = (Path(rolecall.__file__).parents[1] / "README.md").read_text()
    [block] = [
        each for each in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "rules = {" in each
    ]
    async with faulty_rolecall() as server:
        made: dict[str, Any] = {}
        key = generate_key()
        exec(block.replace("https://rolecall.example", server.url), made)
        server.answers["/.well-known/jwks.json"] = (
            200,
            {"keys": [public_jwk("k", key.public_key())]},
        )
        claims = user_claims(
            issuer=server.url,
            user_id=UserId("usr_" + "0a" * 16),
            session_id=SessionId("ses_" + "0b" * 16),
            account_id=None,
            now=datetime.now(UTC),
        )
        token = jwt.sign(key, kid="k", typ=ACCESS_TYPE, claims=claims)

        async def handler(request):
            return web.json_response("reached")

        made["app"].router.add_get("/accounts/{account_id}/instances/{id}", handler)
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            TestClient(TestServer(made["app"])) as http,
            http.get("/accounts/acc_1/instances/i-1", headers=headers) as found,
        ):
            assert (found.status, await found.json()) == (200, "reached")


async def test_a_guard_that_was_not_opened_is_a_failure_of_the_application(caplog):
    closed = Rolecall("http://127.0.0.1:1", client_id="cli_1", client_secret="s")
    guard = closed.require("instance:view", account="account_id", subject=lambda _: "usr_b")
    status, _, problem = await answer(asgi_middleware(guard))
    assert (status, problem["code"]) == (500, "check-failed")
    assert "async with" in caplog.text


@pytest.mark.parametrize(
    ("header", "code", "challenge"),
    [
        (None, "unauthenticated", "Bearer"),
        ("Basic good", "unauthenticated", "Bearer"),
        ("good", "unauthenticated", "Bearer"),
        ("Bearer", "token-invalid", "The access token is not valid"),
        ("Bearer bad", "token-invalid", "The access token is not valid"),
        ("Bearer old", "token-expired", "The access token has expired"),
    ],
)
async def test_a_request_without_a_genuine_token_is_answered_401(
    form, authority, header, code, challenge
):
    headers = {} if header is None else {"Authorization": header}
    status, found, problem = await answer(form(requirement(authority)), **headers)
    assert (status, problem["code"]) == (401, code)
    invalid = f'Bearer error="invalid_token", error_description="{challenge}"'
    assert found["www-authenticate"] == ("Bearer" if challenge == "Bearer" else invalid)
    assert found["content-type"].startswith("application/problem+json")
    assert authority.asked == []


@pytest.mark.parametrize(
    ("decided", "status", "code"),
    [
        (CheckDecision(allowed=False, reason="not-a-member"), 403, "permission-missing"),
        (BusyError("stale"), 503, "undecided"),
        (RequestRefusedError("account"), 403, "check-refused"),
        (ClientRefusedError("secret"), 500, "check-failed"),
    ],
)
async def test_what_is_not_allowed_does_not_reach_the_handler(
    form, authority, decided, status, code
):
    authority.answer = decided
    app = form(requirement(authority))
    found, headers, problem = await answer(app, Authorization="Bearer good")
    assert (found, problem["code"]) == (status, code)
    assert (headers.get("retry-after") == "1") is (status == 503)


async def test_the_application_may_name_subject_and_owner_itself(authority):
    async def owner(request):
        return "usr_c"

    seen = requirement(authority, subject=lambda _: "usr_d", owner=owner)
    assert (await answer(asgi_middleware(seen)))[0] == 200
    assert authority.asked[0][:3] == ("usr_d", "instance:view", Resource("i-1", "usr_c", "prj_1"))
    new = requirement(authority, creates=True, resource=None)
    assert (await answer(asgi_middleware(new), Authorization="Bearer good"))[0] == 200
    assert authority.asked[1][2] == Resource(None, "usr_b", "prj_1")
    without_user = requirement(authority, subject=lambda _: None)
    assert (await answer(asgi_middleware(without_user)))[0] == 401


async def test_the_application_gives_what_conditions_test(authority):
    async def given(request):
        return Given(context={"ip": "10.0.0.1"})

    seen = requirement(authority, given=given)
    assert (await answer(asgi_middleware(seen), Authorization="Bearer good"))[0] == 200
    await answer(asgi_middleware(requirement(authority)), Authorization="Bearer good")
    assert authority.given == [Given(context={"ip": "10.0.0.1"}), NOTHING_GIVEN]


async def test_every_check_of_a_token_names_its_session(authority):
    await answer(asgi_middleware(requirement(authority)), Authorization="Bearer good")
    assert authority.asked[0][4] == "ses_1"


async def test_the_handler_finds_the_user(authority):
    async def app(scope, receive, send):
        content = json.dumps(scope[with_asgi.USER]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": content})

    rules = {f"GET {PATH}": requirement(authority)}
    made = with_asgi.PermissionMiddleware(app, rules)
    assert (await answer(made, Authorization="Bearer good"))[2] == "usr_b"

    @with_aiohttp.guarded(requirement(authority))
    async def handler(request):
        return web.json_response(request[with_aiohttp.USER])

    application = web.Application()
    application.router.add_get(PATH, handler)
    made = through_aiohttp(application)
    assert (await answer(made, Authorization="Bearer good"))[2] == "usr_b"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ASKED),
        ("GET", "/other"),
        ("GET", ASKED + "/"),
        ("GET", ASKED + "/more"),
        ("GET", ASKED.upper()),
        ("get", ASKED),
    ],
)
async def test_a_request_without_a_rule_is_refused(authority, method, path):
    app = asgi_middleware(requirement(authority))
    status, _, problem = await answer(app, method, path, Authorization="Bearer good")
    assert (status, problem["code"]) == (403, "no-rule")


async def test_a_route_of_aiohttp_without_a_rule_is_refused(authority):
    app = FORMS["aiohttp middleware"](requirement(authority))
    assert (await answer(app, path="/other"))[2]["code"] == "no-rule"


async def test_a_route_is_open_only_if_its_rule_says_so(authority):
    rules = {"GET /open": None, f"GET {PATH}": requirement(authority)}
    app = with_asgi.PermissionMiddleware(reached, rules)
    assert (await answer(app, path="/open"))[0] == 200
    assert (await answer(app, "HEAD", "/open"))[0] == 200
    assert (await answer(app, "POST", "/open"))[0] == 403
    assert (await answer(app, "HEAD"))[0] == 401


async def test_a_head_request_to_aiohttp_needs_what_get_needs(authority):
    app = FORMS["aiohttp middleware"](requirement(authority))
    status, _, _ = await answer(app, "HEAD")
    assert status == 401
    assert (await answer(app, "HEAD", Authorization="Bearer good"))[0] == 200


async def test_a_websocket_is_closed_unless_its_rule_allows_it(authority):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": ASKED, "headers": []}
    await asgi_middleware(requirement(authority))(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_a_header_that_is_sent_twice_counts_as_none(authority):
    scope_headers = [(b"authorization", b"Bearer good")] * 2
    scope = {"type": "http", "method": "GET", "path": ASKED, "headers": scope_headers}
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {}

    await asgi_middleware(requirement(authority))(scope, receive, send)
    assert sent[0]["status"] == 401


async def test_the_life_of_the_application_is_not_guarded(authority):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    async def send(message):
        raise AssertionError(message)

    async def receive():
        return {}

    guarded = with_asgi.PermissionMiddleware(app, {})
    await guarded({"type": "lifespan"}, receive, send)
    assert seen == ["lifespan"]


MIDDLEWARES = [
    lambda rules: with_asgi.PermissionMiddleware(reached, rules),
    with_aiohttp.permission_middleware,
]


@pytest.mark.parametrize("middleware", MIDDLEWARES)
@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("/instances", "Write it as"),
        ("get /instances", "Write it as"),
        ("GET instances", "Write it as"),
        ("", "Write it as"),
        ("GET /instances/{id", "encloses no name"),
        ("GET /instances/id}", "encloses no name"),
        ("GET /instances/{id:int}", "encloses no name"),
        ("GET /instances/{}", "encloses no name"),
        ("GET /instances/{id}/{id}", "twice"),
    ],
)
def test_a_rule_of_another_form_is_refused(middleware, rule, fault):
    with pytest.raises(ValueError, match=fault):
        middleware({rule: None})


@pytest.mark.parametrize("middleware", MIDDLEWARES)
@pytest.mark.parametrize("part", ["account", "project", "resource"])
def test_a_rule_whose_path_lacks_a_parameter_is_refused(middleware, authority, part):
    seen = requirement(authority, **{part: "acount_id"})
    with pytest.raises(ValueError, match=r"no parameter 'acount_id'\. Did you mean 'account_id'"):
        middleware({f"GET {PATH}": seen})
    with pytest.raises(ValueError, match="no parameter"):
        middleware({"GET /plain": seen})


@pytest.mark.parametrize(
    "permission", ["instances", "", ":", "instance:", "instance:view ", "*:*", "Instance:view"]
)
def test_a_permission_of_another_form_is_refused(authority, permission):
    with pytest.raises(ValueError, match="is not a permission"):
        Requirement(authority, permission)


@pytest.mark.parametrize("name", ["starlette", "aiohttp"])
async def test_a_decorated_route_without_the_variable_is_told_once(name, authority, caplog):
    app = FORMS[name](requirement(authority, account="acc"))
    for _ in range(2):
        status, _, problem = await answer(app, Authorization="Bearer good")
        assert (status, problem["code"]) == (500, "check-failed")
    (line,) = caplog.messages
    assert "no variable `acc`" in line
    assert authority.asked == []


@pytest.mark.parametrize(
    ("reason", "account", "told"),
    [
        ("permission-unknown", "account_id", "no such permission"),
        ("no-account", None, "no account is named"),
        ("no-account", "account_id", None),
        ("permission-missing", None, None),
    ],
)
async def test_a_denial_that_no_user_can_mend_is_logged_once(
    authority, caplog, reason, account, told
):
    authority.answer = CheckDecision(allowed=False, reason=reason)
    app = asgi_middleware(requirement(authority, account=account))
    for _ in range(2):
        status, _, problem = await answer(app, Authorization="Bearer good")
        assert (status, problem["code"]) == (403, "permission-missing")
    assert len(caplog.messages) == (told is not None)
    assert told is None or told in caplog.text
