"""Mutants of digests of mails."""

from tests.mutants.mutant import Kind, Mutant

USE_CASE = "services/notification/use_cases/digests.py"
SAVE = "await ctx.paces.save(pace, [place], session, now=message.created_at)\n"
TESTS = ("tests/services/notification/test_digests.py",)

ROWS = (
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
)
