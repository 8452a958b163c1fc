"""The form of errors by path: OAuth errors on the token endpoint, problem documents elsewhere."""

import re

import pytest
from aiohttp import web

from shared.http.error_forms import ErrorForm, error_document, error_headers
from shared.http.lanes import Lane, Overloaded, TooManyAtOnce
from shared.http.mounting import mount
from shared.http.refusals import BadRequest, BodyTooLarge, BodyTooSlow, DeadlineExceeded, Unexpected
from shared.mongo import DatabaseAway
from shared.problems import NotFound, Refusal, TokenInvalid, Unauthenticated, Unavailable
from tests.shared.http.sample import Site, row, team

PATH = "/oauth2/token"
INVALID = f'error="invalid_token", error_description="{TokenInvalid.detail}"'
FORM = {"limit": "7"}
RAISED: list[tuple[Exception, int, str]] = [
    (BadRequest(), 400, "invalid_request"),
    (NotFound(), 404, "invalid_request"),
    (BodyTooSlow(), 408, "invalid_request"),
    (BodyTooLarge(limit=1), 413, "invalid_request"),
    (TooManyAtOnce(retry_after=2), 429, "temporarily_unavailable"),
    (Overloaded(retry_after=3), 503, "temporarily_unavailable"),
    (DeadlineExceeded(), 503, "temporarily_unavailable"),
    (DatabaseAway("away"), 503, "temporarily_unavailable"),
    (Unexpected(), 500, "server_error"),
    (KeyError("a fault of the product"), 500, "server_error"),
]


class OwnCode(Refusal):
    """A refusal with a code of RFC 6749, and characters that a description must not have."""

    kind = Unauthenticated.kind
    code = "invalid-client"
    detail = 'Not "this" \\ client: é\n.'


async def oauth_error(response) -> str:
    assert response.content_type == "application/json"
    document = await response.json()
    assert set(document) == {"error", "error_description"}
    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == (
        "no-store",
        "no-cache",
    )
    assert response.headers["X-Request-ID"]
    return str(document["error"])


@pytest.mark.parametrize(("raised", "status", "error"), RAISED, ids=lambda value: repr(value)[:20])
async def test_every_refusal_of_a_token_request_is_an_oauth_error(
    site: Site, raised: Exception, status: int, error: str
):
    site.world.raises = raised
    async with site.ask("POST", PATH, data=FORM) as response:
        assert (response.status, await oauth_error(response)) == (status, error)
        wait = getattr(raised, "retry_after", 1 if status == 503 else None)
        assert response.headers.get("Retry-After") == (None if wait is None else str(wait))


async def test_the_router_answers_on_the_token_endpoint_in_the_same_form(site: Site):
    for method in ("GET", "PUT", "OPTIONS"):
        async with site.ask(method, PATH) as response:
            assert (response.status, await oauth_error(response)) == (405, "invalid_request")
            assert response.headers["Allow"] == "POST"
    async with site.ask("GET", "/v1/nothing") as response:
        assert (await response.json(content_type=None))["code"] == "not-found"


async def test_a_full_or_closed_service_answers_token_requests_in_the_same_form(serve, world):
    api = team(world, lane_limits=dict.fromkeys(Lane, 0))
    site = await serve(api)
    for closed in (False, True):
        api.closed = closed
        async with site.ask("POST", PATH, data=FORM) as response:
            assert await oauth_error(response) == "temporarily_unavailable"
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert world.calls == []


async def test_the_fields_of_a_token_request_are_not_taken_from_the_query(site: Site):
    async with site.ask("POST", f"{PATH}?limit=7&from=x", data={}) as response:
        assert response.status == 400
    async with site.ask("POST", f"{PATH}?limit=7", data={"from": "x"}) as response:
        assert (response.status, await oauth_error(response)) == (400, "invalid_request")
        assert (await response.json())["error_description"] == (
            "query/limit: Send this field in the body, not in the query."
        )
    assert site.world.calls == []
    async with site.ask("POST", f"{PATH}?unknown=1", data=FORM) as response:
        assert response.status == 200


def test_a_description_has_only_the_characters_that_the_rfc_allows():
    document = error_document(OwnCode(), ErrorForm.OAUTH, request_id="req_1")
    assert document == {"error": "invalid_client", "error_description": "Not ?this? ? client: ??."}
    faults = [(f"/{'x' * 150}", 'a "quote"')] * 20
    long = error_document(BadRequest(errors=faults), ErrorForm.OAUTH, request_id="req_1")
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,1000}", long["error_description"])


@pytest.mark.parametrize(
    ("refusal", "form", "challenge"),
    [
        (OwnCode(), ErrorForm.OAUTH, 'Basic realm="rolecall"'),
        (OwnCode(), ErrorForm.PROBLEM, 'Bearer realm="rolecall"'),
        (Unauthenticated(), ErrorForm.PROBLEM, 'Bearer realm="rolecall"'),
        (
            TokenInvalid(),
            ErrorForm.PROBLEM,
            f'Bearer realm="rolecall", {INVALID}',
        ),
        (Unavailable(), ErrorForm.OAUTH, None),
    ],
)
def test_only_a_401_has_a_challenge(refusal: Refusal, form: ErrorForm, challenge: str | None):
    assert error_headers(refusal, form).get("WWW-Authenticate") == challenge


def test_a_row_with_another_form_of_errors_has_a_fixed_path(world):
    [token] = [route for route in team(world).routes if route.path == PATH]
    braces = row(
        "POST",
        "/oauth2/{client_id}",
        token.access,
        takes=token.takes,
        media=token.media,
        strictness=token.strictness,
        errors=ErrorForm.OAUTH,
    )
    with pytest.raises(ValueError, match="needs a fixed path"):
        mount(web.Application(), type(team(world))("team", [braces], world))
