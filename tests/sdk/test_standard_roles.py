"""Tests of the seven roles of the catalog `standard`."""

import pytest

from rolecall import CompiledCatalog, load_catalog

# For each role: its permissions on all resources, on own resources, and those it lacks.
STANDARD_ROLES = [
    (
        "owner",
        "instance:write balance:write member:remove audit_log:view identity_verification:write",
        "", "",
    ),
    (
        "admin",
        "instance:write balance:write member:invite role:manage audit_log:view api_token:manage",
        "",
        "identity_verification:view model_upload:write affiliate_program:view",
    ),
    (
        "operator",
        ("instance:manage instance:start endpoint:invoke balance:view member:view project:manage"
        " secret:manage monitoring:manage account:view"),
        "api_token:manage",
        ("instance:delete instance:write storage:delete project:delete balance:write member:invite"
        " role:manage audit_log:view account:update webhook:manage usage:view"),
    ),
    (
        "developer",
        ("instance:write instance:create instance:update instance:delete instance:start"
        " instance:stop instance:connect endpoint:invoke storage:write member:view project:view"),
        "api_token:manage budget:view",
        ("balance:view invoice:view member:invite member:update audit_log:view account:update"
        " role:manage model_upload:write usage:view"),
    ),
    (
        "billing",
        "balance:view balance:write payment_method:write invoice:view usage:view member:view",
        "",
        "instance:view endpoint:invoke audit_log:view member:invite api_token:view secret:view",
    ),
    (
        "basic",
        "endpoint:invoke image:view vpc:view member:view account:view project:view",
        ("instance:view instance:write instance:start instance:connect storage:write"
        " api_token:manage budget:view"),
        "balance:view audit_log:view secret:view member:invite vpc:manage",
    ),
    (
        "viewer",
        "instance:view database:view balance:view invoice:view member:view role:view",
        "api_token:view",
        ("instance:connect instance:manage instance:write secret:view audit_log:view"
        " balance:write api_token:manage member:invite usage:view endpoint:invoke"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("role", "everyones", "own", "none"), STANDARD_ROLES)
def test_each_role_of_standard_holds_these_permissions(role, everyones, own, none):
    compiled = CompiledCatalog(load_catalog("standard"))
    held = compiled.held(compiled.roles[role])
    expected = {
        **dict.fromkeys(everyones.split(), "all"),
        **dict.fromkeys(own.split(), "self"),
        **dict.fromkeys(none.split(), None),
    }
    assert expected.keys() <= compiled.permissions.keys()
    assert {name: held.get(name) for name in expected} == expected


@pytest.mark.rule("Ro4")
def test_the_viewer_of_standard_only_views():
    compiled = CompiledCatalog(load_catalog("standard"))
    held = compiled.held(compiled.roles["viewer"])
    assert {name.partition(":")[2] for name in held} == {"view"}
