"""The import graph inside each service, over its folders and root modules.

`python -m deploy.imports` prints, for each service, the number of nodes, edges and levels, and the
levels themselves from the bottom up.
"""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from shared.contracts.topology import Service

ROOT = Path(__file__).parent.parent

Graph = dict[str, set[str]]
"""Node → the nodes that it imports."""


def import_graph(folder: Path, package: str) -> dict[str, set[str]]:
    """The imports between the folders and root modules of one package.

    Args:
        folder: the folder of the package.
        package: its dotted name, as import statements write it.
    """
    nodes = {
        path.stem
        for path in folder.iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    graph: dict[str, set[str]] = {node: set() for node in nodes}
    for path in sorted(folder.rglob("*.py")):
        node = path.relative_to(folder).parts[0].removesuffix(".py")
        if node in nodes:
            graph[node] |= (_imported(path, package) & nodes) - {node}
    return graph


def levels(graph: Graph) -> list[list[str]]:
    """The nodes by level: each node stands above everything that it imports.

    Raises:
        graphlib.CycleError: nodes import each other in a circle.
    """
    height: dict[str, int] = {}
    for node in TopologicalSorter(graph).static_order():
        height[node] = 1 + max((height[below] for below in graph[node]), default=-1)
    found: list[list[str]] = [[] for _ in range(1 + max(height.values(), default=-1))]
    for node, level in height.items():
        found[level].append(node)
    return [sorted(names) for names in found]


def service_graphs() -> dict[str, dict[str, set[str]]]:
    """The import graph of every service."""
    return {
        service: import_graph(ROOT / "services" / service, f"services.{service}")
        for service in Service
    }


def _imported(path: Path, package: str) -> set[str]:
    """The first names below the package that one module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    prefix = f"{package}."
    return {name.removeprefix(prefix).split(".")[0] for name in names if name.startswith(prefix)}


def main() -> None:
    """Print the table."""
    lines = [
        "| service | nodes | edges | levels | from the bottom up |",
        "| --- | --- | --- | --- | --- |",
    ]
    for service, graph in service_graphs().items():
        stack = levels(graph)
        edges = sum(map(len, graph.values()))
        shown = " < ".join(", ".join(names) for names in stack)
        lines.append(f"| {service} | {len(graph)} | {edges} | {len(stack)} | {shown} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
