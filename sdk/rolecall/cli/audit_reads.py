"""The commands that read the audit log of an account: search, export and tail."""

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from rolecall.cli.audit_files import ExportFile, export_table
from rolecall.cli.members import account_url, add_member_options, ask, content_of, credential
from rolecall.cli.output import INVALID, OK, USAGE, UsageError, plain, report, say
from rolecall.cli.saved_searches import saved_filters
from rolecall.cli.topics import Topics
from rolecall.client.operator import AdminError
from rolecall.client.streams import RefusedError, lines_of
from rolecall.client.transport import UnreachableError

FILTERS = {
    "from": "from this moment on, such as 2026-03-05T12:00:00Z",
    "to": "before this moment",
    "user": "who acted: an id or an e-mail address",
    "resource-type": "type of the resource, such as member",
    "resource-id": "id of the resource",
    "action": "an action (member.removed), a noun (member.), or a prefix (mem*)",
    "outcome": "succeeded, denied or failed",
    "project": "id of the project",
    "request-id": "id of the request",
    "through": "id of the API token, session or service client that was used",
    "on-behalf-of": "id of the user for whom a service acted",
    "text": "words of the name of the actor or of the resource",
}
METAVARS = {
    "from": "TIME",
    "to": "TIME",
    "user": "USER",
    "resource-type": "TYPE",
    "action": "ACTION",
    "outcome": "OUTCOME",
    "text": "WORDS",
}
QUIET_SECONDS = 30.0
"""A tail tells something every five seconds."""
LINE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0
ATTEMPTS = 5
"""How often in a row a stream is opened anew that told nothing."""
GOES_ON = frozenset({"draining", "too-slow", "unavailable", "too-many-tails-at-once"})
"""The ends of a tail after which it is opened again."""
PASSES = frozenset({429, 502, 503, 504})
_EXIT_CODES = "Exit codes: 0 done, 1 refused or not whole, 2 wrong usage or no answer."


def add_audit_read_commands(commands: Topics) -> None:
    """Add `rolecall audit search`, `export` and `tail`."""
    search = commands.add_parser("search", help="search the audit log, the newest first")
    search.add_argument("--limit", type=int, default=50, help="records to show (default: 50)")
    export = commands.add_parser("export", help="export the audit log, the oldest first")
    export.add_argument("--output", required=True, metavar="FILE", help="file to write")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="its format")
    export.add_argument(
        "--resume",
        action="store_true",
        help="go on with a file of JSON Lines that was cut off; its filters are in it",
    )
    export.description = (
        "Exports the audit log. The last line of the file says that it is whole. Verify a file of"
        " JSON Lines with `rolecall audit verify FILE --key VKEY`, best with a --checkpoint that"
        " you have kept yourself."
    )
    tail = commands.add_parser("tail", help="follow the audit log live, until you stop it")
    tail.add_argument("--after", metavar="ID", help="id of the last event of an earlier tail")
    for command, run in ((search, _search), (export, _export), (tail, _tail)):
        command.epilog = _EXIT_CODES
        add_member_options(command)
        for name, text in FILTERS.items():
            dest = f"filter_{name.replace('-', '_')}"
            command.add_argument(
                f"--{name}", dest=dest, metavar=METAVARS.get(name, "ID"), help=text
            )
        command.add_argument(
            "--saved",
            metavar="NAME",
            help="name or id of a saved search; other filters replace its",
        )
        if command is not export:
            command.add_argument(
                "--json", action="store_true", help="print JSON, one record a line"
            )
        command.set_defaults(run=run)


def _filters(options: argparse.Namespace) -> dict[str, str]:
    names = (name.replace("-", "_") for name in FILTERS)
    given = {name: getattr(options, f"filter_{name}") for name in names}
    saved = saved_filters(options) if options.saved else {}
    return saved | {name: value for name, value in given.items() if value is not None}


def _search(options: argparse.Namespace) -> int:
    if options.limit < 1:
        raise UsageError("--limit must be at least 1.")
    query, left, complete = _filters(options), options.limit, None
    cursor: str | None = ""
    while cursor is not None and left > 0:
        asked = {**query, "limit": str(min(left, 200)), **({"cursor": cursor} if cursor else {})}
        page = content_of(ask(options, "GET", f"audit-events?{urlencode(asked)}"))
        complete = complete or page.get("complete_until")
        for record in page.get("items", []):
            say(_line(record, options))
            left -= 1
        cursor = page.get("next_cursor")
    if left == options.limit:
        report("No record was found.")
    if complete:
        report(f"Complete until {complete}. Later actions may still be on their way.")
    else:
        report("How far the log is complete is not known yet. Actions may be on their way.")
    if cursor is not None:
        report("There are more. Pass a larger --limit, or narrower filters.")
    return OK


def _tail(options: argparse.Namespace) -> int:
    tail = _Tail(options)
    attempts = reopened = 0
    while True:
        before = tail.after
        try:
            reason = tail.follow()
            if reason and reason not in GOES_ON:
                return _ended(reason, tail.after)
        except UnreachableError as problem:
            reason = str(problem)
        attempts = 0 if tail.after != before else attempts + 1
        if attempts == ATTEMPTS:
            return _ended(f"it cannot be opened: {reason}", tail.after, code=USAGE)
        time.sleep(min(2.0**attempts, LONGEST_PAUSE_SECONDS) if reopened else 0.0)
        reopened += 1


class _Tail:
    """A tail that is opened again and again; `after` is the id of the last event."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._url = f"{account_url(options)}/audit-events/tail?{urlencode(_filters(options))}"
        self.after: str | None = options.after

    def follow(self) -> str:
        """Print what is told until the stream ends; the reason, if it says one.

        Raises:
            AdminError: the tail is refused for good.
            UnreachableError: it cannot be opened now, or broke off.
        """
        headers = credential()
        if self.after is not None:
            headers["Last-Event-ID"] = self.after
        try:
            for name, data, event_id in _events(
                lines_of(self._url, headers=headers, timeout=QUIET_SECONDS)
            ):
                if name == "record":
                    say(_line(data, self._options))
                if name == "end":
                    return str(data.get("reason"))
                self.after = event_id or self.after
        except RefusedError as refused:
            if refused.status in PASSES:
                raise UnreachableError(str(refused)) from refused
            raise AdminError(str(refused)) from refused
        return ""


def _ended(reason: str, after: str | None, *, code: int = INVALID) -> int:
    go_on = f" Go on with --after {after}" if after else ""
    report(f"The tail has ended: {reason}.{go_on}")
    return code


def _events(lines: Iterator[bytes]) -> Iterator[tuple[str, Mapping[str, Any], str | None]]:
    """The server-sent events of a tail: name, content and id (WHATWG HTML, 9.2)."""
    fields: dict[str, str] = {}
    for line in lines:
        text = line.decode(errors="replace").rstrip("\r\n")
        if text:
            name, _, value = text.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            try:
                content = json.loads(fields["data"])
            except ValueError as fault:
                raise UnreachableError("An event is not JSON.") from fault
            if isinstance(content, dict):
                yield fields.get("event", "message"), content, fields.get("id")
        fields = {}


def _export(options: argparse.Namespace) -> int:
    query = {**_filters(options), "format": options.format}
    file = ExportFile(options.output)
    if options.resume:
        if options.format != "jsonl" or len(query) > 1:
            raise UsageError("--resume takes the filters of the file, which has to be JSON Lines.")
        file.read(options.account)
        if file.whole:
            report(f"{options.output} is whole already: {file.records} records.")
            return OK
    else:
        file.create()
    url = f"{account_url(options)}/audit-export?"
    if options.format == "csv":
        lines = lines_of(url + urlencode(query), headers=credential(), timeout=LINE_SECONDS)
        return export_table(file, _refusals_told(lines))
    return _export_lines(file, url, query)


def _export_lines(file: ExportFile, url: str, query: Mapping[str, str]) -> int:
    attempts = 0
    while True:
        before = file.records
        asked = urlencode({**query, **file.rest()}, quote_via=quote)
        try:
            lines = lines_of(url + asked, headers=credential(), timeout=LINE_SECONDS)
            for line in _refusals_told(lines):
                file.take(line)
        except UnreachableError as problem:
            report(f"Cut off after {file.records} records: {problem}")
        if file.whole:
            return file.summary()
        if file.stopped is not None:
            report(f"The export stopped after {file.records} records: {file.stopped}. {_RESUME}")
            return INVALID
        attempts = attempts + 1 if file.records == before else 1
        if attempts == ATTEMPTS:
            report(f"The export is not whole. {_RESUME}")
            return USAGE
        time.sleep(0.0 if attempts == 1 else 2.0**attempts)


_RESUME = "Run the command again with --resume, and without filters, to go on."


def _refusals_told(lines: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from lines
    except RefusedError as refused:
        raise AdminError(str(refused), unreachable=refused.status >= 500) from refused


def _line(record: Mapping[str, Any], options: argparse.Namespace) -> str:
    """A record on one line; no sign of it can command a terminal."""
    if options.json:
        return json.dumps(record)
    actor, resource = record["actor"], record["resource"]
    who = actor.get("email") or actor.get("name") or actor["id"]
    what = f"{resource['type']} {resource.get('name') or resource['id']}"
    return plain(f"{record['occurred_at']}  {record['action']}  {who}  {what}  {record['outcome']}")
