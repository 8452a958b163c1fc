"""Mutants of tamper evidence: leaves, trees, checkpoints and their verification."""

from tests.mutants.mutant import Kind, Mutant

SEALED = "sdk/rolecall/audit/sealed.py"
NOTES = "sdk/rolecall/audit/notes.py"
WALK = "sdk/rolecall/audit/walk.py"
TREES = "sdk/rolecall/audit/trees.py"
VERIFICATION = "sdk/rolecall/audit/verification.py"
VERIFICATION_TESTS = ("tests/sdk/test_audit_verification.py",)
TREE_TESTS = ("tests/sdk/test_audit_trees.py",)
NOTE_TESTS = ("tests/sdk/test_audit_notes.py",)
SEALER = "services/audit/use_cases/sealing.py"
STORED = "services/audit/store/trees.py"
SIGNER = "services/audit/domain/checkpoints.py"
FILES = "services/audit/adapters/checkpoint_files.py"
SEALER_TESTS = ("tests/services/audit/test_sealing.py",)

ROWS = (
    Mutant(
        id="seal-leaves-out-what-is-nested",
        kind=Kind.SECURITY,
        file=SEALED,
        old="            kept[name] = {\n                member: each",
        new="            kept[name] = {} and {\n                member: each",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="seal-commits-without-the-value",
        kind=Kind.SECURITY,
        file=SEALED,
        old="hashlib.sha256(salt + canonical(value))",
        new="hashlib.sha256(salt)",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="seal-takes-erased-and-present-values-together",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="if erased.keys() & committed.keys():",
        new="if not isinstance(erased, dict):",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="seal-takes-two-members-of-one-name",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="if len(members) < len(pairs):",
        new="if len(members) > len(pairs):",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="verification-takes-a-short-log",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="    if walk.next < walk.size:\n",
        new="    if walk.next > walk.size:\n",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="verification-ignores-earlier-checkpoints",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="or known.root != self._tree.root():",
        new="or not known.root:",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="verification-forgets-that-a-log-was-set-back",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="if self._due and self._due[0].size > newest.size:",
        new="if self._due and self._due[0].size < 0:",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="walk-does-not-compare-with-the-root",
        kind=Kind.SECURITY,
        file=WALK,
        old="if climbed(index, leaf, known) != expected:",
        new="if not expected:",
        tests=VERIFICATION_TESTS,
    ),
    Mutant(
        id="tree-hashes-leaves-like-nodes",
        kind=Kind.SECURITY,
        file=TREES,
        old='b"\\x00" + content',
        new='b"\\x01" + content',
        tests=TREE_TESTS,
    ),
    Mutant(
        id="consistency-forgets-the-second-root",
        kind=Kind.SECURITY,
        file=TREES,
        old="_computed((0, second), known) == roots[1]",
        new="bool(roots[1])",
        tests=TREE_TESTS,
    ),
    Mutant(
        id="note-opens-with-a-signature-of-another-key",
        kind=Kind.SECURITY,
        file=NOTES,
        old="data[:KEY_ID_BYTES] != key.id:\n            continue\n",
        new="data[:KEY_ID_BYTES] != key.id:\n            break\n",
        tests=NOTE_TESTS,
    ),
    Mutant(
        id="note-does-not-need-a-signature",
        kind=Kind.SECURITY,
        file=NOTES,
        old="    if not found:\n",
        new="    if not lines:\n",
        tests=NOTE_TESTS,
    ),
    Mutant(
        id="sealer-does-not-expect-the-progress-that-it-read",
        kind=Kind.CONSISTENCY,
        file=SEALER,
        old="            if after >= end.seq:\n",
        new="            if after > end.seq + 1:\n",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealer-signs-what-does-not-continue-the-last-checkpoint",
        kind=Kind.SECURITY,
        file=SIGNER,
        old="if not _continues(previous, head, root, hash_of):",
        new="if not previous.size:",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealer-trusts-the-database-alone",
        kind=Kind.SECURITY,
        file=SEALER,
        old="for note in (kept, stored and stored.note) if note]",
        new="for note in (stored and stored.note,) if note]",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealer-shows-a-checkpoint-before-it-is-kept-elsewhere",
        kind=Kind.SECURITY,
        file=SEALER,
        old="        await self._files.append(head.tree, note)\n",
        new="",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealer-takes-a-shorter-tree",
        kind=Kind.SECURITY,
        file=SIGNER,
        old="    if not 0 < previous.size <= head.size:\n        return previous.size == 0\n",
        new="    if not 0 < previous.size <= head.size:\n        return True\n",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealer-forgets-what-an-old-epoch-has-left",
        kind=Kind.CONSISTENCY,
        file=SEALER,
        old="                    if epoch != current:\n",
        new="                    if epoch > current:\n",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealer-does-not-know-former-keys",
        kind=Kind.AVAILABILITY,
        file=SIGNER,
        old="key.public_key().public_bytes_raw(), *former_keys)",
        new="key.public_key().public_bytes_raw(),)",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealed-records-are-read-unrecorded",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/proofs.py",
        old="    await record_reading(ctx, caller, account_id, filters=Filters())\n",
        new="",
        tests=("tests/services/audit/test_proofs.py",),
    ),
    Mutant(
        id="proof-of-a-record-of-another-account",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/proofs.py",
        old="    if await ctx.store.find(account_id, event_id) is None:\n",
        new="    if await ctx.store.digest(event_id) is None:\n",
        tests=("tests/services/audit/test_proofs.py",),
    ),
    Mutant(
        id="sealer-forgets-a-former-epoch-after-a-failure",
        kind=Kind.CONSISTENCY,
        file=SEALER,
        old="            if not whole:\n",
        new="            if whole is None:\n",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="sealer-lets-trees-with-an-alarm-keep-others-waiting",
        kind=Kind.AVAILABILITY,
        file=STORED,
        old="        if without:\n",
        new="        if not without:\n",
        tests=SEALER_TESTS,
    ),
    Mutant(
        id="file-of-checkpoints-continues-a-torn-line",
        kind=Kind.CONSISTENCY,
        file=FILES,
        old='b"" if kept.read(1) == b"\\n" else b"\\n"',
        new='b""',
        tests=("tests/services/audit/test_checkpoint_files.py",),
    ),
    Mutant(
        id="sealer-does-not-run",
        kind=Kind.SECURITY,
        file="services/audit/app.py",
        old='        tasks={"seal": partial(run_sealer, sealer, office)},\n',
        new="",
        tests=("tests/contracts/test_sealed_log.py",),
    ),
)
