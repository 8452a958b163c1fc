"""Rights on one project are decided inside it, under every catalog and every published version."""

from dataclasses import replace

import pytest

from rolecall import (
    PROJECT_PERMISSIONS,
    SHIPPED_CATALOGS,
    CompiledCatalog,
    Override,
    Reason,
    Resource,
    Subject,
    decide,
    effective_matrix,
    load_catalog,
)
from rolecall.core.state import NO_RESOURCE_ID
from tests.sdk.accounts import NOW, account, member
from tests.sdk.older_catalogs import ACCOUNT_WIDE_PROJECTS, OLDER_IDS, older

PROD, TEST = "prj_prod", "prj_test"
TODAY = {name: CompiledCatalog(load_catalog(name)) for name in SHIPPED_CATALOGS}
OLDER = {name: CompiledCatalog(older(name)) for name in SHIPPED_CATALOGS}
VERSIONS = [
    pytest.param(catalog, name, id=f"{name}-{age}")
    for age, versions in (("today", TODAY), ("older", OLDER))
    for name, catalog in versions.items()
]
VIEW, MANAGE, DELETE = PROJECT_PERMISSIONS


def carrier(catalog, permission):
    """The entry and the level that carry the permission."""
    return next(
        (entry, level.id)
        for entry in catalog.catalog.entries.values()
        for level in entry.levels
        if permission in entry.permission_names(level)
    )


def grants_of(catalog, *permissions):
    """The grants of an override that carry these permissions."""
    grants: dict[str, dict[str, str]] = {}
    for permission in permissions:
        entry, level = carrier(catalog, permission)
        grants.setdefault(entry.id, {})[level] = "all"
    return grants


def admin_in_prod(catalog, grants, *, expires_at=None):
    """An account with two projects, and an admin with an override in one of them."""
    parsed = catalog.catalog.parse_grants(grants, within_project=True)
    override = Override(catalog.override_matrix(PROD, parsed), expires_at)
    admin = member("admin", catalog, overrides={PROD: override})
    return account(admin, catalog=catalog, projects={PROD, TEST})


def decision(team, permission, resource=Resource()):  # noqa: B008  it cannot be changed
    return decide(team, Subject("usr_b"), permission, resource, now=NOW)


def allowed(team, permission, project_id=None):
    return decision(team, permission, Resource(project_id=project_id)).allowed


@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_the_older_versions_are_those_that_were_published(name):
    assert older(name).id == f"{name}@{OLDER_IDS[name]}"


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize(("catalog", "name"), VERSIONS)
def test_an_override_takes_the_rights_on_its_project_away(catalog, name):
    team = admin_in_prod(catalog, {})
    keeps_view = catalog is OLDER[name] and name in ACCOUNT_WIDE_PROJECTS
    assert {right: allowed(team, right, PROD) for right in PROJECT_PERMISSIONS} == {
        VIEW: keeps_view,
        MANAGE: False,
        DELETE: False,
    }
    assert all(allowed(team, right, TEST) for right in PROJECT_PERMISSIONS)
    ended = admin_in_prod(catalog, {}, expires_at=NOW)
    assert all(allowed(ended, right, PROD) for right in PROJECT_PERMISSIONS)


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("right", PROJECT_PERMISSIONS)
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_an_override_grants_rights_on_its_project_one_by_one(name, right):
    catalog = TODAY[name]
    team = admin_in_prod(catalog, grants_of(catalog, right))
    included = {VIEW} if name in {"standard", "novita"} else set()
    held = {one for one in PROJECT_PERMISSIONS if allowed(team, one, PROD)}
    assert held == {right} | included


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("name", ACCOUNT_WIDE_PROJECTS)
def test_in_an_older_version_no_override_grants_changes_of_its_project(name):
    """Such an override cannot name the entry, so not even one with every grant does."""
    team = admin_in_prod(OLDER[name], {"*": {"*": "all"}})
    assert [allowed(team, right, PROD) for right in PROJECT_PERMISSIONS] == [True, False, False]


@pytest.mark.parametrize(("catalog", "name"), VERSIONS)
def test_creating_a_project_is_account_wide(catalog, name):
    for grants in ({}, {"*": {"*": "all"}}):
        team = admin_in_prod(catalog, grants)
        assert allowed(team, "project:create")
        assert allowed(team, "project:create", PROD)


CREATORS = {
    "standard": {"owner", "admin", "operator"},
    "runpod": {"admin"},
    "runos": {"admin"},
    "cloud-iam": {"admin", "operator"},
    "novita": {"owner", "admin"},
}


@pytest.mark.parametrize(("catalog", "name"), VERSIONS)
def test_the_roles_that_create_projects(catalog, name):
    held = {role: catalog.held(matrix) for role, matrix in catalog.roles.items()}
    for permission in ("project:create", "project:manage"):
        assert {role for role in held if permission in held[role]} == CREATORS[name]


@pytest.mark.parametrize(("catalog", "name"), VERSIONS)
def test_a_raised_member_creates_no_project(catalog, name):
    """An override with every grant reaches its project only."""
    admin = admin_in_prod(catalog, {"*": {"*": "all"}}).members["usr_b"]
    raised = replace(admin, role=catalog.role_matrix("guest", {}))
    team = account(raised, catalog=catalog, projects={PROD})
    assert not allowed(team, "project:create")
    assert not allowed(team, "project:create", PROD)


@pytest.mark.rule("B5")
@pytest.mark.parametrize(("catalog", "name"), VERSIONS)
def test_a_restricted_admin_does_not_hold_the_rights_to_give_them(catalog, name):
    team = admin_in_prod(catalog, {})
    held = catalog.held(effective_matrix(team, team.members["usr_b"], PROD, now=NOW))
    assert not {MANAGE, DELETE} & held.keys()


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize(("catalog", "name"), VERSIONS)
@pytest.mark.parametrize("permission", [MANAGE, DELETE])
def test_a_project_that_is_the_resource_is_where_its_rights_are_decided(catalog, name, permission):
    """A service may name the project as the resource instead of the resource's project."""
    team = admin_in_prod(catalog, {})
    prod = decision(team, permission, Resource(id=PROD))
    assert (prod.reason, prod.decided_by) == (Reason.PERMISSION_MISSING, f"override:{PROD}")
    assert decision(team, permission, Resource(id=TEST)).allowed
    assert decision(team, permission, Resource(id=PROD, project_id=PROD)).decided_by == (
        f"override:{PROD}"
    )
    torn = decision(team, permission, Resource(id=PROD, project_id=TEST))
    assert torn.reason is Reason.RESOURCE_CONFLICT
    gone = decision(team, permission, Resource(id="prj_gone"))
    assert gone.reason is Reason.PROJECT_UNKNOWN
    unnamed = decision(team, permission, Resource(id=NO_RESOURCE_ID, project_id=PROD))
    assert unnamed.decided_by == f"override:{PROD}"
    assert decision(team, permission, Resource(id=NO_RESOURCE_ID)).allowed


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize(
    ("name", "permission"),
    [("runos", "clusters:delete"), ("runos", "clusters:manage"), ("cloud-iam", "projects:delete")],
)
def test_the_word_of_a_provider_for_a_project_names_it_as_well(name, permission):
    team = admin_in_prod(TODAY[name], {})
    assert decision(team, permission, Resource(id=PROD)).decided_by == f"override:{PROD}"
    assert decision(team, permission, Resource(id=TEST)).allowed
    unknown = decision(team, permission, Resource(id="cl-17"))
    assert unknown.decided_by == "role:admin"
