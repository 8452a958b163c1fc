"""Mutants of migrations: one replica applies each step once, and long builds end."""

from tests.mutants.mutant import Kind, Mutant

RUNNER = "shared/migrations.py"
LOCK = "shared/migration_lock.py"
NEAREST = ("tests/shared/test_migrations.py",)

ROWS = (
    Mutant(
        id="migrations-without-lock",
        kind=Kind.DATA,
        file=RUNNER,
        old="        if await runner.lock.acquire():\n",
        new="        if await runner.lock.acquire() or True:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="migrations-take-a-renewed-lock",
        kind=Kind.DATA,
        file=LOCK,
        old='        if current["renewal"] != self._watched:\n',
        new="        if not self._watched:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="migrations-go-on-without-the-lock",
        kind=Kind.DATA,
        file=LOCK,
        old="                if not outcome.matched_count:\n                    return\n",
        new="",
        tests=NEAREST,
    ),
    Mutant(
        id="migrations-record-before-the-step",
        kind=Kind.DATA,
        file=RUNNER,
        old="        for migration in pending:\n",
        new="        for migration in pending:\n"
        "            await insert_missing(\n"
        '                self._applied, [{"_id": migration.number, "name": migration.name}]\n'
        "            )\n",
        tests=NEAREST,
    ),
    Mutant(
        id="migrations-accept-a-newer-database",
        kind=Kind.DATA,
        file=RUNNER,
        old="        if highest := max(newer, default=0):\n",
        new="        if (highest := max(newer, default=0)) < 0:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="index-builds-have-the-clients-limit",
        kind=Kind.AVAILABILITY,
        file="shared/mongo/collections.py",
        old="    with pymongo.timeout(0):\n",
        new="    with pymongo.timeout(None):\n",
        tests=NEAREST,
    ),
    Mutant(
        id="index-builds-wait-for-every-member",
        kind=Kind.AVAILABILITY,
        file="shared/mongo/collections.py",
        old='create_indexes(models, commitQuorum="majority")',
        new="create_indexes(models)",
        tests=NEAREST,
    ),
    Mutant(
        id="index-ttl-is-not-changed",
        kind=Kind.DATA,
        file="shared/indexes.py",
        old='        if options.get("expireAfterSeconds") != index.ttl_seconds:\n',
        new="        if False:\n",
        tests=NEAREST,
    ),
    Mutant(
        id="index-listed-is-taken-for-built",
        kind=Kind.DATA,
        file="shared/indexes.py",
        old="        models.append(index.model(",
        new="        if same_name is None:\n            models.append(index.model(",
        tests=NEAREST,
    ),
    Mutant(
        id="index-options-ignored",
        kind=Kind.DATA,
        file="shared/indexes.py",
        old=" == self.keys and stored_options == declared\n",
        new=" == self.keys and declared.items() <= stored_options.items()\n",
        tests=NEAREST,
    ),
    Mutant(
        id="signing-step-overtakes-an-old-writer",
        kind=Kind.DATA,
        file="shared/journal/signing_step.py",
        old='{"_id": shard, "seq": seq},',
        new='{"_id": shard},',
        tests=("tests/shared/journal/test_signed_rows.py", "-k", "before_its_head"),
    ),
    Mutant(
        id="audit-does-not-sign-its-old-rows",
        kind=Kind.SECURITY,
        file="services/audit/migrations.py",
        old='        Migration(6, "signed rows", journal.signing_step(signer)),\n',
        new="",
        tests=("tests/services/test_stored.py", "-k", "sign_its_old"),
    ),
    Mutant(
        id="a-new-database-keeps-dropped-indexes",
        kind=Kind.DATA,
        file="shared/indexes.py",
        old="                    last.pop((collection, name), None)\n",
        new="                    pass\n",
        tests=NEAREST,
    ),
    Mutant(
        id="an-old-database-is-taken-for-a-new-one",
        kind=Kind.DATA,
        file=RUNNER,
        old="        return set(await self._database.list_collection_names()) <=",
        new="        return True or set(await self._database.list_collection_names()) <=",
        tests=NEAREST,
    ),
    Mutant(
        id="an-earlier-version-starts-on-a-form-that-it-cannot-read",
        kind=Kind.DATA,
        file=RUNNER,
        old='            if number > known and record.get("phase") != Phase.EXPAND\n',
        new='            if number > known and "phase" not in record\n',
        tests=NEAREST,
    ),
    Mutant(
        id="steps-that-contract-run-beside-old-replicas",
        kind=Kind.AVAILABILITY,
        file=RUNNER,
        old="        if self._contract or await self._is_new(pending):\n",
        new="        if pending or await self._is_new(pending):\n",
        tests=NEAREST,
    ),
    Mutant(
        id="a-replica-starts-before-its-migrations",
        kind=Kind.DATA,
        file="shared/wiring.py",
        old="        if self._migrate_when is MigrateWhen.APART:\n"
        "            await require_expanded(\n"
        "                self._migrated, self._migrations, clock=self.clock, service=self.service\n"
        "            )\n",
        new="        if self._migrate_when is MigrateWhen.APART:\n",
        tests=("tests/deploy/test_migrate.py",),
    ),
    Mutant(
        id="what-contracts-holds-back-what-expands",
        kind=Kind.AVAILABILITY,
        file=RUNNER,
        old="        return [each for each in pending if each.phase is not Phase.CONTRACT]\n",
        new="        phases = [each.phase for each in pending] + [Phase.CONTRACT]\n"
        "        return pending[: phases.index(Phase.CONTRACT)]\n",
        tests=NEAREST,
    ),
    Mutant(
        id="a-way-back-over-a-step-that-contracted",
        kind=Kind.DATA,
        file=RUNNER,
        old="each for each in applied if each.phase is not Phase.EXPAND)",
        new="each for each in applied if each.phase is Phase.REPLACE)",
        tests=NEAREST,
    ),
    Mutant(
        id="a-collection-without-an-index-is-missing",
        kind=Kind.AVAILABILITY,
        file="shared/indexes.py",
        old="        await create_indexes(majority(database, name), [index.model()])\n",
        new="",
        tests=NEAREST,
    ),
)
