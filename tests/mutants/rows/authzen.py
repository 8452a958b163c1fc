"""Mutants of batches, searches, decision points and external ids."""

from tests.mutants.mutant import Kind, Mutant

BATCH = "services/authz/routes/evaluations.py"
IDS = "services/authz/domain/external_ids.py"
SEARCH = "services/authz/use_cases/search.py"
BATCHES = "tests/services/authz/test_evaluations.py"
LONG = "tests/services/authz/test_long_answers.py"
SEARCHES = "tests/services/authz/test_search.py"
SINGLE = "tests/services/authz/test_evaluation.py"
ID_TESTS = ("tests/services/authz/domain/test_external_ids.py",)

ROWS = (
    Mutant(
        id="token-is-taken-for-an-id",
        kind=Kind.SECURITY,
        file="services/authz/routes/evaluation.py",
        old="    if is_api_token(text):\n        raise ValueError(TOKEN_AS_ID)\n",
        new="",
        tests=("tests/services/authz/test_tokens.py", "-k", "not_repeated"),
    ),
    Mutant(
        id="quick-reading-takes-a-token-for-an-id",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_bodies.py",
        old=" or _BEGIN_OF_TOKEN in raw",
        new="",
        tests=("tests/services/authz/test_tokens.py", "-k", "not_repeated"),
    ),
    Mutant(
        id="batch-mixes-an-entity-with-its-default",
        kind=Kind.SECURITY,
        file=BATCH,
        old="            return kind.model_validate(item[name], strict=True",
        new=(
            "            return kind.model_validate("
            "{**self._defaults.get(name, {}), **item[name]}, strict=True"
        ),
        tests=(BATCHES, "-k", "replaces_the_default"),
    ),
    Mutant(
        id="batch-answers-every-item-as-its-first",
        kind=Kind.SECURITY,
        file=BATCH,
        old="        else evaluated_text(result)\n",
        new="        else evaluated_text(next(x for x in results if not isinstance(x, Refusal)))\n",
        tests=(BATCHES, "-k", "give_alone or leaves_out"),
    ),
    Mutant(
        id="batch-tests-the-leases-before-its-items",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/evaluations.py",
        old="    ctx.while_fresh(batch.evaluate_some)\n    while",
        new="    ctx.while_fresh(list)\n    batch.evaluate_some()\n    while",
        tests=(BATCHES, "-k", "stops_during"),
    ),
    Mutant(
        id="batch-tests-the-leases-in-its-first-turn-only",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/evaluations.py",
        old="        ctx.while_fresh(batch.evaluate_some)\n        if",
        new="        batch.evaluate_some()\n        if",
        tests=(LONG, "-k", "lease"),
    ),
    Mutant(
        id="batch-answers-from-before-a-stop",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/evaluations.py",
        old=" - begun > ctx.timeouts.batch:\n            raise Stale\n",
        new=" < begun:\n            raise Stale\n",
        tests=(LONG, "-k", "takes_too_long"),
    ),
    Mutant(
        id="batch-keeps-the-loop-until-its-end",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluations.py",
        old="            if work.steps >= STEPS_OF_TURN:\n                return\n",
        new="",
        tests=(LONG, "-k", "keeps_the_loop"),
    ),
    Mutant(
        id="batches-go-on-all-at-once",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/loop_turns.py",
        old="        async with self._lock:\n",
        new="        async with asyncio.Lock():\n",
        tests=(LONG, "-k", "beside"),
    ),
    Mutant(
        id="search-goes-on-beyond-its-steps",
        kind=Kind.SECURITY,
        file=SEARCH,
        old="        if full or work.steps >= STEPS_OF_TURN:\n",
        new="        if full:\n",
        tests=(LONG, "-k", "search"),
    ),
    Mutant(
        id="batch-goes-on-after-a-failed-item",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluations.py",
        old="allowed = isinstance(result, Evaluated) and result.decision.allowed",
        new="allowed = isinstance(result, Refusal) or result.decision.allowed",
        tests=(BATCHES, "-k", "item_that_fails"),
    ),
    Mutant(
        id="search-ends-a-page-silently",
        kind=Kind.CONSISTENCY,
        file=SEARCH,
        old="            last = name if number < len(names) else None\n",
        new="            last = name if len(found) == limit else None\n",
        tests=(SEARCHES, "-k", "page_ends"),
    ),
    Mutant(
        id="search-tests-the-leases-before-its-decisions",
        kind=Kind.CONSISTENCY,
        file=SEARCH,
        old="    return ctx.while_fresh(\n        lambda: _page(",
        new="    ctx.while_fresh(list)\n    return (\n        _page(",
        tests=(SEARCHES, "-k", "stops_during"),
    ),
    Mutant(
        id="search-takes-the-token-of-another-one",
        kind=Kind.CONSISTENCY,
        file="services/authz/routes/search_tokens.py",
        old="    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()\n",
        new="    return sha256(call.route.operation_id.encode()).hexdigest()\n",
        tests=(SEARCHES, "-k", "another_search"),
    ),
    Mutant(
        id="search-takes-the-token-of-another-caller",
        kind=Kind.SECURITY,
        file="services/authz/routes/search_tokens.py",
        old="        caller,\n",
        new="",
        tests=(SEARCHES, "-k", "tells_no_name"),
    ),
    Mutant(
        id="sealed-place-tells-the-length-of-a-name",
        kind=Kind.SECURITY,
        file="services/authz/adapters/sealed_places.py",
        old="content.ljust(-(-len(content) // BLOCK_BYTES) * BLOCK_BYTES, b",
        new="content.ljust(0, b",
        tests=("tests/services/authz/test_sealed_places.py",),
    ),
    Mutant(
        id="search-tells-a-stranger-that-an-account-exists",
        kind=Kind.SECURITY,
        file=SEARCH,
        old="        rule = decide_for_user if own else decide_check\n",
        new="        rule = decide_check\n",
        tests=(SEARCHES, "-k", "own_rights_only"),
    ),
    Mutant(
        id="point-decides-about-resources-of-another-account",
        kind=Kind.SECURITY,
        file="services/authz/domain/checks.py",
        old="    return ELSEWHERE if check.elsewhere and decision.allowed else decision\n",
        new="    return decision\n",
        tests=(SINGLE, "-k", "point_of_an_account"),
    ),
    Mutant(
        id="external-ids-fold-case",
        kind=Kind.SECURITY,
        file=IDS,
        old="        found = None if known is None else known.user(name)\n",
        new=(
            "        folded = {one.casefold(): one for one in (known._users if known else ())}\n"
            "        name = folded.get(name.casefold(), name)\n"
            "        found = None if known is None else known.user(name)\n"
        ),
        tests=ID_TESTS,
    ),
    Mutant(
        id="external-ids-name-one-of-two-members",
        kind=Kind.SECURITY,
        file=IDS,
        old="        return users[0] if len(users) == 1 else None\n",
        new="        return users[0] if users else None\n",
        tests=ID_TESTS,
    ),
    Mutant(
        id="external-ids-replace-the-id-of-a-user",
        kind=Kind.SECURITY,
        file=IDS,
        old="return name if found is None or is_id(name, USER_PREFIX) else found",
        new="return name if found is None else found",
        tests=ID_TESTS,
    ),
    Mutant(
        id="external-ids-outlive-the-membership",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/account_objects.py",
        old="            yield user_id, None if read is None else read.state\n",
        new="            if read is not None:\n                yield user_id, read.state\n",
        tests=(SINGLE, "-k", "external_id"),
    ),
    Mutant(
        id="batch-takes-a-disabled-user-for-an-ordinary-member",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old="            or ctx.sign_ins.user_disabled(user_id)\n",
        new="",
        tests=("tests/services/authz/test_batch_notes.py", "-k", "ordinary"),
    ),
    Mutant(
        id="batch-does-not-look-whether-a-client-has-bounds",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old=(
            "            or client.account_ids is not None\n"
            "            or client.resource_types is not None\n"
        ),
        new="",
        tests=("tests/services/authz/test_batch_notes.py", "-k", "ordinary"),
    ),
    Mutant(
        id="batch-shares-the-place-of-another-account",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old=(
            "        and request.account_id == last.account_id\n"
            "        and request.point == last.point\n"
        ),
        new="        and request.point == last.point\n",
        tests=("tests/services/authz/test_batch_notes.py", "-k", "ordinary"),
    ),
    Mutant(
        id="batch-does-not-look-whether-a-session-has-ended",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old="            or request.session_id is not None\n",
        new="",
        tests=("tests/services/authz/test_batch_notes.py", "-k", "ordinary"),
    ),
    Mutant(
        id="batch-takes-any-type-for-that-of-members",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old="            or request.subject_type != USER_TYPE\n",
        new="",
        tests=("tests/services/authz/test_batch_notes.py", "-k", "ordinary"),
    ),
)
