"""Mutants of what requests bring: repeated keys, and names that hide something."""

from tests.mutants.mutant import Kind, Mutant

KEYS = "shared/http/idempotency.py"
KEY_TESTS = ("tests/shared/http/test_idempotency.py",)
NAMES = "shared/names.py"
NAME_TESTS = ("tests/shared/test_names.py",)

ROWS = (
    Mutant(
        id="keys-kept-an-hour",
        kind=Kind.DATA,
        file=KEYS,
        old="RETENTION = timedelta(hours=24)",
        new="RETENTION = timedelta(hours=1)",
        tests=("tests/services/test_stored.py", "-k", "key_taken"),
    ),
    Mutant(
        id="repeat-ignores-the-form",
        kind=Kind.CONSISTENCY,
        file=KEYS,
        old='        if stored.get("form") not in {None, form_of(answer_class)}:\n',
        new="        if False:\n",
        tests=KEY_TESTS,
    ),
    Mutant(
        id="repeat-of-an-unfit-answer-breaks",
        kind=Kind.CONSISTENCY,
        file=KEYS,
        old="        except ValidationError as unfit:\n",
        new="        except LookupError as unfit:\n",
        tests=KEY_TESTS,
    ),
    Mutant(
        id="name-hides-a-link",
        kind=Kind.SECURITY,
        file=NAMES,
        old="    shown = as_shown(name)\n",
        new="    shown = name\n",
        tests=NAME_TESTS,
    ),
    Mutant(
        id="name-has-an-invisible-twin",
        kind=Kind.SECURITY,
        file=NAMES,
        old="    if INVISIBLE.search(trimmed) or not",
        new="    if not",
        tests=NAME_TESTS,
    ),
    Mutant(
        id="name-key-keeps-joiners",
        kind=Kind.CONSISTENCY,
        file=NAMES,
        old='normalize("NFKC", as_shown(name).casefold())',
        new='normalize("NFKC", name.casefold())',
        tests=NAME_TESTS,
    ),
    Mutant(
        id="repeat-of-another-operation",
        kind=Kind.CONSISTENCY,
        file=KEYS,
        old="\\n{operation}\\n",
        new="\\n",
        tests=KEY_TESTS,
    ),
    Mutant(
        id="repeat-deletes-a-renewed-key",
        kind=Kind.CONSISTENCY,
        file=KEYS,
        old='{**self._kept_at, "expires_at": stored["expires_at"]}',
        new="self._kept_at",
        tests=KEY_TESTS,
    ),
    Mutant(
        id="repeat-keys-stay-a-day-longer",
        kind=Kind.DATA,
        file=KEYS,
        old="ttl_seconds=0",
        new="ttl_seconds=86400",
        tests=KEY_TESTS,
    ),
    Mutant(
        id="304-says-nothing-of-what-is-awaited",
        kind=Kind.DATA,
        file="shared/http/responses.py",
        old="_is_known(call, reply.body.read_tag)",
        new="_is_known(call, reply.body.etag)",
        tests=("tests/services/audit/test_streams.py", "-k", "known_stream"),
    ),
    Mutant(
        id="tag-of-a-read-allows-no-change",
        kind=Kind.DATA,
        file="shared/http/preconditions.py",
        old="ANY in states or state_tag(tag) in states",
        new="ANY in states or tag in wanted",
        tests=("tests/shared/http/test_preconditions.py",),
    ),
    Mutant(
        id="tag-of-a-read-in-one-language-stands-for-all",
        kind=Kind.DATA,
        file="services/notification/routes/preferences.py",
        old="    awaited = beside_the_state\n",
        new="",
        tests=("tests/services/notification/test_preferences.py", "-k", "two_choices"),
    ),
)
