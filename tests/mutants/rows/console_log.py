"""Mutants of the console's pages of the audit log, tokens and settings."""

from tests.mutants.mutant import Kind, Mutant

LOG = ("tests/services/console/test_log.py",)
TOKENS = ("tests/services/console/test_tokens.py",)
SETTINGS = ("tests/services/console/test_settings.py",)
GATEWAY = ("tests/services/console/test_gateway.py",)
ROUTES = "services/console/routes"

ROWS = (
    Mutant(
        id="page-cut-file-ends-as-a-whole-one",
        kind=Kind.AVAILABILITY,
        file="services/console/adapters/streamed_answers.py",
        old='raise ConnectionResetError("the API did not send the whole file") from None',
        new="return",
        tests=LOG,
    ),
    Mutant(
        id="gateway-keeps-files-of-pages",
        kind=Kind.AVAILABILITY,
        file="deploy/gateway/pages.py",
        old='f"{STREAM} " if path in DOWNLOAD_PATHS else ""',
        new='""',
        tests=(*GATEWAY, "-k", "passes_files"),
    ),
    Mutant(
        id="page-proof-is-of-another-record",
        kind=Kind.SECURITY,
        file="services/console/domain/log_proofs.py",
        old='line.get("id") != inclusion["event_id"]',
        new='"id" not in line',
        tests=LOG,
    ),
    Mutant(
        id="page-browser-checks-rounded-numbers",
        kind=Kind.SECURITY,
        file="services/console/domain/log_records.py",
        old="return abs(value) <= MAX_SAFE",
        new="return True",
        tests=LOG,
    ),
    Mutant(
        id="page-token-is-made-at-each-press",
        kind=Kind.CONSISTENCY,
        file=f"{ROUTES}/tokens.py",
        old='        key=visit.typed.get("once"),\n',
        new="",
        tests=TOKENS,
    ),
    Mutant(
        id="page-token-form-forgets-read-only",
        kind=Kind.SECURITY,
        file="services/console/domain/token_forms.py",
        old='"read_only": "read_only" in typed',
        new='"read_only": False',
        tests=TOKENS,
    ),
    Mutant(
        id="page-webhook-is-changed-in-any-state",
        kind=Kind.CONSISTENCY,
        file=f"{ROUTES}/webhooks.py",
        old="        changed,\n        if_match=state_of(visit),\n",
        new="        changed,\n",
        tests=SETTINGS,
    ),
    Mutant(
        id="page-proof-forgets-whom-the-account-is-offered-to",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/account_endings.py",
        old='carried=("member", "once")',
        new='carried=("once",)',
        tests=SETTINGS,
    ),
    Mutant(
        id="page-calls-users-without-a-known-name-deleted",
        kind=Kind.CONSISTENCY,
        file="services/console/pages/record_words.py",
        old=' and _OF_ACTOR.isdisjoint(record["erased"])',
        new=' and record["erased"]',
        tests=(*LOG, "-k", "language_of_its_reader"),
    ),
    Mutant(
        id="page-verifies-a-file-that-names-another-account",
        kind=Kind.SECURITY,
        file="services/console/static/exports.js",
        old="!== head.account_id) return bad(1);",
        new="=== null) return bad(1);",
        tests=("tests/services/console/test_proof_script.py", "-k", "account"),
    ),
    Mutant(
        id="records-do-not-say-that-their-actor-is-erased",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/search.py",
        old="        if record.actor.id in gone:\n",
        new="        if record.actor.id in users:\n",
        tests=("tests/services/audit/test_reading.py", "-k", "actor_is_erased"),
    ),
    Mutant(
        id="body-of-a-lost-connection-is-an-error-of-the-service",
        kind=Kind.AVAILABILITY,
        file="shared/http/bodies.py",
        old="        elif request.transport is None:\n",
        new="        elif request.transport is request:\n",
        tests=("tests/shared/http/test_requests.py", "-k", "connection_was_lost"),
    ),
)
