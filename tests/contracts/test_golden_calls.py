"""Internal calls keep the route and the schemas that callers and callees know."""

import re
from importlib import import_module
from pkgutil import iter_modules
from types import NoneType
from typing import Any

import pytest
from pydantic import BaseModel

from shared.contracts import calls
from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.calls.leases import POLICY_SOURCES
from shared.contracts.calls.registry import CALLS
from shared.contracts.topology import SOURCES, Service
from shared.http.access import Admin, Internal
from shared.http.routes import Route
from shared.journal import journal_routes
from shared.leases import lease_routes
from tests.contracts.golden_schemas import (
    CALL_FILES,
    Schema,
    call_breaks,
    current_calls,
    description_of,
    golden,
)

WRITE = "python -m tests.contracts.golden_schemas writes what is new or only grew"


def served_by(service: Service) -> list[Route]:
    """Every internal route of a service, as its `app` mounts them."""
    nothing: Any = None
    own = import_module(f"services.{service}.routes").INTERNAL_ROUTES
    routes = [route for route in own if not isinstance(route.access, Admin)]
    if service in SOURCES:
        routes += [
            route
            for route in journal_routes(nothing, nothing, nothing)
            if not isinstance(route.access, Admin)
        ]
    if service in POLICY_SOURCES:
        routes += lease_routes(nothing, nothing)
    return routes


def test_every_call_has_its_agreed_description_and_none_is_gone():
    assert set(golden(CALL_FILES)) == {call.name for call in CALLS}, WRITE
    assert len(current_calls()) == len(CALLS)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_call_has_its_agreed_description(call: InternalCall[Any, Any]):
    agreed, now = golden(CALL_FILES)[call.name], description_of(call)
    assert not call_breaks(agreed, now)
    assert agreed == now, WRITE


@pytest.mark.parametrize("service", Service)
def test_a_service_serves_exactly_the_calls_that_name_it(service: Service):
    described: dict[tuple[str, str], InternalCall[Any, Any]] = {
        (call.method, call.path): call for call in CALLS if service in call.callees
    }
    routes = served_by(service)
    assert {(route.method, route.path) for route in routes} == described.keys()
    for route in routes:
        call = described[route.method, route.path]
        assert route.access == Internal(call.callers)
        assert (route.takes or route.query or NoneType) is call.request
        assert (route.gives or NoneType) is call.answer


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_requests_forbid_and_answers_ignore_unknown_members(call: InternalCall[Any, Any]):
    if issubclass(call.request, BaseModel):
        assert issubclass(call.request, InternalRequest)
        assert call.request.model_config["extra"] == "forbid"
    if issubclass(call.answer, BaseModel):
        assert issubclass(call.answer, InternalAnswer)
        assert call.answer.model_config["extra"] == "ignore"


def test_every_call_of_the_package_is_listed_once_under_its_name():
    modules = [
        import_module(f"{calls.__name__}.{module.name}")
        for module in iter_modules(calls.__path__)
        if module.name != "registry"
    ]
    defined = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, InternalCall)
    ]
    assert sorted(map(id, defined)) == sorted(map(id, CALLS))
    assert all(re.fullmatch("[a-z]+[A-Za-z]*", call.name) for call in CALLS)


NAME: Schema = {"properties": {"name": {"type": "string"}}, "required": ["name"]}
GROWN: Schema = {"properties": NAME["properties"] | {"age": {"default": 0}}, "required": ["name"]}
GONE: Schema = {"properties": {}}
CALL: Schema = {
    "method": "GET",
    "path": "/internal/x",
    "callees": ["team"],
    "callers": ["authz"],
    "request": NAME,
    "answer": NAME,
}


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({}, []),
        ({"request": GROWN, "answer": GROWN}, []),
        ({"callers": ["authz", "audit"], "callees": ["identity", "team"]}, []),
        ({"method": "POST"}, ["method has changed"]),
        ({"path": "/internal/y"}, ["path has changed"]),
        ({"callers": []}, ["authz left callers"]),
        ({"callees": ["audit"]}, ["team left callees"]),
        ({"answer": None}, ["answer has come or gone"]),
        ({"request": GONE}, ["request/name is gone", "request/name may be missing now"]),
        ({"answer": GROWN | {"required": ["name", "age"]}}, ["answer/age must be there now"]),
    ],
)  # fmt: skip
def test_a_breaking_change_of_a_call_is_told_from_growth(new: Schema, told: list[str]):
    assert call_breaks(CALL, CALL | new) == told
