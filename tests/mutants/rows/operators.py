"""Mutants of what operators do: disabled users, service clients and their secrets."""

from tests.mutants.mutant import Kind, Mutant

CLIENTS = "services/identity/domain/service_clients.py"
USERS = "services/identity/use_cases/disabled_users.py"
STATE = "shared/following/live_callers.py"
EVENTS = "services/authz/use_cases/sign_in_events.py"
CLIENT_TESTS = ("tests/services/identity/test_service_clients.py",)
CLIENT_TABLES = ("tests/services/identity/domain/test_service_clients.py",)
USER_TESTS = ("tests/services/identity/test_disabled_users.py",)
AUTHZ_TESTS = ("tests/services/authz/test_disabled_users.py",)
MIRROR_TESTS = ("tests/sdk/test_mirror.py",)

ROWS = (
    Mutant(
        id="a-former-secret-never-ends",
        kind=Kind.SECURITY,
        file=CLIENTS,
        old="self.active and (is_new or (is_old and self.old_secret_valid(now)))",
        new="self.active and (is_new or is_old)",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="a-disabled-client-gets-tokens",
        kind=Kind.SECURITY,
        file=CLIENTS,
        old="return self.active and (is_new",
        new="return (is_new",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="a-disabled-client-is-told-to-authz",
        kind=Kind.SECURITY,
        file=CLIENTS,
        old="    if not client.active:\n",
        new="    if client.status is ClientStatus.DELETED:\n",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="a-disabled-user-stays-signed-in",
        kind=Kind.SECURITY,
        file=USERS,
        old="        if not await end_sessions_of(ctx, write, user_id, keep=None):\n",
        new="        if user_id is None:\n",
        tests=USER_TESTS,
    ),
    Mutant(
        id="a-disabled-user-signs-in",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/imported_passwords.py",
        old="user is None or user.disabled_at is not None or not matches",
        new="user is None or not matches",
        tests=USER_TESTS,
    ),
    Mutant(
        id="a-disabled-user-comes-in-by-an-issuer",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/sso_sign_in.py",
        old="    if current.disabled_at is not None:\n",
        new="    if current is None:\n",
        tests=("tests/services/identity/test_sso_sign_in.py", "-k", "disabled"),
    ),
    Mutant(
        id="unlock-leaves-the-memory-of-this-process",
        kind=Kind.AVAILABILITY,
        file=USERS,
        old="    ctx.refused_senders.forget_about(sign_ins_of(written.result.email_key))\n",
        new="",
        tests=USER_TESTS,
    ),
    Mutant(
        id="a-token-of-a-disabled-user-acts",
        kind=Kind.SECURITY,
        file=STATE,
        old="None if token is None or self._sign_ins.user_disabled(token.user_id) else token",
        new="token",
        tests=AUTHZ_TESTS,
    ),
    Mutant(
        id="who-can-lists-disabled-users",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/who_can.py",
        old="disabled=ctx.sign_ins.disabled_users",
        new="disabled=()",
        tests=AUTHZ_TESTS,
    ),
    Mutant(
        id="a-snapshot-leaves-disabled-users-out",
        kind=Kind.SECURITY,
        file="services/identity/store/snapshot.py",
        old='for kind in ("users", "factors", "tokens")',
        new='for kind in ("factors", "tokens")',
        tests=USER_TESTS,
    ),
    Mutant(
        id="a-bound-reader-learns-of-every-disabled-user",
        kind=Kind.SECURITY,
        file=EVENTS,
        old="[one.id for one in change.objects if self._tells_of_user(one.id)]",
        new="[one.id for one in change.objects]",
        tests=AUTHZ_TESTS,
    ),
    Mutant(
        id="local-mode-takes-a-kept-answer-for-a-disabled-user",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/local.py",
        old="        if ended or lacking or subject.user_id in mirror.disabled:\n",
        new="        if ended or lacking:\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="an-operator-name-is-read-before-the-key",
        kind=Kind.SECURITY,
        file="shared/http/admission.py",
        old="            operator = authenticator.admin(_authorization(request))\n"
        "            name = operator_name(request.headers.getall(OPERATOR_HEADER, []))\n",
        new="            name = operator_name(request.headers.getall(OPERATOR_HEADER, []))\n"
        "            operator = authenticator.admin(_authorization(request))\n",
        tests=USER_TESTS,
    ),
    Mutant(
        id="an-operator-who-means-another-service-is-served",
        kind=Kind.DATA,
        file="shared/http/admission.py",
        old="            require_service(meant, str(context.service.get()))\n",
        new="            del meant\n",
        tests=USER_TESTS,
    ),
    Mutant(
        id="secret-that-was-ended-at-once-is-stored",
        kind=Kind.DATA,
        file=CLIENTS,
        old="old_secret_hash=client.secret_hash if until else None",
        new="old_secret_hash=client.secret_hash",
        tests=CLIENT_TABLES,
    ),
    Mutant(
        id="deleted-client-keeps-its-former-secret",
        kind=Kind.DATA,
        file=CLIENTS,
        old='secret_hash="", old_secret_hash=None, old_secret_until=None)',
        new='secret_hash="")',
        tests=CLIENT_TABLES,
    ),
    Mutant(
        id="rotation-does-not-note-its-time",
        kind=Kind.DATA,
        file=CLIENTS,
        old="        secret_set_at=now,\n",
        new="",
        tests=CLIENT_TABLES,
    ),
    Mutant(
        id="end-of-a-secret-that-was-over-is-told",
        kind=Kind.DATA,
        file=CLIENTS,
        old=("    if not client.old_secret_valid(now):\n        return ended, ()\n"),
        new=("    if client.old_secret_until is None:\n        return ended, ()\n"),
        tests=CLIENT_TABLES,
    ),
    Mutant(
        id="former-secret-is-kept-for-a-year",
        kind=Kind.LIMIT,
        file="services/identity/routes/service_clients.py",
        old="MAX_KEPT_SECONDS = 30 * 24 * 3600",
        new="MAX_KEPT_SECONDS = 365 * 24 * 3600",
        tests=(*CLIENT_TESTS, "-k", "until_its_time"),
    ),
    Mutant(
        id="former-secret-is-shown-after-its-time",
        kind=Kind.DATA,
        file="services/identity/routes/service_clients.py",
        old="client.old_secret_until if client.old_secret_valid(now) else None",
        new="client.old_secret_until",
        tests=(*CLIENT_TESTS, "-k", "until_its_time"),
    ),
    Mutant(
        id="each-explanation-disables-a-user-anew",
        kind=Kind.DATA,
        file="services/identity/domain/disabled_users.py",
        old="disabled_at=user.disabled_at or now",
        new="disabled_at=now",
        tests=("tests/services/identity/domain/test_disabled_users.py",),
    ),
    Mutant(
        id="enabled-user-has-the-former-revision",
        kind=Kind.CONSISTENCY,
        file="services/identity/domain/disabled_users.py",
        old="disabled_because=None, disabled_rev=rev)",
        new="disabled_because=None)",
        tests=("tests/services/identity/domain/test_disabled_users.py",),
    ),
)
