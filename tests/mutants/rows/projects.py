"""Mutants of rights on one project: in catalogs, decisions, rows and use cases."""

from tests.mutants.mutant import Kind, Mutant

RULES = "sdk/rolecall/core/rules.py"
MATRIX = "sdk/rolecall/core/matrix.py"
DECIDE = "sdk/rolecall/core/decide.py"
BAD_CATALOGS = ("tests/sdk/test_bad_catalogs.py",)
PERMISSIONS = ("tests/sdk/test_project_permissions.py",)
LIVE = ("tests/services/team/test_rights_inside_projects.py", "-k", "every_route_below")

ROWS = (
    Mutant(
        id="catalog-check-takes-account-wide-project-rights",
        kind=Kind.SECURITY,
        file=RULES,
        old="    if name in PROJECT_PERMISSIONS and not project_scoped:\n",
        new="    if name in () and not project_scoped:\n",
        tests=BAD_CATALOGS,
    ),
    Mutant(
        id="catalog-check-takes-creation-inside-projects",
        kind=Kind.SECURITY,
        file=RULES,
        old="    if name not in PROJECT_PERMISSIONS and project_scoped:\n",
        new='    if not name.startswith("project:") and project_scoped:\n',
        tests=BAD_CATALOGS,
    ),
    Mutant(
        id="older-catalog-deletes-projects-account-wide",
        kind=Kind.SECURITY,
        file=MATRIX,
        old='        for name in ("project:manage", "project:delete"):\n',
        new='        for name in ("project:manage",):\n',
        tests=PERMISSIONS,
    ),
    Mutant(
        id="older-catalog-gives-lost-project-rights",
        kind=Kind.SECURITY,
        file=MATRIX,
        old="                self.project_mask |= changing.bit\n",
        new="",
        tests=PERMISSIONS,
    ),
    Mutant(
        id="older-catalog-creates-inside-a-project",
        kind=Kind.SECURITY,
        file=MATRIX,
        old="creating, name=CREATE_PROJECT, project_scoped=False, on_project=False",
        new="creating, name=CREATE_PROJECT, project_scoped=True, on_project=False",
        tests=PERMISSIONS,
    ),
    Mutant(
        id="decide-takes-a-project-for-any-resource",
        kind=Kind.SECURITY,
        file=DECIDE,
        old="    if account.resources or held.on_project:\n",
        new="    if account.resources:\n",
        tests=PERMISSIONS,
    ),
    Mutant(
        id="decide-believes-another-project-than-the-resource",
        kind=Kind.SECURITY,
        file=DECIDE,
        old="    if known.project_id not in (None, known.id):\n        return None\n",
        new="    if known.project_id not in (None, known.id):\n        return known\n",
        tests=PERMISSIONS,
    ),
    Mutant(
        id="api-takes-account-wide-rows-below-a-project",
        kind=Kind.SECURITY,
        file="shared/http/api.py",
        old='        if "project_id" in route.parameters and not in_project:\n',
        new='        if "project" in route.parameters and not in_project:\n',
        tests=("tests/shared/http/test_idempotency.py", "-k", "contradicts"),
    ),
    Mutant(
        id="api-takes-membership-alone-below-a-project",
        kind=Kind.SECURITY,
        file="shared/http/access.py",
        old="    if not isinstance(access, Permission) or access.in_each_project:\n",
        new="    if not isinstance(access, Permission):\n",
        tests=("tests/shared/http/test_idempotency.py", "-k", "contradicts"),
    ),
    Mutant(
        id="team-forgets-the-right-on-the-project",
        kind=Kind.SECURITY,
        file="services/team/routes/account_routes.py",
        old="        project_permission=call.project_permission,\n",
        new="",
        tests=LIVE,
    ),
    Mutant(
        id="team-changes-with-the-account-wide-right-alone",
        kind=Kind.SECURITY,
        file="services/team/use_cases/context.py",
        old="            *request.permissions,\n            now=write.now,",
        new="            request.permission,\n            now=write.now,",
        tests=LIVE,
    ),
    Mutant(
        id="team-reads-with-the-account-wide-right-alone",
        kind=Kind.SECURITY,
        file="services/team/use_cases/context.py",
        old="            *request.permissions,\n            now=self.clock.now(),",
        new="            request.permission,\n            now=self.clock.now(),",
        tests=LIVE,
    ),
    Mutant(
        id="team-creates-projects-with-the-right-to-manage-one",
        kind=Kind.SECURITY,
        file="services/team/routes/projects.py",
        old="        access=CREATE,\n",
        new="        access=MANAGE,\n",
        tests=("tests/services/team/test_rights_inside_projects.py", "-k", "needs_a_right"),
    ),
)
