"""The commands of a member for streams of the audit log: list, show, test, resume."""

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rolecall.cli.members import (
    account_url,
    add_member_options,
    ask_at,
    content_of,
    items_at,
    named_one,
)
from rolecall.cli.operators import say_fields
from rolecall.cli.output import INVALID, OK, USAGE, UsageError, plain, report, say
from rolecall.cli.topics import Topics

LONGEST_PAUSE_SECONDS = 1.0
"""Between two looks for the result of a test."""
STATES = {
    None: "sends",
    "member": "paused by a member",
    "gone": "paused: the receiver answered 410",
    "failing": "paused: the receiver failed for three days",
    "set-back": "paused: its place is not in the log any more",
    "reverted": "paused: the team became a personal account",
}
_SHOWN = ("id", "name", "url", "header", "secret_at", "created_by", "created_at", "sent_at")
_EXIT_CODES = (
    "Needs a token of a member with `webhook:manage`; `test` and `resume` also `audit_log:view`."
    " Exit codes: 0 done, 1 refused or the test failed, 2 wrong usage or no answer."
)


def add_stream_commands(commands: Topics) -> None:
    """Add `rolecall audit streams`."""
    streams = commands.add_parser("streams", help="streams of the audit log to receivers")
    streams.epilog = _EXIT_CODES
    each = streams.add_subparsers(required=True)
    listed = each.add_parser("list", help="list the streams, the oldest first")
    shown = each.add_parser("show", help="show a stream, and how far its receiver is")
    test = each.add_parser("test", help="send a test batch, and print what came of it")
    resume = each.add_parser("resume", help="let a stream that is paused go on")
    test.add_argument(
        "--wait",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for the result (default: 30); 0 only orders the test",
    )
    resume.add_argument(
        "--from",
        dest="start",
        choices=("now", "beginning"),
        help="go on behind the newest record, or from the oldest that is kept (default: where it"
        " stopped)",
    )
    for command in shown, test, resume:
        command.add_argument("stream", metavar="STREAM", help="id or name of the stream")
    for command, run in ((listed, _list), (shown, _show), (test, _test), (resume, _resume)):
        command.epilog = _EXIT_CODES
        add_member_options(command)
        command.add_argument("--json", action="store_true", help="print JSON")
        command.set_defaults(run=run)


def _list(options: argparse.Namespace) -> int:
    found = list(items_at(_url(options)))
    if options.json:
        say(json.dumps({"items": found}))
        return OK
    for stream in found:
        shown = (stream["id"], _state(stream), _progress(stream), _host(stream), stream["name"])
        say(plain("  ".join(filter(None, shown))))
    if not found:
        report("The account has no stream.")
    return OK


def _show(options: argparse.Namespace) -> int:
    _say(options, _found(options))
    return OK


def _test(options: argparse.Namespace) -> int:
    if options.wait < 0:
        raise UsageError("--wait must be at least 0.")
    before = _found(options)
    url = f"{_url(options)}/{quote(before['id'], safe='')}"
    stream = content_of(ask_at(f"{url}/test", "POST", {}))
    until, pause = time.monotonic() + options.wait, LONGEST_PAUSE_SECONDS / 16
    while stream["test_due"] and time.monotonic() < until:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        stream = content_of(ask_at(url, "GET"))
    if options.json:
        say(json.dumps(stream))
    if stream["test_due"] or stream["tested"] is None:
        report("The test is ordered. `rolecall audit streams show` tells what came of it.")
        return USAGE if options.wait else OK
    tested = stream["tested"]
    if not options.json:
        say(_trial(tested))
    return OK if tested["problem"] is None else INVALID


def _resume(options: argparse.Namespace) -> int:
    stream = _found(options)
    wanted = {"enabled": True} | ({"start": options.start} if options.start else {})
    changed = ask_at(f"{_url(options)}/{quote(stream['id'], safe='')}", "PATCH", wanted)
    _say(options, content_of(changed))
    return OK


def _found(options: argparse.Namespace) -> Mapping[str, Any]:
    return named_one(items_at(_url(options)), options.stream, what="stream", whats="streams")


def _url(options: argparse.Namespace) -> str:
    return f"{account_url(options)}/audit-streams"


def _say(options: argparse.Namespace, stream: Mapping[str, Any]) -> None:
    if options.json:
        say(json.dumps(stream))
        return
    fields = {name: stream.get(name) for name in _SHOWN}
    fields |= {"state": _state(stream), "place": _progress(stream)}
    if stream["problem"] is not None:
        fields["problem"] = f"{stream['problem']} (since {stream['failing_since']})"
        fields["next attempt"] = stream["next_attempt_at"]
    if stream["tested"] is not None:
        fields["tested"] = _trial(stream["tested"])
    if stream["test_due"]:
        fields["test"] = "is about to be sent"
    say_fields({name: plain(str(value)) if value else None for name, value in fields.items()})


def _state(stream: Mapping[str, Any]) -> str:
    because = stream["paused_because"]
    if because is None and stream["problem"] is not None:
        return "fails"
    return STATES.get(because, f"paused: {because}")


def _progress(stream: Mapping[str, Any]) -> str:
    return f"at record {stream['place']} of the log, {stream['waiting_records']} wait"


def _host(stream: Mapping[str, Any]) -> str:
    return str(stream["url"]).partition("://")[2].partition("/")[0]


def _trial(tested: Mapping[str, Any]) -> str:
    taken = "The receiver took the test" if tested["problem"] is None else tested["problem"]
    return plain(f"{taken.rstrip('.')} ({tested['at']}, {tested['milliseconds']} ms).")
