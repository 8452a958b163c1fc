"""Mutants of leases and barrier: what makes an acknowledged removal count everywhere."""

from tests.mutants.mutant import Kind, Mutant

LEASES = "shared/leases/leases.py"
BARRIER = "shared/leases/barrier.py"
STORE = "shared/leases/store.py"
SWEEPER = "shared/leases/sweeper.py"
NEAREST = ("tests/shared/leases",)

ROWS = (
    Mutant(
        id="lease-heads-first",
        kind=Kind.CONSISTENCY,
        file=LEASES,
        old="            await self._store.put(row, session)\n"
        "            now = await self._store.heads(session)\n",
        new="            now = await self._store.heads(session)\n"
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
        id="barrier-one-behind",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="        elif last == self.seq and digest == self.digest:\n",
        new="        elif last == self.seq - 1:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-counts-sequences-only",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="        elif last == self.seq and digest == self.digest:\n",
        new="        elif last == self.seq:\n",
        tests=("tests/consistency/test_set_back.py",),
    ),
    Mutant(
        id="barrier-counts-rows-ahead-uncompared",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="            if last in digests and digests[last] == digest:\n",
        new="            if last in digests or digest:\n",
        tests=("tests/consistency/test_set_back.py",),
    ),
    Mutant(
        id="barrier-counts-rows-above-the-head",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="            if last in digests and digests[last] == digest:\n",
        new="            if digests.get(last) == digest:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-shared-with-a-lost-history",
        kind=Kind.CONSISTENCY,
        file=LEASES,
        old="        key = revision, digest\n",
        new='        key = revision, ""\n',
        tests=("tests/consistency/test_set_back.py",),
    ),
    Mutant(
        id="lease-marks-without-end",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="        if len(found) == MARKS_PER_SERVICE:\n",
        new="        if len(found) > MARKS_PER_SERVICE:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="lease-marks-read-by-barriers",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old='{"released": {"$ne": True}}',
        new="{}",
        tests=NEAREST,
    ),
    Mutant(
        id="barrier-takes-another-epoch",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old="        if row.id not in self._waiting or row.epoch != self.epoch:\n",
        new="        if row.id not in self._waiting:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="lease-row-of-the-slot",
        kind=Kind.CONSISTENCY,
        file=BARRIER,
        old='    return LeaseId(f"{service}/{slot}/{life}")\n',
        new='    return LeaseId(f"{service}/{slot}")\n',
        tests=("tests/consistency/test_lives.py",),
    ),
    Mutant(
        id="lease-release-forgotten",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="    if there.released:\n        raise LifeEnded\n",
        new="",
        tests=NEAREST,
    ),
    Mutant(
        id="lease-late-request-shortens-the-ttl",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="    if there.asked > row.asked:\n        return there\n",
        new="",
        tests=NEAREST,
    ),
    Mutant(
        id="lease-renewed-row-removed",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old='delete_one({"_id": row.id, "renewal": row.renewal})',
        new='delete_one({"_id": row.id})',
        tests=NEAREST,
    ),
    Mutant(
        id="sweeper-ignores-renewals",
        kind=Kind.CONSISTENCY,
        file=SWEEPER,
        old="        if seen is not None and seen.renewal == row.renewal:\n",
        new="        if seen is not None:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="sweeper-without-the-ttl",
        kind=Kind.CONSISTENCY,
        file=SWEEPER,
        old="else row.ttl + LAPSE_MARGIN_SECONDS\n",
        new="else LAPSE_MARGIN_SECONDS\n",
        tests=NEAREST,
    ),
    Mutant(
        id="lease-of-a-forgotten-state-kept",
        kind=Kind.CONSISTENCY,
        file="shared/following/follower.py",
        old="                await self._give_back_former_life()\n                if not",
        new="                if not",
        tests=("tests/services/authz/test_following.py", "-k", "forgotten_state"),
    ),
    Mutant(
        id="sweeper-counts-from-before-its-read",
        kind=Kind.CONSISTENCY,
        file="shared/leases/sweeper.py",
        old="        async with self._store.session() as session:\n"
        "            rows = await self._store.rows(session)\n"
        "        now = self._clock.boottime()\n",
        new="        now = self._clock.boottime()\n"
        "        async with self._store.session() as session:\n"
        "            rows = await self._store.rows(session)\n",
        tests=("tests/shared/leases/test_sweeper.py",),
    ),
    Mutant(
        id="barrier-bell-rings-without-end",
        kind=Kind.AVAILABILITY,
        file="shared/leases/alarm.py",
        old="        self._rung.clear()\n",
        new="",
        tests=("tests/shared/leases/test_alarm.py",),
    ),
    Mutant(
        id="lease-of-whichever-service",
        kind=Kind.SECURITY,
        file="shared/leases/routes.py",
        old="service=call.service.service, slot",
        new='service="authz", slot',
        tests=("tests/shared/leases/test_routes.py",),
    ),
    Mutant(
        id="leases-are-not-swept",
        kind=Kind.AVAILABILITY,
        file="shared/wiring.py",
        old='            tasks["leases"] = self._leases.sweep\n',
        new="",
        tests=("tests/services/team/test_internal.py", "-k", "is_swept"),
    ),
)
