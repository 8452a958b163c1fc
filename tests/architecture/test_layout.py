"""The layout: what may stand at the root of a package, and how deep imports go."""

import re

import pytest

from deploy.documents import ROOT
from deploy.imports import levels, service_graphs
from shared.contracts.topology import Service

SERVICE_ROOT = {
    "README.md",
    "__init__.py",
    "__main__.py",
    "adapters",
    "app.py",
    "domain",
    "domain.py",
    "migrations.py",
    "routes",
    "routes.py",
    "settings.py",
    "store",
    "store.py",
    "subscriptions.py",
    "use_cases",
    "use_cases.py",
}
DATA = {"notification": {"templates"}}
"""Folders with data at the root of a service."""

OTHER_ROOTS = {
    "shared": {
        "__init__.py",
        "activity.py",
        "addresses.py",
        "auth",
        "bus",
        "cancellation.py",
        "clock.py",
        "context.py",
        "contracts",
        "documents.py",
        "due_work.py",
        "elections.py",
        "following",
        "following_parts.py",
        "http",
        "ids.py",
        "inbox",
        "indexes.py",
        "journal",
        "json_values.py",
        "leases",
        "mongo",
        "links.py",
        "locales.py",
        "mailboxes.py",
        "logs.py",
        "loop_metrics.py",
        "metrics.py",
        "migration_lock.py",
        "migrations.py",
        "mongo.py",
        "names.py",
        "news.py",
        "origin_words.py",
        "outage_log.py",
        "tracing.py",
        "trace_export.py",
        "contacts.py",
        "catalog_parts.py",
        "catalog_words.py",
        "token_uses.py",
        "shown_text.py",
        "networks.py",
        "parts.py",
        "problems.py",
        "quotas.py",
        "redaction.py",
        "receivers",
        "row_verifier.py",
        "zones.py",
        "sealed_secrets.py",
        "secret_keys.py",
        "resealing.py",
        "runtime",
        "timeouts.py",
        "wiring.py",
        "withheld_mails.py",
    },
    "sdk/rolecall": {
        "__init__.py",
        "aio",
        "audit",
        "cli",
        "client",
        "core",
        "integrations",
        "py.typed",
        "version.py",
    },
    "services": {"__init__.py", "console", *Service},
}
MAX_LEVELS = 6
NO_FLOOR = {(Service.AUTHZ, "store")}
"""authz has no database."""


def names_in(folder):
    return {path.name for path in (ROOT / folder).iterdir() if path.name != "__pycache__"}


@pytest.mark.parametrize("service", tuple(Service))
def test_nothing_else_stands_at_the_root_of_a_service(service):
    allowed = SERVICE_ROOT | DATA.get(service, set())
    assert names_in(f"services/{service}") - allowed == set()


@pytest.mark.parametrize("service", tuple(Service))
@pytest.mark.parametrize("name", ["domain", "routes", "store", "use_cases"])
def test_a_floor_is_a_module_or_a_folder_but_not_both(service, name):
    names = names_in(f"services/{service}")
    floors = 0 if (service, name) in NO_FLOOR else 1
    assert len({name, f"{name}.py"} & names) == floors


@pytest.mark.parametrize("folder", OTHER_ROOTS)
def test_nothing_else_stands_at_the_root_of_a_package(folder):
    assert names_in(folder) - OTHER_ROOTS[folder] == set()


def test_every_file_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    paths = re.findall(r"`((?:deploy|shared|services|sdk|tests)/[\w/.]+)`", text)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("service", tuple(Service))
def test_imports_inside_a_service_have_few_levels(service):
    stack = levels(service_graphs()[service])
    assert len(stack) <= MAX_LEVELS, stack
