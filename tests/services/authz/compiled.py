"""The compiled module of the source as it stands, also where none was built."""

import tempfile
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from subprocess import CalledProcessError
from types import ModuleType

import pytest

from deploy.compiled import NAME, build
from services.authz.adapters.compiled import prepared

EITHER = pytest.mark.parametrize("pair", ["python", "compiled"], indirect=True)
"""Runs a test of a `pair` with and without the module."""


@cache
def compiled() -> ModuleType:
    """Build it once in a process; it needs a compiler of C and the headers of Python."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            built = build(Path(folder))
        except (CalledProcessError, FileNotFoundError) as problem:
            raise AssertionError(
                "Install gcc and the headers of Python (python3-dev)."
            ) from problem
        spec = spec_from_file_location(NAME, built)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return prepared(module)
