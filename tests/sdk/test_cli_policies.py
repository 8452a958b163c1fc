"""Tests of `rolecall export`, `plan` and `apply`, with a stub service."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rolecall.cli import main
from tests.sdk.stub import stub_server

POLICY: dict[str, Any] = {
    "version": 1,
    "roles": [{"name": "Reader", "description": "", "grants": {"account": {"view": "all"}}}],
    "members": [
        {
            "email": "ana@example.com",
            "role": "Reader",
            "overrides": [{"project": "p", "grants": {}, "expires_at": "2100-01-01T00:00:00Z"}],
        }
    ],
}
CHANGE = {
    "type": "member_role",
    "name": "ana@example.com",
    "project": None,
    "pointer": "/policy/members/0/role",
    "before": {"role": "basic"},
    "after": {"role": "Reader"},
}
NOTHING = {
    "etag": '"tag"',
    "changes": [],
    "violations": [],
    "items": [],
    "members_concerned": 0,
    "policy_id": "pol_1",
}
ACCOUNT = ["--account", "acc_1"]
FILE = "version: 1\nroles:\n  - name: Reader\n    grant: {}\n"


@pytest.fixture
def service(monkeypatch):
    with stub_server() as running:
        monkeypatch.setenv("ROLECALL_URL", running.url)
        monkeypatch.setenv("ROLECALL_TOKEN", "t0ken")
        yield running


def answer(service, content, status=200):
    service.answer = (status, {}, json.dumps(content).encode())


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "policy.yml"
    path.write_text(FILE)
    return path


def test_an_export_is_a_file_that_plan_sends_unchanged(service, tmp_path):
    answer(service, {"etag": '"tag"', "account_rev": 3, "policy": POLICY})
    path = tmp_path / "policy.yml"
    assert main(["export", *ACCOUNT, "--out", str(path)]) == 0
    answer(service, NOTHING)
    assert main(["plan", str(path), *ACCOUNT]) == 0
    (asked, _, sent) = service.asked[-1]
    assert asked == "/v1/accounts/acc_1/policy/plan?limit=200"
    policy = json.loads(sent)["policy"]
    assert policy["roles"] == POLICY["roles"]
    assert policy["members"][0]["overrides"] == POLICY["members"][0]["overrides"]


def test_a_plan_exits_with_two_if_something_changes(service, file, capsys):
    answer(service, {**NOTHING, "changes": [CHANGE], "members_concerned": 1})
    assert main(["plan", str(file), *ACCOUNT]) == 2
    said = capsys.readouterr().out
    assert "~ member ana@example.com: basic → Reader" in said
    assert "1 changes; 1 members" in said
    assert main(["plan", str(file), *ACCOUNT, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["changes"] == [CHANGE]


def test_a_plan_that_a_guardrail_refuses_is_an_error(service, file, capsys):
    answer(service, {**NOTHING, "changes": [CHANGE], "violations": [{"guardrail": "Two"}]})
    assert main(["plan", str(file), *ACCOUNT]) == 1
    assert "“Two” would refuse" in capsys.readouterr().out


def test_a_refused_field_is_told_with_its_line(service, file, capsys):
    fault = {"pointer": "/policy/roles/0/grant", "message": "This field is unknown."}
    answer(service, {"code": "invalid", "detail": "No.", "errors": [fault]}, status=422)
    assert main(["plan", str(file), *ACCOUNT]) == 1
    assert f"{file}:4: /roles/0/grant: This field is unknown." in capsys.readouterr().err


def test_wrong_usage_of_a_plan_is_not_taken_for_changes(service, tmp_path):
    assert main(["plan", str(tmp_path / "missing.yml"), *ACCOUNT]) == 1
    for words in (["plan"], ["plan", "x.yml", *ACCOUNT, "--wrong"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 1
    with pytest.raises(SystemExit) as ended:
        main(["apply"])
    assert ended.value.code == 2
    assert service.asked == []


def test_a_plan_is_applied_to_the_state_that_it_was_made_for(service, file, tmp_path):
    answer(service, {**NOTHING, "changes": [CHANGE]})
    plan = tmp_path / "plan.json"
    assert main(["plan", str(file), *ACCOUNT, "--out", str(plan)]) == 2
    assert main(["apply", str(plan), *ACCOUNT]) == 0
    path, headers, sent = service.asked[-1]
    assert (path, headers["If-Match"]) == ("/v1/accounts/acc_1/policy", '"tag"')
    assert json.loads(sent)["policy"]["roles"] == [{"name": "Reader", "grant": {}}]
    assert main(["apply", str(plan), "--account", "acc_2"]) == 2


def test_a_file_is_planned_first_and_applied_to_that_state(service, file, capsys):
    answer(service, {**NOTHING, "changes": [CHANGE]})
    assert main(["apply", str(file), *ACCOUNT]) == 0
    assert [path.rpartition("/")[2] for path, _, _ in service.asked] == ["plan?limit=200", "policy"]
    assert service.asked[-1][1]["If-Match"] == '"tag"'
    assert "Applied pol_1: 1 changes." in capsys.readouterr().out


def test_the_example_of_a_workflow_plans_before_it_applies():
    text = (Path(__file__).parents[2] / "examples/github-action/policy.yml").read_text()
    workflow = yaml.safe_load(text)
    steps = [step.get("run", "") for step in workflow["jobs"]["policy"]["steps"]]
    commands = [step for step in steps if "rolecall " in step and "pip" not in step]
    assert ["plan" in commands[0], "apply" in commands[1]] == [True, True]
    assert workflow["permissions"] == {"contents": "read"}
