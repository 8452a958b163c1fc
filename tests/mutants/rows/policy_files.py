"""Mutants of policy files: who may apply one, what is compared, and what it changes."""

from tests.mutants.mutant import Kind, Mutant

TESTS = "tests/services/team/test_policy_files.py"
POLICY = "services/team/use_cases/policy.py"
STEPS = "services/team/use_cases/policy_steps.py"


def _mutant(name: str, kind: Kind, file: str, old: str, new: str, test: str) -> Mutant:
    return Mutant(id=name, kind=kind, file=file, old=old, new=new, tests=(TESTS, "-k", test))


ROWS = (
    _mutant(
        "body-with-many-faults-has-each-one-placed",
        Kind.AVAILABILITY,
        "shared/http/validation.py",
        "error.errors(include_url=False)[:MAX_READ]",
        "error.errors(include_url=False)",
        "as_far_as_it_is_told",
    ),
    _mutant(
        "policy-of-a-user-waits-for-none-of-theirs",
        Kind.AVAILABILITY,
        POLICY,
        "turns.turn(request.user_id), turns.turn(request.account_id)",
        "turns.turn(request.account_id)",
        "one_file_in_work",
    ),
    _mutant(
        "refused-step-of-a-policy-is-recorded-without-its-target",
        Kind.SECURITY,
        STEPS,
        "            refusal.part = self._part(step)\n",
        "",
        "recorded_as_what",
    ),
    _mutant(
        "policy-changes-take-any-time",
        Kind.AVAILABILITY,
        POLICY,
        "if ctx.clock.boottime() > ends_at:",
        "if False:",
        "to_be_split",
    ),
    _mutant(
        "policy-searches-a-spelling-for-every-fault",
        Kind.AVAILABILITY,
        "services/team/domain/policy_names.py",
        "        if len(self._errors) >= MAX_FAULTS:\n",
        "        if False:\n",
        "as_far_as_it_is_told",
    ),
    _mutant(
        "grants-search-a-spelling-for-every-problem",
        Kind.AVAILABILITY,
        "sdk/rolecall/core/grants.py",
        "[*islice(_problems(grants, entries, place), MAX_PROBLEMS)]",
        "[*_problems(grants, entries, place)]",
        "as_far_as_it_is_told",
    ),
    _mutant(
        "policy-reads-members-outside-of-its-snapshot",
        Kind.CONSISTENCY,
        POLICY,
        "members=await write.members()",
        "members=await ctx.store.members(account.account_id)",
        "one_snapshot",
    ),
    _mutant(
        "policy-is-planned-without-the-right-to-see-it",
        Kind.SECURITY,
        "services/team/domain/policy_reading.py",
        "    if len(seen_projects(access, projects, in_projects)) < len(projects):\n",
        "    if False:\n",
        "not_see_all",
    ),
    _mutant(
        "policy-is-applied-to-another-state-than-the-planned-one",
        Kind.CONSISTENCY,
        POLICY,
        "applied=not plan.steps)",
        "applied=True)",
        "changed_since",
    ),
    _mutant(
        "policy-compares-no-guardrail",
        Kind.CONSISTENCY,
        POLICY,
        "    if violations:\n",
        "    if False:\n",
        "as_a_whole",
    ),
    _mutant(
        "policy-compares-guardrails-between-its-changes",
        Kind.AVAILABILITY,
        POLICY,
        "replace(ctx, journal=parts, guardrails_bind=False)",
        "replace(ctx, journal=parts)",
        "as_a_whole",
    ),
    _mutant(
        "policy-deletes-projects-with-a-lesser-right",
        Kind.SECURITY,
        STEPS,
        '("project:delete", None)',
        '("project:view", None)',
        "its_own_route",
    ),
    _mutant(
        "records-of-a-policy-do-not-name-it",
        Kind.SECURITY,
        "shared/journal/part_writes.py",
        "replace(fact, reason=self._reason)",
        "fact",
        "names_it",
    ),
    _mutant(
        "policy-keeps-overrides-that-it-does-not-list",
        Kind.SECURITY,
        "services/team/domain/policy_steps.py",
        "        if key in kept:",
        "        if key not in kept:",
        "every_kind or another_account",
    ),
    _mutant(
        "policy-changes-the-acting-member-first",
        Kind.AVAILABILITY,
        "services/team/domain/policy_steps.py",
        "of_member and step.target == by, at)",
        "of_member and step.target != by, at)",
        "comes_last",
    ),
    _mutant(
        "policy-has-one-change-less-than-its-limit",
        Kind.LIMIT,
        "services/team/domain/policy_steps.py",
        "    if len(steps) > MAX_STEPS:",
        "    if len(steps) >= MAX_STEPS:",
        "limit_says",
    ),
    _mutant(
        "policy-sets-an-override-whose-time-is-over",
        Kind.LIMIT,
        "services/team/domain/policy_names.py",
        "override.expires_at <= self._rows.now",
        "override.expires_at < self._rows.now",
        "whose_time",
    ),
    _mutant(
        "policy-is-applied-by-who-sees-no-longer-all",
        Kind.SECURITY,
        POLICY,
        "        _require_reading(write.access, rows)\n        write.require",
        "        write.require",
        "no_longer_see",
    ),
)
