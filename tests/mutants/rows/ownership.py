"""Mutants of the ownership of accounts: who gets it, and what the change takes along."""

from tests.mutants.mutant import Kind, Mutant

RULES = "services/team/domain/ownership.py"
OWNERSHIP = "tests/services/team/test_ownership.py"
OWNED = "tests/services/team/test_owned_accounts.py"
HOMES = "tests/services/team/test_home_accounts.py"

ROWS = (
    Mutant(
        id="ownership-is-accepted-by-another-member",
        kind=Kind.SECURITY,
        file=RULES,
        old="offered is None or offered.membership_id != access.membership.membership_id:\n",
        new="offered is None:\n",
        tests=(OWNERSHIP, "-k", "only_the_receiver_answers"),
    ),
    Mutant(
        id="ownership-is-accepted-by-a-later-membership",
        kind=Kind.SECURITY,
        file=RULES,
        old="offered is None or offered.membership_id != access.membership.membership_id:\n",
        new="offered is None or offered.user_id != access.membership.user_id:\n",
        tests=(OWNERSHIP, "-k", "for_one_membership"),
    ),
    Mutant(
        id="ownership-is-accepted-after-its-time",
        kind=Kind.SECURITY,
        file=RULES,
        old="    if not offered.open(access.now):\n",
        new="    if False:\n",
        tests=(OWNERSHIP, "-k", "expired_offer"),
    ),
    Mutant(
        id="ownership-is-offered-by-any-member",
        kind=Kind.SECURITY,
        file=RULES,
        old="    if not access.is_owner(owner):\n",
        new="    if False:\n",
        tests=(OWNERSHIP, "-k", "only_the_receiver_answers"),
    ),
    Mutant(
        id="former-owner-keeps-the-role",
        kind=Kind.SECURITY,
        file=RULES,
        old="replace(former_owner, role=catalog.role_after_transfer)",
        new="replace(former_owner, role=former_owner.role)",
        tests=(OWNERSHIP, "-k", "in_every_catalog"),
    ),
    Mutant(
        id="owner-whose-membership-ends",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="role=catalog.owner_role, expires_at=None)",
        new="role=catalog.owner_role)",
        tests=(OWNERSHIP, "-k", "no_end_of_membership"),
    ),
    Mutant(
        id="offer-survives-its-receiver",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="OfferEnd.MEMBER if account.offer.user_id in inactive else None",
        new="None",
        tests=(OWNERSHIP, "-k", "not_an_active_member"),
    ),
    Mutant(
        id="offer-survives-its-account",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="        return OfferEnd.ACCOUNT\n",
        new="        return None\n",
        tests=(OWNERSHIP, "-k", "ends_with_the_team"),
    ),
    Mutant(
        id="offer-is-shown-to-every-member",
        kind=Kind.SECURITY,
        file="services/team/routes/accounts.py",
        old="None if offer is None or not offer.concerns(user_id) else",
        new="None if offer is None else",
        tests=(OWNERSHIP, "-k", "whom_it_concerns"),
    ),
    Mutant(
        id="former-owner-keeps-invitations",
        kind=Kind.SECURITY,
        file="services/team/use_cases/ownership.py",
        old="for member in (transfer.former_owner, transfer.owner):\n",
        new="for member in (transfer.owner,):\n",
        tests=(OWNERSHIP, "-k", "open_invitations"),
    ),
    Mutant(
        id="former-owner-without-an-account",
        kind=Kind.DATA,
        file="services/team/use_cases/owned_accounts.py",
        old="    if home in owned.lasting - {lost}:\n",
        new="    if home in owned.lasting:\n",
        tests=(OWNERSHIP, "-k", "new_personal_one"),
    ),
    Mutant(
        id="home-is-given-away-for-a-further-team",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/owned_accounts.py",
        old="    if home in owned.lasting - {lost}:\n",
        new="    if owned.lasting - {lost}:\n",
        tests=(OWNERSHIP, "-k", "home_is_given_away"),
    ),
    Mutant(
        id="home-is-the-one-that-identity-last-heard-of",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/owned_accounts.py",
        old="    home = owned.home or told\n",
        new="    home = told\n",
        tests=(HOMES, "-k", "before_identity_knows"),
    ),
    Mutant(
        id="account-is-opened-twice",
        kind=Kind.SECURITY,
        file="services/team/use_cases/accounts.py",
        old=" or await write.home_of(user.user_id) is not None:\n",
        new=":\n",
        tests=(HOMES, "-k", "in_their_own_account"),
    ),
    Mutant(
        id="owned-accounts-counted-without-a-conflict",
        kind=Kind.LIMIT,
        file="services/team/use_cases/owner_writes.py",
        old="await self._store.touch_owner(user_id, self._session)",
        new="1",
        tests=(OWNED, "-k", "than_the_limit or given_away_at_once"),
    ),
    Mutant(
        id="receiver-beyond-the-limit-of-accounts",
        kind=Kind.LIMIT,
        file="services/team/use_cases/ownership.py",
        old="        if len(owned.ids) >= limit:\n",
        new="        if False:\n",
        tests=(OWNERSHIP, "-k", "at_the_limit"),
    ),
    Mutant(
        id="session-stays-in-an-account-that-was-given-away",
        kind=Kind.CONSISTENCY,
        file="services/identity/use_cases/session_accounts.py",
        old="        if user.account_left:\n",
        new="        if False:\n",
        tests=("tests/services/identity/test_session_accounts.py", "-k", "told_first"),
    ),
    Mutant(
        id="earlier-personal-account-comes-back",
        kind=Kind.CONSISTENCY,
        file="services/identity/domain/users.py",
        old="    if number <= user.account_number:\n",
        new="    if number == user.account_number:\n",
        tests=("tests/services/identity/test_session_accounts.py", "-k", "later_one_counts"),
    ),
    Mutant(
        id="new-owner-is-told-with-the-earlier-end",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="        policy_objects=(after.policy_object(),),\n",
        new="",
        tests=(OWNERSHIP, "-k", "no_end_of_membership"),
    ),
    Mutant(
        id="account-that-may-be-restored-is-not-counted",
        kind=Kind.LIMIT,
        file="services/team/use_cases/owned_accounts.py",
        old="""        owned = await write.accounts_owned_by(user_id)
        if len(owned.ids) >= limit:
""",
        new="""        owned = await write.accounts_owned_by(user_id)
        if len(owned.lasting) >= limit:
""",
        tests=(OWNERSHIP, "-k", "may_be_restored"),
    ),
)
