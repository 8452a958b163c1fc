"""Tests of `rolecall admin` for users and clients, and of `rolecall token`, with a stub service."""

import json

import pytest

from rolecall.cli import main
from tests.sdk.stub import stub_server

USER = b'{"id": "usr_1", "status": "disabled"}'
TOKEN = {
    "id": "tok_1",
    "name": "CI",
    "status": "active",
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-04-01T00:00:00Z",
    "last_used_at": None,
    "user_id": "usr_1",
    "restriction": None,
}


@pytest.fixture
def service(monkeypatch):
    with stub_server() as running:
        for name, value in (
            ("ROLECALL_IDENTITY_INTERNAL_URL", running.url),
            ("ROLECALL_ADMIN_KEY", "k3y"),
            ("ROLECALL_OPERATOR", "Zoë Ops"),
            ("ROLECALL_URL", running.url),
            ("ROLECALL_TOKEN", "t0ken"),
        ):
            monkeypatch.setenv(name, value)
        running.answer = (200, {}, USER)
        yield running


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        ("disable-user usr_1 --reason Leaked --yes", "users/usr_1/disable", {"reason": "Leaked"}),
        ("enable-user usr_1", "users/usr_1/enable", None),
        ("unlock-user usr_1", "users/usr_1/unlock", None),
        ("erase-user usr_1 --yes", "users/usr_1/erase", None),
        ("show-user ana@example.com", "users/find", {"email": "ana@example.com"}),
        ("show-user usr_1", "users/find", {"user_id": "usr_1"}),
        ("disable-client cli_1 --yes", "service-clients/cli_1/disable", None),
        ("enable-client cli_1", "service-clients/cli_1/enable", None),
        ("delete-client cli_1 --yes", "service-clients/cli_1", None),
        ("end-old-secret cli_1", "service-clients/cli_1/old-secret", None),
        ("list-clients", "service-clients", None),
        ("list-keys", "signing-keys", None),
        ("rotate-keys", "signing-keys/rotate", None),
        ("revoke-key key_1 --yes", "signing-keys/revoke", {"kid": "key_1"}),
        ("revoke-key --all --yes", "signing-keys/revoke", {"kid": None}),
    ],
)
def test_each_command_asks_by_the_operator_name(service, words, path, body):
    assert main(["admin", *words.split(), "--json"]) == 0
    ((asked, headers, sent),) = service.asked
    assert asked == f"/internal/admin/{path}"
    assert (json.loads(sent) if sent else None) == body
    assert headers["Rolecall-Operator"] == "Zo%C3%AB%20Ops"
    assert headers["Authorization"] == "Bearer k3y"
    assert headers["Rolecall-Service"] == "identity"


@pytest.mark.parametrize("words", ["show-user no@one.example", "enable-user no@one.example"])
def test_a_user_who_does_not_exist_is_said(service, words, capsys):
    service.answer = (404, {}, b'{"code": "not-found", "detail": "This does not exist."}')
    assert main(["admin", *words.split()]) == 1
    assert "There is no user no@one.example at " in capsys.readouterr().err
    service.answer = (404, {}, b"<html>")
    assert main(["admin", *words.split()]) == 1
    assert "Pass the internal address of identity" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("removed", "said"), [(["totp", "passkey"], "totp, passkey"), ([], "none")]
)
def test_a_reset_of_second_factors_says_what_it_removed(service, removed, said, capsys):
    service.answer = (200, {}, json.dumps({"id": "usr_1", "removed_factors": removed}).encode())
    assert main(["admin", "reset-mfa", "usr_1", "--yes"]) == 0
    assert capsys.readouterr().out == f"usr_1: no second factor; removed: {said}\n"


def test_a_user_is_shown_with_the_kinds_of_the_second_factors(service, capsys):
    service.answer = (200, {}, b'{"id": "usr_1", "second_factors": ["totp", "passkey"]}')
    assert main(["admin", "show-user", "usr_1"]) == 0
    assert "totp, passkey" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    ["disable-user u --reason x", "delete-client c", "rotate-client c", "revoke-key --all"],
)
def test_a_grave_command_needs_a_confirmation(service, words, capsys):
    assert main(["admin", *words.split()]) == 2
    assert service.asked == []
    assert "Pass --yes" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["key_1", "--all"], []])
def test_a_revocation_names_one_key_or_all(service, words, capsys):
    assert main(["admin", "revoke-key", *words, "--yes"]) == 2
    assert service.asked == []
    assert "list-keys" in capsys.readouterr().err


def test_keys_are_listed_with_their_states(service, capsys):
    key = {"kid": "key_1", "state": "next", "since": "2026-01-02T00:00:00Z", "published": True}
    service.answer = (200, {}, json.dumps({"items": [key]}).encode())
    assert main(["admin", "rotate-keys"]) == 0
    assert capsys.readouterr().out == "key_1  next      since 2026-01-02T00:00:00Z  published\n"


def test_a_rotation_keeps_the_former_secret_for_a_time(service, capsys):
    made = {"id": "cli_1", "secret": "s3cret", "old_secret_until": "2026-01-02T00:00:00Z"}
    service.answer = (201, {}, json.dumps(made).encode())
    assert main(["admin", "rotate-client", "cli_1", "--keep-old", "24h"]) == 0
    ((_, _, sent),) = service.asked
    assert json.loads(sent) == {"keep_old_seconds": 86400}
    out = capsys.readouterr().out
    assert "s3cret" in out
    assert "2026-01-02T00:00:00Z" in out
    assert main(["admin", "rotate-client", "cli_1", "--keep-old", "soon"]) == 2


def test_the_key_may_come_from_a_file(service, monkeypatch, tmp_path):
    file = tmp_path / "key"
    file.write_text("from-file\n")
    monkeypatch.delenv("ROLECALL_ADMIN_KEY")
    monkeypatch.setenv("ROLECALL_ADMIN_KEY_FILE", str(file))
    assert main(["admin", "enable-user", "usr_1"]) == 0
    assert service.asked[0][1]["Authorization"] == "Bearer from-file"
    file.unlink()
    assert main(["admin", "enable-user", "usr_1"]) == 2


def token(*words):
    return main(["token", *words, "--account", "acc_1"])


def test_the_output_of_a_new_token_is_its_secret_alone(service, capsys):
    service.answer = (201, {}, json.dumps(TOKEN | {"secret": "rct_x"}).encode())
    wanted = ("--grant", "instance:view", "--grant", "instance:write", "--project", "prj_1")
    assert token("create", "--name", "CI", "--read-only", *wanted, "--idempotency-key", "k") == 0
    said = capsys.readouterr()
    assert said.out == "rct_x\n"
    assert "tok_1" in said.err
    ((path, headers, sent),) = service.asked
    assert path == "/v1/accounts/acc_1/api-tokens"
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == "k"
    restriction = {"projects": ["prj_1"], "grants": {"instance": ["view", "write"]}}
    assert json.loads(sent) == {"name": "CI", "restriction": restriction | {"read_only": True}}
    service.answer = (201, {}, json.dumps(TOKEN | {"secret": None}).encode())
    assert token("create", "--name", "CI", "--idempotency-key", "k") == 1


def test_tokens_are_listed_over_all_pages_shown_and_revoked(service, capsys):
    pages = iter(
        [{"items": [TOKEN], "next_cursor": "a/b"}, {"items": [TOKEN], "next_cursor": None}]
    )
    service.answer = lambda *_: (200, {}, json.dumps(next(pages)).encode())
    assert token("list") == 0
    assert capsys.readouterr().out.count("tok_1  active") == 2
    assert service.asked[1][0].endswith("?limit=100&cursor=a%2Fb")
    service.answer = (200, {}, json.dumps(TOKEN).encode())
    assert token("show", "tok_1") == 0
    assert "CI" in capsys.readouterr().out
    service.answer = (204, {}, b"")
    assert token("revoke", "tok_1") == 0
    assert capsys.readouterr().out == "tok_1: revoked\n"


@pytest.mark.parametrize(
    ("answer", "code"), [((403, {}, b'{"code": "grants-exceeded"}'), 1), ((503, {}, b"{}"), 2)]
)
def test_a_refusal_is_said_with_its_code(service, answer, code, capsys):
    service.answer = answer
    assert token("create", "--name", "CI") == code
    assert "refused with status" in capsys.readouterr().err


def test_wrong_usage_asks_nothing(service, monkeypatch, capsys):
    assert token("create", "--name", "CI", "--grant", "view") == 2
    assert token("create", "--name", "CI", "--expires-in", "x") == 2
    assert token("list", "--url", "http://rolecall.example") == 2
    assert "--allow-http" in capsys.readouterr().err
    monkeypatch.delenv("ROLECALL_TOKEN")
    assert token("list") == 2
    assert service.asked == []


DEAD = {
    "id": "team.e1.3.7",
    "type": "team.member.removed.v1",
    "occurred_at": "2026-03-05T12:00:00Z",
    "error": "LookupError('poison')",
}


def test_dead_facts_are_listed_to_the_last_page(service, monkeypatch, capsys):
    monkeypatch.setenv("ROLECALL_AUDIT_INTERNAL_URL", service.url)
    service.answer = (200, {}, json.dumps({"items": [DEAD], "next_cursor": None}).encode())
    assert main(["dlq", "list", "audit"]) == 0
    assert capsys.readouterr().out == (
        "team.e1.3.7  team.member.removed.v1  2026-03-05T12:00:00Z  LookupError('poison')\n"
    )
    assert service.asked[0][0] == "/internal/admin/dead-facts?limit=200"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("show team.e1.3.7", "team.e1.3.7"),
        ("replay team.e1.3.7", "team.e1.3.7/replay"),
        ("drop team.e1.3.7 --yes", "team.e1.3.7"),
    ],
)
def test_a_dead_fact_is_named_to_the_service_that_holds_it(service, words, path):
    word, *others = words.split()
    assert main(["dlq", word, "audit", *others, "--url", service.url, "--json"]) == 0
    assert service.asked[-1][0] == f"/internal/admin/dead-facts/{path}"


@pytest.mark.parametrize("words", [["list", "audit"], ["replay", "audit", "all"]])
def test_no_dead_facts_are_told_as_none(service, capsys, words):
    service.answer = (200, {}, b'{"items": [], "next_cursor": null}')
    assert main(["dlq", *words, "--url", service.url]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "There is none at this address.\n")


def test_a_dead_fact_needs_the_address_of_its_service(service, capsys):
    assert main(["dlq", "list", "notification"]) == 2
    assert "ROLECALL_NOTIFICATION_INTERNAL_URL" in capsys.readouterr().err


def test_logs_after_a_restore_are_listed_and_accepted(service, monkeypatch, capsys):
    monkeypatch.setenv("ROLECALL_AUDIT_INTERNAL_URL", service.url)
    log = {"id": "acc_1", "size": 7}
    service.answer = (200, {}, json.dumps({"items": [log], "next_cursor": None}).encode())
    assert main(["audit", "inconsistent"]) == 0
    assert capsys.readouterr().out == "acc_1  7 records\n"
    for given in ("acc_1", "all"):
        assert main(["audit", "accept-restore", given, "--yes"]) == 0
        assert service.asked[-1][0] == "/internal/admin/inconsistent-logs/acc_1/accept"


def test_a_journal_is_shown_with_the_consumer_that_holds_it_up(service, capsys):
    consumer = {"name": "audit", "behind": 3, "confirmed_at": None, "missed": 0}
    consumer["held_since"] = "2026-03-05T12:00:00Z"
    journal = {"source": "team", "rows": 5, "oldest_at": None, "trimmed": 7}
    journal |= {"retention_days": 30.0, "consumers": [consumer]}
    service.answer = (200, {}, json.dumps(journal).encode())
    assert main(["admin", "journal", "team", "--url", service.url]) == 0
    assert service.asked[-1][0] == "/internal/admin/journal"
    assert capsys.readouterr().out == (
        "team  5 rows  oldest -  7 trimmed  kept 30 days\n"
        "  audit         3 behind  confirmed never  HOLDS rows since 2026-03-05T12:00:00Z\n"
    )


def test_the_log_without_accounts_is_exported_at_one_size(service, tmp_path, monkeypatch):
    monkeypatch.setenv("ROLECALL_AUDIT_INTERNAL_URL", service.url)
    note = {"checkpoint": "note\n", "verifier_keys": ["v1"], "size": 3}
    pages = {
        "checkpoint": note,
        "records?size=3&first=0": {"items": [{"a": 1}, {"a": 2}], "next_first": 2},
        "records?size=3&first=2": {"items": [{"a": 3}], "next_first": None},
    }
    service.answer = lambda path, _body: (
        200,
        {},
        json.dumps(pages[path.removeprefix("/internal/admin/platform-log/")]).encode(),
    )
    kept, export = tmp_path / "note.txt", tmp_path / "log.jsonl"
    assert main(["admin", "platform-log", "checkpoint", "--output", str(kept)]) == 0
    assert main(["admin", "platform-log", "export", "--output", str(export)]) == 0
    assert kept.read_text(encoding="utf-8") == "note\n"
    assert export.read_text(encoding="utf-8").splitlines() == ['{"a": 1}', '{"a": 2}', '{"a": 3}']
    assert {headers["Rolecall-Service"] for _, headers, _ in service.asked} == {"audit"}
