"""Mutants of leases and barrier: what makes an acknowledged removal count everywhere."""

from tests.mutants.mutant import Kind, Mutant

LEASES = "shared/leases/leases.py"
BARRIER = "shared/leases/barrier.py"
NEAREST = ("tests/shared/leases",)

ROWS = (
    Mutant(
        id="lease-heads-first",
        kind=Kind.CONSISTENCY,
        file=LEASES,
        old="            await self._store.put(row, session)\n"
        "            epoch_now, heads = await self._store.heads(session)\n",
        new="            epoch_now, heads = await self._store.heads(session)\n"
        "            await self._store.put(row, session)\n",
        tests=("tests/shared/leases", "tests/consistency", "-k", "leases or no_fault"),
    ),
    Mutant(
        id="lease-shorter-than-held",
        kind=Kind.CONSISTENCY,
        file=LEASES,
        old="            ttl=max(self._ttl, held),\n",
        new="            ttl=self._ttl,\n",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-without-margin",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="        self._limit = elapsed + longest + LAPSE_MARGIN_SECONDS\n",
        new="        self._limit = elapsed + longest * 0.5\n",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-counts-from-commit",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="        self._limit = elapsed + longest + LAPSE_MARGIN_SECONDS\n",
        new="        self._limit = longest + LAPSE_MARGIN_SECONDS\n",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-takes-another-boot",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="        if follows and first is not None and first.boot == boot:\n",
        new="        if follows and first is not None:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-one-behind",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="applied.get(self.shard, 0) >= self.seq\n",
        new="applied.get(self.shard, 0) >= self.seq - 1\n",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-takes-another-epoch",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="        follows = epoch == self.epoch and applied",
        new="        follows = applied",
        tests=NEAREST,
    ),
    Mutant(
        id="lease-ended-by-an-earlier-boot",
        kind=Kind.CONSISTENCY,
        file="shared/leases/store.py",
        old='delete_one({"_id": replica, "boot": boot})',
        new='delete_one({"_id": replica})',
        tests=("tests/shared/leases/test_store.py", "tests/shared/leases/test_leases.py"),
    ),
)
