"""What is written for Traefik and Envoy says the same as the tables, without the programs."""

import json
import re
from typing import Any

import pytest
import yaml

from deploy.gateway import __main__ as command
from deploy.gateway.limits import SENDER_LIMITS, USERS
from deploy.gateway.paths import path_owners, public_routes
from deploy.gateway.problems import MAX_BODY_BYTES, body_limits
from deploy.gateway.rules import DROPPED_FIELDS, gateway_rules
from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service

NAMES = (*Service, CONSOLE)
HOSTS = ("--host", "SERVICE-1.internal,SERVICE-2.internal", "--limits-factor", "2")
RULES = {rule.path: rule for rule in gateway_rules(path_owners(public_routes()), NAMES)}


def written(folder, gateway, *more):
    assert command.main([str(folder), "--for", gateway, *HOSTS, *more]) == 0
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def traefik(tmp_path_factory):
    files = written(tmp_path_factory.mktemp("traefik"), "traefik")
    static = yaml.safe_load(files["traefik.yaml"])
    return static, yaml.safe_load(files["traefik-routes.yaml"])["http"]


@pytest.fixture(scope="module")
def envoy(tmp_path_factory):
    files = written(tmp_path_factory.mktemp("envoy"), "envoy")
    assert json.loads(files["openapi.json"])["openapi"]
    made = json.loads(files["envoy.json"])["static_resources"]
    managers = {
        each["name"]: each["filter_chains"][0]["filters"][0]["typed_config"]
        for each in made["listeners"]
    }
    return managers, {each["name"]: each for each in made["clusters"]}


def chain_of(http, path, *, token):
    """The service and what is applied for a path: Traefik takes the highest priority."""
    asked = re.sub(r"\{\w+\}", "a1", path)
    found: dict[int, list[Any]] = {}
    for router in http["routers"].values():
        if "HeaderRegexp" in router["rule"] and not token:
            continue
        exact = re.findall(r"Path\(`([^`]+)`\)", router["rule"])
        patterns = re.findall(r"PathRegexp\(`([^`]+)`\)", router["rule"])
        if asked in exact or any(re.search(one, asked) for one in patterns):
            found.setdefault(router.get("priority", 0), []).append(router)
    [router] = found[max(found)]
    return router["service"], router["middlewares"]


def test_what_flows_and_what_is_large_is_not_kept():
    flowing = {path for path, rule in RULES.items() if rule.streams}
    assert flowing >= {
        "/v1/authz/policy-stream",
        "/v1/me/notifications/stream",
        "/v1/accounts/{account_id}/audit-events/tail",
        "/v1/accounts/{account_id}/audit-export",
        "/notifications/live",
    }
    large = {path for path, rule in RULES.items() if rule.body_bytes > MAX_BODY_BYTES}
    assert large == set(body_limits(row for rows in public_routes().values() for row in rows))
    assert large <= flowing
    assert len(flowing) < 20


def test_traefik_treats_each_path_as_its_rule_says(traefik):
    _, http = traefik
    for path, rule in RULES.items():
        zone = rule.limit.zone
        service, with_token = chain_of(http, path, token=True)
        assert ("rate-tokens" in with_token) is (zone == USERS.zone), path
        _, chain = chain_of(http, path, token=False)
        assert chain == [each for each in with_token if each != "rate-tokens"]
        assert service == rule.upstream, path
        assert chain[:3] == ["fields", f"rate-{zone}", f"at-once-{zone}"], path
        assert ("body" in chain) is not rule.streams, path
        repeated = {"retry-checks"} if service == Service.AUTHZ else {"retry"}
        assert ({*chain} >= repeated) is (rule.body_bytes == MAX_BODY_BYTES), path


@pytest.mark.rule("T18")
def test_traefik_drops_claims_and_trusts_no_sender(traefik):
    static, http = traefik
    fields = http["middlewares"]["fields"]["headers"]["customRequestHeaders"]
    assert fields == dict.fromkeys(DROPPED_FIELDS, "")
    assert "Rolecall-Request-ID" in fields
    public = static["entryPoints"]["public"]
    assert public["forwardedHeaders"] == {"trustedIPs": []}
    assert set(public["http"]["encodedCharacters"].values()) == {False}
    assert "api" not in static


@pytest.mark.rule("T19")
def test_traefik_counts_as_the_tables_say(traefik):
    _, http = traefik
    for limit in (each.times(2) for each in SENDER_LIMITS):
        rate = http["middlewares"][f"rate-{limit.zone}"]["rateLimit"]
        assert (rate["average"], rate["period"]) == (limit.per_minute, "1m")
        assert (rate["burst"], rate["sourceCriterion"]) == (
            limit.burst,
            {"ipStrategy": {"ipv6Subnet": 64}},
        )
        amount = http["middlewares"][f"at-once-{limit.zone}"]["inFlightReq"]["amount"]
        assert amount == limit.at_once


def matches(route, path, method):
    match = route["match"]
    asked = re.sub(r"\{\w+\}", "a1", path)
    if any(each["string_match"]["exact"] != method for each in match.get("headers", ())):
        return False
    if "safe_regex" in match:
        return re.search(match["safe_regex"]["regex"], asked) is not None
    return match.get("path") == asked


@pytest.mark.parametrize("listener", ["public", "console"])
def test_envoy_treats_each_path_as_its_rule_says(envoy, listener):
    managers, clusters = envoy
    [host] = managers[listener]["route_config"]["virtual_hosts"]
    assert clusters.keys() == set(NAMES)
    assert host["retry_policy"]["retriable_status_codes"] == [503]
    for path, rule in RULES.items():
        endless = rule.streams and rule.body_bytes == MAX_BODY_BYTES
        for method in {"GET", *rule.methods}:
            found = next(each for each in host["routes"] if matches(each, path, method))
            asked = found["route"]
            assert asked["cluster"] == rule.upstream, path
            assert found["metadata"] == {
                "filter_metadata": {"rolecall": {"zone": rule.limit.zone}}
            }, path
            unread = "typed_per_filter_config" in found
            assert unread is (rule.body_bytes > MAX_BODY_BYTES), path
            once = rule.upstream != Service.AUTHZ and method in {"POST", "PATCH"}
            policy = asked.get("retry_policy", {}).get("retry_on")
            assert policy == ("connect-failure,refused-stream" if once else None), path
            assert asked["timeout"] == ("0s" if endless else "30s"), path


@pytest.mark.rule("T18")
def test_envoy_drops_claims_and_trusts_the_console_alone(envoy):
    managers, _ = envoy
    for name, manager in managers.items():
        [early] = manager["early_header_mutation_extensions"]
        mutations = early["typed_config"]["mutations"]
        dropped = {each["remove"] for each in mutations if "remove" in each}
        claimed = {"X-Forwarded-For"} if name == "public" else set()
        assert dropped == {*DROPPED_FIELDS, *claimed, "X-Forwarded-Proto"}
        assert {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}} in mutations
        assert manager["use_remote_address"] is (name == "public")
        added = manager["route_config"]["request_headers_to_add"]
        assert {each["append_action"] for each in added} == {"OVERWRITE_IF_EXISTS_OR_ADD"}


@pytest.mark.rule("T19")
def test_envoy_counts_as_the_tables_say(envoy):
    managers, _ = envoy
    [limits] = [
        each["typed_config"]
        for each in managers["public"]["http_filters"]
        if each["name"].endswith("local_ratelimit")
    ]
    found = {}
    for each in limits["descriptors"]:
        zone, sender = each["entries"]
        bucket = each["token_bucket"]
        seconds = float(bucket["fill_interval"].removesuffix("s"))
        assert seconds >= 0.05
        per_minute = bucket["tokens_per_fill"] / seconds * 60
        found[zone["value"], sender["key"]] = (round(per_minute), bucket["max_tokens"])
    wide = [each.times(2) for each in SENDER_LIMITS]
    expected = {
        (each.zone, "masked_remote_address"): (each.per_minute, each.burst) for each in wide
    }
    assert found == expected | {(USERS.zone, "token"): (1800, 100)}


def test_every_replica_that_is_named_is_asked(traefik, envoy):
    _, http = traefik
    _, clusters = envoy
    for name in NAMES:
        servers = http["services"][name]["loadBalancer"]["servers"]
        expected = [f"{name}-{number}.internal" for number in (1, 2)]
        assert servers == [{"url": f"http://{host}:8080"} for host in expected]
        [group] = clusters[name]["load_assignment"]["endpoints"]
        found = [
            each["endpoint"]["address"]["socket_address"]["address"]
            for each in group["lb_endpoints"]
        ]
        assert found == expected


def test_nginx_asks_one_name_for_all_replicas(tmp_path):
    with pytest.raises(SystemExit, match="one --host"):
        command.main([str(tmp_path), *HOSTS])
