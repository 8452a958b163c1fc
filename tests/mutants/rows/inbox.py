"""Mutants of the inbox and its reconciler: when a service may call itself complete."""

from tests.mutants.mutant import Kind, Mutant

RECONCILER = "shared/inbox/reconciler.py"
MARKS = "shared/inbox/marks.py"
NOTED_TESTS = ("tests/shared/inbox/test_noted_marks.py",)
NEAREST = ("tests/shared/inbox/test_reconciler.py",)

ROWS = (
    Mutant(
        id="inbox-one-incomplete-shard-hidden",
        kind=Kind.CONSISTENCY,
        file=RECONCILER,
        old="        if not incomplete:\n",
        new="        if not incomplete or behind[-1] not in incomplete:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="inbox-complete-shards-outvote-one",
        kind=Kind.CONSISTENCY,
        file=RECONCILER,
        old="        if not incomplete:\n",
        new="        if len(incomplete) < len(behind):\n",
        tests=NEAREST,
    ),
    Mutant(
        id="inbox-gap-counts-as-filled",
        kind=Kind.CONSISTENCY,
        file=RECONCILER,
        old="            if applied < end:\n                return False\n",
        new="            applied = self._contiguous[source, shard] = end\n",
        tests=NEAREST,
    ),
    Mutant(
        id="inbox-fetched-page-counts-as-whole",
        kind=Kind.CONSISTENCY,
        file=RECONCILER,
        old="                marked |= await self._fetch(first, end, marks)\n",
        new="                await self._fetch(first, end, marks)\n"
        "                marked = set(range(applied + 1, end + 1))\n",
        tests=NEAREST,
    ),
    Mutant(
        id="inbox-highest-instead-of-contiguous",
        kind=Kind.CONSISTENCY,
        file=RECONCILER,
        old="            while applied + 1 in marked:\n                applied += 1\n",
        new="            applied = max(marked, default=applied)\n",
        tests=NEAREST,
    ),
    Mutant(
        id="inbox-acts-for-the-service-not-the-user",
        kind=Kind.DATA,
        file="shared/inbox/inbox.py",
        old="row.actor.on_behalf_of or row.actor.id",
        new="row.actor.id",
        tests=("tests/shared/inbox/test_inbox.py",),
    ),
    Mutant(
        id="inbox-unreadable-message-acknowledged",
        kind=Kind.DATA,
        file="shared/inbox/inbox.py",
        old="            return Verdict.DEAD\n",
        new="            return Verdict.ACK\n",
        tests=("tests/shared/inbox/test_inbox.py",),
    ),
    Mutant(
        id="inbox-source-away-holds-up-the-others",
        kind=Kind.AVAILABILITY,
        file="shared/inbox/reconciler.py",
        old="                        self._outages[source].away(problem)\n",
        new=(
            "                        self._outages[source].away(problem)\n"
            "                    break\n"
        ),
        tests=("tests/shared/inbox/test_reconciler.py",),
    ),
    Mutant(
        id="inbox-marks-forgotten-at-once",
        kind=Kind.CONSISTENCY,
        file="shared/inbox/reconciler.py",
        old="before = self._clock.now() - MARK_RETENTION",
        new="before = self._clock.now()",
        tests=("tests/shared/inbox/test_reconciler.py",),
    ),
    Mutant(
        id="inbox-fetch-one-row-short",
        kind=Kind.AVAILABILITY,
        file="shared/inbox/reconciler.py",
        old="limit=end - first.seq + 1",
        new="limit=end - first.seq or 1",
        tests=("tests/shared/inbox/test_reconciler.py",),
    ),
    Mutant(
        id="inbox-refused-message-not-compared",
        kind=Kind.AVAILABILITY,
        file="shared/inbox/inbox.py",
        old="            self._reconciler.wake()\n"
        "            return Verdict.ACK\n"
        "        except ValueError",
        new="            return Verdict.ACK\n        except ValueError",
        tests=("tests/shared/inbox/test_forgeries.py", "-k", "compare_soon"),
    ),
    Mutant(
        id="inbox-rows-of-another-epoch-applied",
        kind=Kind.CONSISTENCY,
        file="shared/inbox/reconciler.py",
        old="        if page.epoch != first.epoch:\n            return applied\n",
        new="",
        tests=("tests/shared/inbox/test_reconciler.py", "-k", "another_epoch"),
    ),
    Mutant(
        id="bus-lane-for-each-claimed-shard",
        kind=Kind.LIMIT,
        file="shared/bus/delivery.py",
        old="message.shard % SHARDS",
        new="message.shard",
        tests=("tests/shared/bus/test_delivery.py",),
    ),
    Mutant(
        id="bus-lane-for-each-claimed-source",
        kind=Kind.LIMIT,
        file="shared/bus/delivery.py",
        old='message.source if message.source in SOURCES else ""',
        new="message.source",
        tests=("tests/shared/bus/test_delivery.py",),
    ),
    Mutant(
        id="inbox-row-put-aside-without-its-digest",
        kind=Kind.SECURITY,
        file="shared/inbox/reconciler.py",
        old="self._marks.insert(row.position, signed.digest, ",
        new="self._marks.insert(row.position, row.previous, ",
        tests=("tests/shared/inbox/test_inbox.py", "-k", "put_aside"),
    ),
    Mutant(
        id="inbox-another-row-at-a-noted-place-applied",
        kind=Kind.SECURITY,
        file="shared/inbox/inbox.py",
        old=" or self._marks.is_noted(row.position):",
        new=":",
        tests=NOTED_TESTS,
    ),
    Mutant(
        id="inbox-noted-row-not-compared-with-the-stored-one",
        kind=Kind.SECURITY,
        file=MARKS,
        old='not in {None, mark["digest"]}',
        new="is None",
        tests=NOTED_TESTS,
    ),
    Mutant(
        id="inbox-noted-marks-lost-with-a-refused-save",
        kind=Kind.DATA,
        file=MARKS,
        old="            noted = dict(self._noted)\n",
        new="            noted, self._noted = dict(self._noted), {}\n",
        tests=NOTED_TESTS,
    ),
    Mutant(
        id="inbox-noted-marks-saved-one-by-one",
        kind=Kind.LIMIT,
        file="shared/inbox/inbox.py",
        old="self._marks.note(signed, self._clock.now(), channel)",
        new="await self._marks.insert(row.position, signed.digest, self._clock.now())",
        tests=NOTED_TESTS,
    ),
    Mutant(
        id="row-noted-during-a-save-is-forgotten",
        kind=Kind.DATA,
        file="shared/inbox/marks.py",
        old="""            for position in noted:
                self._noted.pop(position, None)
""",
        new="            self._noted.clear()\n",
        tests=("tests/shared/inbox/test_noted_marks.py", "-k", "during_a_save"),
    ),
)
