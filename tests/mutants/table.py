"""Every mutant of the project, from the modules in `rows`."""

from tests.mutants.mutant import Mutant
from tests.mutants.rows import authz, deployment, leases

MUTANTS: tuple[Mutant, ...] = (
    *authz.ROWS,
    *deployment.ROWS,
    *leases.ROWS,
)
