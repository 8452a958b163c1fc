"""The shape of the project: the files of every service, and habits that every module keeps."""

import ast
import re
from pathlib import Path

import pytest

from deploy.documents import ROOT
from shared.contracts.topology import Service
from tests.architecture.files import is_test, nodes, relative, tracked

SHAPE = (
    "__init__",
    "__main__",
    "app",
    "domain",
    "routes",
    "settings",
    "store",
    "subscriptions",
    "use_cases",
)
MAX_LINES = 300
PYTHON = [path for path in tracked("*.py") if not is_test(path)]
THIS_FILE = Path(__file__).resolve()
WRITES_MOMENTS = {
    "services/audit/domain/usage_sums.py": "days, which have no time",
    "services/team/domain/authority.py": "the words of a refusal",
    "services/team/domain/member_list.py": "the places of a list's pages",
    "services/notification/domain/wording.py": "words of mails, which are read again",
}
"""The modules of rules that write moments in a form of their own, and what for."""


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("service", tuple(Service))
@pytest.mark.parametrize("name", SHAPE)
def test_every_service_has_this_module(service: str, name: str) -> None:
    if service == Service.AUTHZ and name in {"store", "subscriptions"}:
        return  # It owns no data, and follows journals as `shared/following` does.
    folder = ROOT / "services" / service
    assert (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()


@pytest.mark.parametrize("service", [name for name in Service if name is not Service.AUTHZ])
def test_every_service_that_owns_data_has_migrations(service: str) -> None:
    assert (ROOT / "services" / service / "migrations.py").is_file()


@pytest.mark.parametrize("service", tuple(Service))
def test_every_service_has_a_readme_with_its_tables(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text()
    assert text.startswith("# ")
    for heading in ("Routes", "Facts", "Settings"):
        assert re.search(rf"^## .*{heading}", text, re.MULTILINE), heading


def test_a_module_has_at_most_300_lines() -> None:
    lines = {relative(path): len(path.read_text().splitlines()) for path in PYTHON}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


def test_no_module_has_a_name_without_meaning() -> None:
    without = {"utils", "util", "helpers", "helper", "manager", "models", "common"}
    assert [relative(path) for path in PYTHON if path.stem in without] == []


def test_only_stores_and_migrations_import_the_database_driver() -> None:
    allowed = {"mongo.py", "store.py", "migrations.py"}
    importing = {
        relative(path)
        for path in PYTHON
        if imports_of(path) & {"motor", "pymongo", "bson"}
        and path.name not in allowed
        and "store" not in path.parts
        and path.parts[-2] not in {"programs", "mongo"}
    }
    assert importing == set()


def test_no_file_imports_mocks() -> None:
    importing = [relative(path) for path in tracked("*.py") if "unittest" in imports_of(path)]
    assert importing == []


def sleeps(path: Path) -> bool:
    """Whether the module sleeps for a fixed time that is longer than the pause of a poll."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and float(str(node.args[0].value)) > 0.1
        for node in nodes(path)
    )


def test_no_test_sleeps_for_a_fixed_time() -> None:
    stand_in_for_a_slow_server = "tests/shared/runtime/slow_service.py"
    found = {relative(path) for path in tracked("tests/*.py") if sleeps(path)}
    assert found <= {stand_in_for_a_slow_server}


def test_no_test_is_skipped() -> None:
    pattern = re.compile(r"mark\.skip|pytest\.skip\(|importorskip|mark\.xfail")
    skipping = [
        relative(path)
        for path in tracked("tests/*.py")
        if path != THIS_FILE and pattern.search(path.read_text())
    ]
    assert skipping == []


def test_rules_leave_the_form_of_moments_to_the_fact() -> None:
    written = {
        relative(path)
        for path in PYTHON
        if re.fullmatch("services/(team|identity|audit|notification)/domain/.*", relative(path))
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == "isoformat"
    }
    assert written == WRITES_MOMENTS.keys()


def test_no_unfinished_work_is_left_in_the_text() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError")
    unfinished = [
        relative(path)
        for path in tracked("*.py", "*.md", "*.yaml", "*.yml")
        if path != THIS_FILE and pattern.search(path.read_text())
    ]
    assert unfinished == []
