"""The OpenAPI document and the public paths agree with the rows."""

import pytest
from aiohttp import web
from pydantic import BaseModel, Field

from shared.http.access import Permission, Public
from shared.http.api import Api
from shared.http.mounting import mount, public_paths
from shared.http.openapi import document
from shared.problems import STATUS
from tests.shared.http.sample import ROUTES, Site, authenticator, row, team

PROBLEM = "application/problem+json"


@pytest.fixture
def described(world):
    return document([team(world)])


def test_every_row_is_an_operation_with_its_id_and_security(described):
    operations = {
        (method.upper(), path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        operation = operations[route.method, route.path]
        assert operation["operationId"] == route.operation_id
        assert (operation["security"] == []) is isinstance(route.access, Public)
        if isinstance(route.access, Permission):
            assert operation["x-permission"] == route.access.name


def test_every_refusal_of_a_row_is_listed_with_its_code(described):
    for route in ROUTES:
        responses = described["paths"][route.path][route.method.lower()]["responses"]
        for refusal in route.all_refusals():
            assert refusal.code in responses[str(STATUS[refusal.kind])]["x-codes"]


def test_refusals_are_described_in_the_form_and_headers_of_their_row(described):
    for path, media in (("/oauth2/token", "application/json"), ("/v1/check", PROBLEM)):
        responses = described["paths"][path]["post"]["responses"]
        assert {*responses["429"]["content"], *responses["503"]["content"]} == {media}
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} == set(responses["429"]["headers"])
    assert list(responses["401"]["headers"]) == ["WWW-Authenticate"]
    assert {"unauthenticated", "token-expired", "token-invalid", "token-revoked"} == set(
        responses["401"]["x-codes"]
    )


def test_the_document_lists_the_body_and_forbids_other_fields(described):
    schema = described["components"]["schemas"]["Thing"]
    assert schema["additionalProperties"] is False
    body = described["paths"]["/v1/open"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}
    form = described["paths"]["/oauth2/token"]["post"]["requestBody"]["content"]
    assert list(form) == ["application/x-www-form-urlencoded"]


def test_a_model_that_strict_and_lenient_rows_take_has_two_schemas(described):
    schemas = described["components"]["schemas"]
    body = described["paths"]["/v1/check"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/ThingOpen"}
    assert schemas["ThingOpen"]["additionalProperties"] is True
    assert schemas["CatOpen"]["additionalProperties"] is True
    assert schemas["Cat"]["additionalProperties"] is False


def test_parameters_of_path_query_and_header_are_described(described):
    query = described["paths"]["/v1/open"]["get"]["parameters"]
    assert {parameter["name"] for parameter in query} == {"limit", "from"}
    [account] = described["paths"]["/v1/accounts/{account_id}"]["get"]["parameters"]
    assert account["schema"]["pattern"] == "^acc_[0-9a-f]{32}$"
    [key] = described["paths"]["/v1/once"]["post"]["parameters"]
    assert key["name"] == "Idempotency-Key"


def test_every_reference_leads_somewhere(described):
    def references(node):
        if isinstance(node, dict):
            for name, value in node.items():
                if name == "$ref":
                    yield value
                else:
                    yield from references(value)
        elif isinstance(node, list):
            for item in node:
                yield from references(item)

    named = set(references(described))
    assert named
    for reference in named:
        assert reference.removeprefix("#/components/schemas/") in described["components"]["schemas"]


def test_an_effective_everywhere_route_documents_202(described):
    responses = described["paths"]["/v1/accounts/{account_id}"]["patch"]["responses"]
    assert set(responses["202"]["headers"]) == {"Rolecall-Revision", "Location"}


async def test_the_document_is_served_over_all_that_is_mounted(serve, world):
    extra = Api("audit", [row("GET", "/v1/events", Public())], world)
    site: Site = await serve(team(world), extra)
    async with site.ask("GET", "/openapi.json") as response:
        served = await response.json()
    assert served["openapi"] == "3.1.0"
    assert set(served["paths"]) == {route.path for route in ROUTES} | {"/v1/events"}


@pytest.mark.parametrize("path", ["/v1/open", "/v1/accounts/{other}"])
def test_two_services_may_not_claim_one_method_and_path(world, path: str):
    both = team(world), Api("audit", [row("GET", path, Public())], world)
    with pytest.raises(ValueError, match="claimed twice, by team and audit"):
        mount(web.Application(), *both)
    with pytest.raises(ValueError, match="claimed twice, by team and audit"):
        public_paths(*both)


def test_one_path_may_belong_to_two_services_by_method(world):
    audit = Api("audit", [row("DELETE", "/v1/open", Public())], world)
    paths = public_paths(team(world), audit)
    assert paths["audit"] == ["/v1/open"]
    assert "/v1/open" in paths["team"]


def test_internal_rows_have_a_document_too(world):
    from tests.shared.http.sample import INTERNAL_ROUTES

    api = Api("team", INTERNAL_ROUTES, world, authenticator=authenticator())
    operation = document([api])["paths"]["/internal/heads"]["get"]
    assert operation["security"] == [{"serviceToken": []}]


class _Described(BaseModel):
    """A thing with a source (Ro8, `B8`) and another (see below)."""

    name: str = Field(description="Its name (Ci9)")


def test_descriptions_name_no_rule_ids(world):
    extra = row("POST", "/v1/described", Public(), takes=_Described)
    schema = document([Api("extra", [extra], world)])["components"]["schemas"]["_Described"]
    assert schema["description"] == "A thing with a source and another (see below)."
    assert schema["properties"]["name"]["description"] == "Its name"
