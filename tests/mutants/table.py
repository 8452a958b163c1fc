"""Every mutant of the project, from the modules in `rows`."""

from tests.mutants.mutant import Mutant
from tests.mutants.rows import (
    audit_log,
    authz,
    crashes,
    deployment,
    http,
    identity,
    inbox,
    journal,
    leases,
    mails,
    migrations,
    projects,
    requests,
    sdk,
    servers,
    sign_up,
    team,
    text,
)

MUTANTS: tuple[Mutant, ...] = (
    *audit_log.ROWS,
    *authz.ROWS,
    *crashes.ROWS,
    *deployment.ROWS,
    *http.ROWS,
    *identity.ROWS,
    *inbox.ROWS,
    *journal.ROWS,
    *leases.ROWS,
    *mails.ROWS,
    *migrations.ROWS,
    *projects.ROWS,
    *requests.ROWS,
    *sdk.ROWS,
    *servers.ROWS,
    *sign_up.ROWS,
    *team.ROWS,
    *text.ROWS,
)
