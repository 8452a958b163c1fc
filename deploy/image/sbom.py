"""The bill of materials of the image: CycloneDX, from the lock file and the packages' metadata.

It has no time and no address of an index, so one lock has one bill. `make sbom` writes it.
"""

import json
import re
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rolecall.version import VERSION

ROOT = Path(__file__).parent.parent.parent
LOCK = ROOT / "requirements.lock"
PAGE = "deploy/image/sbom.json"
NAMESPACE = uuid.UUID("6e8d9a0c-4f0b-5c41-9d3f-2f6f0f2a5b11")
"""Of the serial numbers: one lock and one version have one number."""
IN_THE_IMAGE = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""What the markers of requirements compare, wherever the bill is made."""
LICENSES: Mapping[str, str] = {
    "protobuf": "BSD-3-Clause",
    "aiosignal": "Apache-2.0",
    "jinja2": "BSD-3-Clause",
    "motor": "Apache-2.0",
    "pyasn1-modules": "BSD-2-Clause",
    "pyopenssl": "Apache-2.0",
    "segno": "BSD-3-Clause",
    "uvloop": "Apache-2.0 OR MIT",
    "zxcvbn-rs-py": "MIT",
}
"""Licences, read in the packages, of those whose metadata name none of SPDX's."""


class OtherVersion(Exception):  # noqa: N818 - what it says is told to a developer
    """A package is installed in another version than the lock names."""


def bill(lock: str) -> str:
    """The bill of the packages that a lock pins for the image.

    Raises:
        OtherVersion: the environment is not that of the lock.
        importlib.metadata.PackageNotFoundError: a pinned package is not installed.
    """
    packages: dict[str, Distribution] = {
        canonicalize_name(pin.name): _installed(pin) for pin in pinned(lock)
    }
    parts: dict[str, Component] = {
        name: _component(name, package) for name, package in packages.items()
    }
    product = Component(
        type=ComponentType.APPLICATION,
        name="rolecall-services",
        version=VERSION,
        bom_ref="rolecall-services",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    made = Bom(components=parts.values(), serial_number=uuid.uuid5(NAMESPACE, VERSION + lock))
    made.metadata.component = product
    direct = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())["project"]["dependencies"]
    for part, required in (
        (product, direct),
        *((parts[name], package.requires or ()) for name, package in packages.items()),
    ):
        needed = {name for name in _names(required) if name in parts}
        made.register_dependency(part, [parts[name] for name in sorted(needed)])
    told = json.loads(JsonV1Dot6(made).output_as_string())
    del told["metadata"]["timestamp"]
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def pinned(lock: str) -> Iterator[Requirement]:
    """The requirements of a lock file that hold in the image."""
    for line in re.findall(r"^[A-Za-z0-9][^\\\n]*", lock, flags=re.MULTILINE):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(IN_THE_IMAGE):
            yield pin


def _names(requirements: Iterable[str]) -> Iterator[str]:
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({**IN_THE_IMAGE, "extra": ""}):
            yield canonicalize_name(requirement.name)


def _installed(pin: Requirement) -> Distribution:
    package = distribution(pin.name)
    if not pin.specifier.contains(package.version, prereleases=True):
        raise OtherVersion(
            f"{pin.name} is installed as {package.version}, the lock has {pin.specifier}. "
            "Install the lock, then run `make sbom` again."
        )
    return package


def _component(name: str, package: Distribution) -> Component:
    told = package.metadata.json
    expression = LICENSES.get(name) or told.get("license_expression") or told["license"]
    return Component(
        name=name,
        version=package.version,
        bom_ref=f"{name}=={package.version}",
        description=str(told.get("summary") or name),
        licenses=[LicenseFactory().make_from_string(str(expression))],
        purl=PackageURL(type="pypi", name=name, version=package.version),
    )


if __name__ == "__main__":
    ROOT.joinpath(PAGE).write_text(bill(LOCK.read_text()))
