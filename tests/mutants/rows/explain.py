"""Mutants of explanations, who-can and forward auth."""

from tests.mutants.mutant import Kind, Mutant

EXPLAIN = "sdk/rolecall/core/explain.py"
EXPLAINING = "services/authz/domain/explaining.py"
MAP = "sdk/rolecall/core/forward_auth.py"
CORE_TESTS = ("tests/sdk/test_explain.py",)
SHOWN_TESTS = ("tests/services/authz/test_explain.py",)
GATEWAY_TESTS = ("tests/services/authz/test_forward_auth.py",)
MAP_TESTS = ("tests/sdk/test_forward_auth.py",)

ROWS = (
    Mutant(
        id="explain-decides-about-another-resource",
        kind=Kind.CONSISTENCY,
        file=EXPLAIN,
        old="    decision = decide(account, subject, permission, resource, now=now, given=given)\n",
        new="    decision = decide(account, subject, permission, now=now, given=given)\n",
        tests=CORE_TESTS,
    ),
    Mutant(
        id="explain-shows-a-denial-without-its-step",
        kind=Kind.DATA,
        file=EXPLAIN,
        old="        over = step is end\n",
        new="        over = step is end and step is not StepId.OWNER\n",
        tests=CORE_TESTS,
    ),
    Mutant(
        id="explain-names-members-to-all",
        kind=Kind.SECURITY,
        file=EXPLAINING,
        old="        grantors=grantors(denial, wanted) if holds(SEE_MEMBERS) else None,\n",
        new="        grantors=grantors(denial, wanted),\n",
        tests=SHOWN_TESTS,
    ),
    Mutant(
        id="explain-names-custom-roles-to-all",
        kind=Kind.SECURITY,
        file=EXPLAINING,
        old="with_custom_roles=holds(SEE_ROLES)",
        new="with_custom_roles=True",
        tests=SHOWN_TESTS,
    ),
    Mutant(
        id="explain-tells-an-outsider-of-the-account",
        kind=Kind.SECURITY,
        file=EXPLAINING,
        old="        if shown.reason not in SHOWS_MEMBERSHIP:\n",
        new="        if account is None:\n",
        tests=SHOWN_TESTS,
    ),
    Mutant(
        id="explain-lets-everyone-ask-about-others",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/explain.py",
        old="    if not answer(ctx, seeing, decide_for_user).allowed:\n",
        new="    if answer(ctx, seeing, decide_for_user) is None:\n",
        tests=SHOWN_TESTS,
    ),
    Mutant(
        id="who-can-skips-a-member-between-pages",
        kind=Kind.DATA,
        file="sdk/rolecall/core/who_can.py",
        old="            return Holders(tuple(found), last)\n",
        new="            return Holders(tuple(found), user_id)\n",
        tests=SHOWN_TESTS,
    ),
    Mutant(
        id="who-can-hides-members-with-a-condition",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/who_can.py",
        old="    if decision.reason not in _MAY_BE_OPEN:\n",
        new="    if decision.reason is not Reason.OWNER_UNKNOWN:\n",
        tests=("tests/sdk/test_who_can.py",),
    ),
    Mutant(
        id="who-can-of-an-unknown-project-is-empty",
        kind=Kind.DATA,
        file="services/authz/use_cases/who_can.py",
        old="place.project_id is not None and place.project_id not in account.projects:\n",
        new="place.project_id == account.id:\n",
        tests=SHOWN_TESTS,
    ),
    Mutant(
        id="explain-names-a-grant-that-did-not-apply",
        kind=Kind.DATA,
        file=EXPLAIN,
        old="for one in deciding if one.when is None or one.when.holds(facts))",
        new="for one in deciding if one.when is None or one.when.unmet(facts) != 0)",
        tests=CORE_TESTS,
    ),
    Mutant(
        id="foreign-host-is-refused-like-a-denial",
        kind=Kind.AVAILABILITY,
        file="shared/http/hosts.py",
        old="    kind = RefusalKind.MISDIRECTED\n",
        new="    kind = RefusalKind.DENIED\n",
        tests=("tests/shared/http/test_hosts.py",),
    ),
    Mutant(
        id="grantors-may-not-hold-what-they-give",
        kind=Kind.DATA,
        file="sdk/rolecall/core/remedies.py",
        old="            if may_give(account, giver, matrix, now=now)\n",
        new="",
        tests=CORE_TESTS,
    ),
    Mutant(
        id="grantors-are-compared-without-a-bound",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/remedies.py",
        old=" or compared >= MAX_COMPARED:\n",
        new=":\n",
        tests=("tests/sdk/test_grantors_bounds.py",),
    ),
    Mutant(
        id="grantors-are-looked-for-among-all-members",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/remedies.py",
        old="others), MAX_LOOKED_AT):\n",
        new="others), None):\n",
        tests=("tests/sdk/test_grantors_bounds.py",),
    ),
    Mutant(
        id="forward-auth-matches-an-encoded-slash",
        kind=Kind.SECURITY,
        file=MAP,
        old='        path = target.partition("?")[0]\n',
        new='        path = target.partition("?")[0].replace("%2F", "/").replace("%2D", "-")\n',
        tests=MAP_TESTS,
    ),
    Mutant(
        id="forward-auth-matches-dot-segments",
        kind=Kind.SECURITY,
        file=MAP,
        old=r"(?!\.{{1,2}}(?:[:/]|$))",
        new="",
        tests=MAP_TESTS,
    ),
    Mutant(
        id="forward-auth-answers-403-when-undecided",
        kind=Kind.AVAILABILITY,
        file="shared/http/gateways.py",
        old="RefusalKind.DENIED, RefusalKind.UNAVAILABLE})",
        new="RefusalKind.DENIED})",
        tests=GATEWAY_TESTS,
    ),
    Mutant(
        id="forward-auth-leaves-empty-headers-out",
        kind=Kind.SECURITY,
        file="services/authz/routes/forward_auth.py",
        old='headers={name: value or "" for name, value in headers.items()})',
        new="headers={name: value for name, value in headers.items() if value})",
        tests=GATEWAY_TESTS,
    ),
    Mutant(
        id="forward-auth-takes-one-of-two-headers",
        kind=Kind.SECURITY,
        file="services/authz/routes/forward_auth.py",
        old="    return values[0] if len(values) == 1 else None\n",
        new="    return values[0] if values else None\n",
        tests=GATEWAY_TESTS,
    ),
    Mutant(
        id="forward-auth-ignores-the-bound-accounts",
        kind=Kind.SECURITY,
        file="services/authz/domain/forwarded.py",
        old="        and (accounts is None or account_id in accounts)\n",
        new="",
        tests=GATEWAY_TESTS,
    ),
)
