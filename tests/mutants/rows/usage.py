"""Mutants of the usage of members: what is counted, how often, and how it is shown."""

from tests.mutants.mutant import Kind, Mutant

SUMS = "services/audit/domain/usage_sums.py"
STORE = "services/audit/store/usage.py"
RULE_TESTS = ("tests/services/audit/domain/test_usage_sums.py",)
RECOUNT = ("tests/services/audit/test_usage.py", "-k", "recount")
CUT_OFF = ("tests/services/audit/test_usage.py", "-k", "cut_off")
CRASHES = ("tests/services/audit/test_usage_crashes.py",)
LIVE = ("tests/services/audit/test_usage.py", "-k", "members_read")

ROWS = (
    Mutant(
        id="usage-of-two-units-is-added",
        kind=Kind.DATA,
        file=SUMS,
        old="unit=usage.unit, currency",
        new='unit="x", currency',
        tests=RULE_TESTS,
    ),
    Mutant(
        id="usage-counts-for-the-service",
        kind=Kind.DATA,
        file=SUMS,
        old="about = key._replace(member=usage.user_id, ",
        new="about = key._replace(",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="usage-shows-services-as-members",
        kind=Kind.DATA,
        file=STORE,
        old='            "member": USERS,\n',
        new="",
        tests=RECOUNT,
    ),
    Mutant(
        id="audit-does-not-name-who-acted",
        kind=Kind.DATA,
        file="services/audit/use_cases/member_writes.py",
        old="        caller=await _named(ctx, caller),\n",
        new="        caller=caller,\n",
        tests=("tests/services/audit/test_checkpoint_delivery.py", "-k", "named"),
    ),
    Mutant(
        id="usage-is-rounded",
        kind=Kind.DATA,
        file=SUMS,
        old="EXACT = Context(prec=34)\n",
        new="EXACT = Context(prec=17)\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="usage-outside-of-the-transaction",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="            await self._added.insert_one(document, session=session)\n",
        new="            await self._added.insert_one(document)\n",
        tests=("tests/services/audit/test_usage.py", "-k", "or_not_at_all"),
    ),
    Mutant(
        id="usage-is-folded-outside-of-the-transaction",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="        await self._usage.bulk_write(writes, session=session, ordered=False)\n",
        new="        await self._usage.bulk_write(writes, ordered=False)\n",
        tests=CUT_OFF,
    ),
    Mutant(
        id="usage-that-is-folded-stays",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old=(
            "        deleted = await self._added.delete_many(those, session=session)\n"
            "        if deleted.deleted_count != len(folded):\n"
        ),
        new="        if len(folded) > limit:\n",
        tests=CRASHES,
    ),
    Mutant(
        id="usage-counts-what-is-folded-only",
        kind=Kind.DATA,
        file=STORE,
        old="((self._usage, ()), (self._added, EACH_SUM))",
        new="((self._usage, ()),)",
        tests=RECOUNT,
    ),
    Mutant(
        id="usage-is-read-in-two-moments",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old="collection.aggregate([*first, *stages], session=session)",
        new="collection.aggregate([*first, *stages])",
        tests=RECOUNT,
    ),
    Mutant(
        id="usage-is-not-folded-to-its-end",
        kind=Kind.AVAILABILITY,
        file=STORE,
        old="        return len(folded) == limit or len(sums) >= most_sums\n",
        new="        return len(folded) == limit\n",
        tests=RECOUNT,
    ),
    Mutant(
        id="usage-of-another-account",
        kind=Kind.SECURITY,
        file=STORE,
        old='            "account_id": account_id,\n            "day"',
        new='            "day"',
        tests=RECOUNT,
    ),
    Mutant(
        id="usage-page-repeats-a-group",
        kind=Kind.DATA,
        file=STORE,
        old='group: {"$gt": after[place]}',
        new='group: {"$gte": after[place]}',
        tests=RECOUNT,
    ),
    Mutant(
        id="usage-needs-another-permission",
        kind=Kind.SECURITY,
        file="services/audit/routes/usage.py",
        old='        access=Permission("usage:view"),\n',
        new='        access=Permission("account:view"),\n',
        tests=LIVE,
    ),
    Mutant(
        id="usage-of-all-days-by-a-written-cursor",
        kind=Kind.AVAILABILITY,
        file="services/audit/routes/usage.py",
        old="    if not _few_days(first_day, last_day):\n",
        new="    if last_day < first_day:\n",
        tests=LIVE,
    ),
    Mutant(
        id="usage-file-runs-a-name",
        kind=Kind.SECURITY,
        file="services/audit/domain/csv_cells.py",
        old="or _runs(parts[0]) else parts[0]\n",
        new="else parts[0]\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="usage-file-runs-a-part-of-a-name",
        kind=Kind.SECURITY,
        file="services/audit/domain/csv_cells.py",
        old="if _runs(part) else part for part in parts[1:]",
        new="if not part else part for part in parts[1:]",
        tests=RULE_TESTS,
    ),
)
