"""The operator's commands for users: show, disable, enable, unlock, reset factors, erase."""

import argparse
import json
from urllib.parse import quote

from rolecall.cli.operators import (
    add_operator_options,
    confirm,
    content_of,
    operator_of,
    say_done,
    say_fields,
)
from rolecall.cli.output import OK, say
from rolecall.cli.topics import Topics

_SHOWN = (
    "id",
    "email",
    "name",
    "status",
    "reason",
    "disabled_at",
    "created_at",
    "verified_at",
    "personal_account_id",
    "has_password",
    "second_factors",
)
_GRAVE = {
    "disable": "disable the user {user} and end all of their sessions",
    "erase": "delete the user {user} for good, with name and address, also in the audit log",
    "reset-mfa": "let the user {user} sign in with the password alone",
}
_DONE = {
    "disable": "disabled",
    "enable": "enabled",
    "unlock": "unlocked",
    "erase": "erased; the audit log follows within minutes",
    "reset-mfa": "no second factor",
}


def add_user_commands(admin: Topics) -> None:
    """Add the commands."""
    show = admin.add_parser("show-user", help="show a user and their sessions")
    show.add_argument("user", metavar="USER", help="id or e-mail address of the user")
    add_operator_options(show, service="identity")
    show.set_defaults(run=_show)
    texts = {
        "disable": "deny a user everything, end their sessions, and tell them why by mail",
        "enable": "let a disabled user sign in again, and tell them by mail",
        "unlock": "give the failed sign-ins with a user's address back",
        "erase": "delete a user who asked for it for good, and erase their name everywhere",
        "reset-mfa": "remove the second factors of a user who has lost them, and tell them by mail",
    }
    for action, text in texts.items():
        name = action if action == "reset-mfa" else f"{action}-user"
        command = admin.add_parser(name, help=text)
        command.add_argument("user", metavar="USER", help="id of the user")
        if action == "disable":
            command.add_argument(
                "--reason", required=True, help="text for the user, who gets it by mail"
            )
        add_operator_options(command, service="identity", grave=action in _GRAVE)
        command.set_defaults(run=_change, action=action, reason=None)


def _show(options: argparse.Namespace) -> int:
    named = "email" if "@" in options.user else "user_id"
    answer = operator_of(options).ask(
        "POST", "users/find", {named: options.user}, about=f"user {options.user}"
    )
    user = content_of(answer)
    if options.json:
        say(json.dumps(user))
        return OK
    say_fields({name: user.get(name) for name in _SHOWN})
    for session in user.get("sessions", []):
        seen = session["refreshed_at"] or session["started_at"]
        say(f"session  {session['id']}  in {session['account_id']}  last {seen}")
    return OK


def _change(options: argparse.Namespace) -> int:
    user, action = options.user, options.action
    operator = operator_of(options)
    if action in _GRAVE:
        confirm(options, _GRAVE[action].format(user=user), user)
    body = {"reason": options.reason} if action == "disable" else None
    answer = operator.ask(
        "POST", f"users/{quote(user, safe='')}/{action}", body, about=f"user {user}"
    )
    done = _DONE[action]
    if action == "reset-mfa":
        done = f"{done}; removed: {_kinds(content_of(answer).get('removed_factors'))}"
    say_done(options, answer, f"{user}: {done}")
    return OK


def _kinds(removed: object) -> str:
    return ", ".join(map(str, removed)) if isinstance(removed, list) and removed else "none"
