"""The package of the SDK: it has all that it needs, and needs nothing of the services."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rolecall

SDK = Path(rolecall.__file__).parents[1]
SERVICES = ("motor", "pymongo", "aio_pika", "argon2", "prometheus_client", "uvloop", "shared")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the files that the wheel has, apart from the repository."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(
        SDK / "rolecall", site / "rolecall", ignore=shutil.ignore_patterns("__pycache__")
    )
    return site


PROGRAM = """
import importlib, pkgutil, sys

class OnlyNeeded:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {services}:
            raise ImportError(f"the SDK may not import {{name}}")
        return None

sys.meta_path.insert(0, OnlyNeeded())
import rolecall
assert rolecall.__file__.startswith({site!r}), rolecall.__file__
for module in pkgutil.walk_packages(rolecall.__path__, "rolecall."):
    importlib.import_module(module.name)
assert rolecall.load_catalog("standard").roles
"""


def run(site, program):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        cwd=site,
    )


def test_every_module_imports_without_the_services(installed):
    found = run(installed, PROGRAM.format(services=SERVICES, site=str(installed)))
    assert found.returncode == 0, found.stderr


def test_the_package_alone_needs_no_extra(installed):
    program = (
        "import sys; sys.modules['aiohttp'] = sys.modules['jwt'] = sys.modules['cryptography']"
        " = None; import rolecall; rolecall.load_catalog('standard')"
    )
    found = run(installed, program)
    assert found.returncode == 0, found.stderr


def test_the_package_is_typed_and_names_what_it_imports(installed):
    assert (installed / "rolecall" / "py.typed").exists()
    project = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["aiohttp"]]
    assert {each.partition(">")[0] for each in named} == {
        "pydantic",
        "pyyaml",
        "aiohttp",
        "pyjwt[crypto]",
    }
