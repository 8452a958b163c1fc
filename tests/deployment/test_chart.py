"""The chart as Helm renders it: what Kubernetes takes, and what our rules demand of every pod."""

import json
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.cluster_secrets import write_manifests
from deploy.compose_files import INTERNAL_PORT, PUBLIC_PORT
from deploy.gateway import __main__ as gateway_command
from deploy.gateway.paths import public_routes
from deploy.gateway.problems import body_limits
from deploy.migrate import SERVICES
from deploy.monitoring.alert_rules import RULES
from deploy.settings_page import settings_classes
from shared.contracts.topology import Service
from shared.networks import PRIVATE_NETWORKS
from shared.runtime.environment import load, variables
from tests.deployment.rendered import (
    MINIMAL,
    PARTS,
    SETS,
    containers,
    documents,
    matches,
    of_kind,
    pods,
    rendered,
)

pytestmark = [pytest.mark.deployment, pytest.mark.usefixtures("unmeasured")]
BY_SETS = pytest.mark.parametrize("name", SETS)
WITHOUT_SCHEMA = {"ServiceMonitor", "PrometheusRule"}
SECRET = {
    each.name for kind in settings_classes().values() for each in variables(kind) if each.secret
}
MOUNTED = "/run/secrets/rolecall/"


@BY_SETS
def test_helm_lint_finds_nothing(name):
    assert rendered()[name]["lint"] == []


@BY_SETS
@pytest.mark.parametrize("version", ["1.27", "1.32", "1.37"])
def test_kubernetes_schemas_take_every_object(name, version):
    found = documents(name)
    assert len(found) >= 20
    for each in found:
        if each["kind"] not in WITHOUT_SCHEMA:
            kubernetes_validate.validate(each, version, strict=True)


@BY_SETS
def test_no_two_objects_have_the_same_name(name):
    names = [(each["kind"], each["metadata"]["name"]) for each in documents(name)]
    assert len(set(names)) == len(names)
    assert all(len(own) <= 63 for _, own in names)


REFUSED = {
    "no address": {key: value for key, value in MINIMAL.items() if key != "publicUrl"},
    "http": {**MINIMAL, "publicUrl": "http://iam.example.com"},
    "an address with a path": {**MINIMAL, "publicUrl": "https://iam.example.com/a"},
    "no mail server": {"publicUrl": "https://a.example"},
    "an unknown key": {**MINIMAL, "replicas": 3},
    "an unknown key of a part": {**MINIMAL, "team": {"replica": 3}},
    "no replicas": {**MINIMAL, "team": {"replicas": 0}},
    "a secret among the settings": {**MINIMAL, "team": {"settings": {"LINK_KEY": "x"}}},
    "a setting in small letters": {**MINIMAL, "team": {"settings": {"log_level": "x"}}},
    "an nginx of no version": {**MINIMAL, "gateway": {"image": {"tag": "latest"}}},
    "a digest that is none": {**MINIMAL, "image": {"digest": "sha256:x"}},
    "an ingress without a host": {**MINIMAL, "ingress": {"enabled": True}},
    "no limit of memory": {**MINIMAL, "team": {"resources": {"limits": {"memory": None}}}},
}


def test_the_schema_refuses_values_that_would_not_work():
    made = rendered(REFUSED)
    assert {name for name, each in made.items() if "refused" not in each} == set()


@BY_SETS
def test_every_container_is_restricted_and_has_limits(name):
    assert pods(name)
    for own, pod in pods(name).items():
        spec = pod["spec"]
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] >= 10000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec.keys().isdisjoint({"hostNetwork", "hostPID", "hostIPC"})
        assert all("hostPath" not in volume for volume in spec["volumes"])
        for each in containers(pod):
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, own
            assert each["resources"]["limits"]["memory"]
            assert each["resources"]["requests"].keys() == {"cpu", "memory"}
            assert re.search(r"(:[\w.-]*\d[\w.-]*|@sha256:[0-9a-f]{64})$", each["image"])
            volumes = {volume["name"] for volume in spec["volumes"]}
            assert {mount["name"] for mount in each["volumeMounts"]} <= volumes


@BY_SETS
def test_no_secret_is_a_value_in_a_pod(name):
    for pod in pods(name).values():
        given = [each for one in containers(pod) for each in one.get("env", [])]
        assert {each["name"] for each in given} & SECRET == set()
        assert len({each["name"] for each in given}) == len(given)


@BY_SETS
def test_every_long_running_container_has_its_probes(name):
    made = of_kind(name, "Deployment", "StatefulSet")
    further = {"authz-2", "authz-3"} if name == "groups" else set()
    assert {own.removeprefix("iam-rolecall-") for own in made} == {*PARTS, *further}
    stateful = {own for own, each in made.items() if each["kind"] == "StatefulSet"}
    assert stateful == {f"iam-rolecall-{own}" for own in ("authz", *further)}
    for own, each in made.items():
        spec = each["spec"]["template"]["spec"]
        [container] = spec["containers"]
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            [how] = container[probe].keys() & {"httpGet", "tcpSocket"}
            assert container[probe][how]["port"] in ports, own
        drained = [one["value"] for one in container.get("env", []) if "DRAIN" in one["name"]]
        longest = float(drained[0]) if drained else 8.0
        assert spec["terminationGracePeriodSeconds"] >= longest + 15 + 5
        assert {rule["topologyKey"] for rule in spec["topologySpreadConstraints"]} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }


def given_to(pod, folder, secrets, config):
    """The variables that a pod would have, with the files of its Secret in a folder."""
    [container] = pod["spec"]["containers"]
    [volume] = [each for each in pod["spec"]["volumes"] if each["name"] == "secrets"]
    files = secrets[volume["secret"]["secretName"]]
    for name, text in files.items():
        (folder / name).write_text(text)
    environment = {}
    for each in container["env"]:
        if "value" in each:
            environment[each["name"]] = each["value"].replace(MOUNTED, f"{folder}/")
        elif "configMapKeyRef" in each["valueFrom"]:
            key = each["valueFrom"]["configMapKeyRef"]
            environment[each["name"]] = config[key["name"]][key["key"]]
        else:
            environment[each["name"]] = "iam-rolecall-0"
    return environment


@pytest.mark.parametrize("name", ["minimal", "everything", "groups"])
def test_each_service_takes_the_settings_and_secrets_of_its_pod(name, tmp_path, monkeypatch):
    extra = {
        "ROLECALL_NOTIFICATION_SMTP_PASSWORD": "p",
        "ROLECALL_IDENTITY_SSO_CONNECTIONS": "[]",
    }
    write_manifests(
        tmp_path / "kept",
        release="iam",
        mongo_url="mongodb://{user}:{password}@mongo/?replicaSet=rs0&authSource=admin",
        amqp_url="amqps://{user}:{password}@rabbitmq/",
        extra=extra,
    )
    made = list(yaml.safe_load_all((tmp_path / "kept" / "secrets.yaml").read_text()))
    for each in made:
        kubernetes_validate.validate(each, "1.37", strict=True)
    secrets = {each["metadata"]["name"]: each["stringData"] for each in made if "type" in each}
    secrets["own-authz"] = secrets["iam-rolecall-authz"]
    config = {each["metadata"]["name"]: each["data"] for each in made if "data" in each}
    for own, pod in pods(name).items():
        part = part_of(own)
        if part == "gateway":
            continue
        folder = tmp_path / own
        folder.mkdir()
        with monkeypatch.context() as patched:
            for key, value in given_to(pod, folder, secrets, config).items():
                patched.setenv(key, value)
            settings: Any = load(settings_classes()[part])
        assert (settings.port, settings.internal_port) == (PUBLIC_PORT, INTERNAL_PORT)
        assert list(map(str, settings.trusted_proxies)) == sorted(
            PRIVATE_NETWORKS, key=list(map(str, settings.trusted_proxies)).index
        )
        if part in SERVICES:
            assert settings.migrate == "apart"


def part_of(name: str) -> str:
    """The part of the product that the pods of this name are of."""
    return re.sub(r"-[0-9]+$", "", name).rpartition("-")[2]


def test_each_group_of_authz_knows_its_number_and_all_addresses(tmp_path):
    values = {
        "divided": {**MINIMAL, "authz": {"groups": 3}},
        "growing": {**MINIMAL, "authz": {"groups": 3, "firstGroupHoldsAll": True}},
    }
    told: dict[str, dict[str, dict[str, str]]] = {}
    for name, each in rendered(values).items():
        texts = [text for path, text in each["files"].items() if path.endswith(".yaml")]
        made = [doc for text in texts for doc in yaml.safe_load_all(text) if doc]
        told[name] = {
            doc["metadata"]["name"].removeprefix("iam-rolecall-"): {
                variable["name"].removeprefix("ROLECALL_AUTHZ_"): variable["value"]
                for variable in doc["spec"]["template"]["spec"]["containers"][0]["env"]
                if variable["name"].startswith("ROLECALL_AUTHZ_GROUP")
            }
            for doc in made
            if doc["kind"] == "StatefulSet"
        }
    names = ["authz", "authz-2", "authz-3"]
    urls = [[f"http://iam-rolecall-{name}:8080"] for name in names]
    inside = [[f"http://iam-rolecall-{name}-internal:8081"] for name in names]
    every = {"GROUP_URLS": urls, "GROUP_INTERNAL_URLS": inside}
    for number, name in enumerate(names, 1):
        found = {key: json.loads(value) for key, value in told["divided"][name].items()}
        assert found == {"GROUP": number, **every}
    assert told["growing"] == {**told["divided"], "authz": {}}


def test_the_jobs_migrate_each_database_before_and_contract_after():
    jobs = of_kind("everything", "Job")
    commands = [
        (
            job["metadata"]["annotations"]["helm.sh/hook"],
            job["spec"]["template"]["spec"]["containers"][0]["command"],
        )
        for job in jobs.values()
    ]
    run = ["python", "-m", "deploy.migrate"]
    before = [("pre-install,pre-upgrade", [*run, service]) for service in SERVICES]
    after = [("post-install,post-upgrade", [*run, name, "--contract"]) for name in SERVICES]
    assert sorted(commands) == sorted(before + after)
    assert len(of_kind("minimal", "Job")) == len(SERVICES)
    assert of_kind("little", "Job") == {}


def test_nginx_in_the_gateway_finds_the_services_of_the_release(tmp_path):
    for name in ("minimal", "everything", "groups"):
        spec = pods(name)["iam-rolecall-gateway"]["spec"]
        [init] = spec["initContainers"]
        assert init["command"][:4] == ["python", "-m", "deploy.gateway", "/etc/rolecall"]
        arguments = [*init["command"][4:], "--resolver=10.96.0.10"]
        assert gateway_command.main([str(tmp_path), *arguments]) == 0
        text = (tmp_path / "nginx.conf").read_text()
        hosts = set(re.findall(r"server ([\w-]+)\.prod\.svc\.cluster\.local:8080 resolve", text))
        further = ("authz-2", "authz-3") if name == "groups" else ()
        assert hosts == {f"iam-rolecall-{part}" for part in (*Service, "console", *further)}
        assert hosts <= of_kind(name, "Service").keys()
        open_ports = {f"listen {port['containerPort']}" for port in spec["containers"][0]["ports"]}
        assert set(re.findall(r"listen \d+", text)) == open_ports


@BY_SETS
def test_every_selector_finds_its_pods_and_ports(name):
    templates = pods(name)
    for own, each in of_kind(name, "Service").items():
        [found] = [pod for pod in templates.values() if matches(each["spec"]["selector"], pod)]
        ports = {port["name"] for port in found["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in each["spec"]["ports"]} <= ports, own
    for own, each in of_kind(name, "PodDisruptionBudget").items():
        selector = each["spec"]["selector"]["matchLabels"]
        assert [key for key, pod in templates.items() if matches(selector, pod)] == [own]
    for own, each in of_kind(name, "Deployment", "StatefulSet").items():
        assert matches(each["spec"]["selector"]["matchLabels"], templates[own])
        assert ("replicas" in each["spec"]) == (name != "everything")


def opened(name, direction):
    """(from, to, port) of the release that the policies open in one direction."""
    templates = {
        own.removeprefix("iam-rolecall-"): pod
        for own, pod in pods(name).items()
        if "-contract-" not in own
    }
    numbers = {"public": 8080, "internal": 8081, "inside": 8082, "http": 8080, "https": 8443}
    edges = set()
    for policy in of_kind(name, "NetworkPolicy").values():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        mine = [
            part
            for part, pod in templates.items()
            if matches(policy["spec"]["podSelector"]["matchLabels"], pod)
        ]
        assert mine
        for rule in policy["spec"][direction]:
            for peer in rule.get("from" if direction == "ingress" else "to", []):
                if "podSelector" not in peer:
                    continue
                selector = peer["podSelector"]["matchLabels"]
                others = [part for part, pod in templates.items() if matches(selector, pod)]
                ports = {numbers.get(port["port"], port["port"]) for port in rule["ports"]}
                pairs = [(here, there, port) for here in mine for there in others for port in ports]
                if direction == "ingress":
                    pairs = [(there, here, port) for here, there, port in pairs]
                edges |= set(pairs)
    return edges


@pytest.mark.rule("T18")
@pytest.mark.parametrize("name", ["minimal", "everything", "groups"])
def test_pods_reach_each_other_as_the_composition_lets_them(name):
    groups = ["authz", "authz-2", "authz-3"] if name == "groups" else []
    services = {*Service, *groups}
    expected = {("gateway", part, 8080) for part in (*services, "console")}
    expected |= {(one, other, 8081) for one in services for other in services}
    expected |= {(one, other, 8080) for one in groups for other in groups}
    expected |= {("console", "gateway", 8082)}
    assert opened(name, "ingress") == opened(name, "egress") == expected


def test_outside_ports_are_open_to_those_who_need_them_alone():
    ports = {}
    for own, policy in of_kind("minimal", "NetworkPolicy").items():
        part = own.removeprefix("iam-rolecall-")
        ports[part] = {
            port["port"]
            for rule in policy["spec"]["egress"]
            if "to" not in rule
            for port in rule["ports"]
        } - {53}
    broker, database, internet = {5671, 5672}, {27017}, {443}
    assert ports == {
        "identity": broker | database | internet,
        "team": broker | database,
        "authz": broker,
        "notification": broker | database | internet | {25, 465, 587},
        "audit": broker | database | internet,
        "console": set(),
        "gateway": set(),
        "migrate": database,
    }


def test_prometheus_has_the_rules_of_the_project_and_finds_every_service():
    [rule] = of_kind("everything", "PrometheusRule").values()
    groups = [
        group
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    assert rule["spec"]["groups"] == groups
    [monitor] = of_kind("everything", "ServiceMonitor").values()
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = of_kind("everything", "Service").values()
    found = {
        each["metadata"]["name"]
        for each in services
        if wanted <= each["metadata"]["labels"].items()
    }
    assert found == {f"iam-rolecall-{part}-internal" for part in (*Service, "console")}
    assert {"targetLabel": "job", "replacement": "rolecall"} in monitor["spec"]["endpoints"][0][
        "relabelings"
    ]


def test_an_ingress_takes_the_largest_body_that_the_gateway_takes():
    [ingress] = of_kind("everything", "Ingress").values()
    size = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    rows = [row for rows in public_routes().values() for row in rows]
    assert int(size.removesuffix("m")) * 2**20 >= max(body_limits(rows).values())
    assert json.dumps(ingress["spec"]["rules"]).count('"iam-rolecall-gateway"') == 1
