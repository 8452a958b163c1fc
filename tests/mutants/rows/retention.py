"""Mutants of retention: what ends when, and what a verifier believes."""

from tests.mutants.mutant import Kind, Mutant

VERIFICATION = "sdk/rolecall/audit/endings.py"
KEEPER = "services/audit/use_cases/record_endings.py"
RULES = "services/audit/domain/retention.py"
VERIFICATION_TESTS = ("tests/sdk/test_audit_verification.py",)
KEEPER_TESTS = ("tests/services/audit/test_retention.py",)
RULE_TESTS = ("tests/services/audit/domain/test_retention.py",)

ROWS = (
    Mutant(
        id="verification-takes-a-hash-among-kept-records",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="            if first or end > self._until:",
        new="            if end > self._until:",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="verification-takes-more-hashes-than-ended",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="            if first or end > self._until:",
        new="            if first:",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="verification-believes-a-reported-end",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old=' or record.get("reported_by") is not None:',
        new=":",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="export-takes-hashes-that-no-record-tells-of",
        kind=Kind.SECURITY,
        file="sdk/rolecall/audit/exports.py",
        old="            if removed is not None:\n",
        new="            if removed is None and not self.head.size:\n",
        tests=("tests/sdk/test_audit_exports.py",),
    ),
    Mutant(
        id="records-end-before-the-log-says-so",
        kind=Kind.SECURITY,
        file=KEEPER,
        old="        return seal.index if seal is not None and told else None",
        new="        return seal.index if seal is not None and told else 0",
        tests=KEEPER_TESTS,
    ),
    Mutant(
        id="records-end-in-spite-of-a-longer-retention",
        kind=Kind.CONSISTENCY,
        file=KEEPER,
        old="any(each.recorded_at >= cutoff for each in found)",
        new="not found",
        tests=KEEPER_TESTS,
    ),
    Mutant(
        id="a-paused-keeper-ends-records-twice",
        kind=Kind.CONSISTENCY,
        file=KEEPER,
        old="        if await self._store.endings(before.tree, session) != before:\n",
        new="        if session is None:\n",
        tests=KEEPER_TESTS,
    ),
    Mutant(
        id="a-shorter-retention-is-in-force-at-once",
        kind=Kind.SECURITY,
        file=RULES,
        old="        return self.former_days if waits else self.days",
        new="        return self.former_days if waits and False else self.days",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="a-second-change-shortens-the-wait",
        kind=Kind.SECURITY,
        file=RULES,
        old="Retention(days=days, chosen_at=now), self.in_force(now)",
        new="Retention(days=days, chosen_at=now), self.days",
        tests=RULE_TESTS,
    ),
)
