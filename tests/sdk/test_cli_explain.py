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


MEMBERS = [
    {"user_id": "usr_1", "email": "ana@example.com"},
    {"user_id": "usr_2", "email": "banana@example.com"},
    {"user_id": None, "email": "ana@example.com"},
    *({"user_id": f"usr_{number}", "email": "twice@example.com"} for number in (3, 4)),
]
PROJECTS = [
    {"id": "prj_1", "name": "Alpha"},
    {"id": "prj_2", "name": "alpha"},
    {"id": "prj_3", "name": "Beta"},
    *({"id": f"prj_{number}", "name": "Twice"} for number in (4, 5)),
]


@pytest.fixture
def account(server, monkeypatch):
    monkeypatch.setenv("ROLECALL_TOKEN", "rct_1")
    others = server.answer

    def answer(path, body):
        for name, found in (("members", MEMBERS), ("projects", PROJECTS)):
            if path.startswith(f"/v1/accounts/acc_1/{name}?"):
                return 200, {}, json.dumps({"items": found, "next_cursor": None}).encode()
        return others(path, body)

    server.answer = answer
    return server


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (["Ana@example.com", "x:y"], {"user": "usr_1"}),
        (["usr_9", "x:y", "--project", "Alpha"], {"project_id": "prj_1"}),
        (["usr_9", "x:y", "--project", "alpha"], {"project_id": "prj_2"}),
        (["usr_9", "x:y", "--project", "BETA"], {"project_id": "prj_3"}),
        (["usr_9", "x:y", "--owner", "ana@example.com"], {"owner_id": "usr_1"}),
        (["usr_9", "x:y", "--project", "prj_9"], {"project_id": "prj_9"}),
    ],
)
def test_addresses_and_names_are_looked_up_in_the_account(account, given, asked):
    run(account, "explain", *given, "--account", "acc_1")
    path, _, body = account.asked[-1]
    assert path == "/v1/authz/explain"
    question = json.loads(body)
    found = {"user": question["subject"]["id"], **question["resource"]["properties"]}
    assert found | asked == found


def test_who_can_takes_the_name_of_a_project_and_the_address_of_an_owner(account):
    place = ["--project", "Beta", "--owner", "banana@example.com", "--account", "acc_1"]
    assert run(account, "who-can", "instance:delete", *place) == 0
    question = json.loads(account.asked[-1][2])
    assert (question["project_id"], question["owner_id"]) == ("prj_3", "usr_2")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["twice@example.com", "x:y"], "More than one member of acc_1 has the address `twice@"),
        (["usr_9", "x:y", "--project", "Twice"], "Pass an id: prj_4, prj_5."),
        (["usr_9", "x:y", "--project", "TWICE"], "Pass an id: prj_4, prj_5."),
        (["usr_9", "x:y", "--project", "ALPHA"], "Pass an id: prj_1, prj_2."),
        (
            ["usr_9", "x:y", "--project", "Gamma\x1b"],
            "No project of acc_1 has the name `Gamma\ufffd`.",
        ),
    ],
)
def test_a_name_of_none_or_of_several_is_not_guessed(account, capsys, given, told):
    assert run(account, "explain", *given, "--account", "acc_1") == 2
    assert told in capsys.readouterr().err
    assert not [path for path, _, _ in account.asked if path == "/v1/authz/explain"]


def test_an_external_id_may_look_like_an_address(account, capsys, monkeypatch):
    rick = "rick@the-citadel.com"
    there = ["--account", "acc_1"]
    for place, told in (
        (there, f"No member of acc_1 has the address `{rick}`. It is taken for an external id."),
        ([], f"`{rick}` is taken for an external id. Name the account, and set ROLECALL_TOKEN"),
        (there, f"`{rick}` is taken for an external id."),
    ):
        run(account, "explain", rick, "x:y", "--owner", "ana@example.com", *place)
        assert told in capsys.readouterr().err
        path, _, body = account.asked[-1]
        assert (path, json.loads(body)["subject"]["id"]) == ("/v1/authz/explain", rick)
        if not place:
            monkeypatch.delenv("ROLECALL_TOKEN")


def test_a_look_up_needs_an_account_and_a_token(server, capsys, monkeypatch):
    monkeypatch.delenv("ROLECALL_TOKEN", raising=False)
    monkeypatch.delenv("ROLECALL_TOKEN_FILE", raising=False)
    asked = ["explain", "usr_1", "balance:view", "--project", "Beta"]
    assert run(server, *asked) == 2
    assert "Name it with --account." in capsys.readouterr().err
    assert run(server, *asked, "--account", "acc_1") == 2
    assert "Your token is missing." in capsys.readouterr().err
    monkeypatch.setenv("ROLECALL_TOKEN", "rct_1")
    server.answer = 403, {}, b'{"code": "permission-denied", "detail": "Not yours."}'
    assert run(server, *asked, "--account", "acc_1") == 2
    assert "pass its id instead: refused with status 403" in capsys.readouterr().err
