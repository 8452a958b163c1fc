"""The operator's commands for facts that a service could not apply."""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from rolecall.cli.operators import (
    add_operator_options,
    confirm,
    content_of,
    internal_url_variable,
    operator_of,
    say_done,
)
from rolecall.cli.output import OK, report, say
from rolecall.cli.topics import Topics
from rolecall.client.operator import OperatorRequests

SERVICES = ("identity", "team", "notification", "audit")
PATH = "dead-facts"
NONE = "There is none at this address."


def add_dlq_commands(topics: Topics) -> None:
    """Add `rolecall dlq`."""
    dlq = topics.add_parser("dlq", help="facts that a service could not apply, for operators")
    dlq.epilog = "Exit codes: 0 done, 1 refused, 2 wrong usage or no answer."
    commands = dlq.add_subparsers(required=True)
    for name, text, run in (
        ("list", "list the facts", _list),
        ("show", "show one with its event", _show),
        ("replay", "apply one again, after its cause is corrected", _replay),
        ("drop", "drop one: it counts as applied for good", _drop),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("service", choices=SERVICES, help="the service that holds the fact")
        if run is not _list:
            command.add_argument("fact", metavar="FACT", help="id of the fact, from `list`")
        if run is _replay:
            command.epilog = "`all` for FACT replays every one."
        add_operator_options(command, service=None, grave=run is _drop)
        command.set_defaults(run=run)


def _list(options: argparse.Namespace) -> int:
    facts = list(_facts(_operator(options)))
    for fact in facts:
        if options.json:
            say(json.dumps(fact))
        else:
            said = (fact["id"], fact["type"], fact["occurred_at"], fact["error"])
            say("  ".join(map(str, said)))
    if not facts:
        report(NONE)
    return OK


def _show(options: argparse.Namespace) -> int:
    fact = content_of(_operator(options).ask("GET", _of(options.fact), about=_about(options.fact)))
    say(json.dumps(fact, indent=None if options.json else 2))
    return OK


def _replay(options: argparse.Namespace) -> int:
    operator = _operator(options)
    every = options.fact == "all"
    facts = [one["id"] for one in _facts(operator)] if every else [options.fact]
    for fact in facts:
        answer = operator.ask("POST", f"{_of(fact)}/replay", about=_about(fact))
        say_done(options, answer, f"{fact}: applied")
    if not facts:
        report(NONE)
    return OK


def _drop(options: argparse.Namespace) -> int:
    operator, fact = _operator(options), options.fact
    confirm(options, f"drop the fact {fact}, whose effect is then lost", fact)
    answer = operator.ask("DELETE", _of(fact), about=_about(fact))
    say_done(options, answer, f"{fact}: dropped")
    return OK


def _facts(operator: OperatorRequests) -> Iterator[Mapping[str, Any]]:
    cursor: str | None = None
    while True:
        query = "?limit=200" + (f"&cursor={quote(cursor)}" if cursor else "")
        page = content_of(operator.ask("GET", PATH + query))
        yield from page.get("items", [])
        cursor = page.get("next_cursor")
        if cursor is None:
            return


def _operator(options: argparse.Namespace) -> OperatorRequests:
    options.url = options.url or os.environ.get(internal_url_variable(options.service))
    return operator_of(options)


def _of(fact: str) -> str:
    return f"{PATH}/{quote(fact, safe='')}"


def _about(fact: str) -> str:
    return f"fact {fact}"
