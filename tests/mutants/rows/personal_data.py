"""Mutants of the export of personal data."""

from tests.mutants.mutant import Kind, Mutant

USE_CASE = "services/identity/use_cases/personal_data.py"
TESTS = ("tests/services/identity/test_personal_data.py",)
MESSAGES = "services/notification/store/messages.py"
OF_NOTIFICATION = ("tests/services/notification/test_personal_messages.py",)

ROWS = (
    Mutant(
        id="an-export-has-live-sessions-alone",
        kind=Kind.LIMIT,
        file="services/identity/store/sessions.py",
        old='"ended": {"$in": [False, True]}}',
        new='"ended": False}',
        tests=(*TESTS, "-k", "stored"),
    ),
    Mutant(
        id="exports-are-not-bounded",
        kind=Kind.LIMIT,
        file="services/identity/domain/personal_data.py",
        old="limit=limit,",
        new="limit=limit * 100,",
        tests=(*TESTS, "-k", "bounded"),
    ),
    Mutant(
        id="an-export-leaves-suspended-memberships-out",
        kind=Kind.LIMIT,
        file="services/team/use_cases/accounts.py",
        old="        for membership in memberships\n"
        "        if (account := found.get(membership.account_id)) is not None\n    ]\n",
        new="        for membership in memberships\n"
        "        if membership.in_force(ctx.clock.now())\n"
        "        and (account := found.get(membership.account_id)) is not None\n    ]\n",
        tests=("tests/services/team/test_accounts.py", "-k", "every_membership"),
    ),
    Mutant(
        id="export-of-mails-to-an-address-not-proved",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/personal_data.py",
        old="    proved = None if user.verified_at is None else user.email\n",
        new="    proved = user.email\n",
        tests=("tests/services/identity/test_personal_data.py", "-k", "not_proved"),
    ),
    Mutant(
        id="export-of-mails-that-name-another-user",
        kind=Kind.SECURITY,
        file=MESSAGES,
        old='            wanted.append({"recipient_key": email_key, "user_id": None, **older})\n',
        new='            wanted.append({"recipient_key": email_key, **older})\n',
        tests=(*OF_NOTIFICATION, "-k", "stay_theirs"),
    ),
    Mutant(
        id="erasure-keeps-the-mails",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/enqueue.py",
        old="        await ctx.messages.delete_of(person.id, email_key, session)\n",
        new="",
        tests=(*OF_NOTIFICATION, "-k", "erasure"),
    ),
    Mutant(
        id="erasure-deletes-a-mail-to-the-next-user",
        kind=Kind.DATA,
        file=MESSAGES,
        old='"user_id": None, "open": False}',
        new='"user_id": None}',
        tests=(*OF_NOTIFICATION, "-k", "erasure"),
    ),
    Mutant(
        id="mails-to-a-user-who-is-erased",
        kind=Kind.SECURITY,
        file="services/notification/domain/people.py",
        old="    if recipient is not None and recipient.erased:\n        return None\n",
        new="",
        tests=(*OF_NOTIFICATION, "-k", "erasure"),
    ),
    Mutant(
        id="list-of-users-counts-more-than-a-fact",
        kind=Kind.CONSISTENCY,
        file="services/notification/store/people.py",
        old='BEFORE_FACTS: Document = {"epoch": "", "seq": 0}',
        new='BEFORE_FACTS: Document = {"epoch": "e1", "seq": 10**6}',
        tests=(*OF_NOTIFICATION, "-k", "counts_more"),
    ),
    Mutant(
        id="people-list-without-the-end-of-a-page",
        kind=Kind.CONSISTENCY,
        file="services/identity/use_cases/people.py",
        old="    if len(users) == PAGE_SIZE:\n",
        new="    if len(users) > PAGE_SIZE:\n",
        tests=("tests/services/identity/test_internal.py", "-k", "every_user"),
    ),
)
