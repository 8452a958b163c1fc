"""What Helm makes of the chart: documents, pods, and who may talk to whom."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import yaml

MINIMAL: Mapping[str, Any] = {
    "publicUrl": "https://iam.example.com",
    "notification": {"smtp": {"host": "mail.example"}, "mailFrom": "no-reply@example.com"},
}
PARTS = ("identity", "team", "authz", "notification", "audit", "console", "gateway")
AUTOSCALED = {"autoscaling": {"enabled": True}}
PEER = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
EVERYTHING: Mapping[str, Any] = {
    **MINIMAL,
    **dict.fromkeys(PARTS, AUTOSCALED),
    "image": {"repository": "registry.example/rolecall", "digest": "sha256:" + "a" * 64},
    "imagePullSecrets": [{"name": "pull"}],
    "serviceAccountName": "rolecall",
    "migrations": {"contract": True},
    "defaults": {
        "settings": {"LOG_LEVEL": "DEBUG"},
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "extraVolumes": [{"name": "ca", "secret": {"secretName": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/rolecall/tls"}],
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
        "nodeSelector": {"e": "f"},
        "tolerations": [{"key": "g", "operator": "Exists"}],
        "priorityClassName": "high",
    },
    "identity": {**AUTOSCALED, "ssoConnections": True, "settings": {"SESSION_DAYS": 7}},
    "authz": {**AUTOSCALED, "forwardAuthMap": "routes: []\n", "existingSecret": "own-authz"},
    "notification": {
        **AUTOSCALED,
        "smtp": {"host": "mail.example", "security": "tls", "port": 465, "username": "u"},
        "mailFrom": "no-reply@example.com",
    },
    "audit": {**AUTOSCALED, "checkpoints": {"existingClaim": "checkpoints"}},
    "gateway": {
        **AUTOSCALED,
        "trustedProxies": ["10.1.0.0/16", "fd00::/64"],
        "tls": {"secret": "iam-tls"},
        "service": {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "annotations": {"x": "y"},
        },
    },
    "ingress": {
        "enabled": True,
        "host": "iam.example.com",
        "className": "nginx",
        "tlsSecret": "iam-tls",
    },
    "networkPolicy": {"metricsFrom": PEER, "traces": {"to": PEER, "ports": [4318]}},
    "monitoring": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
}
LITTLE: Mapping[str, Any] = {
    **MINIMAL,
    "migrations": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
}
GROUPS: Mapping[str, Any] = {**MINIMAL, "authz": {"groups": 3}}
SETS = {"minimal": MINIMAL, "everything": EVERYTHING, "little": LITTLE, "groups": GROUPS}


@cache
def _helm(sets: str) -> Mapping[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.deployment.render"],
        input=sets,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: Mapping[str, Any] = json.loads(done.stdout)
    return made


def rendered(sets: Mapping[str, Mapping[str, Any]] = SETS) -> Mapping[str, Any]:
    """Name of the values → files and findings, or the refusal; made once for the same values."""
    return _helm(json.dumps(sets))


def documents(name: str) -> Sequence[Mapping[str, Any]]:
    """All objects that Helm would create with one of `SETS`."""
    files = rendered()[name]["files"]
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


def of_kind(name: str, *kinds: str) -> Mapping[str, Mapping[str, Any]]:
    """The objects of these kinds by name."""
    return {each["metadata"]["name"]: each for each in documents(name) if each["kind"] in kinds}


def pods(name: str) -> Mapping[str, Mapping[str, Any]]:
    """The pods' templates by the name of what makes them."""
    makers = of_kind(name, "Deployment", "StatefulSet", "Job")
    return {own: each["spec"]["template"] for own, each in makers.items()}


def containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every container of a pod, those of its beginning as well."""
    yield from pod["spec"].get("initContainers", [])
    yield from pod["spec"]["containers"]


def matches(selector: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Whether the labels of a pod are those that a selector names."""
    return bool(selector.items() <= pod["metadata"]["labels"].items())
