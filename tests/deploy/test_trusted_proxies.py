"""Every address is never trusted to say which client it speaks for."""

import json
from ipaddress import ip_network

import pytest

from deploy.compose import Compose
from deploy.compose_environment import parse_networks
from deploy.documents import module
from shared.contracts.topology import Service
from shared.networks import PRIVATE_NETWORKS
from shared.runtime.environment import load

TOO_BROAD = (
    ["0.0.0.0/0"],
    ["::/0"],
    ["0.0.0.0/1", "128.0.0.0/1"],
    ["12.0.0.0/7"],
    ["::ffff:0:0/96"],
    ["::ffff:0.0.0.0/97", "::ffff:128.0.0.0/97"],
    ["::/80"],
    ["2000::/3"],
    ["fc00::/6"],
    [f"{first}.0.0.0/8" for first in range(256)],
    [f"::ffff:{first}.0.0.0/104" for first in range(256)],
)


@pytest.fixture
def compose(tmp_path):
    made = Compose(project="test", folder=tmp_path, port=1234, mail_port=1235)
    made.prepare()
    return made


@pytest.fixture
def environment(compose, monkeypatch):
    for line in (compose.folder / "identity.env").read_text().splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("service", list(Service))
def test_a_service_in_a_container_trusts_private_networks_only(compose, service):
    lines = (compose.folder / f"{service}.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines)
    trusted = json.loads(variables[f"ROLECALL_{service.upper()}_TRUSTED_PROXIES"])
    assert trusted == list(PRIVATE_NETWORKS)
    assert not any(ip_network(network).is_global for network in trusted)
    assert not any(ip_network(network).prefixlen == 0 for network in trusted)


@pytest.mark.rule("T18")
@pytest.mark.parametrize("networks", TOO_BROAD, ids=lambda networks: networks[0])
def test_the_gateway_is_refused_most_addresses_as_load_balancer(networks):
    with pytest.raises(SystemExit, match=r"TRUSTED_PROXIES is not valid: .* addresses") as refused:
        parse_networks(", ".join(["10.1.0.0/16", *networks]))
    assert "Name the networks of your proxies" in str(refused.value)


@pytest.mark.rule("T18")
@pytest.mark.parametrize("networks", TOO_BROAD, ids=lambda networks: networks[0])
def test_a_service_does_not_start_when_it_would_trust_most_addresses(environment, networks, capsys):
    proxies = json.dumps(["10.0.0.0/8", *networks])
    environment.setenv("ROLECALL_IDENTITY_TRUSTED_PROXIES", proxies)
    with pytest.raises(SystemExit) as refused:
        load(module("identity", "settings").Settings)
    assert refused.value.code == 2
    assert "ROLECALL_IDENTITY_TRUSTED_PROXIES is not valid" in capsys.readouterr().err


@pytest.mark.parametrize(
    "networks",
    [
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        ["10.0.0.0/8", "11.0.0.0/8"],
        ["fc00::/7", "fe80::/16", "2001:db8::/32"],
        ["::ffff:10.0.0.0/104", "::1/128"],
        ["fe80::/10", "fd00::/8", "100.64.0.0/10"],
        list(PRIVATE_NETWORKS),
    ],
)
def test_networks_of_proxies_are_accepted(networks):
    assert parse_networks(" ".join(networks)) == [str(ip_network(network)) for network in networks]
