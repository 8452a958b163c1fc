"""The examples of bodies in the OpenAPI document are requests that a new account accepts."""

import json
import re
from typing import Any

import pytest

from rolecall import CompiledCatalog, Reason, load_catalog
from services.authz.domain.checks import SUBJECT_AMBIGUOUS, SUBJECT_UNKNOWN
from services.team.domain.guardrail_rules import faults
from services.team.routes.guardrails import CreateGuardrail, guardrail_rule
from shared.http.examples import example_id
from shared.http.routes import Route
from shared.http.validation import check_json
from tests.contracts.described import DOCUMENT
from tests.contracts.rows import WITH_BODY

STANDARD = CompiledCatalog(load_catalog("standard"))
EXAMPLES: dict[str, Any] = {
    row.operation_id: DOCUMENT["paths"][row.path][row.method.lower()]["requestBody"]["content"][
        row.media.value
    ]["example"]
    for row in WITH_BODY
}


def test_the_roles_of_examples_fit_the_standard_catalog() -> None:
    edited = EXAMPLES["previewChange"]["change"]
    for role in (EXAMPLES["createRole"], EXAMPLES["changeRole"], edited):
        STANDARD.catalog.parse_role_grants(role["grants"])
    assert STANDARD.role(edited["role_id"]) is None  # a built-in role is not edited
    STANDARD.catalog.parse_grants(EXAMPLES["setOverride"]["grants"])


def test_the_example_of_a_guardrail_is_a_rule() -> None:
    body = CreateGuardrail.model_validate(EXAMPLES["createGuardrail"])
    assert faults(STANDARD, guardrail_rule(body.rule), ()) == []


def test_examples_name_what_they_are_about() -> None:
    reassigned = EXAMPLES["reassignResources"]
    assert reassigned["from_user_id"] != reassigned["to_user_id"]
    for operation_id in ("createAccount", "createRole", "changeRole", "createGuardrail"):
        assert EXAMPLES[operation_id]["name"] != EXAMPLES["updateMe"]["name"], operation_id
    for operation_id in ("createAccount", "moveToCatalog", "convertAccount"):
        assert EXAMPLES[operation_id]["catalog"] == STANDARD.catalog.name
    assert EXAMPLES["revertAccount"]["confirm"] == EXAMPLES["changeAccount"]["name"]


@pytest.mark.parametrize("row", WITH_BODY, ids=lambda row: row.operation_id)
def test_the_example_of_a_body_has_no_null_and_fits(row: Route) -> None:
    example = EXAMPLES[row.operation_id]
    assert re.search(r"\bnull\b", json.dumps(example)) is None
    assert row.takes is not None
    check_json(row.takes, json.dumps(example).encode(), value=example, strictness=row.strictness)


@pytest.mark.parametrize(
    "operation_id",
    ["evaluate", "evaluateEach", "explain", "searchSubjects", "searchResources", "searchActions"],
)
def test_examples_of_checks_name_their_account_and_no_past_time(operation_id: str) -> None:
    example = EXAMPLES[operation_id]
    assert example["resource"]["properties"] == {"account_id": example_id("acc")}
    assert not {"at", "at_least_revision"} & example.get("context", {}).keys()


def test_the_document_says_what_each_reason_means_and_which_account_counts() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    described = schemas["DecisionContext"]["properties"]["reason"]["description"]
    named = re.findall(r"^- `([a-z-]+)`: .+\.$", described, re.MULTILINE)
    assert sorted(named) == sorted([*Reason, SUBJECT_UNKNOWN, SUBJECT_AMBIGUOUS])
    place = schemas["ResourceProperties"]["properties"]["account_id"]["description"]
    assert "`no-account`" in place
