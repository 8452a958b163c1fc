"""Each service takes its admission limits from its settings (T19)."""

import importlib

import pytest

from deploy.configuration import Addresses, environment
from shared.bus.local import LocalBus
from shared.contracts.topology import Service
from shared.http.lanes import lane_limits
from shared.runtime.environment import load
from tests.support.journal_keys import generated_secrets

AT = Addresses(
    mongo_url="mongodb://127.0.0.1:1/",
    amqp_url="memory://",
    public_url="http://localhost:8080",
    internal_urls={service: ["http://127.0.0.1:1"] for service in Service},
    smtp_host="127.0.0.1",
    smtp_port=1,
)


@pytest.mark.rule("T19")
@pytest.mark.parametrize("service", Service)
async def test_both_ports_of_a_service_have_the_places_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    variables = environment(
        service, given=generated_secrets(), at=AT, options={"requests_at_once": "11"}
    )
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = load(importlib.import_module(f"services.{service}.settings").Settings)
    built = importlib.import_module(f"services.{service}.app").build(settings, bus=LocalBus())
    for api in (built.public, built.internal):
        assert api._admission._limits == lane_limits(11)
