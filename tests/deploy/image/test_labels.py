"""The tag, the labels and the version of the image."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.version import Version

from deploy.compose import Compose
from deploy.documents import ROOT
from deploy.image.build import build_command
from deploy.image.labels import image_labels
from rolecall.version import VERSION
from shared.runtime.health import BUILD_INFO, Live

DOCKERFILE = ROOT.joinpath("deploy/Dockerfile").read_text()
FILE = yaml.safe_load(ROOT.joinpath("docker-compose.yml").read_text())
CHANGELOG = ROOT.joinpath("CHANGELOG.md").read_text()
RELEASES = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", CHANGELOG, re.MULTILINE)


@pytest.fixture
def fresh():
    image_labels.cache_clear()
    yield
    image_labels.cache_clear()


@pytest.mark.parametrize("project", ["pyproject.toml", "sdk/pyproject.toml"])
def test_the_packages_have_the_version_of_the_product(project):
    assert tomllib.loads(ROOT.joinpath(project).read_text())["project"]["version"] == VERSION


def test_the_version_is_the_newest_release_or_on_the_way_to_the_next():
    """Between releases there are changes under [Unreleased], and the number ends with .dev0."""
    newest, version = Version(RELEASES[0][0]), Version(VERSION)
    unreleased = "\n## [Unreleased]\n" in CHANGELOG
    assert version.is_devrelease is unreleased
    assert (version > newest) if unreleased else (version == newest)


def test_releases_are_listed_from_the_newest_to_the_oldest():
    numbers = [Version(number) for number, _ in RELEASES]
    assert numbers == sorted(numbers, reverse=True)
    dates = [date for _, date in RELEASES]
    assert dates == sorted(dates, reverse=True)


def test_health_and_metrics_of_a_service_say_the_version():
    assert Live().version == VERSION
    BUILD_INFO.labels("team", VERSION).set(1)
    (metric,) = BUILD_INFO.collect()
    assert {sample.labels["version"] for sample in metric.samples} == {VERSION}


def test_the_composition_tags_the_image_with_the_version(tmp_path):
    variables = Compose(project="test", folder=tmp_path, port=1, mail_port=2).variables
    assert variables["IMAGE_VERSION"] == VERSION
    ours = {row["image"] for row in FILE["services"].values() if "rolecall" in row["image"]}
    assert ours == {"${ROLECALL_IMAGE:-rolecall-services}:${IMAGE_VERSION:-local}"}


def test_each_label_has_an_argument_that_the_composition_gives():
    arguments = set(re.findall(r"^ARG (\w+)$", DOCKERFILE, re.MULTILINE))
    assert arguments == {name.removeprefix("IMAGE_") for name in image_labels()}
    assert arguments == set(FILE["services"]["mongo-setup"]["build"]["args"]) - {"PYTHON_IMAGE"}
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', DOCKERFILE))
    assert labels | {"title": "", "description": "", "licenses": ""} == {
        "title": "",
        "description": "",
        "licenses": "",
        **{name.lower(): f"${{{name}}}" for name in arguments},
    }
    assert all(labels.values())


def test_an_image_built_by_hand_has_the_tag_and_labels_of_the_composition():
    command = build_command({"IMAGE_VERSION": "1.2.3", "IMAGE_REVISION": "abc"}, ["--pull"])
    assert "--tag=rolecall-services:1.2.3" in command
    assert "--build-arg=VERSION=1.2.3" in command
    assert "--build-arg=REVISION=abc" in command
    assert command[-2:] == ["--pull", "."]


def test_the_labels_name_the_commit_and_its_time(fresh, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    shown = subprocess.run(
        ["git", "show", "--no-patch", "--format=%H", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    labels = image_labels()
    assert labels["IMAGE_REVISION"].removesuffix("-changed") == shown
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", labels["IMAGE_CREATED"])


def test_the_time_of_the_image_is_that_of_the_sources_if_it_is_given(fresh, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert image_labels()["IMAGE_CREATED"] == "2023-11-14T22:13:20+00:00"


@pytest.mark.usefixtures("fresh")
def test_outside_a_repository_the_labels_are_empty(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    labels = image_labels()
    assert (labels["IMAGE_REVISION"], labels["IMAGE_CREATED"]) == ("", "")
