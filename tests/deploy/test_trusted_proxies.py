"""Every address is never trusted to say which client it speaks for."""

import json
from ipaddress import ip_network

import pytest

from deploy.compose import Compose, parse_networks
from deploy.documents import module
from shared.contracts.topology import Service
from shared.runtime.settings import load

EVERY_ADDRESS = ("0.0.0.0/0", "::/0")


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
    assert trusted
    assert all(ip_network(network).is_private for network in trusted)
    assert not any(ip_network(network).prefixlen == 0 for network in trusted)


@pytest.mark.parametrize("network", EVERY_ADDRESS)
def test_the_gateway_is_refused_every_address_as_load_balancer(network):
    with pytest.raises(
        SystemExit, match=f"TRUSTED_PROXIES is not valid: {network} covers every address"
    ):
        parse_networks(f"10.1.0.0/16, {network}")


@pytest.mark.rule("T18")
@pytest.mark.parametrize("network", EVERY_ADDRESS)
def test_a_service_does_not_start_when_it_would_trust_every_address(environment, network, capsys):
    environment.setenv("ROLECALL_IDENTITY_TRUSTED_PROXIES", json.dumps(["10.0.0.0/8", network]))
    with pytest.raises(SystemExit) as refused:
        load(module("identity", "settings").Settings)
    assert refused.value.code == 2
    assert "ROLECALL_IDENTITY_TRUSTED_PROXIES is not valid" in capsys.readouterr().err
