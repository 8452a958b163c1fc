"""Log lines: their form, and the secrets that they leave out."""

import json
import logging
from contextvars import ContextVar
from typing import Any

import pytest

from shared import context
from shared.contracts.facts import Actor
from shared.logs import JsonLines
from shared.redaction import redact

JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl"
SECRETS = {
    "a JWT": f"token {JWT} was sent",
    "a bearer header": "Authorization: Bearer opaque-hunter2",
    "a basic header": "Authorization: Basic aHVudGVyMg==",
    "an API token": "rct_hunter2hunter2",
    "a client's secret": "rcs_A-hunter2_b-hunter2",
    "a refresh token": "ses_" + "0a" * 16 + ".12.A-hunter2_b-hunter2",
    "a password in an address": "amqp://team:hunter2@rabbitmq/",
    "a token in a link": "https://x/invitations#token=hunter2&code=hunter2",
    "a mailed token": "inv_" + "0a" * 16 + ".1.hunter2",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS.keys())
def test_what_looks_like_a_secret_is_redacted(text: str):
    shown = redact(text)
    assert "[redacted]" in shown
    assert not [secret for secret in ("hunter2", "aHVudGVy", JWT) if secret in shown]


@pytest.mark.parametrize(
    "text", ["GET /v1/accounts 200", "ses_" + "0a" * 16, "https://host:8080/x", "code review"]
)
def test_other_text_stays(text: str):
    assert redact(text) == text


def line(message: str = "x", **extra: object) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": "rolecall.test", "levelname": "INFO", "msg": message})
    vars(record).update(extra)
    written = JsonLines("team").format(record)
    assert "\n" not in written
    said: dict[str, Any] = json.loads(written)
    return said


NAMES = [
    "authorization", "Authorization", "password", "new_password", "access_token", "refresh_token",
    "token", "code", "client_secret", "admin_key", "Set-Cookie",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_field_with_a_secrets_name_is_redacted_however_deep(name: str):
    assert line(**{name: "hunter2"})[name] == "[redacted]"
    assert "hunter2" not in json.dumps(line(headers=[{name: "hunter2"}]))


def test_a_status_code_is_not_a_secret():
    assert line(status_code=200)["status_code"] == 200


def test_a_line_names_its_request_principal_and_account():
    tokens: list[tuple[ContextVar[Any], Any]] = [
        (context.request_id, context.request_id.set("req_1")),
        (context.actor, context.actor.set(Actor(type="user", id="usr_1", email="a@b.example"))),
        (context.account_id, context.account_id.set("acc_1")),
        (context.service, context.service.set("audit")),
    ]
    try:
        said = line("hello", status=200)
    finally:
        for variable, token in tokens:
            variable.reset(token)
    assert said.pop("ts").endswith("Z")
    assert said == {
        "level": "INFO",
        "logger": "rolecall.test",
        "service": "audit",
        "msg": "hello",
        "request_id": "req_1",
        "principal": "user:usr_1",
        "account": "acc_1",
        "status": 200,
    }


def test_an_exception_is_logged_without_its_secrets():
    error = RuntimeError(f"refused {JWT}")
    said = line(exc_info=(RuntimeError, error, None))
    assert "RuntimeError: refused [redacted]" in said["exception"]


def test_a_line_break_in_a_value_cannot_forge_a_line():
    assert line('x\n{"level":"ERROR"}')["msg"] == 'x\n{"level":"ERROR"}'
