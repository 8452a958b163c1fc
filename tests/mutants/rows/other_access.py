"""Mutants of what a reset of the password ends besides sessions."""

from tests.mutants.mutant import Kind, Mutant

DOMAIN = "services/identity/domain/other_access.py"
USE_CASE = "services/identity/use_cases/other_access.py"
PASSWORDS = "services/identity/use_cases/passwords.py"
TABLES = ("tests/services/identity/domain/test_other_access.py",)
TESTS = ("tests/services/identity/test_other_access.py",)
PAGES = ("tests/services/console/test_pages.py",)


def _row(
    id_: str, file: str, old: str, new: str, *tests: str, kind: Kind = Kind.SECURITY
) -> Mutant:
    return Mutant(id=id_, kind=kind, file=file, old=old, new=new, tests=tests)


ROWS = (
    _row(
        "a-reset-ends-nothing-unless-asked",
        "services/identity/routes/password_reset.py",
        "end_access: EndAccess = EndAccess.RECENT",
        "end_access: EndAccess = EndAccess.NONE",
        *(*TESTS, "-k", "as_chosen"),
    ),
    _row(
        "a-reset-keeps-what-was-made-a-week-ago",
        DOMAIN,
        "RECENT = timedelta(days=30)",
        "RECENT = timedelta(days=7)",
        *TABLES,
    ),
    _row(
        "a-reset-keeps-recent-issuers",
        DOMAIN,
        "linked = found.identities if had_password else ()",
        "linked = ()",
        *TABLES,
    ),
    _row(
        "a-reset-ends-old-tokens",
        DOMAIN,
        "if one.created_at >= since",
        "if since",
        *TABLES,
        kind=Kind.AVAILABILITY,
    ),
    _row(
        "a-first-password-ends-the-issuer",
        PASSWORDS,
        "had_password=current.password_hash is not None",
        "had_password=True",
        *(*TESTS, "-k", "first_password"),
        kind=Kind.AVAILABILITY,
    ),
    _row(
        "a-reset-leaves-identities-of-which-it-tells-the-end",
        USE_CASE,
        "        await ctx.store.delete_identity(identity, write.session)\n",
        "",
        *(*TESTS, "-k", "as_chosen"),
    ),
    _row(
        "a-reset-leaves-the-tokens-beyond-a-hundred",
        USE_CASE,
        "        whole=whole,\n",
        "        whole=True,\n",
        *(*TESTS, "-k", "very_many"),
    ),
    _row(
        "a-repeat-that-asks-for-more-ends-nothing",
        "services/identity/use_cases/password_reset.py",
        "        return ended.whole\n",
        "        raise LinkInvalid\n",
        *(*TESTS, "-k", "asks_for_more"),
    ),
    _row(
        "the-page-of-a-reset-forgets-the-choice",
        "services/console/routes/password_reset.py",
        "chosen if chosen in END_ACCESS else END_ACCESS[0]",
        "END_ACCESS[0] if chosen else END_ACCESS[0]",
        *(*PAGES, "-k", "former_password"),
    ),
    _row(
        "the-link-of-a-reset-counts-all-as-recent",
        DOMAIN,
        "recent = to_end(found, EndAccess.RECENT,",
        "recent = to_end(found, EndAccess.ALL,",
        *(*TESTS, "-k", "counts_what"),
    ),
    _row(
        "the-link-of-a-first-password-counts-the-issuer",
        DOMAIN,
        "recent = to_end(found, EndAccess.RECENT, had_password=had_password, now=now)",
        "recent = to_end(found, EndAccess.RECENT, had_password=True, now=now)",
        *TABLES,
        kind=Kind.DATA,
    ),
    _row(
        "a-repeat-of-a-first-password-ends-the-issuer",
        "services/identity/use_cases/password_reset.py",
        "new.end_access, had_password=False)",
        "new.end_access, had_password=True)",
        *(*TESTS, "-k", "first_password"),
        kind=Kind.AVAILABILITY,
    ),
    Mutant(
        id="mail-of-a-reset-counts-the-tokens-of-the-last-write",
        kind=Kind.DATA,
        file=PASSWORDS,
        old="tokens_ended += done.result.tokens_ended",
        new="tokens_ended = done.result.tokens_ended",
        tests=(*TESTS, "-k", "very_many"),
    ),
    _row(
        "tokens-of-any-age-count-as-recent",
        "services/identity/store/api_tokens.py",
        "made = {} if since is None else",
        "made = {} if now else",
        *(*TESTS, "-k", "older_tokens"),
    ),
    _row(
        "what-is-left-counts-its-first-names-alone",
        USE_CASE,
        "more_tokens=count - len(named), ",
        "",
        *(*TESTS, "-k", "older_tokens"),
        kind=Kind.DATA,
    ),
)
