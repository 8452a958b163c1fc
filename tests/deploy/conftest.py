"""What every test of the deployment gives back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Restore the umask, which the program of `make run` narrows for its process."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
