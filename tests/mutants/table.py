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
    requests,
    sdk,
    sign_up,
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
    *requests.ROWS,
    *sdk.ROWS,
    *sign_up.ROWS,
)
