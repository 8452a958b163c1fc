"""The names and shapes of secrets."""

import pytest

from shared.redaction import (
    REDACTED,
    SECRET_NAMES,
    contains_secret_name,
    is_secret_name,
    redact,
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
