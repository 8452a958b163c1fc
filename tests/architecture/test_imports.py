"""The import graph: how it is computed."""

from graphlib import CycleError

import pytest

from deploy.imports import import_graph, levels, service_graphs


@pytest.fixture
def package(tmp_path):
    def write(**modules):
        for name, text in modules.items():
            file = tmp_path / f"{name.replace('__in__', '/')}.py"
            file.parent.mkdir(exist_ok=True)
            (file.parent / "__init__.py").touch()
            file.write_text(text)
        return import_graph(tmp_path, "services.x")

    return write


def test_folders_and_root_modules_are_nodes_and_imports_edges(package):
    graph = package(
        app="from services.x import settings\nimport services.x.routes.a",
        settings="import os",
        routes__in__a="from services.x.domain import rules\nfrom services.x.routes.b import B",
        routes__in__b="from services.y.store import rows",
        domain="",
    )
    assert graph == {
        "app": {"settings", "routes"},
        "settings": set(),
        "routes": {"domain"},
        "domain": set(),
    }
    assert levels(graph) == [["domain", "settings"], ["routes"], ["app"]]


def test_a_circle_is_an_error(package):
    graph = package(a="from services.x import b", b="from services.x import a")
    with pytest.raises(CycleError):
        levels(graph)


def test_no_service_has_a_circle_of_imports():
    for graph in service_graphs().values():
        assert levels(graph)
