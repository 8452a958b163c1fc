"""The chart's files, without Helm: versions, secret settings, and the command for Secrets."""

import json
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from deploy.cluster_secrets import full_name, main
from deploy.documents import ROOT
from deploy.settings_page import settings_classes
from rolecall.version import VERSION
from shared.runtime.environment import variables

CHART = ROOT / "deploy" / "chart"
URLS = (
    "--mongo-url",
    "mongodb://{user}:{password}@m/",
    "--amqp-url",
    "amqp://{user}:{password}@r/",
)


def test_the_chart_has_the_version_of_the_product():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == VERSION
    assert chart["version"] == VERSION.replace(".dev", "-dev.")


def test_the_values_take_no_secret_as_a_setting():
    schema = json.loads((CHART / "values.schema.json").read_text())
    refused = {
        part: each["properties"]["settings"]["propertyNames"]["not"]["enum"]
        for part, each in schema["properties"].items()
        if "settings" in each.get("properties", {})
    }
    secret = {
        each.name.removeprefix(f"ROLECALL_{service}_".upper())
        for service, settings in settings_classes().items()
        for each in variables(settings)
        if each.secret
    }
    assert refused.keys() == {"defaults", *settings_classes()}
    assert {part: set(each) for part, each in refused.items()} == dict.fromkeys(refused, secret)


def test_secrets_are_kept_and_no_other_user_can_read_them(tmp_path):
    run = [str(tmp_path / "kept"), "--release", "iam", *URLS]
    texts = []
    for _ in range(2):
        assert main(run) == 0
        assert {path.stat().st_mode & 0o077 for path in (tmp_path / "kept").iterdir()} == {0}
        texts.append((tmp_path / "kept" / "secrets.yaml").read_text())
    assert texts[0] == texts[1]
    for each in yaml.safe_load_all(texts[0]):
        if each["kind"] == "Secret":
            part = each["metadata"]["name"].removeprefix("iam-rolecall-")
            assert all(name.startswith(f"ROLECALL_{part.upper()}_") for name in each["stringData"])


def test_each_service_signs_in_by_its_own_name_and_password(tmp_path):
    folder = tmp_path / "kept"
    assert main([str(folder), "--release", "iam", *URLS]) == 0
    passwords = {
        "AMQP_URL": json.loads((folder / "broker.json").read_text()),
        "MONGO_URL": json.loads((folder / "database.json").read_text()),
    }
    found: dict[str, dict[str, str]] = {name: {} for name in passwords}
    for each in yaml.safe_load_all((folder / "secrets.yaml").read_text()):
        for name, value in each.get("stringData", {}).items():
            if name.endswith("_URL"):
                part = each["metadata"]["name"].removeprefix("iam-rolecall-")
                signed_in = urlsplit(value)
                assert signed_in.username == part
                found[name.removeprefix(f"ROLECALL_{part.upper()}_")][part] = unquote(
                    signed_in.password or ""
                )
    assert found == passwords
    assert all(len(set(each.values())) == len(each) for each in passwords.values())


@pytest.mark.parametrize("url", ["amqp://rabbitmq/", "amqp://a:{password}@r/", "amqp://{user}@r/"])
def test_an_address_without_a_place_for_the_user_is_refused(tmp_path, capsys, url):
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--release", "iam", *URLS[:3], url])
    assert "--amqp-url must contain {user} and {password}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ("iam", "iam-rolecall"),
        ("rolecall", "rolecall"),
        ("a" * 39, "a" * 39),
        ("a" * 50, "a" * 40),
    ],
)
def test_names_begin_as_the_chart_makes_them(release, name):
    assert full_name(release) == name
