"""Every mutant of the project, from the modules in `rows`."""

from tests.mutants.mutant import Mutant
from tests.mutants.rows import (
    audit_log,
    authz,
    crashes,
    deployment,
    inbox,
    leases,
    mails,
    migrations,
    projects,
)

MUTANTS: tuple[Mutant, ...] = (
    *audit_log.ROWS,
    *authz.ROWS,
    *crashes.ROWS,
    *deployment.ROWS,
    *inbox.ROWS,
    *leases.ROWS,
    *mails.ROWS,
    *migrations.ROWS,
    *projects.ROWS,
)
