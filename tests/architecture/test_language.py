"""The language of the project: banned words, docstrings, and the names of tests and classes."""

import ast
import re
import tokenize
from collections import defaultdict
from pathlib import Path

import pytest

from deploy.documents import ROOT
from tests.architecture.files import faults_in, is_test, nodes, parsed, relative, tracked

THIS_FILE = Path(__file__).resolve()
TEXTS = tracked("*.py", "*.md", "*.j2", "*.html", "*.yaml", "*.yml", "*.txt", "Makefile", ".ci/*")
BANNED = re.compile(
    r"\b(?:whoever|whomever|somebody|nobody|anybody|whatever|alike)\b"
    r"|\bfor ever\b|\bso many\b"
    r"|(?<!there )\b(?:is|are|was|were) no (?!longer\b|secret\b)[a-z]",
    re.IGNORECASE,
)
PARTS = (
    *("whoever", "whomever", "somebody", "nobody", "anybody", "whatever", "alike"),
    *("for ever", "so many", "is no ", "are no ", "was no ", "were no "),
)
"""One of these is in everything that `BANNED` finds."""
MAX_TEST_NAME = 70
SHARED_NAMES = {
    "Settings": "each service has its own, loaded by one function",
    "Ctx": "what the use cases of each service are given",
    "Store": "the database of each service",
    "ServiceClient": "the same client, as the public SDK shows it and as identity keeps it",
}
"""Class names that several packages define with the same meaning."""


def may_be_banned(text):
    """Whether the text has a part of what `BANNED` finds: to look for parts takes less time."""
    lowered = text.lower()
    return any(part in lowered for part in PARTS)


def banned_lines(path):
    text = path.read_text().replace("_", " ")
    lines = text.splitlines() if may_be_banned(text) else []
    return [
        f"{number}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        if may_be_banned(line) and BANNED.search(line)
    ]


@pytest.mark.parametrize(
    "line",
    [
        *("Whoever asks", "to whomever", "Somebody", "nobody", "anybody", "whatever", "look alike"),
        *("for ever", "so many", "It IS NO member", "there are no more, they were no friends"),
    ],
)
def test_a_banned_word_is_found(tmp_path, line):
    page = tmp_path / "page.md"
    page.write_text(f"Good.\n{line.replace(' ', '_')} here\n")
    assert [found.partition(":")[0] for found in banned_lines(page)] == ["2"]


def test_no_text_contains_a_banned_word():
    assert TEXTS
    assert faults_in((path for path in TEXTS if path != THIS_FILE), banned_lines) == {}


def faults_of_docstring(path):
    docstring = ast.get_docstring(parsed(path))
    if docstring is None:
        return [] if is_test(path) or path.name == "__init__.py" else ["there is no docstring"]
    first = docstring.split("\n\n")[0]
    return [] if first.endswith(".") and "?" not in first else [first]


def test_a_module_docstring_is_one_plain_sentence():
    assert faults_in(tracked("*.py"), faults_of_docstring) == {}


def functions(path):
    return (
        node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def long_names(path):
    return [
        node.name
        for node in functions(path)
        if node.name.startswith("test_") and len(node.name) > MAX_TEST_NAME
    ]


def test_the_name_of_a_test_has_at_most_70_characters():
    assert faults_in(tracked("tests/*.py"), long_names) == {}


def test_every_class_name_has_one_meaning():
    places = defaultdict(list)
    for path in tracked("sdk/*.py", "shared/*.py", "services/*.py", "deploy/*.py"):
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and node.name not in SHARED_NAMES:
                places[node.name].append(relative(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def renamed_classes(path):
    return [
        f"{alias.name} as {alias.asname}"
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname and re.match(r"[A-Z][a-z]", alias.name) and alias.name not in SHARED_NAMES
    ]


def test_no_class_is_renamed_by_its_import():
    assert faults_in(tracked("*.py"), renamed_classes) == {}


def questions(path):
    if not re.search(r"#.*\?\s*$", path.read_text(), re.MULTILINE):
        return []  # reading the tokens of all files takes seconds
    with path.open("rb") as file:
        return [
            token.string
            for token in tokenize.tokenize(file.readline)
            if token.type == tokenize.COMMENT and token.string.rstrip().endswith("?")
        ]


def test_a_comment_is_not_a_question():
    assert faults_in(tracked("*.py"), questions) == {}


def test_operations_names_only_existing_metrics_and_log_messages():
    pages = {page.stem: page.read_text() for page in (ROOT / "docs/operations").glob("*.md")}
    code = "\n".join(
        path.read_text() for path in tracked("shared/*.py", "services/*.py", "deploy/*.py")
    )
    metrics = re.findall(r"`(rolecall_[a-z_]+?)(?:_total)?` \{", "\n".join(pages.values()))
    alarms = pages["monitoring"].partition("These errors need an operator")[2].partition("\n#")[0]
    messages = re.findall(r"`([A-Za-z. ]+)`", alarms)
    assert metrics
    assert messages
    missing = [name for name in (*metrics, *messages) if name not in code]
    assert missing == []


OTHER_NAMES = re.compile(r"\b(?:providers?|operators?|contact us)\b", re.IGNORECASE)
FOR_CLIENTS = {"ScopeMissing"}
"""Refusals of service clients, whose makers know the operator."""


def other_names_of_the_platform(path):
    if path.suffix == ".j2":
        return OTHER_NAMES.findall(path.read_text())
    return [
        f"{refusal.name}: {text.value}"
        for refusal in nodes(path)
        if isinstance(refusal, ast.ClassDef) and refusal.name not in FOR_CLIENTS
        for line in refusal.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "detail"
        for text in ast.walk(line.value)
        if isinstance(text, ast.Constant)
        and isinstance(text.value, str)
        and OTHER_NAMES.search(text.value)
    ]


def test_mails_and_refusals_call_the_platform_by_one_word():
    paths = [*tracked("*.j2"), *tracked("shared/*.py", "services/*.py")]
    assert faults_in(paths, other_names_of_the_platform) == {}
