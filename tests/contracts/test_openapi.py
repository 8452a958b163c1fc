"""The OpenAPI document says what the product accepts, needs and answers."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from services.console.pages.catalog_words import FOREIGN
from shared.http.access import Client, Permission, PermissionOrClient, SessionOrClient
from shared.http.openapi_texts import TAGS, shown_code
from shared.http.routes import Media, Route
from shared.http.validation import check_json, check_strings
from shared.problems import STATUS, Refusal
from tests.contracts.described import DEFINITIONS, DOCUMENT, OPERATIONS
from tests.contracts.rows import ROWS, WITH_BODY
from tests.contracts.verdicts import fits, variants

WITH_QUERY = tuple(row for row in ROWS if row.query is not None)
WITH_ANSWER = tuple(row for row in ROWS if row.gives is not None)
JUDGED_BY_A_RULE: dict[str, list[dict[str, Any]]] = {
    "signUp": [{"name": "Ana Diaz"}, {"email": None, "name": "Ana Diaz"}],
    "inviteMember": [
        {
            "email": "x",
            "role": "developer",
            "delivery": "email",
            "membership_expires_at": "2030-01-01T00:00:00Z",
            "check_address": False,
        }
    ],
}
"""Bodies that fit the schema and are refused: neither address nor invitation, and no address."""
NAMED_BY_IDS = frozenset(
    {"cells", "counts", "gained", "grants", "lost", "permissions", "policies", "table"}
    | {"translations"}
)
"""Members of answers whose own members are ids or languages."""
NOT_FOR_PAGES = frozenset({"act", "action", "context", "options", "resource", "subject"})
"""Members of any form of requests, and of answers that no page in words is made of."""
PROSE = (8, 2_000)
"""How long a description is, in characters."""


def operation(row: Route) -> Mapping[str, Any]:
    return OPERATIONS[row.operation_id]


def taken(row: Route, body: Any) -> bool:
    """Whether the product takes the body, as the row's requests are validated."""
    assert row.takes is not None
    try:
        if row.media is Media.FORM:
            check_strings(row.takes, body.items(), prefix="", strictness=row.strictness)
        else:
            raw = json.dumps(body).encode()
            check_json(row.takes, raw, value=body, strictness=row.strictness)
    except Refusal:
        return False
    return True


def content_of(row: Route) -> Any:
    return operation(row)["requestBody"]["content"][row.media.value]


def by_operation(row: Route) -> str:
    return row.operation_id


@pytest.mark.parametrize("row", WITH_BODY, ids=by_operation)
def test_the_example_of_a_body_fits_its_schema_and_the_product(row: Route) -> None:
    content = content_of(row)
    assert fits(content["example"], content["schema"], DEFINITIONS)
    assert taken(row, content["example"])


@pytest.mark.parametrize(
    "row", [row for row in WITH_BODY if row.media is Media.JSON], ids=by_operation
)
def test_the_product_takes_what_the_schema_permits_and_nothing_else(row: Route) -> None:
    content = content_of(row)
    sent = list(variants(content["example"], content["schema"], DEFINITIONS))
    assert len(sent) > 7
    differing = [
        body for body in sent if fits(body, content["schema"], DEFINITIONS) is not taken(row, body)
    ]
    assert differing == JUDGED_BY_A_RULE.get(row.operation_id, [])


@pytest.mark.parametrize("row", WITH_QUERY, ids=by_operation)
def test_the_product_takes_the_parameters_that_are_described(row: Route) -> None:
    described = {
        each["name"]: each for each in operation(row)["parameters"] if each["in"] == "query"
    }
    samples = ("", "x", "0", "7", "201", "-1", "1.5", "x" * 3_000)
    for name, parameter in described.items():
        for value in {str(parameter["example"] or "x"), *samples}:
            if name == "cursor" or parameter["schema"].get("format") == "date-time":
                continue
            permitted = any(
                fits(read, parameter["schema"], DEFINITIONS) for read in _readings(value)
            )
            assert _query_taken(row, {name: value}) is permitted, (name, value)
    assert not _query_taken(row, {"surprise": "x"})


def _readings(value: str) -> list[Any]:
    """The text, and the number that it stands for."""
    whole = value.removeprefix("-").isdigit()
    return [value, int(value)] if whole else [value]


def _query_taken(row: Route, query: dict[str, str]) -> bool:
    try:
        check_strings(row.query, query.items(), prefix="/query", strictness=row.strictness)
    except Refusal:
        return False
    return True


@pytest.mark.parametrize("row", WITH_ANSWER, ids=by_operation)
def test_the_example_of_an_answer_fits_its_schema_and_its_class(row: Route) -> None:
    assert row.gives is not None
    for status, model in ((row.status, row.gives), *row.also_gives):
        content = operation(row)["responses"][str(status)]["content"]["application/json"]
        assert fits(content["example"], content["schema"], DEFINITIONS)
        model.model_validate_json(json.dumps(content["example"]))


@pytest.mark.parametrize("row", ROWS, ids=by_operation)
def test_an_operation_says_what_it_does_needs_and_refuses(row: Route) -> None:
    said = operation(row)
    assert said["summary"]
    if isinstance(row.access, Permission):
        assert f"`{row.access.name}`" in said["description"]
    if isinstance(row.access, Client | SessionOrClient | PermissionOrClient):
        assert f"`{row.access.scope}`" in said["description"]
        assert said["x-scope"] == row.access.scope
    for parameter in said.get("parameters", []):
        assert PROSE[0] < len(parameter.get("description", "")) < PROSE[1], parameter["name"]
        assert "example" in parameter
    for refusal in row.all_refusals():
        answer = said["responses"][str(STATUS[refusal.kind])]
        assert f"- `{shown_code(refusal, row)}`: " in answer["description"]
        content = answer["content"][row.errors.value]
        assert fits(content["example"], content["schema"], DEFINITIONS)
    for status, answer in said["responses"].items():
        assert PROSE[0] <= len(answer["description"]) < PROSE[1], status


@pytest.mark.parametrize("row", ROWS, ids=by_operation)
def test_an_operation_names_the_permissions_that_its_row_checks(row: Route) -> None:
    access = row.access if isinstance(row.access, Permission) else None
    said = operation(row)
    assert said.get("x-permission") == (access and access.name)
    assert said.get("x-project-permission") == (access and access.in_project)


def test_every_tag_is_described_and_every_schema_used() -> None:
    assert {row.tag for row in ROWS} == set(TAGS)
    text = json.dumps(DOCUMENT)
    for name in DEFINITIONS:
        assert f'"#/components/schemas/{name}"' in text
        assert name.isalnum()


@pytest.mark.rule("Ci12")
def test_authzen_requests_are_open_on_every_level() -> None:
    [row] = [row for row in ROWS if row.operation_id == "evaluate"]
    body = content_of(row)["example"]
    for below in ((), ("subject",), ("resource",), ("subject", "properties"), ("context",)):
        more = json.loads(json.dumps(body))
        inner = more
        for step in below:
            inner = inner.setdefault(step, {})
        inner["later"] = {"version": 2}
        assert fits(more, content_of(row)["schema"], DEFINITIONS)
        assert taken(row, more)


def has_any_form(schema: Any) -> bool:
    """Whether a schema does not name the members of what it takes."""
    if "anyOf" in schema:
        return any(map(has_any_form, schema["anyOf"]))
    beside_words = schema.keys() - {"default", "description", "examples", "title"}
    return not beside_words or bool(schema.get("additionalProperties"))


def test_the_console_translates_nothing_in_members_that_others_fill():
    found = {
        name
        for definition in DEFINITIONS.values()
        for name, schema in definition.get("properties", {}).items()
        if has_any_form(schema)
    }
    assert found == FOREIGN | NAMED_BY_IDS | NOT_FOR_PAGES
