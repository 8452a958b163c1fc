"""Mutants of journal, relay and inbox that a crash between a write and its effect shows."""

from tests.mutants.mutant import Kind, Mutant

JOURNAL = "shared/journal/journal.py"
RELAY = "shared/journal/relay.py"
MARKS = "shared/inbox/marks.py"
CRASH_POINTS = ("tests/faults/test_crash_points.py",)
TRIMMER_KILLS = ("tests/shared/journal/test_trimmer_crashes.py",)
DIGEST_KILLS = ("tests/services/notification/test_digest_crashes.py",)
STREAM_KILLS = ("tests/services/audit/test_stream_crashes.py",)

ROWS = (
    Mutant(
        id="crash-rows-outside-transaction",
        kind=Kind.DATA,
        file="shared/journal/shard_rows.py",
        old="await self._rows.insert_many(documents, session=session)",
        new="await self._rows.insert_many(documents)",
        tests=CRASH_POINTS,
    ),
    Mutant(
        id="crash-unsent-rows-stay",
        kind=Kind.DATA,
        file=RELAY,
        old='        due = self._rows.find({"sent": False, ',
        new='        due = self._rows.find({"sent": None, ',
        tests=CRASH_POINTS,
    ),
    Mutant(
        id="crash-receipt-before-effect",
        kind=Kind.DATA,
        file=MARKS,
        old="await insert_once(self._marks, _mark(position, digest, at), session)",
        new="await insert_once(self._marks, _mark(position, digest, at))",
        tests=CRASH_POINTS,
    ),
    Mutant(
        id="crash-effect-repeated",
        kind=Kind.DATA,
        file=MARKS,
        old="            await self._marks.insert(*place, self._at, session)\n"
        "        except AlreadyThere as there:\n"
        "            raise AlreadyApplied from there\n",
        new="            await self._marks.insert(*place, self._at, session)\n"
        "        except AlreadyThere:\n"
        "            return\n",
        tests=("tests/shared/inbox",),
    ),
    Mutant(
        id="crash-rows-trimmed-before-it-is-told",
        kind=Kind.DATA,
        file="shared/journal/trimmer.py",
        old="            if not await self._rows.note_trimmed(found.epoch, size.shard, until):\n"
        "                break\n"
        "            await self._delete(found, size.shard, until)\n",
        new="            await self._delete(found, size.shard, until)\n"
        "            if not await self._rows.note_trimmed(found.epoch, size.shard, until):\n"
        "                break\n",
        tests=TRIMMER_KILLS,
    ),
    Mutant(
        id="crash-past-forgotten-before-it-is-told",
        kind=Kind.DATA,
        file="shared/journal/forgetting.py",
        old='                await self._note(shard, "told", over[-1]["place"])\n'
        "                for entry in over:\n"
        "                    await self._supersede(shard, entry)\n",
        new="                for entry in over:\n"
        "                    await self._supersede(shard, entry)\n"
        '                await self._note(shard, "told", over[-1]["place"])\n',
        tests=TRIMMER_KILLS,
    ),
    Mutant(
        id="crash-entries-of-the-past-go-before-their-rows",
        kind=Kind.DATA,
        file="shared/journal/forgetting.py",
        old="            if await self._places.count_documents(named, limit=2) == 1:\n"
        '                await self._archive.delete(shard, old["seq"])\n'
        '            await self._places.delete_one({"shard": shard, "_id": old["_id"]})\n',
        new='            await self._places.delete_one({"shard": shard, "_id": old["_id"]})\n'
        "            if await self._places.count_documents(named, limit=2) == 0:\n"
        '                await self._archive.delete(shard, old["seq"])\n',
        tests=TRIMMER_KILLS,
    ),
    Mutant(
        id="crash-former-epoch-deleted-before-it-is-told",
        kind=Kind.DATA,
        file="shared/journal/restores.py",
        old='        await self._epochs.update_one({"_id": epoch}, noted)\n        of_epoch',
        new="        of_epoch",
        tests=TRIMMER_KILLS,
    ),
    Mutant(
        id="crash-settled-digest-is-settled-again",
        kind=Kind.DATA,
        file="services/notification/use_cases/digests.py",
        old="    if digest.listed is None:\n",
        new="    if digest.listed is None or digest.listed:\n",
        tests=DIGEST_KILLS,
    ),
    Mutant(
        id="crash-batch-noted-before-it-is-sent",
        kind=Kind.DATA,
        file="services/audit/use_cases/stream_sender.py",
        old="    attempt = await _post(ctx, stream, batch.body)\n",
        new="    await ctx.store.note_sent(\n"
        "        stream, stream_attempts.taken(stream, batch.place, now=ctx.clock.now())\n"
        "    )\n"
        "    attempt = await _post(ctx, stream, batch.body)\n",
        tests=STREAM_KILLS,
    ),
    Mutant(
        id="crash-failure-noted-as-sent",
        kind=Kind.DATA,
        file="services/audit/use_cases/stream_sender.py",
        old="        saved = await ctx.store.note_sent(stream, after)\n",
        new="        saved = await ctx.store.note_sent(\n"
        "            stream, stream_attempts.taken(after, batch.place, now=now)\n"
        "        )\n",
        tests=STREAM_KILLS,
    ),
)
