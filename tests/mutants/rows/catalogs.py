"""Mutants of published catalogs: what is published, who moves, and what members have afterwards."""

from tests.mutants.mutant import Kind, Mutant

MAPPING = "services/team/domain/catalog_mapping.py"
TRANSLATION = "services/team/domain/catalog_translation.py"
MOVES = "services/team/domain/catalog_moves.py"
USE_CASE = "services/team/use_cases/catalog_moves.py"
RULES = "tests/services/team/domain/test_catalog_moves.py"
RUNNING = "tests/services/team/test_catalogs.py"

ROWS = (
    Mutant(
        id="conversion-empties-a-guardrail",
        kind=Kind.SECURITY,
        file="services/team/use_cases/accounts.py",
        old="            require_guardrails(access.account, own, same=same)\n",
        new="",
        tests=("tests/services/team/test_guardrails.py", "-k", "conversion_keeps"),
    ),
    Mutant(
        id="move-keeps-a-role-of-another-catalog",
        kind=Kind.SECURITY,
        file=MAPPING,
        old="        if self._same_name and found is not None and found.assignable:\n",
        new="        if found is not None and found.assignable:\n",
        tests=(RULES, "-k", "same_ids"),
    ),
    Mutant(
        id="move-keeps-a-level-of-another-catalog",
        kind=Kind.SECURITY,
        file=MAPPING,
        old="        elif self._same_name:\n",
        new="        elif True:\n",
        tests=(RULES, "-k", "same_ids"),
    ),
    Mutant(
        id="move-widens-merged-levels",
        kind=Kind.SECURITY,
        file=MAPPING,
        old="_WIDTH = {Scope.SELF: 0, Scope.ALL: 1}",
        new="_WIDTH = {Scope.SELF: 1, Scope.ALL: 0}",
        tests=(RULES, "-k", "narrower"),
    ),
    Mutant(
        id="move-gives-levels-that-the-owner-lacks",
        kind=Kind.SECURITY,
        file=MOVES,
        old="    require_to_give_grants(access.state, access.member, given, now=access.now)\n",
        new="    _ = given\n",
        tests=(RULES, "-k", "only_what_they_hold"),
    ),
    Mutant(
        id="move-gives-roles-that-the-owner-lacks",
        kind=Kind.SECURITY,
        file=MOVES,
        old="        require_to_give(access.state, access.member, role_id, now=access.now)\n",
        new="        pass\n",
        tests=(RULES, "-k", "only_what_they_hold"),
    ),
    Mutant(
        id="move-by-a-member-who-is-not-the-owner",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="        accounts.require_owner(access.account, access.membership)\n",
        new="",
        tests=(RULES, "-k", "only_the_owner"),
    ),
    Mutant(
        id="move-exceeds-the-member-limit",
        kind=Kind.LIMIT,
        file=MOVES,
        old="    if present > limit:\n",
        new="    if present > limit + 1:\n",
        tests=(RULES, "-k", "limit_of_the_catalog"),
    ),
    Mutant(
        id="move-ends-overrides-unasked",
        kind=Kind.SECURITY,
        file=TRANSLATION,
        old="    if not translator.mapping.end_overrides:\n",
        new="    if translator.mapping.levels:\n",
        tests=(RULES, "-k", "no_counterpart"),
    ),
    Mutant(
        id="move-keeps-inviters-who-give-less",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="    passed = await hand_over_after_move(write, after)\n",
        new="    passed = ()\n",
        tests=(RULES, "-k", "passes_on"),
    ),
    Mutant(
        id="move-in-force-before-the-replicas-know",
        kind=Kind.CONSISTENCY,
        file=USE_CASE,
        old="moved\n\n    return await ctx.change(request, change, effective_everywhere=True)",
        new="moved\n\n    return await ctx.change(request, change, effective_everywhere=False)",
        tests=(RULES, "-k", "needs_no_mapping"),
    ),
    Mutant(
        id="dry-run-of-a-batch-moves",
        kind=Kind.DATA,
        file=USE_CASE,
        old="look=_nothing)) if dry_run else ctx\n",
        new="look=_nothing)) if False else ctx\n",
        tests=(RUNNING, "-k", "batches"),
    ),
    Mutant(
        id="published-catalog-has-a-shipped-name",
        kind=Kind.DATA,
        file="services/team/domain/catalogs.py",
        old="        require_own_name(catalog)\n",
        new="",
        tests=(RUNNING, "-k", "every_fault"),
    ),
    Mutant(
        id="bound-team-leaves-its-catalog",
        kind=Kind.SECURITY,
        file="services/team/use_cases/catalog_moves.py",
        old="        catalog_moves.require_free_to_move(access.account, access.catalog, target)\n",
        new="",
        tests=("tests/services/team/domain/test_catalog_moves.py", "-k", "keeps_its_catalog"),
    ),
    Mutant(
        id="same-id-of-another-catalog-is-the-same-role",
        kind=Kind.DATA,
        file="services/team/domain/catalog_moves.py",
        old="(role_id == one.role and same)",
        new="role_id == one.role",
        tests=("tests/services/team/domain/test_catalog_moves.py", "-k", "is_another_role"),
    ),
    Mutant(
        id="move-leaves-guardrails-that-say-nothing",
        kind=Kind.SECURITY,
        file="services/team/domain/catalog_moves.py",
        old="    require_guardrails(account, own, same=same_catalog(old, new))\n",
        new="",
        tests=("tests/services/team/domain/test_catalog_moves.py", "-k", "says_nothing"),
    ),
    Mutant(
        id="role-name-mixes-alphabets",
        kind=Kind.SECURITY,
        file="services/team/routes/roles.py",
        old="    if mixed is not None:\n",
        new="    if mixed is None and not name:\n",
        tests=("tests/services/team/test_roles.py", "-k", "mixes_alphabets"),
    ),
)
