"""The configuration of Traefik with the same paths and limits, from the same tables as nginx's."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from deploy.gateway.limits import SENDER_LIMITS, USERS, SenderLimit
from deploy.gateway.pages import start_page
from deploy.gateway.paths import PARAMETER, path_pattern
from deploy.gateway.problems import MAX_BODY_BYTES
from deploy.gateway.rules import DROPPED_FIELDS, READ_SECONDS, Rule
from deploy.gateway.servers import ConsoleListener
from deploy.gateway.tls import HSTS_SECONDS, Tls
from shared.contracts.topology import Service

ANSWER_SECONDS = 30
"""How long a service may take to begin its answer."""
IDLE_SECONDS = 5
"""How long an unused connection to a service is kept: services close theirs later."""
MAX_HEADER_BYTES = 64 * 1024
ATTEMPTS = 3
FIRST_PRIORITY = 10
STATIC, DYNAMIC = "traefik.yaml", "traefik-routes.yaml"
ENTRY, INSIDE, PLAIN = "public", "console", "plain"
ENCODED = ("BackSlash", "Hash", "NullCharacter", "Percent", "QuestionMark", "Semicolon", "Slash")
"""Encoded characters that two readers of a path could take for its structure."""
SUITES = [
    f"TLS_ECDHE_{key}_WITH_{suite}"
    for suite in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
    for key in ("ECDSA", "RSA")
]
TOKENS_PER_SECOND, TOKENS_BURST = 30, 100
"""The rate of one user from all addresses, as nginx has it."""


def traefik_files(
    rules: Sequence[Rule],
    *,
    listen: str,
    folder: str,
    upstreams: Mapping[str, Sequence[str]],
    console: ConsoleListener | None = None,
    proxies: Sequence[str] = (),
    tls: Tls | None = None,
    limits_factor: int = 1,
    read_seconds: int = READ_SECONDS,
) -> dict[str, dict[str, Any]]:
    """The static and the dynamic configuration, by the names of their files.

    Args:
        rules: what is done with each path.
        listen: the address and port of the gateway.
        folder: where Traefik finds the dynamic file.
        upstreams: the replicas, service → host:port of each.
        console: where the console asks, and names its visitors.
        proxies: the networks of load balancers in front, whose X-Forwarded-For names the sender.
        tls: the certificate, if TLS ends here; then `listen` speaks nothing else.
        limits_factor: multiplies the limits of an address, for users who share one.
        read_seconds: how long a sender may take for a whole request.
    """
    entries = {ENTRY: _entry(listen, proxies, read_seconds)}
    if tls is not None:
        entries[ENTRY]["http"]["tls"] = {"options": "rolecall@file"}
        if tls.redirect_from:
            entries[PLAIN] = _entry(tls.redirect_from, (), read_seconds)
    if console is not None:
        entries[INSIDE] = _entry(console.listen, console.trusted, read_seconds)
    static = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
        "providers": {"file": {"filename": f"{folder}/{DYNAMIC}"}},
        "entryPoints": entries,
    }
    return {
        STATIC: static,
        DYNAMIC: _dynamic(
            rules, upstreams, proxies=proxies, tls=tls, factor=limits_factor, entries=[*entries]
        ),
    }


def _entry(address: str, trusted: Sequence[str], read_seconds: int) -> dict[str, Any]:
    """One listener. What a sender claims in X-Forwarded-… goes, unless it is a trusted proxy."""
    return {
        "address": address if ":" in address else f":{address}",
        "forwardedHeaders": {"trustedIPs": [*trusted]},
        "transport": {
            "respondingTimeouts": {"readTimeout": f"{read_seconds}s", "writeTimeout": 0},
            "lifeCycle": {"requestAcceptGraceTimeout": 5, "graceTimeOut": ANSWER_SECONDS},
        },
        "http": {
            "maxHeaderBytes": MAX_HEADER_BYTES,
            "aliasHeadersStrategy": "delete",
            "encodedCharacters": {f"allowEncoded{name}": False for name in ENCODED},
        },
    }


def _dynamic(
    rules: Sequence[Rule],
    upstreams: Mapping[str, Sequence[str]],
    *,
    proxies: Sequence[str],
    tls: Tls | None,
    factor: int,
    entries: Sequence[str],
) -> dict[str, Any]:
    routers = dict(_routers(rules, [name for name in entries if name != PLAIN]))
    start = {"rule": "Path(`/`)", "service": "noop@internal", "middlewares": ["fields", "start"]}
    routers["start"] = {"entryPoints": [ENTRY], **start}
    middlewares = {**_middlewares(proxies, factor), "start": _redirect(start_page(upstreams))}
    if PLAIN in entries and tls is not None:
        # The redirect never repeats what the sender named.
        middlewares["https"] = _redirect(tls.public_url + "${1}", "^https?://[^/]+(.*)$", 308)
        routers["https"] = {
            "entryPoints": [PLAIN],
            "rule": "PathPrefix(`/`)",
            "service": "noop@internal",
            "middlewares": ["https"],
        }
    made: dict[str, Any] = {
        "http": {
            "routers": routers,
            "middlewares": middlewares,
            "serversTransports": {
                "services": {
                    "forwardingTimeouts": {
                        "dialTimeout": "2s",
                        "responseHeaderTimeout": f"{ANSWER_SECONDS}s",
                        "idleConnTimeout": f"{IDLE_SECONDS}s",
                    }
                }
            },
            "services": {
                name: {
                    "loadBalancer": {
                        "servers": [{"url": f"http://{replica}"} for replica in replicas],
                        "serversTransport": "services",
                        "passHostHeader": True,
                    }
                }
                for name, replicas in upstreams.items()
            },
        }
    }
    if tls is not None:
        files = {"certFile": tls.certificate, "keyFile": tls.key}
        options = {"minVersion": "VersionTLS12", "cipherSuites": SUITES, "sniStrict": False}
        made["tls"] = {
            "certificates": [files],
            "stores": {"default": {"defaultCertificate": files}},
            "options": {"rolecall": {**options, "disableSessionTickets": True}},
        }
    return made


def _routers(rules: Sequence[Rule], entries: Sequence[str]) -> Iterable[tuple[str, Any]]:
    """One router for all paths of a service with the same limits and sizes.

    A path that a pattern of others matches, too, has a router of a higher priority.
    """

    def kind(rule: Rule) -> tuple[str, str, bool, int, int]:
        return rule.upstream, rule.limit.zone, rule.streams, rule.body_bytes, depths[rule.path]

    depths = {rule.path: _depth(rule, rules) for rule in rules}
    for same, group in groupby(sorted(rules, key=kind), kind):
        upstream, zone, streams, size, depth = same
        matched = " || ".join(_matcher(rule.path) for rule in group)
        chain = [f"rate-{zone}", f"at-once-{zone}"]
        chain += [] if streams else ["body"]
        chain += [_retry(upstream)] if size == MAX_BODY_BYTES else []
        name = "-".join(
            [
                *(upstream, zone),
                *(["streams"] if streams else []),
                *([str(size)] if size != MAX_BODY_BYTES else []),
                *([str(depth)] if depth else []),
            ]
        )
        router = {"entryPoints": [*entries], "rule": matched, "service": upstream}
        priority = FIRST_PRIORITY + 2 * depth
        yield name, {**router, "middlewares": ["fields", *chain], "priority": priority}
        if zone == USERS.zone:
            bearer = f"({matched}) && HeaderRegexp(`Authorization`, `.`)"
            chain = ["fields", "rate-tokens", *chain]
            own = {"rule": bearer, "middlewares": chain, "priority": priority + 1}
            yield f"{name}-tokens", {**router, **own}


def _depth(rule: Rule, rules: Iterable[Rule]) -> int:
    """How many patterns of other paths match this one."""
    sample = PARAMETER.sub("{}", rule.path)
    others = (each.path for each in rules if each.path != rule.path)
    return sum(
        PARAMETER.search(other) is not None and re.search(path_pattern(other), sample) is not None
        for other in others
    )


def _matcher(path: str) -> str:
    if not PARAMETER.search(path):
        return f"Path(`{path}`)"
    return f"PathRegexp(`{path_pattern(path)}`)"


def _retry(upstream: str) -> str:
    return "retry-checks" if upstream == Service.AUTHZ else "retry"


def _middlewares(proxies: Sequence[str], factor: int) -> dict[str, Any]:
    """What routers apply, by name. A trusted proxy is not the sender."""
    source: dict[str, Any] = {"ipStrategy": {"ipv6Subnet": 64}}
    if proxies:
        source["ipStrategy"]["excludedIPs"] = [*proxies]
    retry = {
        "attempts": ATTEMPTS,
        "status": ["503"],
        "timeout": "5s",
        "maxRequestBodyBytes": MAX_BODY_BYTES,
    }
    made: dict[str, Any] = {
        "fields": {
            "headers": {
                "customRequestHeaders": dict.fromkeys(DROPPED_FIELDS, ""),
                "customResponseHeaders": {"Server": ""},
                # Only answers over TLS have it.
                "stsSeconds": HSTS_SECONDS,
            }
        },
        # It reads the whole body before a service hears of the request.
        "body": {
            "buffering": {
                "maxRequestBodyBytes": MAX_BODY_BYTES,
                "memRequestBodyBytes": MAX_BODY_BYTES,
            }
        },
        "retry": {"retry": retry},
        # A check changes nothing: the next replica may answer when one is stale.
        "retry-checks": {"retry": {**retry, "retryNonIdempotentMethod": True}},
        "rate-tokens": {
            "rateLimit": {
                "average": TOKENS_PER_SECOND,
                "burst": TOKENS_BURST,
                "sourceCriterion": {"requestHeaderName": "Authorization"},
            }
        },
    }
    for limit in SENDER_LIMITS:
        made |= _limit(limit.times(factor), source)
    return made


def _limit(limit: SenderLimit, source: Mapping[str, Any]) -> dict[str, Any]:
    rate = {"average": limit.per_minute, "period": "1m", "burst": limit.burst}
    return {
        f"rate-{limit.zone}": {"rateLimit": {**rate, "sourceCriterion": {**source}}},
        f"at-once-{limit.zone}": {
            "inFlightReq": {"amount": limit.at_once, "sourceCriterion": {**source}}
        },
    }


def _redirect(to: str, pattern: str = "^.*$", status: int = 302) -> dict[str, Any]:
    # Traefik takes 308 for a permanent redirect of methods with a body, else 301.
    permanent = status == 308
    return {"redirectRegex": {"regex": pattern, "replacement": to, "permanent": permanent}}
