"""Mutants of exports of the audit log."""

from tests.mutants.mutant import Kind, Mutant

RULES = "services/audit/domain/exports.py"
EXPORTS = "services/audit/use_cases/exports.py"
RULE_TESTS = ("tests/services/audit/domain/test_exports.py",)
EXPORT_TESTS = ("tests/services/audit/test_exports.py",)

ROWS = (
    Mutant(
        id="export-promises-what-still-arrives",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="    ends = [complete_until or now, now]\n",
        new="    ends = [now]\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="export-place-is-kept",
        kind=Kind.AVAILABILITY,
        file=RULES,
        old="            self._of_account -= Counter((account_id,))\n",
        new="            pass\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="export-of-json-invents-names",
        kind=Kind.DATA,
        file=EXPORTS,
        old="shown = page if lines.proves else",
        new="shown = page if not lines.proves else",
        tests=EXPORT_TESTS,
    ),
    Mutant(
        id="export-outlives-the-permission",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old="                await permitted()\n",
        new="                pass\n",
        tests=EXPORT_TESTS,
    ),
    Mutant(
        id="export-unrecorded",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old="    await _record_export(ctx, caller, account_id, filters, after=after, kind=kind)\n",
        new="",
        tests=EXPORT_TESTS,
    ),
    Mutant(
        id="export-page-repeats-its-last-record",
        kind=Kind.DATA,
        file=EXPORTS,
        old='    return f"{order} "\n',
        new="    return order\n",
        tests=EXPORT_TESTS,
    ),
    Mutant(
        id="export-goes-on-after-a-foreign-record",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old="    if record is None:\n        problem",
        new="    if False:\n        problem",
        tests=EXPORT_TESTS,
    ),
)
