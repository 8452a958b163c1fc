"""One import path for every name: which packages of shared/ re-export names, and which names."""

import ast
from pathlib import Path

import pytest

from tests.architecture.files import nodes, parsed, relative, tracked

FACES = {
    "shared/inbox/__init__.py": {
        "shared.inbox.inbox": {"Inbox", "Subscriptions", "caller_for"},
        "shared.inbox.marks": {"EARLIER_INDEXES", "INDEXES", "AlreadyApplied", "AppliedMark"},
        "shared.inbox.reconciler": {"AWAY"},
    },
    "shared/journal/__init__.py": {
        "shared.journal.adoption": {"Adopt", "Adoption"},
        "shared.journal.dry_runs": {"DryRun"},
        "shared.journal.history": {"HISTORY", "History", "ObjectName"},
        "shared.journal.journal": {"Journal"},
        "shared.journal.part_writes": {"PartsOfWrite"},
        "shared.journal.past_names": {"PAST_NAMES"},
        "shared.journal.restores": {"KEPT", "Restores", "begin_epoch"},
        "shared.journal.routes": {"journal_routes"},
        "shared.journal.rows": {"EARLIER_INDEXES", "INDEXES"},
        "shared.journal.signing_step": {"signing_step"},
        "shared.journal.snapshot": {"Snapshot"},
        "shared.journal.writes": {"Guard", "JournalWrite", "JournalWriter", "WriteResult"},
    },
    "shared/leases/__init__.py": {
        "shared.leases.leases": {"Leases"},
        "shared.leases.receipt": {"Receipt"},
        "shared.leases.routes": {"lease_routes"},
        "shared.leases.store": {"INDEXES", "LeaseStore", "LifeEnded", "MongoLeaseStore"},
    },
    "shared/mongo/__init__.py": {
        "shared.mongo.away": {"DatabaseAway"},
        "shared.mongo.collections": {
            "AlreadyThere",
            "Lost",
            "create_indexes",
            "drop_index",
            "insert_all_once",
            "insert_missing",
            "insert_once",
            "majority",
            "update_all_expected",
            "update_each",
            "update_expected",
        },
        "shared.mongo.driver": {
            "RESERVED_WORKERS",
            "WORKERS",
            "Collection",
            "Database",
            "DbClient",
            "DbSession",
            "Document",
            "IndexModel",
            "connect",
            "connect_reserved",
            "one_after_another",
        },
        "shared.mongo.transactions": {"Transactions", "causal_session", "retry_pause", "transact"},
        "shared.mongo.watch": {"DatabaseWatch"},
    },
}
"""The packages with a public face. Other packages are imported from only by their modules."""


def imports_from(path: Path) -> list[tuple[str, str]]:
    """The module and the name of every `from … import …`."""
    return [
        (node.module, alias.name)
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]


@pytest.mark.parametrize("path", tracked("shared/*__init__.py"), ids=relative)
def test_a_package_re_exports_only_its_public_face(path: Path) -> None:
    package = ".".join(path.parent.parts[-2:])
    found: dict[str, set[str]] = {}
    for module, name in imports_from(path):
        if module.startswith(package):
            found.setdefault(module, set()).add(name)
    assert found == FACES.get(relative(path), {})


def test_a_module_lists_no_public_names() -> None:
    listing = {
        relative(path)
        for path in tracked("shared/*.py")
        for node in parsed(path).body
        if isinstance(node, ast.Assign)
        and "__all__" in {ast.unparse(name) for name in node.targets}
    }
    assert listing <= FACES.keys()


def test_a_name_of_a_public_face_is_imported_from_the_face() -> None:
    inside = {face.rpartition("/")[0] for face in FACES}
    faces = {
        (module, name)
        for modules in FACES.values()
        for module, names in modules.items()
        for name in names
    }
    others = [
        f"{relative(path)}: {module}.{name}"
        for path in tracked("*.py")
        if relative(path).rpartition("/")[0] not in inside
        for module, name in imports_from(path)
        if (module, name) in faces
    ]
    assert others == []
