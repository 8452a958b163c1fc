"""Mutants of the groups of replicas of authz: what each holds, and whom a change waits for."""

from tests.mutants.mutant import Kind, Mutant

GROUPS = "services/authz/domain/groups.py"
CONTRACT = "shared/contracts/groups.py"
RULES = ("tests/shared/test_groups.py",)
BARRIER = ("tests/shared/leases/test_barrier.py",)
REPLICAS = ("tests/services/authz/test_groups.py",)

ROWS = (
    Mutant(
        id="groups-deny-what-another-group-holds",
        kind=Kind.SECURITY,
        file="services/authz/domain/policy_state.py",
        old="            self._groups.require(account_id)\n",
        new="            pass\n",
        tests=REPLICAS,
    ),
    Mutant(
        id="groups-wait-for-the-group-of-one-account-only",
        kind=Kind.CONSISTENCY,
        file="shared/leases/barrier.py",
        old="not self.shards.isdisjoint(concerned)",
        new="self.shards >= concerned",
        tests=BARRIER,
    ),
    Mutant(
        id="groups-take-a-mixed-change-for-one-of-accounts",
        kind=Kind.CONSISTENCY,
        file=CONTRACT,
        old="            return None\n        shards.add(shard)",
        new="            continue\n        shards.add(shard)",
        tests=RULES,
    ),
    Mutant(
        id="groups-do-not-wait-for-an-unknown-change",
        kind=Kind.CONSISTENCY,
        file=CONTRACT,
        old="    return frozenset(shards) or None\n",
        new="    return frozenset(shards)\n",
        tests=RULES,
    ),
    Mutant(
        id="groups-write-waits-for-no-group",
        kind=Kind.CONSISTENCY,
        file="shared/journal/journal.py",
        old=(
            "concerned=concerned_shards(\n"
            "                    each for row in recorded for each in row.row.policy_objects\n"
            "                ),"
        ),
        new="concerned=frozenset(),",
        tests=("tests/shared/journal/test_majority_lag.py", "-k", "awaited_for_its_account"),
    ),
    Mutant(
        id="groups-forget-what-a-life-held-before",
        kind=Kind.CONSISTENCY,
        file="shared/leases/store.py",
        old="        held = there.shards | row.shards\n",
        new="        held = row.shards\n",
        tests=BARRIER,
    ),
    Mutant(
        id="groups-trust-a-row-that-an-earlier-version-wrote",
        kind=Kind.CONSISTENCY,
        file="shared/leases/store.py",
        old="    held = None\n",
        new="    held = row.shards\n",
        tests=BARRIER,
    ),
    Mutant(
        id="groups-drop-the-catalogs",
        kind=Kind.AVAILABILITY,
        file="shared/following/held_state.py",
        old="self._held = shards | {None}",
        new="self._held = shards",
        tests=REPLICAS,
    ),
    Mutant(
        id="groups-hold-every-account",
        kind=Kind.LIMIT,
        file="shared/following/held_state.py",
        old="if shard_of_object(each) in self._held]",
        new="]",
        tests=REPLICAS,
    ),
    Mutant(
        id="groups-claim-a-lease-for-fewer-shards",
        kind=Kind.CONSISTENCY,
        file="shared/leases/routes.py",
        old="shards = None if body.shards is None else shards_in(body.shards)",
        new="shards = frozenset()",
        tests=REPLICAS,
    ),
    Mutant(
        id="groups-tell-a-part-as-the-whole-stream",
        kind=Kind.CONSISTENCY,
        file=GROUPS,
        old="            if accounts is None or len(named) > 1:",
        new="            if len(named) > 1:",
        tests=REPLICAS,
    ),
    Mutant(
        id="groups-answer-a-batch-out-of-order",
        kind=Kind.SECURITY,
        file="services/authz/routes/divided_batches.py",
        old="                found[place] = one\n",
        new="                found[-1 - place] = one\n",
        tests=REPLICAS,
    ),
    Mutant(
        id="groups-mirror-of-another-number-is-used",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/aio/mirror.py",
        old="        if self.groups > 1 and told not in (1, self.groups):",
        new="        if self.groups > 64:",
        tests=(*REPLICAS, "-k", "local_mode"),
    ),
    Mutant(
        id="groups-local-mode-guesses-the-account",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/aio/local_groups.py",
        old="            raise LeaseOverError(",
        new="            return self._parts[1]\n            raise LeaseOverError(",
        tests=(*REPLICAS, "-k", "local_mode"),
    ),
    Mutant(
        id="groups-lose-documents-without-a-number",
        kind=Kind.DATA,
        file="services/team/store/snapshot.py",
        old="if each is None or each in shards",
        new="if each in shards",
        tests=("tests/services/team/test_shards.py", "-k", "some_shards"),
    ),
)
