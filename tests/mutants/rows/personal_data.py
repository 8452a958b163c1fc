"""Mutants of the export of personal data."""

from tests.mutants.mutant import Kind, Mutant

USE_CASE = "services/identity/use_cases/personal_data.py"
TESTS = ("tests/services/identity/test_personal_data.py",)

ROWS = (
    Mutant(
        id="an-export-has-live-sessions-alone",
        kind=Kind.LIMIT,
        file="services/identity/store/sessions.py",
        old='"ended": {"$in": [False, True]}}',
        new='"ended": False}',
        tests=(*TESTS, "-k", "stored"),
    ),
    Mutant(
        id="exports-are-not-bounded",
        kind=Kind.LIMIT,
        file="services/identity/domain/personal_data.py",
        old="limit=limit,",
        new="limit=limit * 100,",
        tests=(*TESTS, "-k", "bounded"),
    ),
    Mutant(
        id="an-export-leaves-suspended-memberships-out",
        kind=Kind.LIMIT,
        file="services/team/use_cases/accounts.py",
        old="        for membership in memberships\n"
        "        if (account := found.get(membership.account_id)) is not None\n    ]\n",
        new="        for membership in memberships\n"
        "        if membership.in_force(ctx.clock.now())\n"
        "        and (account := found.get(membership.account_id)) is not None\n    ]\n",
        tests=("tests/services/team/test_accounts.py", "-k", "every_membership"),
    ),
)
