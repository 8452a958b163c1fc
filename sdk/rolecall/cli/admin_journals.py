"""The operator's command for the journals: how large they are, and which consumer holds one up."""

import argparse
import json
import os
from collections.abc import Mapping
from typing import Any

from rolecall.cli.dlq import SERVICES
from rolecall.cli.operators import (
    add_operator_options,
    content_of,
    internal_url_variable,
    operator_of,
)
from rolecall.cli.output import OK, say
from rolecall.cli.topics import Topics

PATH = "journal"


def add_journal_commands(admin: Topics) -> None:
    """Add `rolecall admin journal`."""
    journal = admin.add_parser("journal", help="show the rows of a journal, and who needs them")
    journal.add_argument("service", choices=SERVICES, help="the service whose journal it is")
    add_operator_options(journal, service=None)
    journal.set_defaults(run=_show)


def _show(options: argparse.Namespace) -> int:
    options.url = options.url or os.environ.get(internal_url_variable(options.service))
    journal = content_of(operator_of(options).ask("GET", PATH))
    if options.json:
        say(json.dumps(journal))
        return OK
    say(
        f"{journal['source']}  {journal['rows']} rows  oldest {journal['oldest_at'] or '-'}"
        f"  {journal['trimmed']} trimmed  kept {journal['retention_days']:g} days"
    )
    for consumer in journal["consumers"]:
        say("  ".join(_said(consumer)))
    return OK


def _said(consumer: Mapping[str, Any]) -> list[str]:
    said = [
        f"  {consumer['name']:<12}",
        f"{consumer['behind']} behind",
        f"confirmed {consumer['confirmed_at'] or 'never'}",
    ]
    if consumer["held_since"] is not None:
        said.append(f"HOLDS rows since {consumer['held_since']}")
    if consumer["missed"]:
        said.append(f"MISSED {consumer['missed']} rows")
    return said
