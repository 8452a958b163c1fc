"""The page of requirement rules, with the tests that prove each rule.

Tests and steps of stories name the rules that they prove with `@pytest.mark.rule("Ci9")`, and
journey tables (CSV) in a column `rules`. The table of faults names the tests of each fault. All of
them are read, not imported.
"""

import ast
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from deploy.fault_proofs import TABLE, proofs_of_faults

PAGE = Path("docs/rules.md")
SOURCES = {
    "Rp": "Runpod",
    "Ro": "RunOS",
    "Ci": "cloud-iam",
    "Nv": "Novita AI",
    "B": "Beyond all four",
}
RULE = re.compile(r"^- \*\*(?P<id>(?:Rp|Ro|Ci|Nv|B)\d+)\*\* \S")
MISSING = re.compile(r"^  Missing: \S")
"""What a rule still needs; a person writes it below the rule, and takes it away again."""

LEGEND = re.compile(r"^\| (?P<id>[TFP]\d+) \| (?P<text>[^|]+) \|")
NAMED = re.compile(r"`((?:Rp|Ro|Ci|Nv|B|T|F|P)\d+)`|\b((?:Rp|Ro|Ci|Nv)\d+)\b")
"""An id in backticks, or an id of a source system anywhere in a text."""

SUMMARY = re.compile(r"(<!-- summary -->\n).*?(<!-- end summary -->)", re.DOTALL)

USED = re.compile(r"\b([TF]\d{1,2}|P\d)\b(?!\w)")
"""An id of a threat, a fault or a figure, with or without backticks."""

FIGURE = re.compile(r"\bP\d+\b")
EMPTY = re.compile(r"^\| (?P<id>[TFP]\d+) \| [^|]+ \|\s*\|$")


def rule_ids(page: str) -> list[str]:
    """The rule ids of the page, in its order."""
    return [found["id"] for line in page.splitlines() if (found := RULE.match(line))]


def legend_ids(page: str) -> list[str]:
    """The ids of threats, faults and performance goals that the page explains."""
    return [found["id"] for line in page.splitlines() if (found := LEGEND.match(line))]


def named_ids(text: str) -> set[str]:
    """Every id that a source file or a document refers to."""
    return {quoted or plain for quoted, plain in NAMED.findall(text)}


def used_ids(root: Path) -> set[str]:
    """The threats, faults and figures that a source file outside `docs` names, in any form."""
    names: set[str] = set()
    for folder in ("sdk", "shared", "services", "deploy", "benchmarks", "tests"):
        for path in (root / folder).rglob("*.py"):
            if path.name not in {"rules.py", "test_rules.py"}:
                names.update(USED.findall(path.read_text()))
    return names


def without_proof(page: str, used: set[str]) -> list[str]:
    """The ids of threats, faults and figures that code names and whose row has no proof."""
    empty = {found["id"] for line in page.splitlines() if (found := EMPTY.match(line))}
    return sorted(empty & used)


def measured_by(root: Path) -> dict[str, list[str]]:
    """Figure → the benchmarks that name it."""
    found: dict[str, set[str]] = {}
    for path in (root / "benchmarks").glob("*.py"):
        for name in FIGURE.findall(path.read_text()):
            found.setdefault(name, set()).add(path.relative_to(root).as_posix())
    return {name: sorted(paths) for name, paths in found.items()}


def marked_tests(root: Path) -> dict[str, list[str]]:
    """Rule id → the tests that prove it, as `path::test` or as a path; for a figure, benchmarks."""
    proofs: dict[str, set[str]] = {}
    for path in sorted((root / "tests").rglob("*.py")):
        name = path.relative_to(root).as_posix()
        for rule, test in marks_of(path.read_text(), name):
            proofs.setdefault(rule, set()).add(test)
    for path in sorted((root / "tests").rglob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                for rule in (row.get("rules") or "").split():
                    proofs.setdefault(rule, set()).add(path.relative_to(root).as_posix())
    if (table := root / TABLE).exists():
        for fault, tests in proofs_of_faults(table.read_text()).items():
            proofs.setdefault(fault, set()).update(tests)
    return {rule: sorted(tests) for rule, tests in proofs.items()} | measured_by(root)


def marks_of(source: str, path: str) -> Iterator[tuple[str, str]]:
    """The pairs (rule id, test) of one test module.

    A mark belongs to the function or class whose decorators contain it, otherwise to the module.

    Raises:
        ValueError: an argument of a mark is not a literal string.
    """
    if not re.search(r"\.\s*rule\b", source):
        return  # reading the syntax of all tests takes seconds
    tree = ast.parse(source)
    owners: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                owners.update(dict.fromkeys(ast.walk(decorator), f"{path}::{node.name}"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.rule"):
            for argument in node.args:
                if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                    raise ValueError(f"{path}: name the rules as literal strings.")
                yield argument.value, owners.get(node, path)


def with_proofs(page: str, proofs: Mapping[str, Sequence[str]]) -> str:
    """The page with the proofs of each rule and threat, and the counts in its summary.

    Raises:
        LookupError: a test names an id that is not on the page, or a rule has neither a test nor a
            line that says what is missing.
    """
    known = rule_ids(page)
    for name, naming in proofs.items():
        if name not in {*known, *legend_ids(page)}:
            raise LookupError(f"{naming[0]} names {name}, which is not in {PAGE}.")
    written = [line for line in page.splitlines() if not line.startswith("  *")]
    incomplete = _incomplete(written)
    lines: list[str] = []
    for line in written:
        rule, legend = RULE.match(line), LEGEND.match(line)
        tests = _tests(proofs, found["id"]) if (found := rule or legend) else ""
        lines.append(f"| {legend['id']} | {legend['text']} | {tests} |" if legend else line)
        if rule:
            lines.append(_proof(rule["id"], tests, missing=rule["id"] in incomplete))
    text = "\n".join(lines) + "\n"
    summary = _summary(known, proofs, incomplete)
    return SUMMARY.sub(lambda place: place[1] + summary + place[2], text)


def _incomplete(lines: Sequence[str]) -> set[str]:
    """The rules whose next line says what is missing."""
    return {
        rule["id"]
        for line, following in pairwise(lines)
        if (rule := RULE.match(line)) and MISSING.match(following)
    }


def _proof(rule: str, tests: str, *, missing: bool) -> str:
    """The line below a rule that says which tests prove it."""
    if tests:
        return f"  *Proved in part* by {tests}." if missing else f"  *Proved* by {tests}."
    if not missing:
        raise LookupError(
            f"No test proves {rule}. Mark one with @pytest.mark.rule({rule!r}), or write a line"
            f" `  Missing: …` below the rule in {PAGE}."
        )
    return "  *Not yet proved.*"


def _tests(proofs: Mapping[str, Sequence[str]], name: str) -> str:
    """The tests that name an id, as a list for a sentence or a cell."""
    return ", ".join(f"`{test}`" for test in proofs.get(name, ()))


def _summary(
    known: Sequence[str], proofs: Mapping[str, Sequence[str]], incomplete: set[str]
) -> str:
    rows = [
        "| source | rules | proved | in part | not yet |",
        "| --- | --- | --- | --- | --- |",
    ]
    for prefix, source in SOURCES.items():
        own = [rule for rule in known if rule.rstrip("0123456789") == prefix]
        tested = [rule for rule in own if rule in proofs]
        partly = sum(rule in incomplete for rule in tested)
        counts = (len(own), len(tested) - partly, partly, len(own) - len(tested))
        rows.append(f"| {source} ({prefix}) | {' | '.join(map(str, counts))} |")
    return "\n".join(rows) + "\n"
