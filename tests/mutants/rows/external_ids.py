"""Mutants of external ids: whom they name now, and whom they named at a past time."""

from tests.mutants.mutant import Kind, Mutant

HISTORY = "shared/journal/history.py"
TRAVEL = "services/authz/use_cases/time_travel.py"
PAST_NAMES = "shared/journal/past_names.py"
NAME_TESTS = ("tests/services/authz/test_past_names.py",)
PAST_NAME_TESTS = ("tests/shared/journal/test_past_names.py",)
EXTERNAL_TESTS = ("tests/services/authz/test_external_ids.py",)

ROWS = (
    Mutant(
        id="past-external-ids-are-those-of-now",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/asked_checks.py",
        old="    if account_id is None or request.at is not None:\n",
        new="    if account_id is None:\n",
        tests=NAME_TESTS,
    ),
    Mutant(
        id="past-owner-is-who-has-the-id-now",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/asked_checks.py",
        old="return check if past else with_named_owner(",
        new="return with_named_owner(",
        tests=NAME_TESTS,
    ),
    Mutant(
        id="past-takes-the-first-of-two-bearers",
        kind=Kind.SECURITY,
        file=TRAVEL,
        old="return user_ids[0] if len(user_ids) == 1 else None",
        new="return user_ids[0] if user_ids else None",
        tests=NAME_TESTS,
    ),
    Mutant(
        id="past-name-is-the-last-one-ever-had",
        kind=Kind.SECURITY,
        file=PAST_NAMES,
        old="            if await self._called_at(shard, key, until) == called:\n",
        new="            if await self._called_at(shard, key, until) is not None:\n",
        tests=PAST_NAME_TESTS,
    ),
    Mutant(
        id="past-name-ignores-the-time",
        kind=Kind.CONSISTENCY,
        file=PAST_NAMES,
        old='"key": key, "place": {"$lte": until}}',
        new='"key": key}',
        tests=PAST_NAME_TESTS,
    ),
    Mutant(
        id="past-names-of-an-earlier-version-are-missing",
        kind=Kind.CONSISTENCY,
        file=HISTORY,
        old="        if mark is not None and mark.named < mark.seq:\n",
        new="        if mark is not None and mark.named > mark.seq:\n",
        tests=PAST_NAME_TESTS,
    ),
    Mutant(
        id="past-names-without-the-beginning",
        kind=Kind.SECURITY,
        file=HISTORY,
        old="        if not await self._is_whole(mark):\n",
        new="        if not mark.seq:\n",
        tests=PAST_NAME_TESTS,
    ),
    Mutant(
        id="external-id-of-others-told-to-an-owner",
        kind=Kind.SECURITY,
        file="services/authz/domain/named_checks.py",
        old="    return sent if oneself is not None and owner_id != oneself else owner_id\n",
        new="    return owner_id\n",
        tests=EXTERNAL_TESTS,
    ),
    Mutant(
        id="owner-by-external-id-is-not-resolved",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old="    request = place.with_named_owner(request)\n    return",
        new="    return",
        tests=EXTERNAL_TESTS,
    ),
    Mutant(
        id="owner-by-external-id-is-not-resolved-in-batches",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
        old="        if request.resource.owner_id is not None:\n",
        new="        if request.resource.owner_id is None:\n",
        tests=("tests/services/authz/test_batch_notes.py",),
    ),
    Mutant(
        id="explain-names-members-to-who-sees-none",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/explain.py",
        old="        if not sees or account_id is None:\n",
        new="        if account_id is None:\n",
        tests=EXTERNAL_TESTS,
    ),
    Mutant(
        id="explain-advises-a-role-for-no-member",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/explain.py",
        old="    if names_no_member(told):\n",
        new="    if told.result.check.user_id == '':\n",
        tests=EXTERNAL_TESTS,
    ),
)
