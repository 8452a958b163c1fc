"""The bill of the image's packages is that of the lock."""

import json
import re

import pytest
from license_expression import get_spdx_licensing

from deploy.image.sbom import LICENSES, LOCK, PAGE, ROOT, OtherVersion, bill, pinned
from rolecall.version import VERSION

BILL = json.loads(ROOT.joinpath(PAGE).read_text())
COMPONENTS = {part["name"]: part for part in BILL["components"]}


def licence(part):
    (told,) = part["licenses"]
    return told.get("expression") or told["license"]["id"]


def test_the_bill_is_that_of_the_lock_and_the_installed_packages():
    assert ROOT.joinpath(PAGE).read_text() == bill(LOCK.read_text()), "Run `make sbom`."


def test_the_bill_names_each_pinned_package_once_with_its_version():
    pins = {pin.name: str(pin.specifier).removeprefix("==") for pin in pinned(LOCK.read_text())}
    assert {name: part["version"] for name, part in COMPONENTS.items()} == pins
    assert len(BILL["components"]) == len(pins)


def test_each_package_has_a_licence_of_spdx():
    known = get_spdx_licensing()
    for part in COMPONENTS.values():
        assert known.validate(licence(part), strict=True).errors == [], part["name"]


def test_a_licence_is_stated_by_hand_only_for_packages_of_the_lock():
    assert set(LICENSES) <= set(COMPONENTS)


def test_the_bill_says_what_needs_what():
    needs = {row["ref"]: row.get("dependsOn", []) for row in BILL["dependencies"]}
    names = {ref.partition("==")[0] for ref in needs["rolecall-services"]}
    assert {"aiohttp", "motor", "pydantic"} <= names
    assert (
        f"pymongo=={COMPONENTS['pymongo']['version']}"
        in (needs[f"motor=={COMPONENTS['motor']['version']}"])
    )
    assert set().union(*needs.values()) < set(needs)


def test_the_bill_has_the_version_no_time_and_no_address_of_an_index():
    assert BILL["metadata"]["component"]["version"] == VERSION
    assert "timestamp" not in BILL["metadata"]
    text = ROOT.joinpath(PAGE).read_text()
    assert re.findall(r"\w+://[^\"]*", text) == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]


@pytest.mark.parametrize(
    ("lock", "names"),
    [
        ("aiohttp==1.0 \\\n    --hash=sha256:0", ["aiohttp"]),
        ("uvloop==1.0 ; sys_platform != 'win32' \\\n    --hash=sha256:0", ["uvloop"]),
        ("colorama==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:0", []),
        ("tomli==1.0 ; python_full_version < '3.11'", []),
        ("# a remark\n    --hash=sha256:0", []),
    ],
)
def test_a_pin_counts_where_its_marker_holds_in_the_image(lock, names):
    assert [pin.name for pin in pinned(lock)] == names


def test_no_bill_is_made_in_an_environment_of_other_versions():
    with pytest.raises(OtherVersion, match=r"aiohttp is installed as .*`make sbom`"):
        bill("aiohttp==0.1 \\\n    --hash=sha256:0\n")
