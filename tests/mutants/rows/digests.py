"""Mutants of digests of mails."""

from tests.mutants.mutant import Kind, Mutant

USE_CASE = "services/notification/use_cases/digests.py"
SAVE = "await ctx.paces.save(pace, [place], session, now=message.created_at)\n"
TESTS = ("tests/services/notification/test_digests.py",)
RULE_TESTS = ("tests/services/notification/domain/test_digest_rules.py",)

ROWS = (
    Mutant(
        id="digest-of-one-mail-hides-the-others",
        kind=Kind.DATA,
        file="services/notification/domain/digests.py",
        old="len(self.listed) == 1 and not self.more",
        new="len(self.listed) == 1",
        tests=("tests/services/notification/domain/test_digest_rules.py",),
    ),
    Mutant(
        id="digest-takes-mails-after-it-was-settled",
        kind=Kind.CONSISTENCY,
        file=USE_CASE,
        old=f"    {SAVE}",
        new=f"    if not pace.places:\n        {SAVE}",
        tests=TESTS,
    ),
    Mutant(
        id="digest-is-settled-anew-in-each-attempt",
        kind=Kind.CONSISTENCY,
        file=USE_CASE,
        old="    if digest.listed is None:\n        return await _close",
        new="    if digest.listed != ():\n        return await _close",
        tests=TESTS,
    ),
    Mutant(
        id="digest-stays-open-after-it-was-settled",
        kind=Kind.DATA,
        file=USE_CASE,
        old="            await ctx.paces.save(pace, [], session, now=now)\n",
        new="            pass\n",
        tests=TESTS,
    ),
    Mutant(
        id="digest-of-a-sender-that-lost-its-claim",
        kind=Kind.CONSISTENCY,
        file="services/notification/store/digests.py",
        old='{"_id": digest_id, "open": True, "claim": claim, "listed": None}',
        new='{"_id": digest_id}',
        tests=TESTS,
    ),
    Mutant(
        id="digest-lists-what-was-switched-off",
        kind=Kind.DATA,
        file=USE_CASE,
        old="        off = known is not None and is_switched_off(known.off, each)\n",
        new="        off = False\n",
        tests=TESTS,
    ),
    Mutant(
        id="digest-has-what-must-not-wait",
        kind=Kind.SECURITY,
        file="services/notification/domain/digests.py",
        old="DIGESTED_KINDS = OPTIONAL_KINDS & TOPICS.keys()",
        new="DIGESTED_KINDS = frozenset(TOPICS)",
        tests=TESTS,
    ),
    Mutant(
        id="digest-does-not-count-the-rest",
        kind=Kind.DATA,
        file="services/notification/use_cases/enqueue.py",
        old="            await count_in_digest(ctx, message, session)\n",
        new="            pass\n",
        tests=TESTS,
    ),
    Mutant(
        id="digest-lists-the-oldest",
        kind=Kind.DATA,
        file="services/notification/domain/digests.py",
        old="    listed = wanted[-MAX_LISTED:]\n",
        new="    listed = wanted[:MAX_LISTED]\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="digest-does-not-count-what-it-cannot-list",
        kind=Kind.DATA,
        file="services/notification/domain/digests.py",
        old="more=more + len(wanted) - len(listed))",
        new="more=more)",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="digest-begins-one-mail-later",
        kind=Kind.DATA,
        file="services/notification/domain/digests.py",
        old="return now if len(places) < SINGLE_MAILS else",
        new="return now if len(places) <= SINGLE_MAILS else",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="digest-of-mails-to-addresses-without-a-user",
        kind=Kind.SECURITY,
        file="services/notification/domain/digests.py",
        old="return message.kind in DIGESTED_KINDS and message.user_id is not None",
        new="return message.kind in DIGESTED_KINDS",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="digest-tells-each-thing-in-its-old-language",
        kind=Kind.DATA,
        file="services/notification/domain/digest_words.py",
        old="                replace(each, locale=locale, time_zone=time_zone), sender=sender\n",
        new="                each, sender=sender\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="digest-ends-with-its-first-mail",
        kind=Kind.DATA,
        file="services/notification/domain/digests.py",
        old="        expires_at=None,\n",
        new="        expires_at=first.created_at,\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="digest-waits-for-hours",
        kind=Kind.DATA,
        file="services/notification/use_cases/enqueue.py",
        old="latest = min(due_at, now + DIGEST_WAIT)",
        new="latest = max(due_at, now + 4 * DIGEST_WAIT)",
        tests=("tests/services/notification/test_digests.py",),
    ),
    Mutant(
        id="digest-waits-as-long-as-what-it-replaces",
        kind=Kind.DATA,
        file="services/notification/use_cases/enqueue.py",
        old="latest = min(due_at, now + DIGEST_WAIT)",
        new="latest = due_at",
        tests=("tests/services/notification/test_digests.py", "-k", "long_wait"),
    ),
)
