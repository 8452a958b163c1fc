"""Mutants of the second factor that an account demands of its members."""

from tests.mutants.mutant import Kind, Mutant

DECIDE = "sdk/rolecall/core/decide.py"
CHECKS = "services/authz/domain/checks.py"
LOCAL = "sdk/rolecall/aio/local.py"
MIRROR = "sdk/rolecall/aio/mirror.py"
CONTEXT = "services/team/use_cases/context.py"
RULES = "services/team/domain/second_factors.py"
FACTS = "services/identity/domain/factor_facts.py"

CORE_TESTS = "tests/sdk/test_decide.py"
MIRROR_TESTS = "tests/sdk/test_mirror.py"
AUTHZ_TESTS = "tests/services/authz/test_second_factors.py"
TEAM_TESTS = "tests/services/team/domain/test_second_factors.py"
IDENTITY_TESTS = "tests/services/identity/test_told_factors.py"


def _security(name: str, file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(id=name, kind=Kind.SECURITY, file=file, old=old, new=new, tests=tests)


ROWS = (
    _security(
        "every-change-is-made-without-the-demanded-factor",
        CONTEXT,
        "    without_factor: bool = False\n",
        "    without_factor: bool = True\n",
        TEAM_TESTS,
    ),
    Mutant(
        id="a-member-who-is-shut-out-cannot-leave",
        kind=Kind.AVAILABILITY,
        file="services/team/use_cases/members.py",
        old="    request = replace(request, without_factor=True)\n",
        new="",
        tests=(TEAM_TESTS,),
    ),
    Mutant(
        id="the-last-look-before-a-commit-keeps-a-leaver-in",
        kind=Kind.AVAILABILITY,
        file="services/team/use_cases/account_write.py",
        old="        demanded = demanded and not self._without_factor\n",
        new="",
        tests=(TEAM_TESTS,),
    ),
    _security(
        "demand-is-not-looked-at-for-ordinary-members",
        DECIDE,
        "        or account.require_second_factor\n    ):\n        refused",
        "    ):\n        refused",
        CORE_TESTS,
    ),
    _security(
        "demand-is-told-to-strangers",
        DECIDE,
        "    if member is None or outside is not None:\n        return outside\n",
        "    if member is None or outside is not None:\n"
        "        return _SECOND_FACTOR_REQUIRED if account.require_second_factor else outside\n",
        CORE_TESTS,
    ),
    _security(
        "demand-spares-api-tokens",
        DECIDE,
        "    lacks_factor = account.require_second_factor and not subject.second_factor\n",
        "    lacks_factor = account.require_second_factor and not subject.second_factor\n"
        "    lacks_factor = lacks_factor and token is None\n",
        AUTHZ_TESTS,
    ),
    _security(
        "authz-gives-every-subject-a-second-factor",
        CHECKS,
        "second_factor=sign_in_denial is not _NO_FACTOR",
        "second_factor=True",
        AUTHZ_TESTS,
    ),
    _security(
        "who-can-forgets-second-factors",
        "services/authz/use_cases/who_can.py",
        "with_factor=ctx.sign_ins.second_factor_users",
        "with_factor=account.members",
        AUTHZ_TESTS,
    ),
    _security(
        "a-removed-factor-is-still-known",
        "shared/following/sign_in_state.py",
        "(users.discard if state is None else users.add)(policy_object.id)",
        "users.add(policy_object.id)",
        AUTHZ_TESTS,
    ),
    _security(
        "a-snapshot-leaves-second-factors-out",
        "services/identity/store/snapshot.py",
        'for kind in ("users", "factors", "tokens")',
        'for kind in ("users", "tokens")',
        IDENTITY_TESTS,
    ),
    _security(
        "passkeys-are-no-second-factor-for-others",
        FACTS,
        "        state={} if factors.exist else None,",
        "        state=None if factors.totp is None else {},",
        IDENTITY_TESTS,
    ),
    _security(
        "the-rev-of-second-factors-is-not-kept",
        "services/identity/store/factors.py",
        "rev=before.rev if before.exist is after.exist else rev",
        "rev=before.rev",
        IDENTITY_TESTS,
    ),
    _security(
        "local-mode-knows-no-demand",
        LOCAL,
        "self._demanding = state is not None and state.require_second_factor",
        "self._demanding = False",
        MIRROR_TESTS,
    ),
    _security(
        "local-mode-keeps-second-factors-of-an-earlier-state",
        MIRROR,
        "self.disabled, self.with_factor = self._disabled_anew, self._with_factor_anew",
        "self.disabled = self._disabled_anew",
        MIRROR_TESTS,
    ),
    _security(
        "an-old-sdk-is-not-stopped-by-a-demand",
        "services/authz/use_cases/policy_stream.py",
        '            if "require_second_factor" in each["state"]:\n',
        "            if False:\n",
        AUTHZ_TESTS,
    ),
    _security(
        "team-gives-every-caller-a-second-factor",
        "services/team/domain/account_access.py",
        "Subject(rows.membership.user_id, second_factor=second_factor)",
        "Subject(rows.membership.user_id, second_factor=True)",
        TEAM_TESTS,
    ),
    _security(
        "team-does-not-look-for-the-factor-before-a-commit",
        CONTEXT,
        "check_actor(request.caller.actor, factor_of)",
        "check_actor(request.caller.actor)",
        TEAM_TESTS,
    ),
    _security(
        "a-demand-shuts-out-the-owner",
        RULES,
        "    if account.owner_user_id not in with_factor:\n",
        "    if False:\n",
        TEAM_TESTS,
    ),
    _security(
        "a-demand-shuts-out-its-maker",
        RULES,
        "    if access.membership.user_id not in with_factor:\n",
        "    if False:\n",
        TEAM_TESTS,
    ),
    _security(
        "an-api-token-ends-a-demand",
        "services/team/use_cases/account_changes.py",
        "    if request.token is not None:\n",
        "    if request.token is not None and not account.require_second_factor:\n",
        TEAM_TESTS,
    ),
    _security(
        "the-access-of-a-member-forgets-the-demand",
        "services/team/use_cases/member_access.py",
        "require_second_factor=lacking",
        "require_second_factor=False",
        TEAM_TESTS,
    ),
    _security(
        "a-preview-forgets-the-demand",
        "services/team/use_cases/comparisons.py",
        "        _demanding(after),\n",
        "        after.state,\n",
        TEAM_TESTS,
    ),
)
