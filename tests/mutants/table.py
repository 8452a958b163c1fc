"""Every mutant of the project, from the modules in `rows`."""

from tests.mutants.mutant import Mutant
from tests.mutants.rows import deployment, leases

MUTANTS: tuple[Mutant, ...] = (
    *deployment.ROWS,
    *leases.ROWS,
)
