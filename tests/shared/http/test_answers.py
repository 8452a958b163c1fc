"""Answers: who is admitted, what a refusal becomes, and which headers are set."""

import json
import logging
import re
from datetime import timedelta

import aiohttp
import pytest
from multidict import CIMultiDict
from pydantic import BaseModel

from shared.auth.access_tokens import sign_access_token, user_claims
from shared.http.access import Client, Internal, Permission, Public, Session
from shared.http.api import Api
from shared.http.proxies import ProxyHeader
from shared.http.refusals import WrongPrincipal
from shared.http.requests import REQUEST_ID_HEADER as OWN
from shared.http.routes import Reply
from shared.logs import JsonLines
from shared.mongo import DatabaseAway
from shared.networks import PRIVATE_NETWORKS
from shared.problems import (
    NotFound,
    PermissionMissing,
    Stale,
    TokenRevoked,
    Unauthenticated,
    Unavailable,
    refusal_of,
)
from tests.shared.http.sample import (
    ACCOUNT,
    CLOCK,
    CREDENTIALS,
    ISSUER,
    KEY,
    SESSION,
    USER,
    Busy,
    Echo,
    Hidden,
    NameTaken,
    Site,
    World,
    Written,
    authenticator,
    bearer,
    row,
    team,
)

OWN_ID = re.compile(r"req_[0-9a-f]{32}")
ACCOUNT_PATH = f"/v1/accounts/{ACCOUNT}"
EVERYONE = (None, *CREDENTIALS)


def signed(kid: str = "key_1", *, seconds: int = 0) -> str:
    """The token of a user, issued at another time or by another key."""
    issued = CLOCK.now() + timedelta(seconds=seconds)
    claims = user_claims(
        issuer=ISSUER, user_id=USER, session_id=SESSION, account_id=ACCOUNT, now=issued
    )
    return sign_access_token(KEY, kid, claims)


WHO = {
    ("GET", "/v1/open"): dict.fromkeys(EVERYONE, 200),
    ("GET", "/v1/mine"): {None: 401, "user": 200, "checker": 403, "reader": 403},
    ("GET", ACCOUNT_PATH): {None: 401, "user": 200, "checker": 403, "reader": 403},
    ("PATCH", ACCOUNT_PATH): {None: 401, "user": 200, "checker": 403, "reader": 403},
    ("POST", "/v1/check"): {None: 401, "user": 403, "checker": 200, "reader": 403},
    ("GET", "/v1/either"): {None: 401, "user": 200, "checker": 403, "reader": 200},
    ("GET", "/internal/heads"): {None: 401, "user": 401, "authz": 200, "audit": 403},
    ("POST", "/internal/admin/things"): {None: 401, "user": 401, "authz": 401, "operator": 200},
}
CASES = [
    (method, path, who, expected.get(who, 401))
    for (method, path), expected in WHO.items()
    for who in EVERYONE
]


def challenge_of(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The parameters of a challenge for a bearer token."""
    scheme, _, parameters = response.headers["WWW-Authenticate"].partition(" ")
    assert scheme == "Bearer"
    return dict(re.findall(r'(\w+)="([^"]*)"', parameters))


SENT = {
    "no header": (None, "unauthenticated"),
    "another scheme": ("Basic eA==", "unauthenticated"),
    "no scheme": (signed(), "unauthenticated"),
    "a scheme alone": ("Bearer", "token-invalid"),
    "no token": ("Bearer x.y.z", "token-invalid"),
    "an unknown key": (f"Bearer {signed('key_2')}", "token-invalid"),
    "a time that is over": (f"Bearer {signed(seconds=-400)}", "token-expired"),
    "an unknown key whose time is over": (
        f"Bearer {signed('key_2', seconds=-400)}",
        "token-invalid",
    ),
    "a session that has ended": (f"Bearer {signed()}", "token-revoked"),
}


@pytest.mark.parametrize(("header", "code"), SENT.values(), ids=SENT.keys())
async def test_a_401_tells_a_missing_a_bad_an_old_and_a_revoked_token_apart(
    serve, world, header: str | None, code: str
):
    async def ended(principal):
        raise TokenRevoked

    site = await serve(team(world, authenticator=authenticator(live=ended)))
    headers = {} if header is None else {"Authorization": header}
    async with site.ask("GET", "/v1/mine", headers=headers) as response:
        problem, challenge = await response.json(), challenge_of(response)
    assert (response.status, problem["code"]) == (401, code)
    told = {"realm": "rolecall"}
    if code != "unauthenticated":
        # RFC 6750, section 3: no error without a token.
        told |= {"error": "invalid_token", "error_description": problem["detail"]}
    assert challenge == told


NO_TOKEN = "The request has no bearer token."
NOT_BEARER = "The Authorization header does not have the scheme `Bearer`."
NOT_ONE_TOKEN = "The Authorization header does not have one token after `Bearer`."
NOT_GENUINE = "The token is malformed or not one of this API."
HEADERS = {
    "none": ([], NO_TOKEN),
    "empty": ([""], NO_TOKEN),
    "another scheme": ([f"Token {signed()}"], NOT_BEARER),
    "no scheme": ([signed()], NOT_BEARER),
    "a colon": ([f"Bearer: {signed()}"], NOT_BEARER),
    "a scheme alone": (["Bearer"], NOT_ONE_TOKEN),
    "quotes": ([f'Bearer "{signed()}"'], NOT_ONE_TOKEN),
    "a scheme twice": ([f"Bearer Bearer {signed()}"], NOT_ONE_TOKEN),
    "a tab": ([f"Bearer \t{signed()}"], NOT_ONE_TOKEN),
    "two headers": ([f"Bearer {signed()}"] * 2, NOT_ONE_TOKEN),
    "another token": (["Bearer x.y.z"], NOT_GENUINE),
}


@pytest.mark.parametrize(("headers", "fault"), HEADERS.values(), ids=HEADERS.keys())
async def test_a_401_names_the_fault_of_the_authorization_header(
    site: Site, headers: list[str], fault: str
):
    sent = CIMultiDict([("Authorization", value) for value in headers])
    async with site.ask("GET", "/v1/mine", headers=sent) as response:
        assert response.status == 401
        assert (await response.json())["detail"].startswith(fault)


@pytest.mark.parametrize("blanks", [" ", "  ", "   "])
async def test_several_blanks_may_stand_before_the_token(site: Site, blanks: str):
    """RFC 9110, section 11.4: one or more."""
    headers = {"Authorization": f"Bearer{blanks}{signed()}"}
    async with site.ask("GET", "/v1/mine", headers=headers) as response:
        assert response.status == 200


@pytest.mark.parametrize(("method", "path", "who", "status"), CASES)
async def test_each_route_admits_the_callers_that_its_row_names(
    site: Site, method: str, path: str, who: str | None, status: int
):
    body = None if method == "GET" else {"name": "x"}
    async with site.ask(method, path, json=body, headers=bearer(who)) as response:
        assert response.status == status
        assert len(site.world.calls) == (status == 200)
        if status == 401:
            challenge, code = challenge_of(response), (await response.json())["code"]
            assert code == ("unauthenticated" if who is None else "token-invalid")
            assert challenge.get("error") == (None if who is None else "invalid_token")


async def test_the_actor_comes_from_the_credential_alone(site: Site):
    headers = bearer("user") | {"X-User-Id": "root", "X-Forwarded-User": "root"}
    async with site.ask("GET", "/v1/mine", headers=headers) as response:
        assert Echo.model_validate(await response.json()).principal == f"user:{USER}"


@pytest.mark.parametrize("length", [8193, 12_000])
async def test_a_huge_token_is_unauthenticated(site: Site, length: int):
    headers = {"Authorization": "Bearer " + "x" * length}
    async with site.ask("GET", "/v1/mine", headers=headers) as response:
        assert response.status == 401
        assert (await response.json(content_type=None))["code"] == "token-invalid"


async def test_an_ended_session_is_unauthenticated(serve, world):
    alive = {USER}

    async def live(principal):
        if principal.user_id not in alive:
            raise TokenRevoked

    site = await serve(team(world, authenticator=authenticator(live=live)))
    for status in (200, 401):
        async with site.ask("GET", "/v1/mine", headers=bearer("user")) as response:
            assert response.status == status
        alive.clear()


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("POST", "/v1/check", "user"),
        ("GET", "/v1/mine", "checker"),
        ("GET", ACCOUNT_PATH, "checker"),
        ("POST", "/v1/check", "reader"),
        ("GET", "/v1/either", "checker"),
    ],
)
async def test_a_caller_that_is_gone_is_not_told_what_a_route_needs(
    serve, world, method: str, path: str, who: str
):
    """Kind and scopes of a caller are looked at only while the caller exists."""

    async def live(principal):
        raise Unauthenticated

    for seen, status in ((None, 403), (live, 401)):
        site = await serve(team(world, authenticator=authenticator(live=seen)))
        body = {"name": "x"} if method == "POST" else None
        async with site.ask(method, path, json=body, headers=bearer(who)) as response:
            assert response.status == status


REFUSED = [
    (NotFound(), 404, "not-found"),
    (PermissionMissing("account:view"), 403, "permission-missing"),
    (Unavailable(), 503, "unavailable"),
]


@pytest.mark.parametrize(("refusal", "status", "code"), REFUSED)
async def test_the_checker_decides_before_the_handler(site: Site, refusal, status: int, code: str):
    site.world.refusal = refusal
    async with site.ask("GET", ACCOUNT_PATH, headers=bearer("user")) as response:
        said = await response.json(content_type="application/problem+json")
    assert (response.status, said["code"], site.world.calls) == (status, code, [])
    if status == 403:
        assert said["permission"] == "account:view"
    if status == 503:
        assert response.headers["Retry-After"] == "1"


async def test_the_checker_receives_the_callers_revision(site: Site):
    headers = bearer("user") | {"Rolecall-Revision": "team.e1.7.42"}
    async with site.ask("GET", ACCOUNT_PATH, headers=headers) as response:
        assert response.status == 200
    assert site.world.seen == [(ACCOUNT, "account:view", "team.e1.7.42")]
    headers["Rolecall-Revision"] = "team'--"
    async with site.ask("GET", ACCOUNT_PATH, headers=headers) as response:
        assert response.status == 422


class Hook:
    """Decides about every route of an account by itself."""

    async def prepare(self, call):
        if call.headers.get("X-Denied"):
            raise PermissionMissing(call.permission)
        return "prepared"

    async def authorize(self, call):
        raise AssertionError("no request is repeated")

    async def create_missing(self, call):
        return False

    async def refused(self, call, refusal):
        assert refusal.code == "permission-missing"


async def greet(world, call, prepared):
    world.calls.append(call)
    return Echo(name=prepared, principal=call.permission)


async def test_the_hook_of_account_routes_decides_instead_of_the_checker(serve, world):
    world.refusal = NotFound()
    route = row("GET", "/v1/accounts/{account_id}", Permission("account:view"), handler=greet)
    api = Api(
        "team",
        [route],
        world,
        authenticator=authenticator(),
        checker=world,
        account_routes=Hook(),
    )
    site = await serve(api)
    async with site.ask("GET", ACCOUNT_PATH, headers=bearer("user")) as response:
        said = await response.json()
    assert (response.status, said) == (200, {"name": "prepared", "principal": "account:view"})
    headers = bearer("user") | {"X-Denied": "yes"}
    async with site.ask("GET", ACCOUNT_PATH, headers=headers) as response:
        assert response.status == 403
    assert (world.seen, len(world.calls)) == ([], 1)


def test_a_checker_does_not_decide_in_each_project(world):
    access = Permission("project:view", in_each_project=True)
    route = row("GET", "/v1/accounts/{account_id}", access)
    with pytest.raises(ValueError, match=route.operation_id):
        Api("team", [route], world, checker=world)


def ours(caplog):
    """The records of this project: asyncio also logs what other tests left behind."""
    return [record for record in caplog.records if record.name.startswith(("shared", "rolecall"))]


async def test_a_refusal_of_the_handler_becomes_a_problem(site: Site, caplog):
    site.world.raises = NameTaken(name="x")
    async with site.ask("GET", "/v1/open") as response:
        said = await response.json(content_type="application/problem+json")
    assert (response.status, said["code"], said["name"]) == (409, "name-taken", "x")
    assert said["detail"] == "The name x is taken."
    assert not [record for record in ours(caplog) if record.levelname == "ERROR"]


async def test_a_refusal_carries_its_retry_after(site: Site):
    site.world.raises = Busy(retry_after=7)
    async with site.ask("GET", "/v1/open") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")


async def test_a_refusal_that_its_row_does_not_list_is_answered_and_logged(site: Site, caplog):
    site.world.raises = Hidden()
    async with site.ask("GET", "/v1/open") as response:
        assert response.status == 409
    [record] = [record for record in ours(caplog) if record.levelname == "ERROR"]
    assert (record.msg, record.problem) == ("refusal is not in its row", "hidden")


@pytest.mark.parametrize(("code", "listed"), [("name-taken", True), ("hidden", False)])
async def test_a_refusal_of_another_service_is_listed_by_its_code(
    site: Site, caplog, code: str, *, listed: bool
):
    site.world.raises = refusal_of(409, {"code": code, "detail": "The name is taken."})
    async with site.ask("GET", "/v1/open") as response:
        assert response.status == 409
    assert (not [one for one in ours(caplog) if one.levelname == "ERROR"]) is listed


class Other(BaseModel):
    secret: str = "hunter2"


@pytest.mark.parametrize("wrong", ["raises", "gives"])
async def test_an_internal_error_tells_nothing_and_is_logged_once(site: Site, caplog, wrong: str):
    value = RuntimeError("hunter2") if wrong == "raises" else Other()
    setattr(site.world, wrong, value)
    async with site.ask("GET", "/v1/open", headers={"X-Request-ID": "abc"}) as response:
        text = await response.text()
    assert response.status == 500
    assert '"code": "internal-error"' in text
    assert json.loads(text)["request_id"] == response.headers["Rolecall-Request-ID"]
    assert response.headers["X-Request-ID"] == "abc"
    assert "hunter2" not in text
    assert len([record for record in ours(caplog) if record.levelname == "ERROR"]) == 1


async def test_a_database_that_is_away_makes_the_answer_unavailable(site: Site, caplog):
    site.world.raises = DatabaseAway("mongodb://team:hunter2@db/")
    async with site.ask("GET", "/v1/open") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert "hunter2" not in await response.text()
    assert [record.levelname for record in ours(caplog)] == ["WARNING"]


async def test_the_routers_own_refusals_are_problems_too(site: Site):
    async with site.ask("GET", "/v2/nothing") as response:
        said = await response.json(content_type="application/problem+json")
        assert (response.status, said["code"]) == (404, "not-found")
    async with site.ask("PUT", "/v1/open", data=b"{}") as response:
        said = await response.json(content_type="application/problem+json")
        assert (response.status, said["code"]) == (405, "method-not-allowed")
        assert response.headers["Allow"] == "GET, HEAD, POST"
        assert said["detail"] == "Method not allowed for this path. Allowed: GET, HEAD, POST."
        assert "allowed" not in said


async def test_a_head_request_is_a_get_without_its_body(site: Site):
    async with site.ask("HEAD", "/v1/open") as response:
        assert (response.status, await response.read()) == (200, b"")


async def test_a_write_names_its_revision(site: Site):
    site.world.gives = Reply(body=Echo(name="x", principal=""), written=Written())
    async with site.ask(
        "PATCH", ACCOUNT_PATH, json={"name": "x"}, headers=bearer("user")
    ) as response:
        assert response.status == 200
        assert response.headers["Rolecall-Revision"] == "team.e1.7.42"
        assert "Location" not in response.headers


@pytest.mark.parametrize("body", [Echo(name="x", principal=""), None])
async def test_a_write_that_is_not_effective_yet_says_where_to_look(site: Site, body):
    site.world.gives = Reply(body=body, written=Written(effective=False))
    async with site.ask(
        "PATCH", ACCOUNT_PATH, json={"name": "x"}, headers=bearer("user")
    ) as response:
        assert response.status == 202
        assert response.headers["Location"] == f"{ACCOUNT_PATH}/revisions/team.e1.7.42"


@pytest.mark.parametrize(
    ("sent", "fate"),
    [
        ("abc-123", "kept"),
        ("x" * 200, "kept"),
        ('"},{"level":"ERROR"', "kept"),
        ("!~", "kept"),
        ("x" * 201, "replaced"),
        ("a b", "replaced"),
        ("", "replaced"),
        ("é", "replaced"),
    ],
)
async def test_the_senders_id_is_repeated_and_names_nothing_of_ours(
    site: Site, caplog: pytest.LogCaptureFixture, sent: str, fate: str
):
    caplog.set_level("INFO", "rolecall.access")
    async with site.ask("GET", "/v1/open", headers={"X-Request-ID": sent}) as response:
        repeated, own = (response.headers[name] for name in ("X-Request-ID", OWN))
    assert OWN_ID.fullmatch(own)
    assert repeated == (sent if fate == "kept" else own)
    assert site.world.calls[0].caller.request.request_id == own
    assert site.world.contexts[0][0] == own
    [line] = [record for record in caplog.records if record.name == "rolecall.access"]
    assert vars(line).get("sent_request_id") == (sent if fate == "kept" else None)
    written = json.loads(JsonLines("team").format(line))
    assert written.get("sent_request_id") == (sent if fate == "kept" else None)


async def test_two_ids_of_the_sender_are_none(site: Site):
    headers = CIMultiDict([("X-Request-ID", "a"), ("X-Request-ID", "b")])
    async with site.ask("GET", "/v1/open", headers=headers) as response:
        assert response.headers["X-Request-ID"] == response.headers[OWN]


@pytest.mark.parametrize(
    ("proxies", "sent", "kept"),
    [
        ((), "req_" + "0" * 32, False),
        (("192.0.2.0/24",), "req_" + "0" * 32, False),
        (("127.0.0.0/8",), "req_" + "0" * 32, True),
        (("127.0.0.0/8",), "req_1", False),
        (("127.0.0.0/8",), "req_" + "0" * 31 + '"', False),
        (("127.0.0.0/8",), "req_" + "0" * 32 + "x", False),
    ],
)
async def test_only_the_gateway_gives_a_request_our_own_id(
    serve, world: World, proxies: tuple[str, ...], sent: str, *, kept: bool
):
    """A stranger would otherwise write log and audit under the id of another's request."""
    site = await serve(team(world), proxies=proxies)
    async with site.ask("GET", "/v1/open", headers={OWN: sent}) as response:
        own = response.headers[OWN]
    assert (own == sent) is kept
    assert world.calls[0].caller.request.request_id == own


async def test_each_request_of_a_connection_has_its_own_context(site: Site):
    expected = []
    for path, who, account in ((ACCOUNT_PATH, "user", ACCOUNT), ("/v1/open", None, None)):
        async with site.ask("GET", path, headers=bearer(who)) as response:
            expected.append((response.headers[OWN], account))
    assert site.world.contexts == expected
    assert expected[0][0] != expected[1][0]


TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("sent", "trace"),
    [(f"00-{TRACE}-b7ad6b7169203331-01", TRACE), ("00-x-y-01", None), (None, None)],
)
async def test_an_answer_keeps_the_trace_context(site: Site, sent: str | None, trace: str | None):
    headers = {} if sent is None else {"traceparent": sent}
    async with site.ask("GET", "/v1/open", headers=headers) as response:
        assert response.status == 200
    assert site.world.calls[0].caller.request.trace_id == trace


FORWARDED = [
    ((), "6.6.6.6", "127.0.0.1"),
    (("10.0.0.0/8",), "6.6.6.6", "127.0.0.1"),
    (("127.0.0.0/8",), "198.51.100.7", "198.51.100.7"),
    (("127.0.0.0/8",), "6.6.6.6, 198.51.100.7", "198.51.100.7"),
    (("127.0.0.0/8", "10.0.0.0/8"), "6.6.6.6, 198.51.100.7, 10.1.1.1", "198.51.100.7"),
    (("127.0.0.0/8",), "198.51.100.7, hello", "127.0.0.1"),
    (("127.0.0.0/8",), "::ffff:198.51.100.7", "198.51.100.7"),
    (("127.0.0.0/8",), "2001:db8::1", "2001:db8::1"),
    (("127.0.0.0/8",), "", "127.0.0.1"),
    (("127.0.0.0/8",), "198.51.100.7:4711", "198.51.100.7"),
    (("127.0.0.0/8",), "[2001:db8::1]:4711", "2001:db8::1"),
    (("127.0.0.0/8",), "[2001:db8::1]", "2001:db8::1"),
    (("127.0.0.0/8",), "198.51.100.7, [::1]x, 127.0.0.2", "127.0.0.2"),
    (PRIVATE_NETWORKS, "6.6.6.6, 198.51.100.7, fd00::1, [fe80::1]:80, 100.64.0.1", "198.51.100.7"),
    (("127.0.0.0/8",), "127.0.0.2, 127.0.0.3", "127.0.0.2"),
]


@pytest.mark.parametrize(("proxies", "sent", "address"), FORWARDED)
async def test_a_forwarded_address_counts_from_our_own_proxies_only(
    serve, world, proxies: tuple[str, ...], sent: str, address: str
):
    site = await serve(team(world), proxies=proxies)
    async with site.ask("GET", "/v1/open", headers={"X-Forwarded-For": sent}) as response:
        assert response.status == 200
    assert world.calls[0].caller.request.ip == address


RFC_7239 = [
    ("for=198.51.100.7", "198.51.100.7"),
    ('for=192.0.2.9;proto=https, For="[2001:db8::1]:4711";by=127.0.0.1', "2001:db8::1"),
    ('proto=http;for="198.51.100.7:80", for=127.0.0.2', "198.51.100.7"),
    ("for=_hidden", "127.0.0.1"),
    ("for=198.51.100.7, proto=https", "127.0.0.1"),
    ("before=198.51.100.7", "127.0.0.1"),
]


@pytest.mark.rule("T18")
@pytest.mark.parametrize(("sent", "address"), RFC_7239)
async def test_the_standard_header_of_proxies_is_read(serve, world, sent: str, address: str):
    site = await serve(team(world), proxies=("127.0.0.0/8",), proxy_header=ProxyHeader.FORWARDED)
    async with site.ask("GET", "/v1/open", headers={"Forwarded": sent}) as response:
        assert response.status == 200
    assert world.calls[0].caller.request.ip == address


@pytest.mark.rule("T18")
async def test_a_sender_cannot_hide_behind_the_header_its_proxy_does_not_set(serve, world):
    site = await serve(team(world), proxies=("127.0.0.0/8",))
    headers = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=6.6.6.6"}
    async with site.ask("GET", "/v1/open", headers=headers) as response:
        assert response.status == 200
    assert world.calls[0].caller.request.ip == "198.51.100.7"


async def test_every_json_answer_ends_its_line(site: Site):
    for path, status in (("/v1/open", 200), ("/openapi.json", 200), ("/nothing", 404)):
        async with site.ask("GET", path) as response:
            assert response.status == status
            assert (await response.read()).endswith(b"}\n")


async def test_a_polled_route_is_logged_for_debugging_only(serve, world, caplog):
    caplog.set_level(logging.INFO)
    routes = [
        row("GET", path, access, polled=True)
        for path, access in (("/v1/open", Public()), ("/v1/mine", Session()))
    ]
    site = await serve(Api("team", routes, world, authenticator=authenticator()))
    for path in ("/v1/open", "/v1/mine"):
        async with site.ask("GET", path) as response:
            await response.read()
    [line] = [record for record in caplog.records if record.name == "rolecall.access"]
    assert (vars(line)["route"], vars(line)["status"]) == ("/v1/mine", 401)


async def test_a_user_agent_is_kept_short_and_printable(site: Site):
    headers = {"User-Agent": "a\tb" + "x" * 1000}
    async with site.ask("GET", "/v1/open", headers=headers) as response:
        assert response.status == 200
    agent = site.world.calls[0].caller.request.user_agent
    assert agent is not None
    assert agent.startswith("a?bxxx")
    assert len(agent) == 256


async def test_nothing_but_public_reading_may_be_cached(site: Site):
    for method, path, who, cache in (
        ("GET", "/v1/open", None, None),
        ("GET", "/v1/mine", "user", "no-store"),
        ("GET", "/v1/mine", None, "no-store"),
        ("POST", "/v1/open", None, "no-store"),
    ):
        body = None if method == "GET" else {"name": "x"}
        async with site.ask(method, path, json=body, headers=bearer(who)) as response:
            assert response.headers.get("Cache-Control") == cache


async def test_a_service_that_has_not_started_answers_503(serve, world):
    api = team(world)
    api.closed = True
    site = await serve(api)
    async with site.ask("GET", "/v1/open") as response:
        assert response.status == 503


async def test_every_request_leaves_one_line_without_its_secrets(site: Site, caplog):
    caplog.set_level(logging.INFO)
    path = f"{ACCOUNT_PATH}?token=hunter2"
    async with site.ask("GET", path, headers=bearer("checker")) as response:
        assert response.status == 403
    [line] = [record for record in caplog.records if record.name == "rolecall.access"]
    assert (line.method, line.route) == ("GET", "/v1/accounts/{account_id}")
    assert (line.status, line.problem) == (403, "wrong-principal")
    assert "hunter2" not in str(vars(line))


@pytest.mark.parametrize(
    ("access", "accepted"),
    [
        (Permission("account:view"), "the access token of a user"),
        (Session(), "the access token of a user"),
        (Client("authz:check"), "the access token of a service client"),
        (Internal(("team",)), "an internal service token"),
    ],
)
def test_a_wrong_credential_is_told_which_kind_the_route_accepts(access, accepted):
    assert f"This route accepts {accepted}" in str(WrongPrincipal(access))


IMPOSSIBLE = {
    "a permission without an account": row("GET", "/v1/me", Permission("account:view")),
    "a permission without a checker": row("GET", "/v1/{account_id}", Permission("account:view")),
    "a session below a project": row("GET", "/v1/s/{account_id}/{project_id}", Session()),
    "an internal path with public access": row("GET", "/internal/x", Public()),
    "a service's route outside": row("GET", "/v1/heads", Internal(("authz",))),
    "an internal path for clients": row("GET", "/internal/y", Client("x")),
}


@pytest.mark.parametrize("impossible", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_a_row_that_contradicts_itself_stops_the_start(impossible):
    with pytest.raises(ValueError, match=impossible.operation_id):
        Api("team", [impossible], None, authenticator=authenticator())


def test_what_another_service_refused_keeps_its_code():
    refusal = refusal_of(410, {"code": "link-used", "detail": "Used {already}."})
    assert (refusal.status, refusal.code, str(refusal)) == (410, "link-used", "Used {already}.")
    assert refusal_of(418, {}).status == 503
    assert Stale().problem("r")["code"] == "stale"
