"""Mutants of the last page of a list, of told waits, and of what service clients are bound to."""

from tests.mutants.mutant import Kind, Mutant

CHECKS = "services/authz/domain/checks.py"
CHECK_TESTS = ("tests/services/authz/domain/test_bound_clients.py",)
TOKEN_TESTS = ("tests/shared/auth/test_access_tokens.py", "-k", "scopes_and_bounds")

ROWS = (
    Mutant(
        id="cursor-on-a-full-last-page",
        kind=Kind.DATA,
        file="shared/http/paging.py",
        old="if len(left) > len(page) else None\n",
        new="if len(page) == call.query.limit else None\n",
        tests=("tests/shared/http/test_paging.py", "-k", "full_last_page"),
    ),
    Mutant(
        id="cursor-on-a-full-last-page-of-members",
        kind=Kind.DATA,
        file="services/team/use_cases/member_list.py",
        old="if len(rows) > limit else None",
        new="if len(rows) >= limit else None",
        tests=("tests/contracts/test_last_pages.py", "-k", "listMembers"),
    ),
    Mutant(
        id="cursor-on-a-full-last-page-of-invitations",
        kind=Kind.DATA,
        file="services/team/use_cases/invitations.py",
        old="    if len(found) > limit:\n",
        new="    if len(found) >= limit:\n",
        tests=("tests/contracts/test_last_pages.py", "-k", "listInvitations"),
    ),
    Mutant(
        id="cursor-on-a-full-last-page-of-records",
        kind=Kind.DATA,
        file="services/audit/use_cases/search.py",
        old="if len(found) > limit else None",
        new="if len(found) >= limit else None",
        tests=("tests/contracts/test_last_pages.py", "-k", "listAuditEvents"),
    ),
    Mutant(
        id="cursor-on-a-full-last-page-of-resources",
        kind=Kind.DATA,
        file="services/team/routes/resources.py",
        old="if len(found) > len(page) else None",
        new="if page else None",
        tests=("tests/contracts/test_last_pages.py", "-k", "listResources"),
    ),
    Mutant(
        id="rate-limit-tells-the-shortest-wait",
        kind=Kind.LIMIT,
        file="services/identity/domain/rate_limits.py",
        old="TooManyRequests(retry_after=max(waits))",
        new="TooManyRequests(retry_after=min(waits))",
        tests=("tests/services/identity/domain/test_rate_limits.py",),
    ),
    Mutant(
        id="check-of-a-client-of-two-accounts-takes-the-first",
        kind=Kind.SECURITY,
        file=CHECKS,
        old="return bound[0] if bound is not None and len(bound) == 1 else None",
        new="return bound[0] if bound else None",
        tests=CHECK_TESTS,
    ),
    Mutant(
        id="check-of-a-client-of-no-account-breaks",
        kind=Kind.AVAILABILITY,
        file=CHECKS,
        old="return bound[0] if bound is not None and len(bound) == 1 else None",
        new="return bound[0] if bound is not None and len(bound) < 2 else None",
        tests=CHECK_TESTS,
    ),
    Mutant(
        id="check-of-a-client-names-any-account",
        kind=Kind.SECURITY,
        file=CHECKS,
        old="    require_account(bound, named)\n",
        new="",
        tests=CHECK_TESTS,
    ),
    Mutant(
        id="token-of-a-client-of-no-account-binds-nothing",
        kind=Kind.SECURITY,
        file="shared/auth/access_tokens.py",
        old="    if client.account_ids is not None:\n",
        new="    if client.account_ids:\n",
        tests=TOKEN_TESTS,
    ),
    Mutant(
        id="read-token-of-a-client-of-no-account-binds-nothing",
        kind=Kind.SECURITY,
        file="shared/auth/access_tokens.py",
        old="account_ids=None if accounts is None else",
        new="account_ids=None if not accounts else",
        tests=TOKEN_TESTS,
    ),
)
