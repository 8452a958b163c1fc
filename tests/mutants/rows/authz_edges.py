"""Mutants of the bounds of decisions: who is asked about, from when, and how much is kept."""

from tests.mutants.mutant import Kind, Mutant

BATCH_NOTES = ("tests/services/authz/test_batch_notes.py",)
MAPS = ("tests/sdk/test_persistent.py",)
ORDINARY = ("tests/services/authz/domain/test_ordinary_members.py",)

ROWS = (
    Mutant(
        id="state-unreadable-catalog-leaves-the-one-before",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/account_table.py",
        old="                return catalogs[catalog_id]\n",
        new=("                return catalogs[catalog_id] or self._catalogs.get(catalog_id)\n"),
        tests=("tests/services/authz/test_policy_state.py",),
    ),
    Mutant(
        id="state-older-account-replaces-a-newer-one",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/core/account_objects.py",
        old="if self._account is not None and rev <= self._account.rev:",
        new="if self._account is not None and rev <= 0:",
        tests=("tests/services/authz/test_policy_state.py",),
    ),
    Mutant(
        id="who-can-looks-at-every-member-at-once",
        kind=Kind.LIMIT,
        file="sdk/rolecall/core/who_can.py",
        old="if at == examined or len(found) == limit or",
        new="if len(found) == limit or",
        tests=("tests/sdk/test_who_can.py",),
    ),
    Mutant(
        id="batch-of-the-most-revisions-is-refused",
        kind=Kind.LIMIT,
        file="services/authz/use_cases/evaluations.py",
        old="> MOST_REVISIONS:",
        new=">= MOST_REVISIONS:",
        tests=("tests/services/authz/test_evaluations.py",),
    ),
    Mutant(
        id="remedies-offer-overrides-that-a-catalog-excludes",
        kind=Kind.DATA,
        file="sdk/rolecall/core/remedies.py",
        old=("if not held.project_scoped or not catalog.catalog.policies.features.overrides:"),
        new="if not held.project_scoped:",
        tests=("tests/sdk/test_explain.py",),
    ),
    Mutant(
        id="batch-counts-the-denials-of-strangers",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluations.py",
        old="                note_denial(ctx, one.check, decision.reason, now)\n",
        new="                ctx.denials.note(one.check, now)\n",
        tests=BATCH_NOTES,
    ),
    Mutant(
        id="batch-counts-a-project-that-is-not-known",
        kind=Kind.SECURITY,
        file="services/authz/domain/evaluations.py",
        old="project_id is not None and project_id in account.projects else None",
        new="project_id is not None else None",
        tests=("tests/services/authz/test_denial_reports.py",),
    ),
    Mutant(
        id="batch-notes-no-activity",
        kind=Kind.DATA,
        file="services/authz/use_cases/evaluations.py",
        old="        if not place.active and decision.reason in OF_ACTIVE_MEMBERS:\n",
        new="        if place.active and decision.reason in OF_ACTIVE_MEMBERS:\n",
        tests=BATCH_NOTES,
    ),
    Mutant(
        id="batch-tells-strangers-the-revision",
        kind=Kind.SECURITY,
        file="services/authz/routes/answer_texts.py",
        old="place.revision_of(decision) if place.own else place.revision",
        new="place.revision",
        tests=BATCH_NOTES,
    ),
    Mutant(
        id="evaluation-decides-about-resources-of-another-account",
        kind=Kind.SECURITY,
        file="services/authz/domain/evaluations.py",
        old="        return ELSEWHERE if self.elsewhere and decision.allowed else decision\n",
        new="        return decision\n",
        tests=("tests/services/authz/test_evaluation.py", "-k", "point_of_an_account"),
    ),
    Mutant(
        id="ordinary-members-of-an-account-that-demands-a-factor",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/decide.py",
        old="        or account.require_second_factor\n    ):\n        return None\n",
        new="    ):\n        return None\n",
        tests=ORDINARY,
    ),
    Mutant(
        id="ordinary-members-of-an-account-that-is-not-active",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/decide.py",
        old="        or account.status is not _ACTIVE_ACCOUNT\n        or account.require",
        new="        or account.require",
        tests=ORDINARY,
    ),
    Mutant(
        id="maps-keep-at-hand-what-has-changed",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/persistent.py",
        old="        return PersistentMap(parts, starts, count)\n",
        new=(
            "        made = PersistentMap(parts, starts, count)\n"
            "        made._at_hand = self._at_hand\n"
            "        return made\n"
        ),
        tests=MAPS,
    ),
    Mutant(
        id="maps-keep-every-item-at-hand",
        kind=Kind.LIMIT,
        file="sdk/rolecall/core/persistent.py",
        old="        if len(self._at_hand) >= self._most_at_hand:\n",
        new="        if self._most_at_hand < 0:\n",
        tests=MAPS,
    ),
    Mutant(
        id="batch-shares-the-end-of-a-session",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old=(
            "            request.subject_id,\n"
            "            request.session_id,\n"
            "            request.account_id,"
        ),
        new="            request.subject_id,\n            request.account_id,",
        tests=("tests/services/authz/test_evaluations.py",),
    ),
    Mutant(
        id="batch-tests-the-type-of-its-first-resource-alone",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old="        if request.resource_type not in self._types:\n",
        new="        if not self._types:\n",
        tests=("tests/services/authz/test_evaluations.py",),
    ),
    Mutant(
        id="check-of-a-user-whose-own-session-ended",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/asked_checks.py",
        old=(
            "        if ctx.sign_ins.session_ended(principal.session_id):\n"
            "            raise TokenRevoked\n"
        ),
        new="",
        tests=("tests/services/authz/test_evaluations.py",),
    ),
    Mutant(
        id="stream-readers-of-a-client-without-a-bound",
        kind=Kind.LIMIT,
        file="services/authz/use_cases/policy_feed.py",
        old="if self._of_client[client_id] >= MAX_READERS_OF_CLIENT:",
        new="if self._of_client[client_id] >= MAX_READERS:",
        tests=("tests/services/authz/test_policy_stream.py",),
    ),
    Mutant(
        id="stream-counts-readers-that-left",
        kind=Kind.AVAILABILITY,
        file="services/authz/use_cases/policy_feed.py",
        old="            self._of_client -= Counter((client_id,))\n",
        new="",
        tests=("tests/services/authz/test_policy_stream.py",),
    ),
    Mutant(
        id="stream-outlives-its-token",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/policy_stream.py",
        old="if token is not None and sign_ins.refused_tokens.has(token):",
        new="if token is None:",
        tests=("tests/services/authz/test_policy_stream.py",),
    ),
    Mutant(
        id="stream-lease-counts-from-after-the-look",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/policy_stream.py",
        old="yield self._lease(at)",
        new="yield self._lease(self.ctx.clock.boottime())",
        tests=("tests/services/authz/test_policy_stream.py",),
    ),
    Mutant(
        id="stream-change-names-its-first-position",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/policy_stream.py",
        old='"seq": max(each.rev for each in change.objects)',
        new='"seq": min(each.rev for each in change.objects)',
        tests=("tests/services/authz/test_policy_stream.py",),
    ),
    Mutant(
        id="forward-auth-ignores-the-bound-types",
        kind=Kind.SECURITY,
        file="services/authz/domain/forwarded.py",
        old="and (types is None or resource_type in types)\n        ",
        new="",
        tests=("tests/services/authz/test_forward_auth.py",),
    ),
    Mutant(
        id="who-can-of-an-incomplete-account-is-not-found",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/who_can.py",
        old="if account_id is not None and ctx.policy.incomplete(account_id):",
        new="if account_id is None and ctx.policy.incomplete(''):",
        tests=("tests/services/authz/test_explain.py",),
    ),
    Mutant(
        id="past-forgets-that-its-asker-was-removed",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/time_travel.py",
        old=("        ctx.while_fresh(lambda: _authorized_check(ctx, principal, request))\n    re"),
        new="    re",
        tests=("tests/services/authz/test_time_travel.py",),
    ),
    Mutant(
        id="past-answers-are-kept-without-a-bound",
        kind=Kind.LIMIT,
        file="services/authz/adapters/past_policies.py",
        old="if len(self._kept) > KEPT_ANSWERS:",
        new="if len(self._kept) > 1_000 * KEPT_ANSWERS:",
        tests=("tests/services/authz/test_past_policies.py",),
    ),
    Mutant(
        id="fetched-rows-are-not-reported",
        kind=Kind.AVAILABILITY,
        file="shared/following/follower.py",
        old=(
            "                await asyncio.sleep(0)  # decisions come between\n"
            "        self._news.tell(awaited=True)\n"
        ),
        new="                await asyncio.sleep(0)  # decisions come between\n",
        tests=("tests/shared/following/test_reports.py",),
    ),
    Mutant(
        id="snapshot-leaves-the-collector-off",
        kind=Kind.LIMIT,
        file="shared/following/snapshot.py",
        old="        if enabled:\n            gc.enable()",
        new="        pass",
        tests=("tests/shared/following/test_snapshot.py",),
    ),
    Mutant(
        id="token-of-a-client-names-another-subject",
        kind=Kind.SECURITY,
        file="shared/auth/access_tokens.py",
        old=(
            '    if claims["sub"] != claims["client_id"]:\n'
            '        raise BadToken("the subject is not the client")\n'
        ),
        new="",
        tests=("tests/shared/auth/test_access_tokens.py",),
    ),
    Mutant(
        id="hot-path-answers-any-number-at-once",
        kind=Kind.LIMIT,
        file="services/authz/adapters/hot_requests.py",
        old="isinstance(found, Unread) or len(requests) == MAX_AT_ONCE:",
        new="isinstance(found, Unread):",
        tests=(
            "tests/services/authz/test_hot_path.py::test_more_requests_at_once_are_left_to_aiohttp",
        ),
    ),
    Mutant(
        id="hot-path-does-not-ask-whether-the-caller-is-live",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_evaluation.py",
        old="        self._ctx.callers.check_now(principal)\n",
        new="",
        tests=(
            "tests/services/authz/test_hot_connections.py::test_a_caller_that_is_gone_learns_nothing_else",
        ),
    ),
    Mutant(
        id="forward-auth-map-of-any-size",
        kind=Kind.LIMIT,
        file="sdk/rolecall/core/forward_auth.py",
        old="Field(min_length=1, max_length=MAX_ROUTES)",
        new="Field(min_length=1)",
        tests=("tests/sdk/test_forward_auth.py::test_a_map_has_a_bounded_number_of_routes",),
    ),
    Mutant(
        id="forward-auth-takes-another-path-for-its-own",
        kind=Kind.SECURITY,
        file="services/authz/routes/forward_auth.py",
        old='    if call.target.partition("?")[0] != PREFIX:\n        return None\n',
        new="",
        tests=("tests/services/authz/test_forward_auth.py::test_nginx_asks_at_one_path_only",),
    ),
    Mutant(
        id="state-older-catalog-replaces-a-newer-one",
        kind=Kind.CONSISTENCY,
        file="services/authz/domain/policy_state.py",
        old="if known is None or told.rev > known.rev:",
        new="if known is None or told.rev:",
        tests=(
            "tests/services/authz/test_policy_state.py::test_an_older_catalog_never_replaces_a_newer_one",
        ),
    ),
    Mutant(
        id="search-of-subjects-counts-the-callers-session",
        kind=Kind.DATA,
        file="services/authz/use_cases/search.py",
        old="replace(check, user_id=name, session_id=None)",
        new="replace(check, user_id=name)",
        tests=(
            "tests/services/authz/test_search.py::test_the_session_of_a_sought_subject_counts_for_no_member",
        ),
    ),
    Mutant(
        id="who-can-takes-the-cursor-of-another-list",
        kind=Kind.SECURITY,
        file="services/authz/routes/who_can.py",
        old='return f"{call.route.operation_id} {call.body.model_dump_json()}"',
        new="return call.route.operation_id",
        tests=(
            "tests/services/authz/test_explain.py::test_the_cursor_of_who_can_is_of_one_question",
        ),
    ),
    Mutant(
        id="evaluation-tells-strangers-the-revision",
        kind=Kind.SECURITY,
        file="services/authz/domain/evaluations.py",
        old="        return self.revision if shown else None",
        new="        return self.revision",
        tests=(
            "tests/services/authz/test_evaluation.py::test_a_stranger_does_not_learn_how_far_an_account_is",
        ),
    ),
)
