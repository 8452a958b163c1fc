"""The image of the services: what it adds to its base, and what it says about itself."""

import json
import os
import subprocess

import pytest

from deploy.image.build import build_command
from deploy.image.labels import ROOT, image_labels
from deploy.image.sbom import PAGE
from rolecall.version import VERSION

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]
MOST_ADDED = 75_000_000
"""What an image of 200 MB may add to a base of 125."""
IMAGE = f"rolecall-services:{VERSION}"


@pytest.fixture(scope="module")
def image(engine):
    command = build_command(image_labels(), ["--quiet", "--network=host"])
    subprocess.run(command, cwd=ROOT, check=True)
    return engine.images.get(IMAGE)


def said_by(engine, *command):
    return engine.containers.run(IMAGE, command, remove=True).decode()


def test_the_image_adds_little_to_its_base(engine, image):
    base = engine.images.get(os.environ.get("PYTHON_IMAGE", "python:3.11-slim"))
    assert image.attrs["Size"] - base.attrs["Size"] <= MOST_ADDED


def test_the_image_and_its_command_have_the_version(engine, image):
    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in image.labels.items()
        if name.startswith("org.opencontainers.image.")
    }
    assert labels["version"] == VERSION
    assert labels["revision"] == image_labels()["IMAGE_REVISION"]
    assert labels["created"] == image_labels()["IMAGE_CREATED"]
    assert labels["licenses"] == "Apache-2.0"
    assert said_by(engine, "rolecall", "--version").strip() == f"rolecall {VERSION}"


def test_the_image_has_the_bill_of_its_packages(engine, image):
    bill = said_by(engine, "cat", "/app/sbom.json")
    assert bill == ROOT.joinpath(PAGE).read_text()
    listed = (
        "import json; from importlib.metadata import distributions as d;"
        "print(json.dumps({x.metadata['Name'].lower().replace('_', '-'): x.version for x in d()}))"
    )
    installed = json.loads(said_by(engine, "python", "-c", listed))
    billed = {part["name"]: part["version"] for part in json.loads(bill)["components"]}
    assert installed == billed


def test_every_service_can_be_loaded_from_the_trimmed_packages(engine, image):
    names = ("identity", "team", "authz", "notification", "audit", "console")
    loaded = "import " + ", ".join(f"services.{name}.app" for name in names)
    loaded += (
        ", deploy.migrate, deploy.after_restore, deploy.mailcatcher.catcher, deploy.doctor.run"
    )
    said_by(engine, "python", "-c", loaded)
    said_by(engine, "python", "-c", "from shared.trace_export import OTLPSpanExporter as E; E()")
    said_by(engine, "python", "-m", "deploy.gateway", "/tmp", "--for", "envoy", "--host", "SERVICE")
    moment = (
        "from services.console.domain.moments import shown_moment as s;"
        "print(s('2026-03-01T10:00:00+00:00', locale='de', time_zone='Europe/Berlin'))"
    )
    assert said_by(engine, "python", "-c", moment).strip() == "1. März 2026, 11:00"
