"""The tests that prove the defence against each fault, as the table of faults names them."""

from __future__ import annotations

import ast
from pathlib import Path

TABLE = Path("tests/faults/fault_table.py")
LIVE = "tests/faults/test_fault_table.py::test_no_fault_loses_doubles_or_wrongly_allows_anything"
"""It causes the faults that can be caused in a running product."""


def proofs_of_faults(source: str) -> dict[str, list[str]]:
    """Fault → its tests. The table is read, not imported."""
    names: dict[str, tuple[str, ...]] = {}
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = _texts(node.value, names)
    found = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "FaultRow":
            given = {each.arg: each.value for each in call.keywords}
            [fault] = _texts(given["id"], names)
            tests = _texts(given["tests"], names) if "tests" in given else ()
            found[fault] = sorted({*tests, *([LIVE] if "live" in given else [])})
    return found


def _texts(node: ast.AST, names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The texts of a literal, of a name of such literals, or of a tuple of them."""
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.Name(id=name):
            return names.get(name, ())
        case ast.Tuple(elts=parts):
            return tuple(text for part in parts for text in _texts(part, names))
        case ast.JoinedStr(values=parts):
            return ("".join(text for part in parts for text in _texts(part, names)),)
        case ast.FormattedValue(value=value):
            return _texts(value, names)
    return ()
