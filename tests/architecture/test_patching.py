"""What tests may replace: never an attribute of a module or class of the project."""

import ast

import pytest

from deploy.documents import ROOT
from tests.architecture.files import faults_in, parsed, relative, tracked

OURS = ("rolecall", "shared", "services", "deploy")
PROGRAMS = {
    "tests/contracts/known_key.py": "the product as a process, with a signing key that tests know",
}
"""Programs that run apart from the tests, which may replace a part of the product."""


def imported_names(tree):
    """The names that imports of the project bind, with the names that other imports bind."""
    ours: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = (alias.asname or alias.name).split(".")[0]
                (ours if alias.name.split(".")[0] in OURS else others).add(bound)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.asname or alias.name for alias in node.names}
            (ours if node.module.split(".")[0] in OURS else others).update(names)
    return ours, others


def root_of(node):
    """The leftmost name of a dotted expression."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def patches(tree):
    """The calls `….setattr(target, …)` and the assignments that replace an attribute of ours."""
    ours, others = imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr not in {"setattr", "delattr"} or not node.args:
                continue
            target = node.args[0]
            if isinstance(target, ast.Constant):
                if str(target.value).split(".")[0] in OURS:
                    yield node
            elif root_of(target) not in others:
                yield node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and root_of(target) in ours:
                    yield node


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_may_patch_exists(name):
    assert (ROOT / name).is_file()


def patched_lines(path):
    return [f"line {node.lineno}: {ast.unparse(node)}" for node in patches(parsed(path))]


def test_no_test_patches_an_attribute_of_the_project():
    tests = (path for path in tracked("tests/*.py") if relative(path) not in PROGRAMS)
    assert faults_in(tests, patched_lines) == {}


SOURCE = """
import time
import shared.mongo
from services.team import store
from deploy.compose import Compose

def test_x(monkeypatch):
    monkeypatch.setattr(time, "sleep", None)
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setattr(store, "PAGE", 2)
    monkeypatch.setattr("shared.mongo.TIMEOUT_MS", 1)
    monkeypatch.setattr(Compose, "run", None)
    shared.mongo.TIMEOUT_MS = 1
    Compose.__init__.__kwdefaults__ = {}
"""


def test_every_form_of_a_patch_is_found():
    assert sorted(node.lineno for node in patches(ast.parse(SOURCE))) == [10, 11, 12, 13, 14]
