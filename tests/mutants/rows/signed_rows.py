"""Mutants of signed rows: each check of what arrives, and the chain."""

from tests.mutants.mutant import Kind, Mutant

VERIFIER = "shared/row_verifier.py"
SIGNATURES = "shared/auth/row_signatures.py"
VIEW = "shared/following/journal_view.py"
LINEAGE = "shared/following/lineage.py"
INBOX = "shared/inbox/inbox.py"
RECONCILER = "shared/inbox/reconciler.py"
FOLLOWERS = "shared/following/followers.py"
FOLLOWER = "shared/following/follower.py"
ROWS_OF_WRITES = "shared/journal/rows.py"
VERIFIER_TESTS = ("tests/shared/test_row_verifier.py",)
FORK_TESTS = ("tests/shared/following",)
INBOX_TESTS = ("tests/shared/inbox/test_forgeries.py",)
AUTHZ_TESTS = ("tests/services/authz/test_forgeries.py",)
JOURNAL_TESTS = ("tests/shared/journal/test_signed_rows.py",)


def _mutant(name: str, file: str, old: str, new: str, tests: tuple[str, ...]) -> Mutant:
    return Mutant(
        id=f"signed-rows-{name}", kind=Kind.SECURITY, file=file, old=old, new=new, tests=tests
    )


ROWS = (
    _mutant(
        "signature-unchecked",
        VERIFIER,
        "        if not self._keys.signed(source, event, signature):\n",
        "        if not signature:\n",
        VERIFIER_TESTS,
    ),
    _mutant(
        "headers-unchecked",
        VERIFIER,
        "        if (message.id, message.type, claimed) != (row.id, row.type, row.position):\n",
        "        if claimed.source != row.source:\n",
        VERIFIER_TESTS,
    ),
    _mutant(
        "type-unchecked",
        VERIFIER,
        "(message.id, message.type, claimed) != (row.id, row.type, row.position)",
        "(message.id, claimed) != (row.id, row.position)",
        VERIFIER_TESTS,
    ),
    _mutant(
        "fetched-place-unchecked",
        VERIFIER,
        "            if not asked_for or row.position !=",
        "            if row.position !=",
        VERIFIER_TESTS,
    ),
    _mutant(
        "fetched-chain-unchecked",
        VERIFIER,
        "            if row.seq == last + 1 and digest not in {None, row.previous}:\n",
        "            if row.seq == last:\n",
        VERIFIER_TESTS,
    ),
    _mutant(
        "first-row-follows-anything",
        VERIFIER,
        "GENESIS if query.after == 0 else None",
        "None",
        VERIFIER_TESTS,
    ),
    _mutant(
        "log-flooded",
        VERIFIER,
        "        if alarm.due():\n",
        "        if alarm:\n",
        VERIFIER_TESTS,
    ),
    _mutant(
        "flood-hides-a-fork",
        VERIFIER,
        "            (name, channel, fault), AtMostEvery",
        "            (name, channel, Fault.FORK), AtMostEvery",
        VERIFIER_TESTS,
    ),
    _mutant(
        "malformed-unchecked",
        VERIFIER,
        "        if not whole or message.source != sender:\n",
        "        if not sender:\n",
        VERIFIER_TESTS,
    ),
    _mutant(
        "size-unchecked",
        VERIFIER,
        "        if len(event) > MAX_EVENT_BYTES:\n",
        "        if not event:\n",
        VERIFIER_TESTS,
    ),
    _mutant(
        "without-prefix",
        SIGNATURES,
        "self._made(source, DOMAIN + event, signature)",
        "self._made(source, event, signature)",
        VERIFIER_TESTS,
    ),
    _mutant(
        "any-sources-key",
        SIGNATURES,
        "        for key in self._keys.get(source, ()):\n",
        "        for key in sum(self._keys.values(), []):\n",
        VERIFIER_TESTS,
    ),
    _mutant(
        "view-takes-a-second-row",
        VIEW,
        "        if there.digest != row.digest and there.epoch == row.epoch:\n",
        "        if there.epoch != row.epoch and not self.loaded and there.seq == 0:\n",
        FORK_TESTS,
    ),
    _mutant(
        "view-ignores-a-second-last-row",
        VIEW,
        "self._refuse_fork(self._lineage.compare_row(row.shard, row.seq, row.digest))",
        "self._lineage.compare_row(row.shard, row.seq, row.digest)",
        FORK_TESTS,
    ),
    _mutant(
        "view-ignores-the-chain",
        VIEW,
        "            if row.previous != previous:\n",
        "            if not previous:\n",
        FORK_TESTS,
    ),
    _mutant(
        "view-ignores-the-heads-digest",
        LINEAGE,
        "        return Compared.EQUAL if ends.get(head) == digest else Compared.DIFFERENT\n",
        "        return Compared.EQUAL\n",
        FORK_TESTS,
    ),
    _mutant(
        "view-ignores-a-head-that-is-reached",
        LINEAGE,
        "        return Compared.EQUAL if same else Compared.DIFFERENT\n",
        "        return Compared.EQUAL\n",
        FORK_TESTS,
    ),
    _mutant(
        "view-keeps-the-newest-head-only",
        LINEAGE,
        "if head <= seq}\n",
        "if head == max(heads) == seq}\n",
        FORK_TESTS,
    ),
    _mutant(
        "view-counts-a-grant-passed-long-ago",
        VIEW,
        "        if not passed:\n",
        "        if grant:\n",
        FORK_TESTS,
    ),
    _mutant(
        "view-takes-a-source-that-went-back-for-a-new-epoch",
        VIEW,
        "            raise self._forked()\n        passed = False\n",
        "            self.forget()\n            return False\n        passed = False\n",
        FORK_TESTS,
    ),
    _mutant(
        "view-keeps-its-state-after-a-fork",
        VIEW,
        "        self.forget()\n        return HistoryForked()\n",
        "        return HistoryForked()\n",
        FORK_TESTS,
    ),
    _mutant(
        "forgery-becomes-a-dead-letter",
        INBOX,
        "            return Verdict.ACK\n        except ValueError",
        "            return Verdict.DEAD\n        except ValueError",
        INBOX_TESTS,
    ),
    _mutant(
        "second-row-is-no-alarm",
        INBOX,
        "not in {None, signed.digest}:\n",
        "is None:\n",
        INBOX_TESTS,
    ),
    _mutant(
        "covered-second-row-is-no-alarm",
        INBOX,
        "            await self._compare(signed, channel)\n            return\n",
        "            return\n",
        INBOX_TESTS,
    ),
    _mutant(
        "epoch-that-is-over-is-applied",
        RECONCILER,
        "        return position.epoch == self._progress.epoch(position.source)\n",
        "        return self._progress.epoch(position.source) is not None\n",
        INBOX_TESTS,
    ),
    _mutant(
        "marks-of-an-epoch-that-is-over-stay",
        "shared/inbox/marks.py",
        'mark["epoch"] != epoch or ',
        "",
        ("tests/shared/inbox/test_reconciler.py",),
    ),
    _mutant(
        "odd-header-breaks-the-reading",
        "shared/bus/rabbitmq_subscription.py",
        "    return header if isinstance(header, int) else -1\n",
        "    return header  # type: ignore[return-value]\n",
        ("tests/shared/bus/test_rabbitmq.py", "-k", "odd_headers"),
    ),
    _mutant(
        "dead-letters-unbounded",
        "deploy/broker.py",
        '                    "max-length": MAX_DEAD_LETTERS,\n',
        "",
        ("tests/faults/test_broker_rights.py", "-k", "dead_letters_of_a_queue"),
    ),
    _mutant(
        "messages-of-any-size",
        "deploy/broker.py",
        '    lines = [f"max_message_size = {MAX_MESSAGE_BYTES}"]\n',
        "    lines = []\n",
        ("tests/faults/test_broker_rights.py", "-k", "no_row_can_be"),
    ),
    _mutant(
        "fetched-second-row-is-no-alarm",
        RECONCILER,
        "                    if marks[row.seq] not in {None, signed.digest}:\n",
        "                    if marks[row.seq] is None:\n",
        INBOX_TESTS,
    ),
    _mutant(
        "forgeries-hammer-the-source",
        FOLLOWERS,
        "            if self._suspicion.due():\n",
        "            if self._followers:\n",
        AUTHZ_TESTS,
    ),
    _mutant(
        "unfit-fetch-does-not-reload",
        FOLLOWER,
        "            except RowRefused:\n",
        "            except RowRefused:\n                continue\n",
        AUTHZ_TESTS,
    ),
    _mutant(
        "chain-begins-anew-in-each-change",
        ROWS_OF_WRITES,
        "previous=numbered[-1].digest if numbered else previous,",
        "previous=numbered[-1].digest if numbered else GENESIS,",
        JOURNAL_TESTS,
    ),
    _mutant(
        "two-journals-share-a-key",
        SIGNATURES,
        "    if len(set(texts)) < len(texts):\n",
        "    if any(len(set(each)) < len(each) for each in keys.values()):\n",
        ("tests/shared/runtime/test_settings.py",),
    ),
    _mutant(
        "reload-pause-does-not-grow",
        "shared/following/reload_pause.py",
        "self._seconds * 2)",
        "self._seconds)",
        ("tests/shared/following/test_reload_pause.py",),
    ),
    _mutant(
        "service-signs-with-the-key-of-another",
        "shared/runtime/settings.py",
        "public not in known.get(service, ())",
        "public not in {key for keys in known.values() for key in keys}",
        ("tests/shared/runtime/test_settings.py",),
    ),
)
