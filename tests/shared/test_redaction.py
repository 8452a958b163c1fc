"""The names and shapes of secrets."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest

from shared.redaction import (
    REDACTED,
    SECRET_NAMES,
    contains_secret_name,
    is_secret_name,
    redact,
    redact_credentials,
    redact_values,
)


@pytest.mark.rule("T15")
@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
def test_a_secret_name_is_known_in_every_spelling(name: str) -> None:
    for spelled in (name, name.upper(), name.replace("_", "-").title()):
        assert is_secret_name(spelled)
        assert contains_secret_name(spelled)


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("new_password", True),
        ("Set-Cookie", True),
        ("apikey", True),
        ("rolecall_admin_key", True),
        ("status_code", False),
        ("url_template", False),
        ("role", False),
        ("account_key", False),
    ],
)
def test_a_longer_name_is_secret_by_what_it_contains(name: str, *, within: bool) -> None:
    assert contains_secret_name(name) is within
    assert not is_secret_name(name)


@pytest.mark.rule("T15")
def test_secrets_are_replaced_at_every_depth() -> None:
    value = {"a": [{"password": "hunter2"}, ("see rct_hunter2hunter2",)], "b": {"code": 123456}}
    assert redact_values(value, is_secret=is_secret_name) == {
        "a": [{"password": REDACTED}, [f"see {REDACTED}"]],
        "b": {"code": REDACTED},
    }


TEXTS_OF = pytest.mark.parametrize("clean", [redact, redact_credentials], ids=["log", "record"])
RANDOM = Random(7)
OPAQUE = urlsafe_b64encode(RANDOM.randbytes(32)).decode().rstrip("=")
MAC = urlsafe_b64encode(RANDOM.randbytes(12)).decode()
PAIR = b64encode(b"svc_1:hunter2").decode()
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl"
REAL_SECRETS = {
    "a JWT": ("see {}", JWT),
    "a JWT in a header": ("Bearer {}", JWT),
    "an API token": ("my {} here", f"rct_{OPAQUE}"),
    "a client's secret": ("{}", f"rcs_{OPAQUE}"),
    "a password's hash": ("{}", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"),
    "a mailed token": ("{}", f"inv_{'0a' * 16}.1.{MAC}"),
    "a refresh token": ("{}", f"ses_{'0a' * 16}.12.{MAC}"),
    "a token of another system": ("bearer {}", OPAQUE),
    "a hexadecimal token": ("Bearer {}", RANDOM.randbytes(20).hex()),
    "a UUID as token": ("Bearer {}", str(UUID(bytes=RANDOM.randbytes(16)))),
    "user and password": ("Basic {}", PAIR),
    "user and password in URL-safe base64": ("BASIC  {}", PAIR.rstrip("=")),
    "a short token in a header": ("Authorization: Bearer {}", "hunter2"),
    "an unusual scheme in a header": ("authorization: Token {}", "hunter2"),
    "a header as a mapping shows it": ("{{'Authorization': 'Basic {}'}}", "hunter2"),
    "a header as a pair": ("('Authorization', 'Bearer {}')", "hunter2"),
    "a password in an address": ("amqp://{}@rabbitmq/", "team:hunter2"),
    "a token in a link": ("https://x/invitations#token={}&x", "hunter2"),
    "a code in a link": ("(https://x/invitations?a=1&code={})", "ABCDEFGH"),
}
PLAIN = [
    "Basic plan",
    "basic  research",
    "BASIC Instinct",
    "Basic\u00a0training",
    "Bearer bonds desk",
    "bearer of bad news",
    "Basic production-cluster-europe-2025",
    "Bearer internationalization2025",
    "Bearer my_production_cluster_of_2025",
    "Bearer Basic-Production-Cluster-Of-Europe-2025",
    "Basic Grundstücksverkehrsgenehmigung",
    "Authorization matters",
    "Authorization team",
    "Authorization: weekly meeting",
    "Authorization, basic training",
    "Is code=red or token=blue?",
    "rcs club, usr_ and inv_7",
    "Basic " + "a" * 90,
]


@pytest.mark.rule("T15")
@TEXTS_OF
@pytest.mark.parametrize(("text", "secret"), REAL_SECRETS.values(), ids=REAL_SECRETS)
def test_each_kind_of_credential_is_replaced(
    clean: Callable[[str], str], text: str, secret: str
) -> None:
    shown = clean(text.format(secret))
    assert REDACTED in shown
    assert secret not in shown


@TEXTS_OF
@pytest.mark.parametrize("text", PLAIN)
def test_plain_language_is_kept(clean: Callable[[str], str], text: str) -> None:
    assert clean(text) == text


@pytest.mark.rule("T15")
def test_random_tokens_after_their_scheme_are_replaced() -> None:
    for size in (20, 24, 32, 48):
        for _ in range(500):
            token = b64encode(RANDOM.randbytes(size)).decode()
            assert redact_credentials(f"Bearer {token}") == f"Bearer {REDACTED}", token
            pair = b64encode(f"u:{token}".encode()).decode()
            assert redact_credentials(f"Basic {pair}") == f"Basic {REDACTED}", pair


def test_a_parameter_of_a_path_is_replaced_in_logs_only() -> None:
    assert redact("GET /v1/x?token=hunter2&a=1") == f"GET /v1/x?{REDACTED}&a=1"
    assert redact_credentials("What?code=Evil") == "What?code=Evil"


def test_names_below_a_catalogs_member_are_kept() -> None:
    value = {"grants": {"api_key": {"write": "self"}, "secret": [f"rct_{OPAQUE}"]}, "key": "x"}
    assert redact_values(
        value, is_secret=is_secret_name, names_of_catalog=frozenset({"grants"})
    ) == {"grants": {"api_key": {"write": "self"}, "secret": [REDACTED]}, "key": REDACTED}


@pytest.mark.rule("T15")
@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ("got ", "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln", " here"),
        ("got ", "rct_hunter2hunter2", ""),
        ("got ", "rcs_hunter2hunter2", ""),
        ("got ", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", ""),
        *(("got ", f"{prefix}_{'0a' * 16}.3.bWFj", "") for prefix in ("usr", "inv", "ses")),
        ("Authorization: Bearer ", "hunter2", " sent"),
        ("Authorization: Basic ", "YTpi", " sent"),
        ("mongodb://", "rolecall:hunter2", "@db:27017/"),
        *(
            (f"https://a.example/verify{mark}", f"{name}=hunter2", "&lang=en")
            for mark in ("?", "?lang=en&", "#", "#lang=en&")
            for name in ("token", "code", "refresh_token", "password")
        ),
    ],
)
def test_each_shape_of_a_secret_is_replaced_in_a_text(before: str, secret: str, after: str) -> None:
    assert redact(f"{before}{secret}{after}") == f"{before}{REDACTED}{after}"
