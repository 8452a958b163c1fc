"""Tests of the shipped catalogs, and of catalogs as JSON."""

import json
from typing import Any

import pytest

from rolecall import (
    CONTROL_PERMISSIONS,
    SHIPPED_CATALOGS,
    Catalog,
    CatalogError,
    CompiledCatalog,
    load_catalog,
)


def rebuilt(name, mapping):
    return Catalog.from_mapping({**load_catalog(name).to_mapping(), **mapping})


def test_a_catalog_with_translations_is_a_version_that_decides_the_same():
    plain = load_catalog("standard").to_mapping()
    assert "translations" not in plain
    table = {"Instances": "Instanzen", "project": "Projekt", "Viewer": "Einsicht"}
    spoken = Catalog.from_mapping(plain | {"translations": {"de": table}})
    assert Catalog.from_mapping(spoken.to_mapping()) == spoken
    assert spoken.id != load_catalog("standard").id
    assert spoken.roles == load_catalog("standard").roles
    assert spoken.to_mapping()["translations"] == {"de": table}


@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_a_catalog_is_equal_after_json(name):
    catalog = load_catalog(name)
    copied = Catalog.from_mapping(json.loads(json.dumps(catalog.to_mapping())))
    assert copied == catalog
    assert copied.id == catalog.id
    assert CompiledCatalog(copied).permissions == CompiledCatalog(catalog).permissions
    assert CompiledCatalog(copied).roles == CompiledCatalog(catalog).roles


def test_a_published_catalog_keeps_its_id_despite_newer_rules():
    """A version that older code published lacks keys that have a default now."""
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    del content["policies"]["words"]
    content["roles"] = [{**role, "grants": {}} for role in content["roles"]]
    with pytest.raises(CatalogError):
        Catalog.from_mapping(content)
    compiled = CompiledCatalog(Catalog.from_published(content), published_as="standard@older")
    assert compiled.id == "standard@older"
    with pytest.raises(CatalogError):
        Catalog.from_published({**content, "feature_of_tomorrow": True})


def reordered(value):
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_the_id_depends_on_the_content_and_not_on_its_order(name):
    catalog = load_catalog(name)
    assert catalog.id.startswith(f"{name}@")
    assert len(catalog.id) == len(name) + 1 + 64
    assert Catalog.from_mapping(reordered(catalog.to_mapping())).id == catalog.id
    assert rebuilt(name, {"title": "Another"}).id != catalog.id


@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_every_control_permission_has_a_level(name):
    assert set(CONTROL_PERMISSIONS) <= set(CompiledCatalog(load_catalog(name)).permissions)


@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_roles_that_remove_members_hold_the_other_control_permissions(name):
    compiled = CompiledCatalog(load_catalog(name))
    held = {role: compiled.held(matrix) for role, matrix in compiled.roles.items()}
    managing = {role for role in held if "member:remove" in held[role]}
    for permission in ("account:update", "webhook:manage", "guardrail:manage", "review:manage"):
        assert {role for role in held if permission in held[role]} == managing
    assert all(held[role]["account:view"] == "all" for role in held)


@pytest.mark.parametrize(
    ("name", "conversion", "hours", "resend", "after", "deliveries", "limit", "ends", "word"),
    [
        ("standard", "reversible", 168, True, "replace", "email link", 1000, False, "project"),
        ("runpod", "reversible", None, True, None, "email link", 1000, False, "project"),
        ("runos", "none", 24, False, "delete_first", "link", 1000, False, "cluster"),
        ("cloud-iam", "none", 72, True, "replace", "email", 1000, False, "project"),
        ("novita", "irreversible", 168, True, "replace", "email", 200, True, "project"),
    ],
)
def test_the_policies_of_each_provider(
    name, conversion, hours, resend, after, deliveries, limit, ends, word
):
    policies = load_catalog(name).policies
    invitations = policies.invitations
    assert policies.conversion == conversion
    assert invitations.lifetime_seconds == (hours and hours * 3600)
    assert invitations.resend is resend
    assert invitations.after_expiry == after
    assert " ".join(invitations.deliveries) == deliveries
    assert invitations.email_lock
    assert policies.member_limit == limit
    assert policies.role_change_ends_sessions is ends
    assert policies.words.project == word


@pytest.mark.parametrize(
    ("name", "owner_role", "assignable"),
    [
        ("standard", "owner", "admin operator developer billing basic viewer"),
        ("runpod", "admin", "basic billing dev admin"),
        ("runos", "admin", "admin"),
        ("cloud-iam", "admin", "admin operator viewer"),
        ("novita", "owner", "admin developer basic billing"),
    ],
)
def test_the_owner_role_and_the_assignable_roles(name, owner_role, assignable):
    catalog = load_catalog(name)
    assert catalog.owner_role == owner_role
    assert catalog.role_after_transfer == "admin"
    assert " ".join(role.id for role in catalog.roles if role.assignable) == assignable
    admin = catalog.role("admin")
    assert admin is not None
    assert admin.title == "Admin"
    assert catalog.role("unknown") is None


PROJECT_SCOPED_ENTRIES = {
    "standard": (
        "instance bare_metal template image job autoscaling ssh_key user_script registry_auth"
        " cluster service application secret endpoint vpc load_balancer security_group static_ip"
        " storage object_storage database monitoring project"
    ),
    "runpod": (
        "connect_to_existing_pods create_delete_start_stop_pods"
        " create_delete_serverless_endpoints send_requests_to_serverless_endpoints project"
    ),
    "runos": "clusters services applications secrets_and_configurations",
    "cloud-iam": (
        "compute_instances images_and_isos autoscaling ssh_keys user_scripts networking_vpcs"
        " networking_load_balancers networking_security_groups static_ips databases"
        " object_storage projects monitoring_and_alerts"
    ),
    "novita": (
        "instance template image image_prewarm storage jobs vpc serverless"
        " llm_dedicated_endpoints dedicated_endpoints dedicated_endpoints_subscribe quote"
        " order_and_test_order bare_metal_instance bare_metal_storage project"
    ),
}


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_these_entries_and_no_others_are_project_scoped(name):
    scoped = [entry.id for entry in load_catalog(name).entries.values() if entry.project_scoped]
    assert scoped == PROJECT_SCOPED_ENTRIES[name].split()


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_control_permissions_of_the_account_cannot_be_overridden(name):
    permissions = CompiledCatalog(load_catalog(name)).permissions
    scoped = {control for control in CONTROL_PERMISSIONS if permissions[control].project_scoped}
    assert scoped == {"project:view", "project:manage", "project:delete"}


@pytest.mark.parametrize(
    ("name", "account_wide"),
    [
        ("cloud-iam", {"billing", "team_management", "api_tokens"}),
        ("runos", {"users", "account_settings"}),
    ],
)
def test_all_source_rows_but_these_are_project_scoped(name, account_wide):
    rows = [
        entry
        for section in load_catalog(name).sections
        if section.id != "rolecall"
        for entry in section.entries
    ]
    assert {entry.id for entry in rows if not entry.project_scoped} == account_wide
