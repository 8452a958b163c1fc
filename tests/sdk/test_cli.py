"""Tests of the command line: what it prints, and its exit codes."""

import json
import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rolecall
from rolecall.cli import VERSION, main
from tests.sdk.stub import stub_server

ROOT = Path(__file__).parent.parent.parent

CATALOGS = Path(rolecall.__file__).parent / "core" / "catalogs"


@pytest.fixture
def service():
    with stub_server() as server:
        server.answer = (201, {}, b'{"id": "svc_1", "secret": "s3cret"}')
        yield server


def create_client(url, *more):
    return main(
        ["admin", "create-client", "--url", url, "--key", "k3y", "--name", "billing-api", *more]
    )


def test_every_shipped_catalog_passes_the_check(capsys):
    files = sorted(str(file) for file in CATALOGS.glob("*.yaml"))
    assert len(files) == len(rolecall.SHIPPED_CATALOGS)
    assert main(["catalog", "check", *files]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split("@")[0] for line in shown] == [f"{f}: ok, {Path(f).stem}" for f in files]


def test_a_shipped_name_with_other_content_is_refused(tmp_path, capsys):
    text = (CATALOGS / "runos.yaml").read_text()
    copy, changed, renamed = (tmp_path / f"{name}.yaml" for name in ("copy", "changed", "renamed"))
    copy.write_text("# a comment\n" + text)
    changed.write_text(text.replace("member_limit: 1000", "member_limit: 10"))
    renamed.write_text(changed.read_text().replace("name: runos", "name: our-runos"))
    assert main(["catalog", "check", str(copy), str(renamed)]) == 0
    capsys.readouterr()
    assert main(["catalog", "check", str(changed)]) == 1
    line = text.splitlines().index("name: runos") + 1
    assert capsys.readouterr().err == (
        f"{changed}:{line}: /name: The name 'runos' belongs to a catalog that comes with Rolecall,"
        " and this content differs from it. Choose another name.\n"
    )


def test_a_bad_catalog_is_reported_with_file_line_and_place(tmp_path, capsys):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    text = (CATALOGS / "runos.yaml").read_text()
    good.write_text(
        text.replace("member_limit: 1000", "member_limit: 999").replace("name: runos", "name: ours")
    )
    bad.write_text(text.replace("owner_role: admin", "owner_role: king"))
    assert main(["catalog", "check", str(bad), str(good)]) == 1
    out, err = capsys.readouterr()
    line = text.splitlines().index("owner_role: admin") + 1
    assert (
        err == f"{bad}:{line}: /owner_role: The catalog has no role 'king'. Choose one of: admin.\n"
    )
    assert out.startswith(f"{good}: ok, ours@")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("\ntitle: ", "\ntitle: !secret "), "YAML tags"),
        (("\ntitle: ", "\ntitle: \u202e"), "A title cannot contain control or formatting"),
    ],
)
def test_a_tag_or_a_hidden_character_in_a_title_is_named(change, message, tmp_path, capsys):
    file = tmp_path / "bad.yaml"
    file.write_text((CATALOGS / "runos.yaml").read_text().replace(*change))
    assert main(["catalog", "check", str(file)]) == 1
    err = capsys.readouterr().err
    assert message in err
    assert "constructor" not in err
    assert "Value error" not in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["catalog", "show", "novita"], 0),
        (["--help"], 0),
        (["catalog", "check", str(CATALOGS / "runos.yaml"), "none.yaml"], 2),
    ],
)
@pytest.mark.parametrize("closed", ["stdout", "both"])
def test_a_reader_that_has_enough_ends_the_command_quietly(arguments, code, closed):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        shown = subprocess.run(
            [sys.executable, "-m", "rolecall.cli", *arguments],
            stdout=writing,
            stderr=writing if closed == "both" else subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert b"BrokenPipe" not in (shown.stderr or b"")
    assert b"Traceback" not in (shown.stderr or b"")
    assert shown.returncode == code


def test_an_output_that_takes_no_more_is_said_in_a_sentence():
    with Path("/dev/full").open("w") as full:
        shown = subprocess.run(
            [sys.executable, "-m", "rolecall.cli", "catalog", "show", "novita"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert shown.stderr == b"The output cannot be written: No space left on device.\n"
    assert shown.returncode == 2


def test_an_unreadable_file_does_not_keep_others_from_being_checked(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: ours\n")
    good = CATALOGS / "runos.yaml"
    for files in ([tmp_path / "none.yaml", bad, good], [bad, tmp_path / "none.yaml", good]):
        assert main(["catalog", "check", *map(str, files)]) == 2
        said = capsys.readouterr()
        assert "none.yaml: No such file or directory" in said.err
        assert "bad.yaml:" in said.err
        assert f"{good}: ok" in said.out


def test_the_table_calls_a_project_as_the_catalog_does(capsys):
    assert main(["catalog", "show", "runos"]) == 0
    shown = capsys.readouterr().out
    assert "Services  (cluster-scoped)" in shown
    assert "project-scoped" not in shown


@pytest.mark.parametrize(
    ("permission", "url", "message"),
    [
        ("instance", "https://rolecall.example", "has the form `type:action`"),
        ("instance:write:x", "https://rolecall.example", "has the form `type:action`"),
        ("instance:write", "http://rolecall.example", "pass --allow-http"),
    ],
)
def test_a_check_names_the_option_or_the_form(permission, url, message, capsys):
    client = ["--client-id", "cli_1", "--client-secret", "s3cret"]
    assert main(["check", "usr_1", permission, "--url", url, *client]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("account", "said"), [((), "Pass the account of the resource with --account"), (("acc_1",), "")]
)
def test_a_denied_check_says_that_no_account_was_named(account, said, service, capsys):
    token = {"access_token": "t", "token_type": "Bearer", "expires_in": 300}
    decision = {"decision": False, "context": {"reason": "no-account"}}

    def answer(path, _):
        return 200, {}, json.dumps(token if path == "/oauth2/token" else decision).encode()

    service.answer = answer
    client = ["--url", service.url, "--client-id", "cli_1", "--client-secret", "s3cret"]
    named = [option for each in account for option in ("--account", each)]
    assert main(["check", "usr_1", "instance:write", *client, *named, "--allow-http"]) == 1
    out, err = capsys.readouterr()
    assert out == "denied (no-account)\n"
    assert (said in err) if said else err == ""


@pytest.mark.parametrize("command", ["check", "show"])
def test_an_unreadable_file_is_wrong_usage(command, tmp_path, capsys):
    assert main(["catalog", command, str(tmp_path / "none.yaml")]) == 2
    assert "No such file" in capsys.readouterr().err
    (tmp_path / "latin.yaml").write_bytes(b"title: \xe9")
    assert main(["catalog", command, str(tmp_path / "latin.yaml")]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_a_mistyped_name_of_a_catalog_gets_the_nearest_one(capsys):
    assert main(["catalog", "show", "Standart"]) == 2
    assert "Did you mean 'standard'? The shipped catalogs are: standard," in capsys.readouterr().err


def test_a_file_that_is_nested_too_deeply_is_invalid(tmp_path, capsys):
    file = tmp_path / "deep.yaml"
    file.write_text(f"a: {'[' * 1000}")
    assert main(["catalog", "check", str(file)]) == 1
    assert "nested too deeply" in capsys.readouterr().err


def test_the_usage_names_the_commands_and_the_version(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert (
        "{catalog,check,explain,who-can,forward-auth,export,plan,apply,token,"
        "audit,notifications,admin,dlq,doctor}" in capsys.readouterr().err
    )
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"rolecall {VERSION}\n"


def test_the_version_is_that_of_the_package():
    package = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())
    assert package["project"]["version"] == VERSION


def test_no_module_reads_the_metadata_of_an_installation():
    """The images have the package's files only."""
    modules = (ROOT / "sdk" / "rolecall").rglob("*.py")
    assert [path.name for path in modules if "importlib.metadata" in path.read_text()] == []


@pytest.mark.parametrize("arguments", [[], ["catalog"], ["catalog", "check"], ["sing"]])
def test_an_unknown_command_is_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: rolecall" in capsys.readouterr().err


def test_the_shown_table_has_every_entry_and_every_scope(capsys):
    assert main(["catalog", "show", "novita"]) == 0
    lines = capsys.readouterr().out.splitlines()
    catalog = rolecall.load_catalog("novita")
    assert lines[0] == f"Novita AI  {catalog.id}"
    assert lines[1].split() == ["owner", "admin", "developer", "basic", "billing"]
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("    ")}
    names = {
        f"{entry.id}:{level.id}" for entry in catalog.entries.values() for level in entry.levels
    }
    assert set(rows) - {"owner"} == names
    assert rows["instance:write"][:5] == ["all", "all", "all", "self", "-"]
    assert rows["instance:write"][5:] == [
        "also",
        *(f"instance:{action}" for action in ("create", "update", "delete", "start", "stop")),
    ]
    assert rows["model_upload:view"] == ["all", "-", "-", "-", "-"]
    assert all(
        entry.title in line
        for entry in catalog.entries.values()
        for line in [next(text for text in lines if text.strip().startswith(entry.title))]
    )


def test_a_file_is_shown_like_a_shipped_catalog(capsys):
    assert main(["catalog", "show", str(CATALOGS / "runos.yaml")]) == 0
    of_file = capsys.readouterr().out
    assert main(["catalog", "show", "runos"]) == 0
    assert capsys.readouterr().out == of_file


def test_a_client_is_created_and_its_secret_shown(service, capsys):
    code = create_client(
        service.url + "/",
        *("--scope", "authz:check", "--scope", "audit:write"),
        *("--account", "acc_1", "--resource-type", "instance"),
    )
    assert code == 0
    ((path, headers, sent),) = service.asked
    body = json.loads(sent)
    assert path == "/internal/admin/service-clients"
    assert headers["Authorization"] == "Bearer k3y"
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "name": "billing-api",
        "scopes": ["authz:check", "audit:write"],
        "account_ids": ["acc_1"],
        "resource_types": ["instance"],
    }
    out = capsys.readouterr().out
    assert "svc_1" in out
    assert "s3cret" in out


def test_a_key_is_sent_and_a_repeat_says_that_the_secret_was_shown(service, capsys):
    assert create_client(service.url, "--idempotency-key", "k-1") == 0
    assert service.asked[0][1]["Idempotency-Key"] == "k-1"
    service.answer = (201, {}, b'{"id": "svc_1", "secret": null, "note": "shown-once"}')
    assert create_client(service.url, "--idempotency-key", "k-1") == 1
    said = capsys.readouterr().err
    assert "svc_1" in said
    assert "create another client with a new key" in said


def test_an_unbound_client_sends_null_and_json_is_one_object(service, capsys):
    assert create_client(service.url, "--json") == 0
    assert json.loads(service.asked[0][2]) == {
        "name": "billing-api", "scopes": [], "account_ids": None, "resource_types": None
    }  # fmt: skip
    assert json.loads(capsys.readouterr().out) == {"id": "svc_1", "secret": "s3cret"}


def test_the_key_may_come_from_the_environment(service, monkeypatch, capsys):
    arguments = ["admin", "create-client", "--url", service.url, "--name", "x"]
    monkeypatch.delenv("ROLECALL_ADMIN_KEY", raising=False)
    assert main(arguments) == 2
    assert "ROLECALL_ADMIN_KEY" in capsys.readouterr().err
    monkeypatch.setenv("ROLECALL_ADMIN_KEY", "from-outside")
    assert main(arguments) == 0
    assert service.asked[0][1]["Authorization"] == "Bearer from-outside"


def publish(url, file, *more):
    return main(["catalog", "publish", str(file), "--url", url, "--key", "k3y", *more])


RUNOS = CATALOGS / "runos.yaml"


@pytest.mark.parametrize(
    ("new", "more", "said"),
    [
        (True, [], "published"),
        (False, [], "was published before"),
        (True, ["--dry-run"], "would be published"),
    ],
)
def test_a_catalog_is_published_as_json(service, new, more, said, capsys):
    service.answer = (200, {}, json.dumps({"id": "runos@1", "new": new}).encode())
    assert publish(service.url, RUNOS, *more) == 0
    ((path, headers, sent),) = service.asked
    assert (path, headers["Authorization"]) == ("/internal/admin/catalogs", "Bearer k3y")
    content = rolecall.load_catalog("runos").to_mapping()
    assert json.loads(sent) == {"content": content, "dry_run": bool(more)}
    assert capsys.readouterr().out == f"runos@1: {said}\n"


def test_faults_of_a_catalog_are_told_before_and_by_the_platform(service, tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text(RUNOS.read_text().replace("owner_role: admin", "owner_role: king"))
    assert publish(service.url, bad) == 1
    assert "/owner_role: The catalog has no role 'king'." in capsys.readouterr().err
    assert service.asked == []
    faults = [{"pointer": "/content/roles/0/title", "message": "Too short."}]
    service.answer = (422, {}, json.dumps(PROBLEM | {"errors": faults}).encode())
    assert publish(service.url, RUNOS) == 1
    assert capsys.readouterr().err == f"{RUNOS}: /roles/0/title: Too short.\n"


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ((401, {}, b'{"detail": "no"}'), 1, "refused with status 401"),
        ((404, {}, b""), 1, "Pass the internal address of team"),
        ((503, {}, b"{}"), 2, "refused with status 503"),
        ((200, {}, b"{}"), 2, "did not answer with a catalog. Check that this is team's"),
    ],
)
def test_a_catalog_that_is_not_published_is_said(service, answer, code, said, capsys):
    service.answer = answer
    assert publish(service.url, RUNOS) == code
    assert said in capsys.readouterr().err


def set_suspension(url, action, *more):
    return main(["admin", f"{action}-account", "acc_1", "--url", url, "--key", "k3y", *more])


@pytest.mark.parametrize(
    ("action", "more", "sent", "done"),
    [
        ("suspend", ["--reason", "Unpaid.", "--yes"], b'{"reason": "Unpaid."}', "acc_1: suspended"),
        ("resume", [], b"", "acc_1: resumed"),
    ],
)
def test_an_account_is_suspended_and_resumed(service, action, more, sent, done, capsys):
    account = b'{"id": "acc_1", "status": "active"}'
    service.answer = (200, {}, account)
    assert set_suspension(service.url, action, *more) == 0
    assert capsys.readouterr().out == f"{done}\n"
    ((path, headers, body),) = service.asked
    assert path == f"/internal/admin/accounts/acc_1/{action}"
    assert headers["Authorization"] == "Bearer k3y"
    assert body == sent
    service.answer = (202, {}, account)
    assert set_suspension(service.url, action, *more) == 0
    assert "A replica may not have it yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ((404, {}, b""), 1, "has no /internal/admin/accounts/acc_1/resume"),
        ((409, {}, b"{}"), 1, "refused with status 409"),
        ((503, {}, b"{}"), 2, "refused with status 503"),
        ((200, {}, b'{"id": "acc_2", "status": "active"}'), 2, "did not answer with an account"),
    ],
)
def test_an_account_that_is_not_resumed_is_said(service, answer, code, said, capsys):
    service.answer = answer
    assert set_suspension(service.url, "resume") == code
    assert said in capsys.readouterr().err


NOT_A_CLIENT = "did not answer with a service client"
PROBLEM = {
    "title": "Denied",
    "detail": "the key is not the admin key",
    "code": "admin-key-wrong",
    "request_id": "req_1",
    "errors": [{"pointer": "/name", "message": "too long"}],
}


@pytest.mark.parametrize(
    ("sentence", "answer", "code", "message"),
    [
        ("a refusal", (401, {}, json.dumps(PROBLEM).encode()), 1,
         "refused with status 401 (admin-key-wrong): the key is not the admin key"),
        ("a refusal names fields", (422, {}, json.dumps(PROBLEM).encode()), 1, "/name: too long."),
        ("a refusal names its request", (403, {}, json.dumps(PROBLEM).encode()), 1, " req_1."),
        ("a refusal by something else", (404, {}, b"<html>"), 1, "refused with status 404"),
        ("a refusal that is a list", (400, {}, b"[]"), 1, "refused with status 400"),
        ("a service in trouble", (503, {}, b""), 2, "refused with status 503"),
        ("an answer without a secret", (201, {}, b'{"id": "svc_1"}'), 2, NOT_A_CLIENT),
        ("an answer that is not JSON", (200, {}, b"hello"), 2, NOT_A_CLIENT),
        ("an answer that is a list", (200, {}, b"[]"), 2, NOT_A_CLIENT),
        ("a redirect", (302, {"Location": "/elsewhere"}, b""), 1, "refused with status 302"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_a_client(sentence, answer, code, message, service, capsys):
    service.answer = answer
    assert create_client(service.url) == code, sentence
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
    # A followed redirect would send the key to another host.
    assert len(service.asked) == 1


def test_a_server_that_does_not_listen_is_unreachable(capsys):
    with socket.socket() as bound:  # no other server can take the port
        bound.bind(("127.0.0.1", 0))
        assert create_client(f"http://127.0.0.1:{bound.getsockname()[1]}") == 2
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["ftp://example.test", "identity:8081", "file:///etc/passwd", "http://[", "http://[::1"]
)
def test_only_http_addresses_are_asked(url, capsys):
    assert create_client(url) == 2
    assert "not an http or https address" in capsys.readouterr().err
