"""The commands that ask a running Rolecall: check, explain and who-can."""

import argparse
import json
import os
import re
from collections.abc import Callable

from rolecall.cli.names import HELP, project_id_of, user_id_of
from rolecall.cli.output import INVALID, OK, USAGE, UsageError, report, say
from rolecall.cli.topics import Topics
from rolecall.client.checks import RolecallClient
from rolecall.client.evaluations import CheckArguments, CheckDecision, UndecidedError
from rolecall.core.condition_facts import Given
from rolecall.core.decision_steps import StepResult
from rolecall.core.table import PERMISSION_PATTERN

MARKS = {
    StepResult.HOLDS: "yes",
    StepResult.DOES_NOT_HOLD: "no",
    StepResult.NOT_REACHED: "-",
}

PROPERTIES = {
    "--property": "resource",
    "--subject-property": "subject",
    "--action-property": "action",
    "--context": "context",
}


def add_check_commands(topics: Topics) -> None:
    """Add `rolecall check`, `explain` and `who-can`."""
    check = topics.add_parser("check", help="check whether a user or an API token has a permission")
    explained = topics.add_parser("explain", help="explain such a check, step by step")
    for command, run in ((check, _check), (explained, _explain)):
        command.add_argument("user", help="id or e-mail address of a user, or id of an API token")
        command.set_defaults(run=_asking(run))
    holders = topics.add_parser("who-can", help="list the members who have a permission")
    holders.set_defaults(run=_asking(_who_can))
    for command in check, explained, holders:
        _add_question(command)
    for command in check, explained:
        command.add_argument("--at-least-revision", help="revision that the answer must rest on")
        for option, part in PROPERTIES.items():
            command.add_argument(
                option,
                action="append",
                default=[],
                metavar="NAME=TEXT",
                help=f"property of the {part} that conditions test; name:=JSON gives another value",
            )


def _add_question(command: argparse.ArgumentParser) -> None:
    command.epilog = HELP
    command.add_argument("permission", help="the permission, such as instance:write")
    command.add_argument(
        "--url",
        default=os.environ.get("ROLECALL_URL"),
        help="address of the gateway (default: ROLECALL_URL)",
    )
    command.add_argument(
        "--client-id",
        default=os.environ.get("ROLECALL_CLIENT_ID"),
        help="id of a service client (default: ROLECALL_CLIENT_ID)",
    )
    command.add_argument(
        "--client-secret", help="secret of the client (default: ROLECALL_CLIENT_SECRET)"
    )
    command.add_argument("--account", help="account of the resource")
    command.add_argument("--project", help="id or name of the project of the resource")
    command.add_argument("--resource", help="id of the resource")
    command.add_argument("--owner", help="id or e-mail address of the user who owns the resource")
    command.add_argument(
        "--at", metavar="TIME", help="answer as of this past time, such as 2026-03-05T12:00:00Z"
    )
    command.add_argument(
        "--allow-http", action="store_true", help="send the secret without encryption"
    )


def _asking(
    run: Callable[[RolecallClient, argparse.Namespace], int],
) -> Callable[[argparse.Namespace], int]:
    """The command with a client; what is not decided is not an answer."""

    def asking(options: argparse.Namespace) -> int:
        for option, name in (("--url", "ROLECALL_URL"), ("--client-id", "ROLECALL_CLIENT_ID")):
            if not getattr(options, option[2:].replace("-", "_")):
                raise UsageError(f"{option} is missing. Pass it, or set {name}.")
        secret = options.client_secret or os.environ.get("ROLECALL_CLIENT_SECRET")
        if not secret:
            raise UsageError(
                "The client's secret is missing. Pass --client-secret, or set"
                " ROLECALL_CLIENT_SECRET."
            )
        if re.fullmatch(PERMISSION_PATTERN, options.permission) is None:
            raise UsageError("A permission has the form `type:action`, such as `instance:write`.")
        try:
            client = RolecallClient(
                options.url, options.client_id, secret, allow_http=options.allow_http
            )
            return run(client, _with_ids(options))
        except (ValueError, UndecidedError) as error:
            text = str(error).replace("allow_http=True", "--allow-http")
            report(f"Not decided: {text}")
            return USAGE

    return asking


def _with_ids(options: argparse.Namespace) -> argparse.Namespace:
    """The options with ids where they had addresses and names."""
    if hasattr(options, "user"):
        options.user = user_id_of(options, options.user)
    options.owner = user_id_of(options, options.owner)
    options.project = project_id_of(options, options.project)
    return options


def _check(client: RolecallClient, options: argparse.Namespace) -> int:
    decision = client.check(options.user, options.permission, **_arguments(options))
    return _say_verdict(decision, options)


def _explain(client: RolecallClient, options: argparse.Namespace) -> int:
    found = client.explain(options.user, options.permission, **_arguments(options))
    code = _say_verdict(found.decision, options)
    for step in found.steps:
        say(f"  {MARKS[step.result]:<4}{step.id:<12}{step.text}")
    if found.would_allow:
        say(found.would_allow)
    if found.could_grant:
        more = found.count - len(found.could_grant)
        others = f" and {more} more" if more else ""
        say(f"Members who could allow it: {', '.join(found.could_grant)}{others}.")
    return code


def _who_can(client: RolecallClient, options: argparse.Namespace) -> int:
    if options.at is not None:
        raise UsageError(
            "`who-can` answers about the present only. Ask about one user at a past time with"
            " `rolecall check --at`."
        )
    found = list(
        client.who_can(
            options.permission,
            account_id=options.account,
            project_id=options.project,
            resource_id=options.resource,
            owner_id=options.owner,
        )
    )
    for holder in found:
        limits = "" if holder.limited_to is None else f" ({holder.limited_to})"
        say(f"{holder.user_id}  {holder.decided_by.replace(':', ' ', 1)}{limits}")
    if not found:
        report("No member has it.")
    return OK


def _arguments(options: argparse.Namespace) -> CheckArguments:
    """The arguments of a check that the options give."""
    return CheckArguments(
        account_id=options.account,
        project_id=options.project,
        resource_id=options.resource,
        owner_id=options.owner,
        at_least_revision=options.at_least_revision,
        at=options.at,
        given=_given(options),
    )


def _given(options: argparse.Namespace) -> Given:
    """The properties that the options give, by their parts."""
    return Given(
        subject=dict(map(_property, options.subject_property)),
        resource=dict(map(_property, options.property)),
        action=dict(map(_property, options.action_property)),
        context=dict(map(_property, options.context)),
    )


def _property(written: str) -> tuple[str, object]:
    name, equals, text = written.partition("=")
    if equals and not name.endswith(":") and name:
        return name, text
    try:
        if equals and len(name) > 1:
            return name[:-1], json.loads(text)
    except ValueError:
        pass
    raise UsageError(
        f"`{written}` is not a property. Write name=text, or name:=JSON such as mfa:=true."
    )


def _say_verdict(decision: CheckDecision, options: argparse.Namespace) -> int:
    decided_by = [
        f"{kind} {name}"
        for kind, name in (("role", decision.role), ("override", decision.override))
        if name
    ]
    verdict = "allowed" if decision.allowed else f"denied ({decision.reason})"
    as_of = "" if decision.at is None else f", as of {decision.at}"
    say(" by ".join([verdict, *decided_by]) + as_of)
    if not options.account and not decision.allowed:
        report("No account was named. Pass the account of the resource with --account.")
    return OK if decision.allowed else INVALID
