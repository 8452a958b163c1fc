"""Tests of the commands `explain`, `who-can` and `forward-auth check`."""

import json

import pytest

from rolecall.cli import main
from tests.sdk.stub import StubAnswer, stub_server

TOKEN: StubAnswer = (200, {}, b'{"access_token": "t", "expires_in": 300}')
DENIED = {
    "decision": False,
    "context": {"reason": "permission-missing", "role": "basic", "revision": None},
    "steps": [
        {"id": "account", "result": "holds", "text": "The account is active."},
        {"id": "grants", "result": "does-not-hold", "text": "The role Basic does not grant it."},
        {"id": "owner", "result": "not-reached", "text": "This was not looked at."},
    ],
    "would_allow": {"text": "The membership would need the role Admin.", "roles": ["admin"]},
    "could_grant": {"items": [{"user_id": "usr_a"}], "count": 3, "complete": True},
}
PAGES = {
    "": {
        "items": [{"user_id": "usr_a", "role": "owner", "override": None, "limited_to": None}],
        "next_cursor": "next",
    },
    "next": {
        "items": [{"user_id": "usr_b", "role": "basic", "override": "prj_1", "limited_to": "self"}],
        "next_cursor": None,
    },
}


@pytest.fixture
def server():
    def answer(path, body):
        if path.startswith("/oauth2"):
            return TOKEN
        if path == "/v1/authz/explain":
            return 200, {}, json.dumps(DENIED).encode()
        page = PAGES[path.partition("cursor=")[2]]
        return 200, {}, json.dumps(page).encode()

    with stub_server() as server:
        server.answer = answer
        yield server


def run(server, *arguments):
    of_client = ["--url", server.url, "--client-id", "cli_1", "--client-secret", "s"]
    return main([*arguments, *of_client])


def test_explain_prints_the_steps_and_what_would_allow(server, capsys):
    code = run(server, "explain", "usr_b", "balance:view", "--account", "acc_1")
    assert code == 1
    assert capsys.readouterr().out.splitlines() == [
        "denied (permission-missing) by role basic",
        "  yes account     The account is active.",
        "  no  grants      The role Basic does not grant it.",
        "  -   owner       This was not looked at.",
        "The membership would need the role Admin.",
        "Members who could allow it: usr_a and 2 more.",
    ]


def test_explain_asks_with_the_body_of_an_evaluation(server):
    run(server, "explain", "usr_b", "balance:view", "--account", "acc_1", "--project", "prj_1")
    path, _, body = server.asked[-1]
    assert path == "/v1/authz/explain"
    assert json.loads(body)["resource"]["properties"] == {
        "account_id": "acc_1",
        "project_id": "prj_1",
        "owner_id": None,
    }


def test_the_commands_say_of_which_past_time_they_answer(server, capsys):
    then = "2026-03-01T13:30:00Z"
    context = {"reason": "permission-missing", "role": "basic", "at": then}
    past = DENIED | {"context": context, "would_allow": None}
    server.answer = lambda path, _: (
        TOKEN if path.startswith("/oauth2") else (200, {}, json.dumps(past).encode())
    )
    for command in ("check", "explain"):
        assert run(server, command, "usr_b", "balance:view", "--account", "a", "--at", then) == 1
        said = capsys.readouterr().out.splitlines()[0]
        assert said == f"denied (permission-missing) by role basic, as of {then}"
        assert json.loads(server.asked[-1][2])["context"]["at"] == then


def test_a_wrong_time_is_refused_in_the_words_of_the_api(server, capsys):
    message = "Must be an RFC 3339 time with a zone, such as 2026-03-05T12:00:00Z"
    problem = {
        "code": "bad-request",
        "detail": "The request is not valid.",
        "errors": [{"pointer": "/context/at", "message": message}],
    }
    server.answer = lambda path, _: (
        TOKEN if path.startswith("/oauth2") else (400, {}, json.dumps(problem).encode())
    )
    assert run(server, "check", "usr_b", "balance:view", "--at", "yesterday") == 2
    assert message in capsys.readouterr().err


def test_who_can_is_about_the_present_only(server, capsys):
    assert run(server, "who-can", "balance:view", "--at", "2026-03-01T13:30:00Z") == 2
    assert capsys.readouterr().err.startswith("`who-can` answers about the present only.")
    assert server.asked == []


def test_who_can_prints_the_members_of_every_page(server, capsys):
    assert run(server, "who-can", "instance:delete", "--project", "prj_1") == 0
    assert capsys.readouterr().out.splitlines() == [
        "usr_a  role owner",
        "usr_b  override prj_1 (self)",
    ]


def test_who_can_says_when_no_member_has_it(server, capsys):
    empty = json.dumps({"items": [], "next_cursor": None}).encode()
    server.answer = lambda path, _: TOKEN if path.startswith("/oauth2") else (200, {}, empty)
    assert run(server, "who-can", "instance:delete") == 0
    assert capsys.readouterr() == ("", "No member has it.\n")


@pytest.mark.parametrize("command", [["explain", "usr_b"], ["who-can"]])
def test_an_answer_of_another_shape_is_undecided(server, capsys, command):
    server.answer = lambda path, _: TOKEN if path.startswith("/oauth2") else (200, {}, b"{}")
    assert run(server, *command, "instance:view") == 2
    assert capsys.readouterr().err.startswith("Not decided: The answer is not")


def test_forward_auth_check_reports_every_problem_with_its_line(tmp_path, capsys):
    file = tmp_path / "map.yaml"
    good = "gateway: envoy\nroutes:\n  - methods: [GET]\n    path: /v1/me\n    permission: a:b\n"
    file.write_text(good)
    assert main(["forward-auth", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: ok, 1 routes for envoy\n"
    file.write_text(good.replace("/v1/me", "/v1/").replace("GET", "FETCH"))
    assert main(["forward-auth", "check", str(file)]) == 1
    assert f"{file}:3: /routes/0/methods/0: The value 'FETCH'" in capsys.readouterr().err
    assert main(["forward-auth", "check", str(tmp_path / "none")]) == 2
