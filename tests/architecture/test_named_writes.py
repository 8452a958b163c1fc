"""Writes of audit that a caller asks for name who acted, because they take one way."""

import ast
from pathlib import Path

USE_CASES = Path(__file__).parents[2] / "services/audit/use_cases"
THE_WAY = "member_writes.py"
BY_ITSELF = {"service_caller", "caller_for"}
"""What makes the caller where audit acts by itself or because of a fact."""


def test_audit_names_who_acted_in_each_write_of_a_caller() -> None:
    others = [
        f"{path.name}:{call.lineno}"
        for path in sorted(USE_CASES.glob("*.py"))
        if path.name != THE_WAY
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).endswith("journal.write")
        and not _acts_by_itself(call)
    ]
    assert others == [], f"use write_named of {THE_WAY}"


def _acts_by_itself(call: ast.Call) -> bool:
    [caller] = [each.value for each in call.keywords if each.arg == "caller"]
    return isinstance(caller, ast.Call) and ast.unparse(caller.func) in BY_ITSELF
