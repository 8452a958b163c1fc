"""Mutants of the SDK: its client, its integration of aiohttp, and what they send."""

from tests.mutants.mutant import Kind, Mutant

TRANSPORT = "sdk/rolecall/client/transport.py"
CLIENT_TESTS = ("tests/sdk/test_client.py",)
GUARD_TESTS = ("tests/sdk/test_permission_guard.py",)
REQUIREMENT_TESTS = ("tests/sdk/test_requirement.py",)

ROWS = (
    Mutant(
        id="sdk-rule-whose-path-lacks-its-parameter",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/integrations/rules.py",
        old="if needed not in names:",
        new="if not names:",
        tests=REQUIREMENT_TESTS,
    ),
    Mutant(
        id="sdk-open-brace-is-a-text",
        kind=Kind.SECURITY,
        file="sdk/rolecall/integrations/rules.py",
        old='for brace in "{}"',
        new='for brace in "}"',
        tests=REQUIREMENT_TESTS,
    ),
    Mutant(
        id="sdk-misspelt-permission-is-not-logged",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/client/route_faults.py",
        old="if reason == Reason.PERMISSION_UNKNOWN:",
        new="if reason == Reason.PERMISSION_MISSING:",
        tests=REQUIREMENT_TESTS,
    ),
    Mutant(
        id="sdk-unknown-account-is-the-applications-fault",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/client/route_faults.py",
        old="reason == Reason.NO_ACCOUNT and not self._names_account:",
        new="reason == Reason.NO_ACCOUNT:",
        tests=REQUIREMENT_TESTS,
    ),
    Mutant(
        id="sdk-forged-token-is-called-expired",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/keys.py",
        old="except ExpiredToken as error:",
        new="except jwt.BadToken as error:",
        tests=("tests/sdk/test_token_keys.py",),
    ),
    Mutant(
        id="catalog-with-a-shipped-name-passes",
        kind=Kind.DATA,
        file="sdk/rolecall/core/catalog.py",
        old="    if catalog.name in SHIPPED_CATALOGS and",
        new="    if catalog.name in () and",
        tests=("tests/sdk/test_cli.py",),
    ),
    Mutant(
        id="catalog-takes-quoted-booleans",
        kind=Kind.DATA,
        file="sdk/rolecall/core/table.py",
        old="Flag = Annotated[bool, Strict()]",
        new="Flag = Annotated[bool, Strict(strict=False)]",
        tests=("tests/sdk/test_bad_catalogs.py",),
    ),
    Mutant(
        id="grant-without-effect-passes",
        kind=Kind.DATA,
        file="sdk/rolecall/core/role_rules.py",
        old="if narrower not in (None, grant) and not exceeds(narrower, grant):",
        new="if narrower is not None and exceeds(narrower, grant):",
        tests=("tests/sdk/test_bad_catalogs.py",),
    ),
    Mutant(
        id="sdk-secret-to-the-proxy",
        kind=Kind.SECURITY,
        file=TRANSPORT,
        old="ProxyHandler({} if direct else None)",
        new="ProxyHandler()",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="sdk-token-renewed-only-after-its-end",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/client/checks.py",
        old="requested_at + seconds - RENEW_EARLY_SECONDS",
        new="requested_at + seconds",
        tests=("tests/sdk/test_client.py",),
    ),
    Mutant(
        id="sdk-caller-counts-as-the-owner",
        kind=Kind.SECURITY,
        file="sdk/rolecall/integrations/aiohttp.py",
        old="owner_id=None if owner is None else owner(request),",
        new="owner_id=None if owner is None else subject_id,",
        tests=("tests/sdk/test_aiohttp.py",),
    ),
    Mutant(
        id="sdk-deadline-of-each-byte",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/client/deadline.py",
        old="        self._sock.settimeout(self._deadline.remaining())\n",
        new="",
        tests=CLIENT_TESTS,
        seconds=90,
    ),
    Mutant(
        id="sdk-deadline-of-each-request",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/client/checks.py",
        old="headers=headers, timeout=seconds)",
        new="headers=headers, timeout=self._timeout)",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="sdk-guard-unbounded",
        kind=Kind.LIMIT,
        file="sdk/rolecall/integrations/aiohttp.py",
        old="        if not self._free.acquire(blocking=False):\n",
        new="        if False:\n",
        tests=GUARD_TESTS,
    ),
    Mutant(
        id="sdk-guard-session-lost",
        kind=Kind.SECURITY,
        file="sdk/rolecall/integrations/aiohttp.py",
        old="session_id=None if session is None else session(request),",
        new="session_id=None,",
        tests=GUARD_TESTS,
    ),
)
