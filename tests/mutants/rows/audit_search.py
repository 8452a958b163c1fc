"""Mutants of audit's search: its filters, the ranges that it reads, and its pages."""

from tests.mutants.mutant import Kind, Mutant

RECORDS = "services/audit/domain/records.py"
TERMS = "services/audit/domain/search_terms.py"
STORE = "services/audit/store/records.py"
LOOKUPS = "services/audit/use_cases/lookups.py"
STORE_TESTS = ("tests/services/audit/test_store.py",)
SEARCH_TESTS = ("tests/services/audit/test_search.py", "-k", "filters_and_combinations")
TERM_TESTS = ("tests/services/audit/domain/test_search_terms.py",)
PAGES = "deploy/programs/secantusdb_pages.py"
PAGE_TESTS = ("tests/deploy/test_secantusdb_pages.py",)
RANGE_TESTS = ("tests/services/audit/test_search_ranges.py",)

ROWS = (
    Mutant(
        id="page-of-an-index-has-what-is-on-a-bound-that-is-left-out",
        kind=Kind.DATA,
        file=PAGES,
        old="not entry.startswith(excluded)",
        new="excluded is not None",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-of-several-ranges-is-taken-for-sorted",
        kind=Kind.DATA,
        file=PAGES,
        old="return found, len(ranges) == 1",
        new="return found, True",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-of-an-index-with-one-bound-has-values-of-other-types",
        kind=Kind.DATA,
        file=PAGES,
        old="*([self.field] if self.bounded else [])",
        new="self.field",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-of-an-index-of-arrays-is-taken-for-sorted",
        kind=Kind.DATA,
        file=PAGES,
        old='if (single or not options.get("multikey"))',
        new="if options is not None",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-is-read-from-an-index-that-lacks-documents",
        kind=Kind.DATA,
        file=PAGES,
        old='options.get("partialFilterExpression") or {}\n            )',
        new="{}\n            )",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-ends-before-documents-that-do-not-match",
        kind=Kind.DATA,
        file=PAGES,
        old="            if further:\n",
        new="            if further is None:\n",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-walks-backward-from-the-wrong-side",
        kind=Kind.DATA,
        file=PAGES,
        old="(cursor.prev, 1) if page.newest_first",
        new="(cursor.prev, -1) if page.newest_first",
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-without-its-last-value",
        kind=Kind.DATA,
        file=PAGES,
        old='ends.get("$lt", begin) + HIGHEST',
        new='ends.get("$lt", begin + HIGHEST)',
        tests=PAGE_TESTS,
    ),
    Mutant(
        id="page-that-the-server-asks-for-is-none",
        kind=Kind.AVAILABILITY,
        file=PAGES,
        old='map(options.get, ("collation", "min_bound"))',
        new='map(options.get, ("let", "collation", "min_bound"))',
        tests=RANGE_TESTS,
    ),
    Mutant(
        id="page-reads-the-whole-range",
        kind=Kind.AVAILABILITY,
        file=PAGES,
        old="        while len(found) < page.documents:\n",
        new="        while True:\n",
        tests=RANGE_TESTS,
    ),
    Mutant(
        id="audit-prefix-skips-exact-match",
        kind=Kind.DATA,
        file=RECORDS,
        old='return action.startswith(self.noun or self.prefix or "")',
        new='return action != self.prefix and action.startswith(self.noun or self.prefix or "")',
        tests=("tests/services/audit/domain/test_records.py",),
    ),
    Mutant(
        id="audit-end-inclusive",
        kind=Kind.DATA,
        file=STORE,
        old='"order": {"$gte": span.first, "$lt": span.end}',
        new='"order": {"$gte": span.first, "$lte": span.end}',
        tests=STORE_TESTS,
    ),
    Mutant(
        id="audit-cursor-hides-end",
        kind=Kind.DATA,
        file=RECORDS,
        old="end=min([*ends, before or cls.end])",
        new="end=before or min([*ends, cls.end])",
        tests=STORE_TESTS,
    ),
    Mutant(
        id="audit-first-user-of-address-only",
        kind=Kind.DATA,
        file=LOOKUPS,
        old="return tuple(await ctx.store.user_ids_with_email(wanted)) if",
        new="return tuple(await ctx.store.user_ids_with_email(wanted))[:1] if",
        tests=STORE_TESTS,
    ),
    Mutant(
        id="audit-search-finds-every-account",
        kind=Kind.SECURITY,
        file=STORE,
        old='query: Document = {"account_id": account_id, "order"',
        new='query: Document = {"order"',
        tests=SEARCH_TESTS,
    ),
    Mutant(
        id="audit-text-with-one-of-its-words",
        kind=Kind.DATA,
        file=LOOKUPS,
        old="if set(words) <= set(words_of(user.name))",
        new="if set(words) & set(words_of(user.name))",
        tests=SEARCH_TESTS,
    ),
    Mutant(
        id="audit-text-widens-other-user",
        kind=Kind.SECURITY,
        file=LOOKUPS,
        old='given.get("user") or await',
        new="await",
        tests=SEARCH_TESTS,
    ),
    Mutant(
        id="audit-common-text-answered-in-part",
        kind=Kind.DATA,
        file=LOOKUPS,
        old="if len(found) > MAX_PEOPLE_OF_TEXT:",
        new="if False:",
        tests=("tests/services/audit/test_lookups.py",),
    ),
    Mutant(
        id="audit-unknown-user-finds-everything",
        kind=Kind.SECURITY,
        file=LOOKUPS,
        old="    if not all(given.values()):\n        return ()\n",
        new="",
        tests=SEARCH_TESTS,
    ),
    Mutant(
        id="audit-rest-of-filters-forgotten",
        kind=Kind.DATA,
        file=TERMS,
        old="fields={FIELDS[name]: values for name, values in others.items()},",
        new="fields={},",
        tests=TERM_TESTS,
    ),
    Mutant(
        id="audit-pair-without-a-range",
        kind=Kind.LIMIT,
        file=TERMS,
        old='    ("user", "project"),\n',
        new="",
        tests=TERM_TESTS,
    ),
    Mutant(
        id="audit-pairs-of-denials-forgotten",
        kind=Kind.LIMIT,
        file=TERMS,
        old="if record.outcome is Outcome.SUCCEEDED else _ALL_PAIRS",
        new="",
        tests=TERM_TESTS,
    ),
    Mutant(
        id="audit-token-hides-session",
        kind=Kind.DATA,
        file=TERMS,
        old='"through": (actor.token_id, actor.session_id, client)',
        new='"through": (actor.token_id or actor.session_id or client,)',
        tests=TERM_TESTS,
    ),
    Mutant(
        id="audit-further-terms-not-compared",
        kind=Kind.DATA,
        file=STORE,
        old='        query["$and"] = [{"terms": _one_of(terms)} for terms in wanted.terms]\n',
        new="        pass\n",
        tests=SEARCH_TESTS,
    ),
)
