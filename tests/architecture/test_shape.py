"""Does every service have the same shape, and is everything where one would look?"""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from shared.contracts.topology import Service

ROOT = Path(__file__).parent.parent.parent
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


def tracked(*patterns: str) -> list[Path]:
    """The files that belong to the project, kept or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in output.splitlines() if (ROOT / line).is_file()]


PYTHON = [path for path in tracked("*.py") if "tests" not in path.relative_to(ROOT).parts[:1]]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("service", tuple(Service))
@pytest.mark.parametrize("name", SHAPE)
def test_every_service_has_this_module(service: str, name: str) -> None:
    folder = ROOT / "services" / service
    assert (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()


@pytest.mark.parametrize("service", [name for name in Service if name is not Service.AUTHZ])
def test_every_service_that_owns_data_has_migrations(service: str) -> None:
    assert (ROOT / "services" / service / "migrations.py").is_file()


@pytest.mark.parametrize("service", tuple(Service))
def test_every_service_has_its_ten_minute_page(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text()
    assert text.startswith("# ")
    for heading in ("Routes", "Facts", "Settings"):
        assert re.search(rf"^## .*{heading}", text, re.MULTILINE), heading


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_a_module_opens_by_saying_which_question_it_answers(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith(("?", ".", ":"))


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_a_module_is_not_a_book(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_no_module_is_named_after_nothing(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "models", "common"}


def test_the_database_driver_is_named_in_its_three_places_only() -> None:
    allowed = {"mongo.py", "store.py", "migrations.py"}
    naming = {
        relative(path)
        for path in PYTHON
        if imports_of(path) & {"motor", "pymongo", "bson"}
        and path.name not in allowed
        and "store" not in path.parts
        and path.parts[-2] != "programs"
    }
    assert naming == set()


def test_nobody_imports_mocks() -> None:
    naming = [
        relative(path)
        for path in tracked("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and "unittest" in (node.module or ""))
        or (isinstance(node, ast.Import) and any("unittest" in name.name for name in node.names))
    ]
    assert naming == []


def sleeps(path: Path) -> bool:
    """Whether a fixed time is slept that is longer than a poll's pause."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and float(str(node.args[0].value)) > 0.1
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_no_test_sleeps_for_a_fixed_time() -> None:
    a_slow_server_for_others = "tests/shared/runtime/slow_service.py"
    found = {relative(path) for path in tracked("tests/*.py") if sleeps(path)}
    assert found <= {a_slow_server_for_others}


def test_no_test_is_skipped() -> None:
    pattern = re.compile(r"mark\.skip|pytest\.skip\(|importorskip|mark\.xfail")
    me = Path(__file__).resolve()
    skipping = [
        relative(path)
        for path in tracked("tests/*.py")
        if path != me and pattern.search(path.read_text())
    ]
    assert skipping == []


def test_nothing_unfinished_is_left_in_the_text() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError")
    me = Path(__file__).resolve()
    unfinished = [
        relative(path)
        for path in tracked("*.py", "*.md", "*.yaml", "*.yml")
        if path != me and pattern.search(path.read_text())
    ]
    assert unfinished == []
