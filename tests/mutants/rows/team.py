"""Mutants of team: numbering, barriers, limits, overrides, records of refusals."""

from tests.mutants.mutant import Kind, Mutant

ACCOUNT_WRITE = "services/team/use_cases/account_write.py"
MEMBER_WRITES = "services/team/use_cases/member_writes.py"
CONTEXT = "services/team/use_cases/context.py"
ACCOUNT_ROUTES = "services/team/routes/account_routes.py"
STORED_TESTS = ("tests/services/test_stored.py",)
PASSED_TESTS = ("tests/services/team/test_members.py", "-k", "another_inviter or passed_twice")

ROWS = (
    Mutant(
        id="team-precondition-before-the-transaction",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/account_changes.py",
        old="""
    async def change(write: AccountWrite) -> AccountAccess:
        access = write.access
        account = access.account
        renamed = name not in (None, account.name)
        demanded = require_second_factor not in (None, account.require_second_factor)
        write.require_precondition(access, applied=not renamed and not demanded)
""",
        new="""
    if request.precondition is not None:
        request.precondition.require(await ctx.authorize(request))
        request = replace(request, precondition=None)

    async def change(write: AccountWrite) -> AccountAccess:
        access = write.access
        account = access.account
        renamed = name not in (None, account.name)
        demanded = require_second_factor not in (None, account.require_second_factor)
""",
        tests=("tests/services/team/test_preconditions.py", "-k", "two_writers and changeAccount"),
    ),
    Mutant(
        id="team-precondition-is-not-compared",
        kind=Kind.DATA,
        file=ACCOUNT_WRITE,
        old="            self._precondition.require(resource, applied=applied)\n",
        new="",
        tests=("tests/services/team/test_preconditions.py", "-k", "another_state"),
    ),
    Mutant(
        id="team-repeat-of-a-conditional-override-fails",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/overrides.py",
        old=", applied=fact is None",
        new="",
        tests=("tests/services/team/test_effective_everywhere.py", "-k", "conditional_change"),
    ),
    Mutant(
        id="team-repeat-of-a-conditional-role-fails",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/members.py",
        old=", applied=not facts",
        new="",
        tests=("tests/services/team/test_effective_everywhere.py", "-k", "conditional_change"),
    ),
    Mutant(
        id="team-unchanged-override-is-set-anew",
        kind=Kind.DATA,
        file="services/team/domain/override_rules.py",
        old="        return replaced, None\n",
        new="        pass\n",
        tests=("tests/services/team/domain/test_override_rules.py",),
    ),
    Mutant(
        id="team-override-of-an-earlier-membership-counts",
        kind=Kind.SECURITY,
        file="services/team/domain/overrides.py",
        old="return replace(self, given_by=other.given_by, given_at=other.given_at) == other",
        new="return (self.grants, self.expires_at) == (other.grants, other.expires_at)",
        tests=("tests/services/team/domain/test_override_rules.py",),
    ),
    Mutant(
        id="team-first-fact-repeats-the-number",
        kind=Kind.CONSISTENCY,
        file=ACCOUNT_WRITE,
        old="enumerate(self._facts, 1)",
        new="enumerate(self._facts)",
        tests=("tests/services/team/test_accounts.py", "tests/services/team/test_members.py"),
    ),
    Mutant(
        id="team-overrides-outlive-the-member",
        kind=Kind.DATA,
        file=MEMBER_WRITES,
        old="        await self._store.delete_overrides_of("
        "self._account_id, member.user_id, self._session)\n",
        new="",
        tests=("tests/services/team/test_members.py", "tests/services/team/test_projects.py"),
    ),
    Mutant(
        id="team-repeat-refused-as-conflict-not-settled",
        kind=Kind.CONSISTENCY,
        file="shared/journal/repeats.py",
        old="    RefusalKind.CONFLICT,\n",
        new="",
        tests=("tests/services/team/test_effective_everywhere.py",),
    ),
    Mutant(
        id="team-repeat-refused-for-its-tag-not-settled",
        kind=Kind.CONSISTENCY,
        file="shared/journal/repeats.py",
        old="    RefusalKind.PRECONDITION,\n",
        new="",
        tests=("tests/services/team/test_effective_everywhere.py",),
    ),
    Mutant(
        id="team-change-takes-no-account-of-effectiveness",
        kind=Kind.CONSISTENCY,
        file=CONTEXT,
        old="            effective_everywhere=effective_everywhere,\n",
        new="            effective_everywhere=False,\n",
        tests=("tests/services/team/test_effective_everywhere.py",),
    ),
    Mutant(
        id="team-allowance-expires-at-once",
        kind=Kind.LIMIT,
        file="services/team/store/invitation_limits.py",
        old='"expires_at": now + WINDOW',
        new='"expires_at": now',
        tests=STORED_TESTS,
    ),
    Mutant(
        id="team-refused-override-names-ids-swapped",
        kind=Kind.DATA,
        file=ACCOUNT_ROUTES,
        old='id=f"{project_id}/{user_id}"',
        new='id=f"{user_id}/{project_id}"',
        tests=("tests/services/team/test_access.py", "tests/services/team/test_projects.py"),
    ),
    Mutant(
        id="team-conflict-that-forbids-unrecorded",
        kind=Kind.SECURITY,
        file=ACCOUNT_ROUTES,
        old="is not RefusalKind.DENIED and not refusal.forbids",
        new="is not RefusalKind.DENIED or not refusal.forbids",
        tests=("tests/services/team/test_access.py", "tests/services/team/test_members.py"),
    ),
    Mutant(
        id="team-gives-without-end-what-is-held-for-a-time",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/giving.py",
        old="(until is None or end < until)",
        new="(until is not None and end < until)",
        tests=(
            "tests/services/team/domain/test_override_rules.py",
            "tests/services/team/domain/test_escalation_rules.py",
        ),
    ),
    Mutant(
        id="team-names-ignore-the-epoch",
        kind=Kind.DATA,
        file="services/team/store/members.py",
        old='known["epoch"] == position.epoch and known["seq"]',
        new='known["seq"]',
        tests=("tests/services/team/test_accounts.py",),
    ),
    Mutant(
        id="team-project-names-not-unique",
        kind=Kind.DATA,
        file="services/team/migrations.py",
        old='("name_key", 1)),\n        unique=True,\n',
        new='("name_key", 1)),\n',
        tests=STORED_TESTS,
    ),
    Mutant(
        id="team-kept-mailed-invitation-gets-the-note",
        kind=Kind.DATA,
        file="services/team/migrations.py",
        old='invitation["delivery"] == "link"',
        new='invitation["delivery"] != "link"',
        tests=("tests/services/team/test_invitations.py",),
    ),
    Mutant(
        id="team-removal-hides-passed-invitations",
        kind=Kind.SECURITY,
        file="services/team/routes/removals.py",
        old="        passed_invitations=passed_views(removed.passed),\n",
        new="        passed_invitations=passed_views(()),\n",
        tests=PASSED_TESTS,
    ),
    Mutant(
        id="team-role-change-hides-passed-invitations",
        kind=Kind.SECURITY,
        file="services/team/routes/member_views.py",
        old="passed_invitations=passed_views(changed.passed)",
        new="passed_invitations=[]",
        tests=PASSED_TESTS,
    ),
    Mutant(
        id="team-override-hides-passed-invitations",
        kind=Kind.SECURITY,
        file="services/team/routes/overrides.py",
        old="passed_invitations=passed_views(done.passed)",
        new="passed_invitations=[]",
        tests=PASSED_TESTS,
    ),
    Mutant(
        id="team-passed-invitation-forgets-its-maker",
        kind=Kind.SECURITY,
        file="services/team/domain/invitation_handover.py",
        old="        passed_from=invitation.passed_from or invitation.inviter_user_id,\n",
        new="        passed_from=invitation.inviter_user_id,\n",
        tests=PASSED_TESTS,
    ),
    Mutant(
        id="team-new-inviter-without-an-address",
        kind=Kind.SECURITY,
        file="services/team/domain/invitation_handover.py",
        old="            to_email=new_inviter.email,\n",
        new="",
        tests=PASSED_TESTS,
    ),
    Mutant(
        id="mail-new-inviter-not-told",
        kind=Kind.SECURITY,
        file="services/notification/domain/recipients.py",
        old="    (team.InvitationPassed, _invitation_passed),\n",
        new="",
        tests=("tests/services/notification/domain/test_recipients.py",),
    ),
)
