"""Mutants of the number of the shard that documents carry."""

from tests.mutants.mutant import Kind, Mutant

SHARDS = "tests/services/team/test_shards.py"
ADOPTION = "tests/shared/journal/test_adoption.py"
STEPS = "tests/services/team/test_migrations.py"

ROWS = (
    Mutant(
        id="shards-write-decides-without-an-earlier-replicas-documents",
        kind=Kind.CONSISTENCY,
        file="shared/journal/shard_rows.py",
        old="            await self._adoption.before(head, session)\n",
        new="            pass\n",
        tests=(SHARDS, "-k", "just_before"),
    ),
    Mutant(
        id="shards-write-leaves-no-mark",
        kind=Kind.CONSISTENCY,
        file="shared/journal/shard_rows.py",
        old="            advanced[MARK] = last.row.seq\n",
        new="            advanced[MARK] = base\n",
        tests=(ADOPTION,),
    ),
    Mutant(
        id="shards-loop-marks-without-adopting",
        kind=Kind.CONSISTENCY,
        file="shared/journal/adoption.py",
        old="        await self._adopt(shard, session)\n",
        new="",
        tests=(ADOPTION, "-k", "loop"),
    ),
    Mutant(
        id="shards-loop-does-not-run",
        kind=Kind.CONSISTENCY,
        file="shared/wiring.py",
        old='            tasks["adoption"] = self._adoption.run\n',
        new="            pass\n",
        tests=(SHARDS, "-k", "soon"),
    ),
    Mutant(
        id="shards-snapshot-reads-documents-without-a-number-last",
        kind=Kind.CONSISTENCY,
        file="services/team/store/snapshot.py",
        old="_PARTS[at %",
        new="_PARTS[-1 - at %",
        tests=(SHARDS, "-k", "between_two_pages"),
    ),
    Mutant(
        id="shards-project-of-another-account-in-the-same-shard",
        kind=Kind.SECURITY,
        file="services/team/store/projects.py",
        old='wanted = {**at(account_id, project_id), "account_id": account_id}',
        new="wanted = at(account_id, project_id)",
        tests=(SHARDS, "-k", "same_shard"),
    ),
    Mutant(
        id="shards-adoption-numbers-documents-of-other-shards",
        kind=Kind.CONSISTENCY,
        file="services/team/store/adoption.py",
        old='            if only in {None, shard_of(row["account_id"])}\n',
        new="",
        tests=(STEPS, "-k", "their_shard_only"),
    ),
    Mutant(
        id="shards-step-numbers-one-batch",
        kind=Kind.DATA,
        file="services/team/store/adoption.py",
        old="        if not rows:\n",
        new="        if not rows or after:\n",
        tests=(STEPS, "-k", "in_batches"),
    ),
    Mutant(
        id="shards-member-is-found-in-any-shard",
        kind=Kind.LIMIT,
        file="services/team/store/members.py",
        old="self._members.find(of_account(account_id), session",
        new='self._members.find({"account_id": account_id}, session',
        tests=("tests/services/team/test_members.py",),
    ),
)
