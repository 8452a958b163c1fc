"""Mutants of the erasure of a user."""

from tests.mutants.mutant import Kind, Mutant

USE_CASE = "services/identity/use_cases/erasure.py"
RELEASE = "services/team/use_cases/user_release.py"
TESTS = ("tests/services/identity/test_erasure.py",)
LAST_MAIL = ("tests/services/notification/test_delivery.py",)
TEAM = ("tests/services/team/test_user_release.py",)

ROWS = (
    Mutant(
        id="operator-erases-an-owner-of-others",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="    await _user(ctx, user_id)\n    await _release(ctx, user_id)\n",
        new="    await _user(ctx, user_id)\n",
        tests=(*TESTS, "-k", "operator"),
    ),
    Mutant(
        id="erasure-confirmed-by-any-address",
        kind=Kind.SECURITY,
        file="services/identity/domain/erasure.py",
        old="    if key != user.email_key:\n",
        new="    if key is None:\n",
        tests=(*TESTS, "-k", "confirmed"),
    ),
    Mutant(
        id="erasure-keeps-the-tokens",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="    if not await end_tokens_of(ctx, write, erasure.nameless(user)):\n"
        "        return False\n",
        new="",
        tests=(*TESTS, "-k", "no_way_in"),
    ),
    Mutant(
        id="erasure-keeps-the-factors",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="    await ctx.store.delete_factors(user.id, write.session)\n",
        new="",
        tests=(*TESTS, "-k", "no_way_in"),
    ),
    Mutant(
        id="app-that-is-begun-outlives-the-erasure",
        kind=Kind.SECURITY,
        file="services/identity/store/factors.py",
        old='            place, {"$inc": {"version": 1}}, upsert=True',
        new='            place, {"$inc": {"version": 1}}, upsert=False',
        tests=(*TESTS, "-k", "meanwhile"),
    ),
    Mutant(
        id="erasure-records-who-it-was",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="erasure.nameless(user)",
        new="user",
        tests=(*TESTS, "-k", "no_way_in"),
    ),
    Mutant(
        id="erasure-of-an-owner-of-others",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="    if released.owned:\n",
        new="    if not released.effective and released.owned:\n",
        tests=(*TESTS, "-k", "told_which"),
    ),
    Mutant(
        id="erasure-before-the-release",
        kind=Kind.CONSISTENCY,
        file=RELEASE,
        old="        if shared:\n",
        new="        if len(shared) > 1:\n",
        tests=(*TEAM, "-k", "loses_nothing"),
    ),
    Mutant(
        id="a-late-fact-names-an-erased-user",
        kind=Kind.SECURITY,
        file=RELEASE,
        old='        await ctx.store.learn_person(user_id=user_id, name="", position=position,'
        " session=session)\n",
        new="",
        tests=(*TEAM, "-k", "forgotten"),
    ),
    Mutant(
        id="the-last-mail-keeps-the-reply-of-the-server",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/deliver.py",
        old="reply = None if message.nameless else reply_of(result)",
        new="reply = reply_of(result)",
        tests=(*LAST_MAIL, "-k", "leaves_no_name"),
    ),
    Mutant(
        id="the-last-mail-is-a-fact-of-the-account",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/deliver.py",
        old="    if message.nameless:\n        return ()\n",
        new="",
        tests=(*LAST_MAIL, "-k", "leaves_no_name"),
    ),
    Mutant(
        id="a-sent-last-mail-keeps-the-address",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/deliver.py",
        old="            await ctx.links.done(message.link)\n",
        new="            pass\n",
        tests=(*LAST_MAIL, "-k", "leaves_no_name"),
    ),
    Mutant(
        id="the-address-of-an-erased-user-is-told-for-ever",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="    if found is None or found.delete_at <= ctx.clock.now():\n",
        new="    if found is None:\n",
        tests=(*TESTS, "-k", "given_up"),
    ),
    Mutant(
        id="the-address-of-an-erased-user-is-kept",
        kind=Kind.SECURITY,
        file="services/identity/domain/erasure.py",
        old="delete_at=now + FAREWELL_LIFETIME",
        new="delete_at=now + TOMBSTONE_LIFETIME",
        tests=("tests/services/test_stored.py", "-k", "farewell"),
    ),
)
