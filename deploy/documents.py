"""The tables in the documents that are generated from the code.

`python -m deploy.documents` writes them. With `--check` it names the files that differ and ends
with status 1. A table stands between `<!-- name -->` and `<!-- end name -->`.
"""

import importlib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.catalog_tables import POLICIES, REASONS, policy_rows, reason_rows
from deploy.monitoring.alert_rules import alert_rows
from deploy.monitoring.dashboards import dashboard_files
from deploy.rules import PAGE, marked_tests, with_proofs
from deploy.settings_page import COMMANDS, COMMANDS_HEADER, HEADER, settings_rows
from deploy.settings_page import PAGE as SETTINGS
from deploy.webhook_catalogue import catalogue
from rolecall import CONTROL_PERMISSIONS, PROJECT_PERMISSIONS
from services.console.settings import NAME as CONSOLE
from shared.contracts.registry import FACT_TYPES, FACTS_OF
from shared.contracts.topology import FOLLOWER_QUEUES, QUEUES, TOPOLOGY, QueueKind, Service
from shared.following.follower import Follower
from shared.http.access import (
    Access,
    Admin,
    Client,
    Internal,
    Permission,
    PermissionOrClient,
    Public,
    Session,
    SessionOrClient,
)
from shared.http.routes import Route
from shared.mongo import WORKERS
from shared.runtime.environment import variables

ROOT = Path(__file__).parent.parent


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def access_text(access: Access) -> str:
    """The callers that an access rule admits, in words."""
    match access:
        case Permission():
            return _permission_text(access)
        case Client(scope=scope):
            return f"service client, `{scope}`"
        case SessionOrClient(scope=scope):
            tokens = ", an API token about itself" if access.api_tokens else ""
            return f"a signed-in user about themselves{tokens}; service client, `{scope}`"
        case Internal(callers=callers):
            return ", ".join(callers)
    if isinstance(access, Session) and access.fresh_proof:
        return "a signed-in user, with a fresh proof"
    return {Public: "anyone", Session: "a signed-in user", Admin: "the operator's key"}[
        type(access)
    ]


def _permission_text(access: Permission) -> str:
    match access:
        case PermissionOrClient(name=name, scope=scope):
            return f"`{name}`; service client, `{scope}`"
        case Permission(name=name, fresh_proof=True):
            return f"`{name}`, in a session with a fresh proof"
        case Permission(name=name, in_project=None, in_session=in_session):
            return f"`{name}`, in a session" if in_session else f"`{name}`"
        case Permission(name=name, in_project=in_project):
            return f"`{name}`, and `{in_project}` in the project"


def routes_table(routes: Sequence[Route]) -> str:
    """The routes with their callers, their purpose and the refusals of their handlers."""
    rows = []
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
        refusals = ", ".join(sorted({f"`{refusal.code}`" for refusal in route.refuses}))
        name = f"`{route.method} {route.path}`"
        callers = ". ".join(filter(None, (access_text(route.access), route.caller_rule)))
        rows.append((name, callers, route.summary, refusals or "-"))
    return table(("route", "caller", "purpose", "refusals, apart from those of every route"), rows)


def repeats_table() -> str:
    """Every POST that a user, a service client or the operator sends, and what a repeat does."""
    rows = [
        (f"`{route.method} {route.path}`", "yes" if route.idempotent else f"no. {route.on_repeat}")
        for service in Service
        for name in ("ROUTES", "INTERNAL_ROUTES")
        for route in getattr(module(service, "routes"), name)
        if route.method == "POST" and not isinstance(route.access, Internal)
    ]
    return table(("route", "takes `Idempotency-Key`; what a repeat does without it"), sorted(rows))


def facts_table(service: str) -> str:
    """The facts that a service publishes."""
    rows = [(f"`{fact.type}`", first_line(fact.__doc__)) for fact in FACTS_OF.get(service, ())]
    return table(("fact", "meaning"), rows) if rows else "It publishes no facts."


def subscriptions_table(service: str) -> str:
    """The facts of other services that a service handles, and what it does with them."""
    subscriptions: Mapping[str, object] = {}
    if QUEUES[Service(service)].kind is QueueKind.SERVICE:
        subscriptions = module(service, "subscriptions").SUBSCRIPTIONS
    rows = [
        ("every fact" if name == "*" else f"`{name}`", first_line(handler.__doc__))
        for name, handler in sorted(subscriptions.items())
    ]
    if service in FOLLOWER_QUEUES:
        sources = " and ".join(FOLLOWER_QUEUES[Service(service)].sources)
        followed = f"every fact of {sources}, in each process"
        rows.append((followed, first_line(Follower.take.__doc__)))
    return table(("fact", "effect"), rows) if rows else "It handles no facts."


def settings_table(service: str) -> str:
    """The environment variables of a service."""
    rows = [
        (
            f"`{entry.name}`",
            entry.description,
            _default(entry.default),
        )
        for entry in variables(module(service, "settings").Settings)
    ]
    return table(("variable", "meaning", "default"), rows)


def _default(value: str | None) -> str:
    """The cell of a default; an empty one is said in words."""
    if value is None:
        return "required"
    return f"`{value}`" if value else "empty"


def events_table() -> str:
    """Every fact, with the services that receive it."""
    rows = []
    for fact_type, fact in FACT_TYPES.items():
        fields = ", ".join(f"`{name}`" for name in fact.model_fields)
        receivers = ", ".join(
            queue.name.removeprefix("rolecall.")
            for queue in TOPOLOGY.queues
            if queue.takes(fact_type)
        )
        rows.append((f"`{fact_type}`", first_line(fact.__doc__), fields, receivers))
    return table(("fact", "meaning", "data", "delivered to"), rows)


def control_permissions_table() -> str:
    """The permissions of Rolecall's own API, with what each of them opens."""
    routes = [route for service in Service for route in module(service, "routes").ROUTES]
    rows = []
    for name in CONTROL_PERMISSIONS:
        opened = [
            f"`{route.method} {route.path}`"
            for route in routes
            if isinstance(route.access, Permission)
            and name in {route.access.name, route.access.in_project}
        ]
        decided = "inside the project" if name in PROJECT_PERMISSIONS else "in the account"
        rows.append((f"`{name}`", decided, "<br>".join(opened) or "no route yet"))
    return table(("permission", "decided", "routes that need it"), rows)


def alerts_table() -> str:
    """The alerts of Prometheus, each with its page."""
    return table(("alert", "severity", "for", "meaning"), alert_rows())


def first_line(text: str | None) -> str:
    """The first paragraph of a docstring on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def module(service: str, name: str) -> Any:
    """One module of a service."""
    return importlib.import_module(f"services.{service}.{name}")


def documents() -> dict[Path, dict[str, str]]:
    """Every document with tables from the code: file → name → table."""
    found: dict[Path, dict[str, str]] = {
        ROOT / "docs" / "events.md": {"events": events_table()},
        ROOT / "sdk" / "README.md": {
            "control permissions": control_permissions_table(),
            "policies": table(POLICIES, policy_rows()),
            "reasons": table(REASONS, reason_rows()),
        },
        ROOT / "docs" / "requests.md": {"repeats": repeats_table()},
        ROOT / "docs" / "webhooks.md": {"webhook events": catalogue()},
        ROOT / "docs" / "operations" / "alerts" / "README.md": {"alerts": alerts_table()},
    }
    commands = [(f"`{name}`", *cells) for name, *cells in COMMANDS]
    found[ROOT / SETTINGS] = {
        **{name: table(HEADER, rows) for name, rows in settings_rows().items()},
        "variables of commands": table(COMMANDS_HEADER, commands),
    }
    found[ROOT / "services" / CONSOLE / "README.md"] = {"settings": settings_table(CONSOLE)}
    for service in Service:
        routes: Sequence[Route] = module(service, "routes").ROUTES
        internal: Sequence[Route] = module(service, "routes").INTERNAL_ROUTES
        found[ROOT / "services" / service / "README.md"] = {
            "routes": routes_table(routes),
            "internal routes": routes_table(internal),
            "facts": facts_table(service),
            "subscriptions": subscriptions_table(service),
            "settings": settings_table(service),
        }
    return found


_EVERY_PROCESS = f"""# --- every process
# Operations of the database at the same time, besides those of leases
# MOTOR_MAX_WORKERS={WORKERS}"""


def env_example() -> str:
    """The text of `.env.example`: every variable of every service."""
    blocks = [
        "# The environment variables of all services. A variable without a value here is required.",
        _EVERY_PROCESS,
    ]
    for service in (*Service, CONSOLE):
        lines = [f"# --- {service}"]
        for entry in variables(module(service, "settings").Settings):
            lines.append(f"# {entry.description}")
            lines.append(
                f"{entry.name}=" if entry.default is None else f"# {entry.name}={entry.default}"
            )
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def fill_tables(text: str, tables: Mapping[str, str]) -> str:
    """The document with its tables written from the code.

    Raises:
        LookupError: the document has no place for a table.
    """
    for name, content in tables.items():
        place = re.compile(f"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        found = place.search(text)
        if found is None:
            raise LookupError(f"The document has no `<!-- {name} -->` for the table.")
        text = f"{text[: found.start()]}{found[1]}{content}\n{found[2]}{text[found.end() :]}"
    return text


def expected() -> dict[Path, str]:
    """Every generated file with the text that it should have."""
    texts = {path: fill_tables(path.read_text(), tables) for path, tables in documents().items()}
    rules = with_proofs((ROOT / PAGE).read_text(), marked_tests(ROOT))
    return texts | dashboard_files() | {ROOT / ".env.example": env_example(), ROOT / PAGE: rules}


def main(arguments: Sequence[str]) -> int:
    """Write the files that differ, or with `--check` only name them."""
    differing = [
        (path, text)
        for path, text in expected().items()
        if not path.exists() or path.read_text() != text
    ]
    for path, text in differing:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        if "--check" not in arguments:
            path.write_text(text)
    return 1 if differing and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
