"""The files of the project, as the tests of this folder read them."""

import ast
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from deploy.documents import ROOT


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """The files that git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(ROOT / line for line in output.splitlines() if (ROOT / line).is_file())


def relative(path: Path) -> str:
    """The path from the root of the project."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """The nodes of a module's syntax tree."""
    return tuple(ast.walk(parsed(path)))


def is_test(path: Path) -> bool:
    """Whether the file stands below tests/."""
    return relative(path).startswith("tests/")


def faults_in(
    paths: Iterable[Path], faults_of: Callable[[Path], Iterable[object]]
) -> dict[str, list[object]]:
    """File → its faults, for the files that have any: one test of all files reports them all."""
    found = {relative(path): list(faults_of(path)) for path in paths}
    return {path: faults for path, faults in found.items() if faults}
