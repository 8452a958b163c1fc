"""Mutants of live tails of the audit log, and of the commands that read it."""

from tests.mutants.mutant import Kind, Mutant

TAILS = "services/audit/use_cases/tails.py"
READERS = "services/audit/use_cases/tail_readers.py"
MATCHING = "services/audit/domain/matching.py"
PERMITTED = "services/audit/routes/permitted.py"
RULE_TESTS = ("tests/services/audit/domain/test_tail_rules.py",)
COMMAND_TESTS = ("tests/sdk/test_cli_audit_reads.py",)
TAIL_TESTS = ("tests/services/audit/test_tails.py",)

ROWS = (
    Mutant(
        id="tail-outlives-the-permission",
        kind=Kind.SECURITY,
        file=TAILS,
        old="            await self.permitted()\n",
        new="            pass\n",
        tests=TAIL_TESTS,
    ),
    Mutant(
        id="tail-outlives-the-session",
        kind=Kind.SECURITY,
        file=PERMITTED,
        old="    await ctx.checker.check_live(call.member)\n",
        new="",
        tests=TAIL_TESTS,
    ),
    Mutant(
        id="tail-tells-a-page-without-asking-again",
        kind=Kind.SECURITY,
        file=TAILS,
        old="                await self._ask_again(ASKED_AGAIN_SECONDS)\n",
        new="",
        tests=TAIL_TESTS,
    ),
    Mutant(
        id="tail-goes-on-after-a-foreign-record",
        kind=Kind.SECURITY,
        file=TAILS,
        old="    if place is None or place.last != await id_before(ctx, account_id, place.size):\n",
        new="    if place is None:\n",
        tests=TAIL_TESTS,
    ),
    Mutant(
        id="tail-goes-on-one-record-late",
        kind=Kind.DATA,
        file=TAILS,
        old="Place(seal.index + 1, seal.event_id) for seal",
        new="Place(seal.index + 2, seal.event_id) for seal",
        tests=TAIL_TESTS,
    ),
    Mutant(
        id="tail-promises-what-is-not-sealed",
        kind=Kind.CONSISTENCY,
        file=TAILS,
        old="                return None\n        self._awaited = None\n",
        new="                return moment\n        self._awaited = None\n",
        tests=TAIL_TESTS,
    ),
    Mutant(
        id="tail-promises-a-late-reader-too-much",
        kind=Kind.CONSISTENCY,
        file=READERS,
        old="if complete_until is not None and self.accounts() <= sizes.keys():",
        new="if complete_until is not None:",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="tail-keeps-its-place",
        kind=Kind.AVAILABILITY,
        file=READERS,
        old="            self._readers.remove(reader)\n",
        new="            pass\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="tail-ignores-the-user-for-whom-a-service-acted",
        kind=Kind.DATA,
        file=MATCHING,
        old="    ids = (record.actor.id, record.actor.on_behalf_of)\n",
        new="    ids = (record.actor.id, None)\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="audit-command-lets-a-name-command-the-terminal",
        kind=Kind.SECURITY,
        file="sdk/rolecall/cli/output.py",
        old="sign if sign.isprintable() else",
        new="sign if sign else",
        tests=COMMAND_TESTS,
    ),
    Mutant(
        id="audit-command-passes-over-missing-hashes",
        kind=Kind.DATA,
        file="sdk/rolecall/cli/audit_files.py",
        old='if kind == "end" and self._lacks():',
        new='if kind == "end" and self.whole:',
        tests=COMMAND_TESTS,
    ),
    Mutant(
        id="audit-command-resumes-the-export-of-another-account",
        kind=Kind.DATA,
        file="sdk/rolecall/cli/audit_files.py",
        old='self._head.get("account_id") != account_id:',
        new='not self._head.get("account_id"):',
        tests=COMMAND_TESTS,
    ),
)
