"""Mutants of accounts that revert, are suspended or are deleted."""

from tests.mutants.mutant import Kind, Mutant

REVERTING = "services/team/domain/reverting.py"
DELETION = "services/team/domain/account_deletion.py"
ROWS_OF_ACCOUNTS = "services/team/store/account_deletion.py"
TEAM = "tests/services/team"

ROWS = (
    Mutant(
        id="revert-by-an-admin",
        kind=Kind.SECURITY,
        file=REVERTING,
        old="    if not access.is_owner(access.membership):\n        raise OwnerOnly\n",
        new="",
        tests=(f"{TEAM}/test_reverting.py", "-k", "only_the_owner"),
    ),
    Mutant(
        id="revert-without-the-typed-name",
        kind=Kind.LIMIT,
        file=REVERTING,
        old="    if confirm != account.name:\n",
        new="    if not confirm:\n",
        tests=(f"{TEAM}/test_reverting.py", "-k", "only_the_owner"),
    ),
    Mutant(
        id="revert-under-an-irreversible-catalog",
        kind=Kind.SECURITY,
        file=REVERTING,
        old="    if catalog.policies.conversion is Conversion.IRREVERSIBLE:\n",
        new="    if False:\n",
        tests=(f"{TEAM}/test_reverting.py", "-k", "way_back"),
    ),
    Mutant(
        id="revert-keeps-invitations",
        kind=Kind.SECURITY,
        file="services/team/use_cases/ending_writes.py",
        old="        await self._store.revoke_pending("
        "self._account_id, now=self.now, session=self._session)\n",
        new="",
        tests=(f"{TEAM}/test_reverting.py", "-k", "keeps_owner_projects"),
    ),
    Mutant(
        id="suspended-account-answers-permission-missing",
        kind=Kind.SECURITY,
        file="services/team/domain/authority.py",
        old="    if decision.reason in ACCOUNT_CLOSED:\n"
        "        raise ACCOUNT_CLOSED[decision.reason]\n",
        new="",
        tests=(f"{TEAM}/test_account_suspension.py", "-k", "members_are_told"),
    ),
    Mutant(
        id="invitation-mail-of-a-suspended-account-goes-out",
        kind=Kind.SECURITY,
        file="services/team/domain/invitation_acceptance.py",
        old="        raise InvitationsPaused\n",
        new="        return\n",
        tests=(f"{TEAM}/test_account_suspension.py", "-k", "mail_goes_out"),
    ),
    Mutant(
        id="any-member-looks-at-a-deleted-account",
        kind=Kind.SECURITY,
        file="services/team/domain/account_access.py",
        old="if is_owner else account\n",
        new="if rows.membership else account\n",
        tests=(f"{TEAM}/domain/test_account_endings.py", "-k", "owner_alone"),
    ),
    Mutant(
        id="restoration-of-a-purged-account",
        kind=Kind.CONSISTENCY,
        file=DELETION,
        old="    if account.purging:\n        raise DeletionBegan\n",
        new="",
        tests=(f"{TEAM}/domain/test_account_endings.py", "-k", "purge"),
    ),
    Mutant(
        id="suspended-account-is-purged",
        kind=Kind.CONSISTENCY,
        file=ROWS_OF_ACCOUNTS,
        old='{"deletes_at": {"$lte": now}, "status": AccountStatus.DELETING.value}',
        new='{"deletes_at": {"$lte": now}}',
        tests=(f"{TEAM}/test_account_deletion.py", "-k", "suspended_account"),
    ),
    Mutant(
        id="deletion-forgets-the-invitations",
        kind=Kind.CONSISTENCY,
        file=ROWS_OF_ACCOUNTS,
        old='"projects", "invitations", "members")',
        new='"projects", "members")',
        tests=(f"{TEAM}/test_account_deletion.py", "-k", "but_the_log"),
    ),
    Mutant(
        id="deletion-takes-the-rows-of-the-shard",
        kind=Kind.CONSISTENCY,
        file=ROWS_OF_ACCOUNTS,
        old="            wanted = of_account(account_id)\n",
        new='            wanted: Document = {"shard": shard}\n',
        tests=(f"{TEAM}/test_account_deletion.py", "-k", "but_the_log"),
    ),
    Mutant(
        id="account-gone-leaves-its-members-in-authz",
        kind=Kind.CONSISTENCY,
        file="services/authz/domain/account_objects.py",
        old="            self.newest.clear()\n",
        new="",
        tests=("tests/services/authz/test_policy_state.py", "-k", "takes_its_members"),
    ),
    Mutant(
        id="sessions-stay-in-a-suspended-account",
        kind=Kind.SECURITY,
        file="services/identity/subscriptions.py",
        old="    AccountSuspended.type: on_account_closed,\n",
        new="",
        tests=("tests/services/identity/test_sessions.py", "-k", "sends_all_its_sessions_home"),
    ),
    Mutant(
        id="deletion-leaves-an-owner-without-an-account",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/owner_writes.py",
        old=" if one.deletes_at is None)",
        new=")",
        tests=(f"{TEAM}/domain/test_account_endings.py", "-k", "keeps_an_account"),
    ),
    Mutant(
        id="deletion-leaves-sessions-in-a-deleted-home",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/owned_accounts.py",
        old=" and not sessions_begin:\n",
        new=":\n",
        tests=(f"{TEAM}/domain/test_account_endings.py", "-k", "keeps_an_account"),
    ),
    Mutant(
        id="deletions-multiply-accounts",
        kind=Kind.LIMIT,
        file="services/team/use_cases/account_deletion.py",
        old="                limit=ctx.settings.accounts_per_user,\n",
        new="",
        tests=(f"{TEAM}/domain/test_account_endings.py", "-k", "multiply"),
    ),
    Mutant(
        id="sessions-stay-in-a-deleted-home",
        kind=Kind.CONSISTENCY,
        file="services/identity/subscriptions.py",
        old="    AccountDeletionRequested.type: on_account_deleted,\n",
        new="    AccountDeletionRequested.type: on_account_closed,\n",
        tests=("tests/services/identity/test_session_accounts.py", "-k", "deleted_account"),
    ),
)
