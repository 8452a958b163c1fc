"""The configuration of Envoy with the same paths and limits, from the same tables as nginx's."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.gateway.docs import CONTENT_SECURITY_POLICY
from deploy.gateway.envoy_filters import (
    ANSWER_SECONDS,
    METADATA,
    connection_manager,
    field,
    typed,
)
from deploy.gateway.pages import start_page
from deploy.gateway.paths import PARAMETER, path_pattern
from deploy.gateway.problems import MAX_BODY_BYTES
from deploy.gateway.rules import NOT_REPEATED, READ_SECONDS, Rule
from deploy.gateway.servers import ConsoleListener
from deploy.gateway.tls import CIPHERS, Tls
from shared.contracts.topology import Service

NAME = "envoy.json"
CONNECT_SECONDS = 2
IDLE_SECONDS = 5
"""How long an unused connection to a service is kept: services close theirs later."""
MOST_DOCUMENT_BYTES = 8_000_000
"""Envoy keeps the two documents that it answers with in memory."""
BEFORE_SENT = "connect-failure,refused-stream"
UNAVAILABLE = f"{BEFORE_SENT},reset-before-request,reset,retriable-status-codes"


def envoy_configuration(
    rules: Sequence[Rule],
    *,
    listen: str,
    static: str,
    upstreams: Mapping[str, Sequence[str]],
    console: ConsoleListener | None = None,
    proxies: Sequence[str] = (),
    tls: Tls | None = None,
    limits_factor: int = 1,
    read_seconds: int = READ_SECONDS,
) -> dict[str, Any]:
    """The bootstrap of an Envoy that has no other source of configuration.

    Args:
        rules: what is done with each path.
        listen: the address and port of the gateway.
        static: the folder with openapi.json and docs.html.
        upstreams: the replicas, service → host:port of each. A name stands for all its addresses.
        console: where the console asks, and names its visitors.
        proxies: the networks of load balancers in front, whose X-Forwarded-For names the sender.
        tls: the certificate, if TLS ends here; then `listen` speaks nothing else.
        limits_factor: multiplies the limits of an address, for users who share one.
        read_seconds: how long a sender may take for a whole request.
    """
    routes = [*_documents(static), _start(start_page(upstreams))]
    for rule in rules:
        routes += _routes(rule)

    def listener(name: str, address: str, trusted: Sequence[str], own: Tls | None) -> Any:
        manager = connection_manager(
            name,
            {
                "name": name,
                "max_direct_response_body_size_bytes": MOST_DOCUMENT_BYTES,
                "virtual_hosts": [_host(routes)],
            },
            trusted=trusted,
            encrypted=own is not None,
            factor=limits_factor,
            read_seconds=read_seconds,
        )
        return _listener(name, address, manager, own)

    listeners = [listener("public", listen, proxies, tls)]
    if tls is not None and tls.redirect_from:
        listeners.append(_plain(tls, read_seconds))
    if console is not None:
        listeners.append(listener("console", console.listen, console.trusted, None))
    return {
        "static_resources": {
            "listeners": listeners,
            "clusters": [_cluster(name, replicas) for name, replicas in upstreams.items()],
        },
        "layered_runtime": {
            "layers": [
                {
                    "name": "static",
                    "static_layer": {"overload.global_downstream_max_connections": 50_000},
                }
            ]
        },
    }


def _listener(name: str, address: str, manager: Any, tls: Tls | None) -> dict[str, Any]:
    host, _, port = address.rpartition(":")
    chain: dict[str, Any] = {"filters": [manager]}
    if tls is not None:
        chain["transport_socket"] = _encrypted(tls)
    return {
        "name": name,
        "address": _address(host.strip("[]") or "0.0.0.0", port),  # noqa: S104 - as nginx listens
        "per_connection_buffer_limit_bytes": 64 * 1024,
        "filter_chains": [chain],
    }


def _encrypted(tls: Tls) -> dict[str, Any]:
    files = {
        "certificate_chain": {"filename": tls.certificate},
        "private_key": {"filename": tls.key},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={
                "tls_certificates": [files],
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {
                    "tls_minimum_protocol_version": "TLSv1_2",
                    "tls_maximum_protocol_version": "TLSv1_3",
                    "cipher_suites": CIPHERS.split(":"),
                },
            },
            # A ticket's key would have to change often for earlier sessions to stay secret.
            disable_stateless_session_resumption=True,
        ),
    }


def _plain(tls: Tls, read_seconds: int) -> dict[str, Any]:
    """The listener that answers http with the https address of the settings."""
    host, _, port = tls.public_url.removeprefix("https://").partition(":")
    redirect = {
        "https_redirect": True,
        "host_redirect": host,
        "port_redirect": int(port or 443),
        "response_code": "PERMANENT_REDIRECT",
    }
    if not port:
        del redirect["port_redirect"]
    routes = [{"match": {"prefix": "/"}, "redirect": redirect}]
    manager = connection_manager(
        "plain",
        {"name": "plain", "virtual_hosts": [_host(routes)]},
        trusted=(),
        encrypted=False,
        factor=1,
        read_seconds=read_seconds,
    )
    return _listener("plain", tls.redirect_from, manager, None)


def _cluster(name: str, replicas: Sequence[str]) -> dict[str, Any]:
    """The replicas of a service. A name is looked up again and again, for all its addresses."""
    endpoints = []
    for replica in replicas:
        host, _, port = replica.rpartition(":")
        endpoints.append({"endpoint": {"address": _address(host.strip("[]"), port)}})
    return {
        "name": name,
        "cluster_type": {
            "name": "envoy.clusters.dns",
            "typed_config": typed(
                "envoy.extensions.clusters.dns.v3.DnsCluster", dns_refresh_rate="1s"
            ),
        },
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "lb_policy": "LEAST_REQUEST",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                common_http_protocol_options={"idle_timeout": f"{IDLE_SECONDS}s"},
                explicit_http_config={"http_protocol_options": {}},
            )
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }


def _address(host: str, port: str) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _documents(static: str) -> list[dict[str, Any]]:
    """The OpenAPI document and the page that shows it."""
    shown = {
        "/openapi.json": ("openapi.json", {"Content-Type": "application/json"}),
        "/docs": (
            "docs.html",
            {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Security-Policy": CONTENT_SECURITY_POLICY,
                "X-Content-Type-Options": "nosniff",
            },
        ),
    }
    return [
        {
            "match": {"path": path},
            "direct_response": {"status": 200, "body": {"filename": f"{static}/{file}"}},
            "response_headers_to_add": [field(*each) for each in headers.items()],
        }
        for path, (file, headers) in shown.items()
    ]


def _start(to: str) -> dict[str, Any]:
    redirect = {"path_redirect": to, "response_code": "FOUND"}
    return {"match": {"path": "/"}, "redirect": redirect}


def _routes(rule: Rule) -> list[dict[str, Any]]:
    """The routes of one path: what changes something goes to one replica only."""
    if PARAMETER.search(rule.path):
        match: dict[str, Any] = {"safe_regex": {"regex": path_pattern(rule.path)}}
    else:
        match = {"path": rule.path}
    once = [] if rule.upstream == Service.AUTHZ else sorted(rule.methods & NOT_REPEATED)
    by_method = [{"name": ":method", "string_match": {"exact": method}} for method in once]
    return [
        *(_route({**match, "headers": [header]}, rule, once=True) for header in by_method),
        _route(match, rule, once=False),
    ]


def _host(routes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The one virtual host, for all hosts that senders name."""
    policy = {**_retry(UNAVAILABLE), "retriable_status_codes": [503]}
    return {"name": "all", "domains": ["*"], "routes": [*routes], "retry_policy": policy}


def _retry(retry_on: str) -> dict[str, Any]:
    predicate = typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")
    return {
        "retry_on": retry_on,
        "num_retries": 2,
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": predicate}
        ],
        "host_selection_retry_max_attempts": 10,
    }


def _route(match: Mapping[str, Any], rule: Rule, *, once: bool) -> dict[str, Any]:
    """One route; a request that goes `once` may be repeated only if nothing has received it."""
    forever = rule.streams and rule.body_bytes == MAX_BODY_BYTES
    action: dict[str, Any] = {
        "cluster": rule.upstream,
        "timeout": "0s" if forever else f"{ANSWER_SECONDS}s",
    }
    if once:
        action["retry_policy"] = _retry(BEFORE_SENT)
    zone = {"filter_metadata": {METADATA: {"zone": rule.limit.zone}}}
    made: dict[str, Any] = {"match": match, "metadata": zone, "route": action}
    if rule.body_bytes > MAX_BODY_BYTES:
        # The service refuses what is too large, unread. Envoy would keep it in memory.
        made["typed_per_filter_config"] = {
            "envoy.filters.http.buffer": typed(
                "envoy.extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True
            )
        }
    return made
