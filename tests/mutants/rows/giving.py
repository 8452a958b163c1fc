"""Mutants of what members give to others: roles, invitations, overrides, seats and projects."""

from tests.mutants.mutant import Kind, Mutant

AUTHORITY = "services/team/domain/authority.py"
HANDOVER = "services/team/domain/invitation_handover.py"
OVERRIDE_RULES = "services/team/domain/override_rules.py"
RULES = "tests/services/team/domain"
INVITATION_TESTS = (f"{RULES}/test_invitation_rules.py",)
OVERRIDE_TESTS = (f"{RULES}/test_override_rules.py",)
GIVING_TESTS = (f"{RULES}/test_giving_rules.py",)
DOUBTS = "services/team/domain/doubtful_addresses.py"
DOUBT_TESTS = (f"{RULES}/test_doubtful_addresses.py",)
PASSED_TESTS = ("tests/services/team/test_members.py", "-k", "another_inviter")

ROWS = (
    Mutant(
        id="a-domain-with-letters-of-another-alphabet-is-not-similar",
        kind=Kind.SECURITY,
        file=DOUBTS,
        old="    plain = plain.translate(_SIMILAR).replace",
        new="    plain = plain.replace",
        tests=DOUBT_TESTS,
    ),
    Mutant(
        id="a-part-below-a-throw-away-domain-is-not-doubted",
        kind=Kind.SECURITY,
        file=DOUBTS,
        old="for at in range(len(parts) - 1))",
        new="for at in range(1))",
        tests=DOUBT_TESTS,
    ),
    Mutant(
        id="a-doubtful-address-is-invited-although-it-is-to-be-checked",
        kind=Kind.SECURITY,
        file="services/team/use_cases/invitations.py",
        old="        if check_address:\n",
        new="        if check_address and access.account.name is None:\n",
        tests=("tests/services/team/test_invitations.py", "-k", "checked_on_demand"),
    ),
    Mutant(
        id="giver-with-an-override-gives-beyond-their-role",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/giving.py",
        old="    yield giver.role\n",
        new="    if not giver.overrides:\n        yield giver.role\n",
        tests=GIVING_TESTS,
    ),
    Mutant(
        id="giver-gives-beyond-an-override-of-theirs",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/giving.py",
        old="    for project_id in giver.overrides:\n",
        new="    for project_id in list(giver.overrides)[:1]:\n",
        tests=GIVING_TESTS,
    ),
    Mutant(
        id="handover-ignores-the-override-that-is-set",
        kind=Kind.SECURITY,
        file="services/team/use_cases/overrides.py",
        old="member_state(access.catalog, member, [*others, override])",
        new="member_state(access.catalog, member, others)",
        tests=PASSED_TESTS,
    ),
    Mutant(
        id="remover-inherits-invitations-although-unfit",
        kind=Kind.SECURITY,
        file=HANDOVER,
        old="        fit = actor is not None and _may_give(access, state, actor, invitation)\n",
        new="        fit = actor is not None\n",
        tests=INVITATION_TESTS,
    ),
    Mutant(
        id="expired-invitation-is-sent-again-without-a-seat",
        kind=Kind.LIMIT,
        file="services/team/domain/invitation_resend.py",
        old="        require_seat(taken=taken, limit=policies.member_limit)\n",
        new="        pass\n",
        tests=INVITATION_TESTS,
    ),
    Mutant(
        id="open-invitation-needs-a-second-seat",
        kind=Kind.LIMIT,
        file="services/team/domain/invitation_resend.py",
        old="    if invitation.expired(now):\n        taken =",
        new="    if True:\n        taken =",
        tests=INVITATION_TESTS,
    ),
    Mutant(
        id="limit-of-projects-off-by-one",
        kind=Kind.LIMIT,
        file="services/team/domain/projects.py",
        old="    if len(others) >= limit:\n",
        new="    if len(others) > limit:\n",
        tests=(f"{RULES}/test_account_rules.py", "-k", "different_names"),
    ),
    Mutant(
        id="removal-of-a-wide-override-needs-the-whole-role",
        kind=Kind.AVAILABILITY,
        file=OVERRIDE_RULES,
        old="    more = grants_added(access.catalog, before=before, after=overridden.role)\n"
        "    require_to_grant(\n",
        new="    more = overridden.role\n    require_to_grant(\n",
        tests=OVERRIDE_TESTS,
    ),
    Mutant(
        id="removal-of-an-override-is-not-looked-at",
        kind=Kind.SECURITY,
        file=OVERRIDE_RULES,
        old="        raise NotFound\n    _require_to_lift(access, member, override)\n",
        new="        raise NotFound\n",
        tests=OVERRIDE_TESTS,
    ),
    Mutant(
        id="own-resources-count-as-gained-by-who-has-all",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/core/masks.py",
        old="self.self_mask & ~(other.all_mask | other.self_mask)",
        new="self.self_mask & ~other.self_mask",
        tests=GIVING_TESTS,
    ),
    Mutant(
        id="resend-keeps-the-link-that-was-handed-over",
        kind=Kind.SECURITY,
        file="services/team/domain/invitation_resend.py",
        old="        oldest_generation=earlier if keep_earlier else None,\n",
        new="        oldest_generation=earlier,\n",
        tests=INVITATION_TESTS,
    ),
    Mutant(
        id="override-bounded-by-the-later-of-two-ends",
        kind=Kind.SECURITY,
        file="services/team/domain/override_rules.py",
        old="    return min((end for end in (one, other)",
        new="    return max((end for end in (one, other)",
        tests=("tests/services/team/domain/test_override_rules.py", "-k", "caller_is_a_member"),
    ),
)
