"""The catalogue of the events of webhooks, each with an example, as `docs/webhooks.md` shows it."""

import json
from datetime import UTC, datetime
from typing import Any

from services.notification.domain.public_events import PUBLIC_EVENTS, PublicEvent, event_of
from shared.contracts.facts import GENESIS, Actor, RequestInfo, ResourceRef, Row
from shared.http.example_makers import example
from shared.http.examples import example_id

_AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
_SHOWN_WHOLE = "member.role_changed"
_CHANGES = {_SHOWN_WHOLE: ({"role": "basic"}, {"role": "developer"})}
"""`before` and `after` of the event that is shown whole."""


_WORDS = {
    "email": "bo@example.com",
    "explanation": "Invoices are not paid.",
    "host": "hooks.acme.example",
    "inviter_name": "Ana Diaz",
    "name": "Bo Li",
    "owner_name": "Ana Diaz",
    "previous_catalog": "runpod",
    "previous_role": "basic",
}


def catalogue() -> str:
    """Every event: its type, its meaning, and an example of its details; one is shown whole."""
    whole = next(event for event in PUBLIC_EVENTS if event.type == _SHOWN_WHOLE)
    body = json.dumps(example_of(whole), ensure_ascii=False, indent=2)
    lines = [
        f"```json\n{body}\n```",
        "",
        "| type | meaning | example of `details` |",
        "|---|---|---|",
    ]
    for event in PUBLIC_EVENTS:
        details = json.dumps(example_of(event)["data"]["details"], ensure_ascii=False)
        lines.append(f"| `{event.type}` | {event.meaning} | `{details}` |")
    return "\n".join(lines)


def example_of(event: PublicEvent) -> dict[str, Any]:
    """Return an example of an event, made of a row as the product makes it."""
    schema = event.fact.model_json_schema()
    data = example(schema, schema.get("$defs", {}))
    data |= {name: word for name, word in _WORDS.items() if data.get(name)}
    before, after = _CHANGES.get(event.type, (None, None))
    noun = event.type.partition(".")[0]
    row = Row(
        id=example_id("evt"),
        type=event.fact.type,
        source=event.fact.type.partition(".")[0],
        epoch="e",
        shard=0,
        seq=1,
        previous=GENESIS,
        change_id=example_id("chg"),
        part=1,
        parts=1,
        occurred_at=_AT,
        account_id=example_id("acc"),
        account_rev=17,
        project_id=data.get("project_id"),
        resource=ResourceRef(type=noun, id=_resource_id(noun, data), name=data.get("name")),
        actor=Actor(type="user", id=example_id("usr"), name="Ana Diaz", email="ana@example.com"),
        request=RequestInfo(request_id=example_id("req")),
        before=before,
        after=after,
        data=data,
    )
    made = event_of(row)
    if made is None:
        raise LookupError(f"{event.type} has no event to show.")
    return made


def _resource_id(noun: str, data: dict[str, Any]) -> str:
    id_field = {"member": "user_id", "ownership": "user_id", "sso_connection": "connection_id"}
    if noun in {"account", "ownership"}:
        return example_id("acc")
    return str(data.get(id_field.get(noun, f"{noun}_id")) or "i-17")
