"""The packages: pinned with hashes, new enough, and named without an index address."""

import importlib.metadata
import re
import tomllib

import pytest
from packaging.version import Version

from deploy.documents import ROOT

FLOORS = {
    "aiohttp": "3.14.4",
    "pyjwt": "2.15.0",
    "aio-pika": "10.2.1",
    "aiormq": "7.2.4",
    "pymongo": "4.20",
    "cryptography": "50",
    "argon2-cffi": "25.1",
    "aiosmtplib": "5.1",
}
LOCKS = sorted(ROOT.glob("requirements*.lock"))


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_a_package_with_known_faults_is_new_enough(package: str, floor: str) -> None:
    assert Version(importlib.metadata.version(package)) >= Version(floor)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_file_pins_with_hashes_and_names_no_address(lock) -> None:
    text = lock.read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=[a-zA-Z0-9])", text.strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_direct_dependency_is_in_the_lock_file(lock) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {line.split("==")[0].split("[")[0].lower() for line in lock.read_text().splitlines()}
    for requirement in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert name is not None
        assert name[0].lower() in pinned


def test_the_images_do_not_contain_secantusdb() -> None:
    assert "secantusdb" not in (ROOT / "requirements.lock").read_text().lower()
