"""Mutants of authz and of the SDK: the journal view, the builder, catalogs and the client."""

from tests.mutants.mutant import Kind, Mutant

VIEW = "shared/following/journal_view.py"
BUILD = "sdk/rolecall/core/build.py"
CLIENT = "sdk/rolecall/client/checks.py"
ANSWERS = "sdk/rolecall/client/evaluations.py"
STATE_TESTS = ("tests/services/authz/test_incremental_state.py",)
OBJECTS = "sdk/rolecall/core/account_objects.py"
VIEW_TESTS = ("tests/shared/following/test_journal_view.py",)
CONFORMANCE = ("tests/services/authz/domain/test_conformance.py",)
REVISION_TESTS = ("tests/services/authz/test_named_revisions.py",)
CLIENT_TESTS = ("tests/sdk/test_client.py",)

ROWS = (
    Mutant(
        id="view-applies-an-incomplete-change",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old=("            if len(whole) < len(rows):\n                break\n"),
        new="",
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="view-applies-parts-one-by-one",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old="[buffered.get(at + 1 + i) for i in range(first.parts - first.part + 1)]",
        new="[first]",
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="view-keeps-a-waiting-grant-after-forgetting",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old=('        self._pending = []\n        self._until = float("-inf")\n\n    def begin'),
        new=('        self._until = float("-inf")\n\n    def begin'),
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="view-needs-the-heads-of-one-shard-only",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old="            if all(self.applied.get(shard, 0) >= head",
        new="            if any(self.applied.get(shard, 0) >= head",
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="view-counts-a-grant-from-before-the-snapshot",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old="        if request.state_number != self._state_number or not self.loaded:\n",
        new="        if not self.loaded:\n",
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="view-hides-a-gap-below-a-head",
        kind=Kind.CONSISTENCY,
        file="shared/following/lineage.py",
        old="for shard, heads in self._heads.items() if heads)",
        new="for shard, heads in self._heads.items() if len(heads) > 1)",
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="view-takes-rows-of-another-epoch",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old=(
            "        if self.loaded and row.epoch != self.epoch:\n"
            "            return RowOutcome.FOREIGN\n"
        ),
        new="",
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="authz-answers-without-testing-its-leases",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/context.py",
        old=("        if not self.holds():\n            raise Stale\n"),
        new="",
        tests=("tests/services/authz/test_following.py", "-k", "both_leases"),
    ),
    Mutant(
        id="authz-waits-for-any-shard",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/context.py",
        old="        if position.shard != _shard(check, of_team=of_team):\n",
        new="        if _shard(check, of_team=of_team) is None:\n",
        tests=REVISION_TESTS,
    ),
    Mutant(
        id="authz-tells-strangers-of-revisions",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/context.py",
        old="            shown = not of_team or may_learn()\n",
        new="            shown = True\n",
        tests=REVISION_TESTS,
    ),
    Mutant(
        id="authz-answers-strangers-at-once",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/context.py",
        old="if shown and _applied(",
        new="if _applied(",
        tests=REVISION_TESTS,
    ),
    Mutant(
        id="build-unknown-role-raises",
        kind=Kind.AVAILABILITY,
        file=BUILD,
        old='    return found or _nothing(f"role:{role_id}")\n',
        new="    return found or catalog.roles[role_id]\n",
        tests=CONFORMANCE,
    ),
    Mutant(
        id="build-rounds-times",
        kind=Kind.SECURITY,
        file=BUILD,
        old="    return (moment - _EPOCH) // _MILLISECOND\n",
        new="    return round(moment.timestamp() * 1000)\n",
        tests=CONFORMANCE,
    ),
    Mutant(
        id="build-override-of-an-earlier-membership",
        kind=Kind.SECURITY,
        file=BUILD,
        old="(override.user_id, override.membership_id) == (user_id, membership_id)",
        new="override.user_id == user_id",
        tests=CONFORMANCE,
    ),
    Mutant(
        id="build-override-of-account-wide-entries",
        kind=Kind.SECURITY,
        file=BUILD,
        old=", within_project=True)",
        new=")",
        tests=CONFORMANCE,
    ),
    Mutant(
        id="catalog-account-wide-permission-made-project-scoped",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/rules.py",
        old="    if name not in PROJECT_PERMISSIONS and project_scoped:\n",
        new='    if name not in {*PROJECT_PERMISSIONS, "webhook:manage"} and project_scoped:\n',
        tests=("tests/sdk/test_bad_catalogs.py", "-k", "account_wide"),
    ),
    Mutant(
        id="catalog-standard-creation-made-project-scoped",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/catalogs/standard.yaml",
        old="        title: New projects\n",
        new="        title: New projects\n        project_scoped: true\n",
        tests=("tests/sdk/test_catalog.py",),
    ),
    Mutant(
        id="client-denial-is-true-in-a-condition",
        kind=Kind.SECURITY,
        file=ANSWERS,
        old="        return self.allowed\n",
        new="        return True\n",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="client-takes-any-decision-for-an-allow",
        kind=Kind.SECURITY,
        file=ANSWERS,
        old='bool(allowed), "context"',
        new='allowed, "context"',
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="client-decides-from-another-status",
        kind=Kind.SECURITY,
        file=CLIENT,
        old=(
            "        if answer.status != 200:\n"
            "            raise _undecided(answer, "
            "request_refused=answer.status in REQUEST_REFUSED)\n"
            "        return answer.content"
        ),
        new=(
            "        if answer.status >= 400:\n"
            "            raise _undecided(answer, "
            "request_refused=answer.status in REQUEST_REFUSED)\n"
            "        return answer.content"
        ),
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="client-does-not-validate-certificates",
        kind=Kind.SECURITY,
        file="sdk/rolecall/client/transport.py",
        old="    return ssl.create_default_context()\n",
        new="    return ssl._create_unverified_context()\n",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="client-without-a-timeout",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/client/deadline.py",
        old="        seconds = self._at - time.monotonic()\n",
        new="        seconds = self._at - time.monotonic() + 20\n",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="outsider-is-only-asked-for-the-account",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/decide.py",
        old="account is None or _outside(account.members.get(user_id), now) is not None",
        new="account is None",
        tests=CONFORMANCE,
    ),
    Mutant(
        id="checker-answers-an-ended-session",
        kind=Kind.SECURITY,
        file="shared/http/checker.py",
        old="    if result.session_ended:\n",
        new="    if result.session_ended and not result.member:\n",
        tests=("tests/shared/http/test_internal.py", "-k", "asked_for_a_permission"),
    ),
    Mutant(
        id="authz-rereads-unfit-snapshots-at-once",
        kind=Kind.AVAILABILITY,
        file="shared/following/follower.py",
        old="min(self._unfit_pause * 2, LONGEST_PAUSE_SECONDS)\n",
        new="RETRY_SECONDS\n",
        tests=("tests/services/authz/test_following.py", "-k", "growing_pauses"),
    ),
    Mutant(
        id="authz-any-other-epoch-is-over",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/context.py",
        old="    return view.former.over(position.epoch, present=view.epoch, asked=asked)",
        new="    return view.epoch is not None",
        tests=("tests/services/authz/test_following.py", "-k", "that_a_replica_lacks"),
    ),
    Mutant(
        id="authz-refuses-a-lost-history-for-ever",
        kind=Kind.AVAILABILITY,
        file="services/authz/use_cases/context.py",
        old="    return view.former.over(position.epoch, present=view.epoch, asked=asked)",
        new="    return False",
        tests=("tests/services/authz/test_following.py", "-k", "lost_history"),
    ),
    Mutant(
        id="epochs-an-earlier-answer-ends-one",
        kind=Kind.SECURITY,
        file="shared/following/former_epochs.py",
        old="number > first and",
        new="first and",
        tests=("tests/shared/following/test_former_epochs.py",),
    ),
    Mutant(
        id="epochs-a-late-answer-replaces-a-newer-one",
        kind=Kind.SECURITY,
        file="shared/following/former_epochs.py",
        old="if number > self._told[0]:",
        new="if number:",
        tests=("tests/shared/following/test_former_epochs.py",),
    ),
    Mutant(
        id="epochs-the-replicas-own-may-differ",
        kind=Kind.SECURITY,
        file="shared/following/former_epochs.py",
        old="epoch == present != named",
        new="epoch != named",
        tests=("tests/shared/following/test_former_epochs.py",),
    ),
    Mutant(
        id="epochs-each-check-asks-anew",
        kind=Kind.AVAILABILITY,
        file="shared/following/former_epochs.py",
        old="first = self._named.setdefault(named, asked)",
        new="first = asked",
        tests=("tests/shared/following/test_former_epochs.py",),
    ),
    Mutant(
        id="an-outage-of-a-source-counts-as-lag",
        kind=Kind.AVAILABILITY,
        file="shared/following/follower.py",
        old="            self._unusable_seconds += min(since_grant, self._ttl)\n",
        new="            self._unusable_seconds += since_grant\n",
        tests=("tests/services/authz/test_following.py", "-k", "after_an_outage"),
    ),
    Mutant(
        id="state-half-a-change-is-taken",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/core/account_table.py",
        old="            account_id: change.result(account_id, compiled)\n",
        new=(
            "            account_id: self._replace(account_id, made := change.result(account_id,"
            " compiled)) or made\n"
        ),
        tests=STATE_TESTS,
    ),
    Mutant(
        id="state-override-survives-a-rejoin",
        kind=Kind.SECURITY,
        file=BUILD,
        old="(override.user_id, override.membership_id) == (user_id, membership_id)",
        new="override.user_id == user_id and membership_id",
        tests=("tests/services/authz/test_policy_state.py", "-k", "ends_with_its_membership"),
    ),
    Mutant(
        id="state-override-stays-with-the-member-that-it-left",
        kind=Kind.SECURITY,
        file=OBJECTS,
        old="            changed[user_id] = member and member.again(overrides, catalog)\n",
        new="            changed[user_id] = member\n",
        tests=STATE_TESTS,
    ),
    Mutant(
        id="state-edited-role-reaches-new-members-only",
        kind=Kind.SECURITY,
        file=OBJECTS,
        old="        if catalog is not None and (state is None or state.catalog is not catalog):\n",
        new="        if catalog is not None and state is None:\n",
        tests=STATE_TESTS,
    ),
    Mutant(
        id="state-known-roles-count-as-unchanged",
        kind=Kind.SECURITY,
        file=OBJECTS,
        old="            and base.account.has_roles(account)\n",
        new="            and base.account.roles.keys() == account.roles.keys()\n",
        tests=STATE_TESTS,
    ),
    Mutant(
        id="map-part-reached-by-an-older-function",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/persistent.py",
        old="each.part if isinstance(each, _Mapped) else each for each in self._parts]\n",
        new="each for each in self._parts if not isinstance(each, _Mapped)]\n",
        tests=("tests/sdk/test_persistent.py",),
    ),
    Mutant(
        id="decide-takes-an-ended-session-for-ordinary",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/decide.py",
        old="        or subject.session_ended\n        or subject.token",
        new="        or subject.token",
        tests=("tests/sdk/test_decide.py",),
    ),
    Mutant(
        id="decide-takes-a-suspended-account-for-ordinary",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/decide.py",
        old="        or account.status is not _ACTIVE_ACCOUNT\n        or subject",
        new="        or subject",
        tests=("tests/sdk/test_decide.py",),
    ),
    Mutant(
        id="state-terms-keep-a-removed-override",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/records.py",
        old="        if own or terms.overrides:\n",
        new="        if own:\n",
        tests=STATE_TESTS,
    ),
    Mutant(
        id="snapshot-page-counts-after-all-was-forgotten",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old="        if self.loaded or number != self._state_number:\n",
        new="        if self.loaded:\n",
        tests=("tests/shared/following/test_snapshot.py",),
    ),
    Mutant(
        id="snapshot-that-broke-off-stays-in-the-next-one",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old="        self.state.clear()\n        self._state_number += 1\n        return",
        new="        self._state_number += 1\n        return",
        tests=("tests/shared/following/test_snapshot.py",),
    ),
    Mutant(
        id="view-a-waiting-shard-hides-one-that-lacks-rows",
        kind=Kind.CONSISTENCY,
        file=VIEW,
        old="        shards = self._buffer.keys() | self._lineage.behind\n",
        new="        shards = self._buffer.keys() or self._lineage.behind\n",
        tests=VIEW_TESTS,
    ),
    Mutant(
        id="authz-tests-its-leases-before-the-look",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/context.py",
        old=(
            "        try:\n"
            "            found = answer(*args)\n"
            "        except Refusal as problem:\n"
            "            refusal = problem\n"
            "        if not self.holds():\n"
            "            raise Stale\n"
        ),
        new=(
            "        if not self.holds():\n"
            "            raise Stale\n"
            "        try:\n"
            "            found = answer(*args)\n"
            "        except Refusal as problem:\n"
            "            refusal = problem\n"
        ),
        tests=("tests/services/authz/test_fresh_answers.py",),
    ),
    Mutant(
        id="live-callers-lease-before-the-look",
        kind=Kind.CONSISTENCY,
        file="shared/following/live_callers.py",
        old="        live = (\n            (session_id is None or not",
        new=(
            "        if self._identity.holds():\n"
            "            return not (session_id and self._sign_ins.session_ended(session_id))\n"
            "        live = (\n            (session_id is None or not"
        ),
        tests=("tests/shared/following/test_live_callers.py", "-k", "after_the_look"),
    ),
)
