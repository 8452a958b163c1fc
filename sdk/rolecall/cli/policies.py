"""The commands for an account's policy as one file: export, plan and apply."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from rolecall.cli.members import add_member_options, ask, content_of
from rolecall.cli.output import INVALID, OK, UsageError, plain, report, report_problems, say
from rolecall.cli.topics import Topics
from rolecall.client.operator import AdminError
from rolecall.core.problems import CatalogError
from rolecall.core.source import Lines, parse

CHANGES = 2
"""The exit code of a plan that has changes; 1 is that of every error."""
PLAN = "rolecall_plan"
MAX_MEMBERS = "200"
_VERBS = {
    "create": "+",
    "set": "+",
    "change": "~",
    "rename": "~",
    "role": "~",
    "delete": "-",
    "remove": "-",
}
"""The sign of a change, by the last word of its type."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A file: its policy and the lines of it; of a plan also the entity tag that it is for."""

    path: Path
    policy: Any
    lines: Lines | None
    etag: str | None = None
    account: str | None = None


def add_policy_commands(topics: Topics) -> None:
    """Add `rolecall export`, `rolecall plan` and `rolecall apply`."""
    export = topics.add_parser("export", help="write an account's policy as YAML")
    add_member_options(export)
    export.add_argument("--out", type=Path, metavar="FILE", help="write into a file")
    export.set_defaults(run=_export)
    plan = topics.add_parser("plan", help="show what applying a policy would change")
    add_member_options(plan)
    plan.add_argument("file", type=Path, metavar="FILE", help="a YAML file with a policy")
    plan.add_argument("--out", type=Path, metavar="PLAN", help="keep the plan for `apply`")
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    plan.set_defaults(run=_plan)
    apply = topics.add_parser("apply", help="make an account as a policy or a plan says")
    add_member_options(apply)
    apply.add_argument("file", type=Path, metavar="FILE|PLAN", help="a policy, or a kept plan")
    apply.add_argument("--json", action="store_true", help="print what was changed as JSON")
    apply.set_defaults(run=_apply)


def _export(options: argparse.Namespace) -> int:
    answer = content_of(ask(options, "GET", "policy"))
    text = yaml.safe_dump(
        _without_nulls(answer.get("policy")), sort_keys=False, allow_unicode=True, width=100
    )
    if options.out is None:
        say(text.rstrip())
    else:
        _write(options.out, text)
    return OK


def _plan(options: argparse.Namespace) -> int:
    """Show a plan; its exit codes are 0 (nothing to do), 1 (an error) and 2 (changes)."""
    try:
        given = _read(options.file)
        plan = _planned(options, given)
    except (UsageError, AdminError) as error:
        report(str(error))
        return INVALID
    except CatalogError as error:
        report_problems(options.file, error)
        return INVALID
    if options.out is not None:
        kept = {PLAN: 1, "account": options.account, "etag": plan.get("etag")}
        _write(options.out, json.dumps({**kept, "policy": given.policy}, indent=2, default=_time))
    if options.json:
        say(json.dumps(plan, indent=2))
    else:
        _say_plan(plan)
    if plan.get("violations"):
        return INVALID
    return CHANGES if plan.get("changes") else OK


def _apply(options: argparse.Namespace) -> int:
    try:
        given = _read(options.file)
    except CatalogError as error:
        report_problems(options.file, error)
        return INVALID
    if given.account not in (None, options.account):
        raise UsageError(plain(f"{given.path} is a plan for the account {given.account}."))
    etag = given.etag
    if etag is None:  # of the state that is shown, and of no later one
        plan = _planned(options, given)
        if not options.json:
            _say_plan(plan)
        etag = str(plan.get("etag"))
    done = _sent(options, given, "PUT", "policy", {"If-Match": etag})
    if options.json:
        say(json.dumps(done, indent=2))
    else:
        say(f"Applied {done.get('policy_id')}: {len(done.get('changes', []))} changes.")
    return OK


def _planned(options: argparse.Namespace, given: PolicyText) -> Mapping[str, Any]:
    return _sent(options, given, "POST", f"policy/plan?limit={MAX_MEMBERS}", {})


def _sent(
    options: argparse.Namespace,
    given: PolicyText,
    method: str,
    path: str,
    headers: Mapping[str, str],
) -> Mapping[str, Any]:
    """Send the policy, and return the answer.

    Raises:
        AdminError: it was refused; each fault has its line in the file.
    """
    body = json.loads(json.dumps({"policy": given.policy}, default=_time))
    try:
        return content_of(ask(options, method, path, body, headers=headers))
    except AdminError as error:
        told = "".join(f"\n{_located(given, *fault)}" for fault in error.faults)
        raise AdminError(_plain_lines(f"{error}{told}"), unreachable=error.unreachable) from error


def _located(given: PolicyText, pointer: str, message: str) -> str:
    """A fault with its line in the file."""
    below = pointer.removeprefix("/policy")
    if given.lines is None:
        return f"{given.path}: {below or '/'}: {message}"
    place = tuple(
        int(part) if part.isdigit() else part.replace("~1", "/").replace("~0", "~")
        for part in below.split("/")[1:]
    )
    return f"{given.path}:{given.lines.written_at(place)[1]}: {below or '/'}: {message}"


def _plain_lines(text: str) -> str:
    """The lines of a text without signs that command a terminal."""
    return "\n".join(plain(line) for line in text.split("\n"))


def _read(path: Path) -> PolicyText:
    """Read a policy or a plan.

    Raises:
        UsageError: the file cannot be read.
        CatalogError: it is not one YAML mapping.
    """
    try:
        content, lines = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: The file is not UTF-8 text. Save it as UTF-8.") from error
    if PLAN in content:
        return PolicyText(
            path=path,
            policy=content.get("policy"),
            lines=None,
            etag=str(content.get("etag")),
            account=str(content.get("account")),
        )
    return PolicyText(path=path, policy=content, lines=lines)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error


def _time(moment: object) -> str:
    """A moment that YAML has read, as JSON has it."""
    if not isinstance(moment, date):
        raise TypeError(f"A {type(moment).__name__} is not a value of JSON.")
    return moment.isoformat()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _say_plan(plan: Mapping[str, Any]) -> None:
    changes = plan.get("changes", [])
    for change in changes:
        say(plain(_change_text(change)))
    if not changes:
        say("Nothing to change: the account is as the file says.")
        return
    say(f"{len(changes)} changes; {plan.get('members_concerned')} members gain or lose something.")
    for member in plan.get("items", []):
        who = member.get("email") or member.get("user_id")
        gained, lost = (_levels(member["everywhere"][side]) for side in ("gained", "lost"))
        inside = f", and in {len(member['in_projects'])} projects" if member["in_projects"] else ""
        say(plain(f"  {who}: gains {gained}; loses {lost}{inside}"))
    for violation in plan.get("violations", []):
        say(plain(f"The guardrail “{violation['guardrail']}” would refuse this."))


def _change_text(change: Mapping[str, Any]) -> str:
    what, _, verb = change["type"].rpartition("_")
    before, after = change.get("before") or {}, change.get("after") or {}
    text = f"{_VERBS.get(verb, '~')} {what} {change['name']}"
    if change.get("project"):
        text += f" in {change['project']}"
    if verb == "role":
        return f"{text}: {before.get('role')} → {after.get('role')}"
    return f"{text}: was {before.get('name')}" if verb == "rename" else text


def _levels(changes: Mapping[str, Mapping[str, Any]]) -> str:
    found = [f"{entry}:{level}" for entry, levels in changes.items() for level in levels]
    return ", ".join(found) or "nothing"
