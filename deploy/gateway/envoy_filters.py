"""How Envoy reads requests: what it refuses, drops, counts and answers itself."""

import json
from collections.abc import Sequence
from math import ceil
from typing import Any

from deploy.gateway.limits import SENDER_LIMITS, USERS, SenderLimit
from deploy.gateway.problems import ERROR_PAGES, MAX_BODY_BYTES, RATE_EXCEEDED_STATUS
from deploy.gateway.rules import DROPPED_FIELDS
from deploy.gateway.tls import HSTS_SECONDS
from shared.http.error_forms import ErrorForm, error_document

ANSWER_SECONDS = 30
"""How long a service may take to answer."""
HEAD_SECONDS = 10
"""How long a sender may take for the headers."""
MAX_HEADER_KIB = 64
ADDRESSES_COUNTED = 65_536
"""How many senders of a kind have a count of their own; then the oldest is forgotten."""
SHORTEST_FILL_SECONDS = 0.05
TOKENS_PER_SECOND, TOKENS_BURST = 30, 100
"""The rate of one user from all addresses, as nginx has it."""
REQUEST_ID = "%STREAM_ID%"
METADATA = "rolecall"
"""Where a route says its kind, after which its requests are counted."""


def typed(name: str, **fields: Any) -> dict[str, Any]:
    """A message of Envoy that names its type."""
    return {"@type": f"type.googleapis.com/{name}", **fields}


def connection_manager(
    name: str,
    routes: Any,
    *,
    trusted: Sequence[str],
    encrypted: bool,
    factor: int,
    read_seconds: int,
) -> dict[str, Any]:
    """The filter that reads requests of HTTP/1.1 and 2, and sends them on as HTTP/1.1."""
    added = {
        # The gateway neither trusts nor forwards what the sender claims about its address (T18).
        "X-Forwarded-For": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "X-Forwarded-Proto": "https" if encrypted else "http",
    }
    routes = {
        **routes,
        "request_headers_to_add": [field(*each) for each in added.items()],
        "request_headers_to_remove": ["x-envoy-internal"],
    }
    if encrypted:
        routes["response_headers_to_add"] = [_strict()]
    manager = typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        codec_type="AUTO",
        server_name="envoy",
        **_sender(trusted),
        internal_address_config={"unix_sockets": False, "cidr_ranges": []},
        preserve_external_request_id=True,
        always_set_request_id_in_response=False,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        max_request_headers_kb=MAX_HEADER_KIB,
        request_headers_timeout=f"{HEAD_SECONDS}s",
        request_timeout=f"{read_seconds}s",
        stream_idle_timeout=f"{ANSWER_SECONDS + 5}s",
        common_http_protocol_options={
            "idle_timeout": "75s",
            "headers_with_underscores_action": "DROP_HEADER",
            "max_headers_count": 200,
        },
        http2_protocol_options={
            "max_concurrent_streams": 128,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
        early_header_mutation_extensions=[_dropped(trusted)],
        local_reply_config=_own_answers(encrypted=encrypted),
        route_config=routes,
        http_filters=[
            _filter("local_ratelimit", _limits(factor)),
            _filter(
                "buffer",
                typed(
                    "envoy.extensions.filters.http.buffer.v3.Buffer",
                    max_request_bytes=MAX_BODY_BYTES,
                ),
            ),
            _filter(
                "router",
                typed(
                    "envoy.extensions.filters.http.router.v3.Router", suppress_envoy_headers=True
                ),
            ),
        ],
    )
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def _sender(trusted: Sequence[str]) -> dict[str, Any]:
    """Who the sender is: the other end, or whom the last trusted proxy names."""
    if not trusted:
        return {"use_remote_address": True, "skip_xff_append": True}
    networks = []
    for network in trusted:
        address, _, bits = network.partition("/")
        networks.append({"address_prefix": address, "prefix_len": int(bits)})
    detection = typed(
        "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig",
        xff_trusted_cidrs={"cidrs": networks},
        skip_xff_append=True,
    )
    return {
        "use_remote_address": False,
        "original_ip_detection_extensions": [
            {"name": "envoy.http.original_ip_detection.xff", "typed_config": detection}
        ],
    }


def _dropped(trusted: Sequence[str]) -> dict[str, Any]:
    """What goes before anything of Envoy reads it. Envoy's own fields are orders to it."""
    names = [*DROPPED_FIELDS, *(() if trusted else ("X-Forwarded-For",)), "X-Forwarded-Proto"]
    mutations: list[dict[str, Any]] = [{"remove": name} for name in names]
    mutations.append({"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}})
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(
            "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            mutations=mutations,
        ),
    }


def _limits(factor: int) -> dict[str, Any]:
    """A bucket for each sender of each kind, and one for each token."""
    kinds = [
        {
            "entries": [{"key": "zone", "value": limit.zone}, {"key": "masked_remote_address"}],
            "token_bucket": _bucket(limit.times(factor)),
        }
        for limit in SENDER_LIMITS
    ]
    tokens = {
        "entries": [{"key": "zone", "value": USERS.zone}, {"key": "token"}],
        "token_bucket": {
            "max_tokens": TOKENS_BURST,
            "tokens_per_fill": TOKENS_PER_SECOND,
            "fill_interval": "1s",
        },
    }
    where = {"key": METADATA, "path": [{"key": "zone"}]}
    zone = {"descriptor_key": "zone", "source": "ROUTE_ENTRY", "metadata_key": where}
    masks = {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}
    token = {"header_name": "authorization", "descriptor_key": "token"}
    wait = max(limit.retry_after for limit in SENDER_LIMITS)
    return typed(
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="senders",
        # For requests that count for nothing.
        token_bucket={
            "max_tokens": 1_000_000,
            "tokens_per_fill": 1_000_000,
            "fill_interval": "1s",
        },
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=ADDRESSES_COUNTED,
        filter_enabled=_always("enabled"),
        filter_enforced=_always("enforced"),
        rate_limits=[
            {"actions": [{"metadata": zone}, {"masked_remote_address": masks}]},
            {"actions": [{"metadata": zone}, {"request_headers": token}]},
        ],
        descriptors=[*kinds, tokens],
        response_headers_to_add=[field("Retry-After", str(wait))],
    )


def _always(name: str) -> dict[str, Any]:
    share = {"numerator": 100, "denominator": "HUNDRED"}
    return {"runtime_key": f"rolecall.limits.{name}", "default_value": share}


def _bucket(limit: SenderLimit) -> dict[str, Any]:
    """The bucket of one sender: full it lets a burst through, and it fills at the rate."""
    per_second = limit.per_minute / 60
    tokens = max(1, ceil(per_second * SHORTEST_FILL_SECONDS))
    return {
        "max_tokens": limit.burst,
        "tokens_per_fill": tokens,
        "fill_interval": f"{tokens / per_second:.3f}s",
    }


def _own_answers(*, encrypted: bool) -> dict[str, Any]:
    """The problems that Envoy answers with where it refuses a request itself."""
    mappers = []
    for page in ERROR_PAGES:
        if RATE_EXCEEDED_STATUS in page.statuses:
            continue  # nginx has two kinds of 429, Envoy has this one
        refusal = page.refusal
        document = error_document(refusal, ErrorForm.PROBLEM, request_id="ID")
        if refusal.status == TOO_MANY:
            document = error_document(EXCEEDED, ErrorForm.PROBLEM, request_id="ID")
        text = json.dumps(document).replace("%", "%%").replace('"ID"', f'"{REQUEST_ID}"')
        text = text.replace('"$rolecall_body_limit"', str(MAX_BODY_BYTES))
        added = [field("X-Content-Type-Options", "nosniff"), field("Cache-Control", "no-store")]
        mappers += [
            {
                "filter": _is_status(status),
                "status_code": refusal.status,
                "headers_to_add": added + ([_strict()] if encrypted else []),
                "body_format_override": {
                    "text_format_source": {"inline_string": text + "\n"},
                    "content_type": ErrorForm.PROBLEM.value,
                },
            }
            for status in page.statuses
        ]
    return {"mappers": mappers}


TOO_MANY = 429
[EXCEEDED] = [page.refusal for page in ERROR_PAGES if RATE_EXCEEDED_STATUS in page.statuses]


def _is_status(status: int) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": f"rolecall.status.{status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _strict() -> dict[str, Any]:
    return field("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")


def field(key: str, value: str) -> dict[str, Any]:
    """A field that replaces what was there."""
    return {
        "header": {"key": key, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def _filter(name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"envoy.filters.http.{name}", "typed_config": config}
