"""Mutants that the state machine finds in its short form, in states that no other test prepares."""

from tests.mutants.mutant import Kind, Mutant

MACHINE = ("tests/state_machine/test_team.py",)

ROWS = (
    Mutant(
        id="machine-role-edit-gives-what-its-editor-lacks",
        kind=Kind.SECURITY,
        file="services/team/domain/role_rules.py",
        old="    require_to_give_grants(access.state, access.member, gained, now=access.now)\n",
        new="",
        tests=MACHINE,
        seconds=600,
    ),
    Mutant(
        id="machine-lifted-override-gives-more-than-held",
        kind=Kind.SECURITY,
        file="services/team/domain/override_rules.py",
        old="        raise NotFound\n    _require_to_lift(access, member, override)\n",
        new="        raise NotFound\n",
        tests=MACHINE,
        seconds=600,
    ),
    Mutant(
        id="machine-member-limit-off-by-one",
        kind=Kind.LIMIT,
        file="services/team/domain/members.py",
        old="    if taken >= limit:\n",
        new="    if taken > limit:\n",
        tests=MACHINE,
        seconds=600,
    ),
    Mutant(
        id="machine-suspended-member-decides",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/decide.py",
        old="""    if terms.status is not _ACTIVE:
        return _MEMBERSHIP_SUSPENDED
""",
        new="",
        tests=MACHINE,
        seconds=600,
    ),
    Mutant(
        id="machine-provisioned-member-keeps-an-invitation",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/provisioned_page.py",
        old="        await write.replace_invitations(saves.closed)\n",
        new="",
        tests=MACHINE,
        seconds=600,
    ),
    Mutant(
        id="machine-guardrails-are-not-watched",
        kind=Kind.SECURITY,
        file="services/team/use_cases/guardrail_writes.py",
        old="if account is not None and account.guardrails and not account.purging:",
        new="if account is not None and len(account.guardrails) > 1 and not account.purging:",
        tests=MACHINE,
        seconds=600,
    ),
)
