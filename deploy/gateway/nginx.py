"""The configuration of nginx, generated from the ROUTES tables of the services."""

import re
from collections.abc import Mapping, Sequence

from deploy.gateway.buffering import unbuffered
from deploy.gateway.groups import GROUP, group_map
from deploy.gateway.limits import (
    CLIENTS,
    SENDER,
    SENDER_LIMITS,
    USER_RATE,
    USER_RATE_ZONE,
    USER_SENDER,
    USER_ZONE_SIZE,
    USERS,
    SenderLimit,
    limit_maps,
    sender_limits,
)
from deploy.gateway.pages import PAGE_PATHS, page_locations, start_page
from deploy.gateway.paths import PARAMETER, path_match, public_routes
from deploy.gateway.problems import (
    HSTS,
    LIMIT,
    MAX_BODY_BYTES,
    RATE_EXCEEDED_STATUS,
    REQUEST_ID,
    SENT_ID,
    body_limit_map,
    body_limits,
    error_form_map,
)
from deploy.gateway.servers import ConsoleListener, real_ip, server_blocks
from deploy.gateway.tls import HSTS_SECONDS, Tls, Version
from shared.contracts.topology import Service
from shared.http.requests import SENT_ID_PATTERN

HEAD_SECONDS = 10
"""How long a sender may take for the headers."""
BODY_SECONDS = 15
"""How long a sender may pause within a body."""
ANSWER_SECONDS = 30
"""How long a service may take to answer."""

NGINX_CONF = """\
worker_processes auto;
worker_rlimit_nofile {files};
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections {connections}; }}

http {{
  access_log off;
  server_tokens off;
  default_type application/json;
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;

  # Large and slow requests and too many connections end here (T19). nginx forwards a request after
  # it has read the whole body, so a slow sender occupies only a connection of nginx.
  client_max_body_size {max_body_bytes};
  client_body_buffer_size {max_body_bytes};
  client_header_timeout {head_seconds}s;
  client_body_timeout {body_seconds}s;
  send_timeout {answer_seconds}s;
  large_client_header_buffers 4 16k;
  {zones}
  {users}
  limit_conn_status 429;
  limit_req_status {rate_exceeded};
  {error_forms}
  {body_limits}

{real_ip}
  # The gateway's own id appears in its problems, the service's answer, log and audit record. The
  # sender's id is only repeated in answers; no text that nginx writes as JSON contains it.
  map $http_x_request_id {sent_id} {{
    default {request_id};
    "~^{sent_id_pattern}$" $http_x_request_id;
  }}

  # Where TLS ends here. nginx leaves a header out whose value is empty.
  map $scheme {hsts} {{ default ""; https "max-age={hsts_seconds}"; }}

  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Connection "";
  proxy_set_header X-Request-ID {sent_id};
  proxy_set_header Rolecall-Request-ID {request_id};
  # The gateway neither trusts nor forwards what the sender claims about its address (T18).
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header Forwarded "";
  proxy_set_header X-Real-IP "";
  # Fields for the gateway alone, besides those that nginx keeps for itself.
  proxy_set_header Proxy "";
  proxy_set_header Proxy-Authorization "";
  proxy_set_header Proxy-Connection "";
  proxy_set_header Trailer "";
  proxy_connect_timeout 2s;
  proxy_read_timeout {answer_seconds}s;
  # A replica that starts or ends may answer 503 while another one is well. A POST or PATCH goes to
  # another one only if no replica has received it; every other method may be repeated.
  proxy_next_upstream error timeout http_503;
  proxy_next_upstream_timeout 5s;
{resolver}{upstreams}{groups}
{servers}}}
"""
WORKER_CONNECTIONS = 4096
"""The connections of one worker: those of senders and those to services."""
WORKER_FILES = 2 * WORKER_CONNECTIONS
"""The open files of one worker. docker-compose.yml allows the container more."""
ANY_VERSION: Version = ()
"""What is written for it can be read by every nginx."""
RESOLVED_UPSTREAMS: Version = (1, 27, 3)
"""The first version of nginx whose upstreams look their names up while it runs."""
KEEP_ALIVE_SECONDS = 5
"""How long an unused connection to a service is kept: services close theirs later."""
KEEP_ALIVE = f"    keepalive 64;\n    keepalive_timeout {KEEP_ALIVE_SECONDS}s;\n"
# Before nginx 1.27.3 a request waits for its lookup, at most until the timeout.
RESOLVER = """\
  resolver {address} valid=1s ipv6=off;
  resolver_timeout 2s;
"""
# A check changes nothing, so nginx may ask the next replica when one is stale.
NEXT_REPLICA_IF_STALE = "proxy_next_upstream error timeout http_503 non_idempotent;"


def configuration(
    owners: Mapping[str, str],
    *,
    listen: str,
    static: str,
    console: ConsoleListener | None = None,
    addresses: Mapping[str, Sequence[str]] | None = None,
    names: Mapping[str, str] | None = None,
    resolver: str | None = None,
    version: Version = ANY_VERSION,
    proxies: Sequence[str] = (),
    tls: Tls | None = None,
    head_seconds: int = HEAD_SECONDS,
    body_seconds: int = BODY_SECONDS,
    answer_seconds: int = ANSWER_SECONDS,
    limits_factor: int = 1,
    user_zone_size: str = USER_ZONE_SIZE,
) -> str:
    """The text of `nginx.conf`.

    Args:
        owners: the service that each path template belongs to.
        listen: the address and port of the gateway.
        static: the folder with openapi.json and docs.html.
        console: where the console asks, and names its visitors.
        addresses: fixed replicas, service → host:port of each.
        names: replicas that come and go, service → host:port. nginx looks the host up again while
            it runs, for which it needs a `resolver`.
        resolver: the address of a name server.
        version: the version of the nginx that will read it. Before 1.27.3 a connection to a
            replica that comes and goes carries one request.
        proxies: the networks of load balancers in front, whose X-Forwarded-For names the sender.
        tls: the certificate, if TLS ends here; then `listen` speaks nothing else.
        head_seconds: how long a sender may take for the headers.
        body_seconds: how long a sender may pause within a body.
        answer_seconds: how long a service may take to answer.
        limits_factor: multiplies the limits of an address, for users who share one.
        user_zone_size: the memory for the rates of tokens, as nginx writes sizes.
    """
    resolved = names if names and version >= RESOLVED_UPSTREAMS else {}
    upstreams = "".join(
        [
            *(_upstream(service, replicas) for service, replicas in (addresses or {}).items()),
            # A zone shares the addresses that were found among the workers.
            *(
                _upstream(service, [f"{name} resolve"], zone=True)
                for service, name in resolved.items()
            ),
        ]
    )
    looked_up = {} if resolved else names or {}
    routes = public_routes()
    limits = sender_limits(routes)
    large = body_limits(row for rows in routes.values() for row in rows)
    own = unbuffered(routes, large)
    users = f"{USERS.times(limits_factor).directives} {USER_RATE}"
    upstream_names = {*(addresses or {}), *(names or {})}
    groups = "" if looked_up else group_map(upstream_names)
    locations = page_locations(upstream_names, looked_up)
    locations += "".join(
        _location(
            path,
            service,
            looked_up.get(service),
            GROUP if groups and service == Service.AUTHZ else service,
            limits,
            limits_factor,
            users=users,
            own=own.get(path),
        )
        for path, service in owners.items()
    )
    wider = [limit.times(limits_factor) for limit in SENDER_LIMITS]
    user_rate = USER_RATE_ZONE.format(size=user_zone_size)
    return NGINX_CONF.format(
        files=WORKER_FILES,
        connections=WORKER_CONNECTIONS,
        listen=listen,
        max_body_bytes=MAX_BODY_BYTES,
        head_seconds=head_seconds,
        body_seconds=body_seconds,
        answer_seconds=answer_seconds,
        zones="".join(
            (SENDER, USER_SENDER, *(each.zones for each in wider), user_rate, limit_maps(wider))
        ).strip(),
        users=users,
        rate_exceeded=RATE_EXCEEDED_STATUS,
        body_limits=body_limit_map(large),
        error_forms=error_form_map((row for rows in routes.values() for row in rows), PAGE_PATHS),
        request_id=REQUEST_ID,
        hsts=HSTS,
        hsts_seconds=HSTS_SECONDS,
        sent_id=SENT_ID,
        sent_id_pattern=SENT_ID_PATTERN,
        upstreams=upstreams,
        groups=groups,
        resolver=RESOLVER.format(address=resolver) if resolver else "",
        real_ip=real_ip(proxies),
        servers=server_blocks(
            listen,
            console,
            static=static,
            start=start_page(upstream_names),
            locations=locations,
            tls=tls,
            version=version,
        ),
    )


def image_version(image: str) -> Version:
    """The version of nginx that the tag of an image begins with, also if a digest follows.

    Raises:
        ValueError: the image has no tag, or its tag has no version.
    """
    tag = re.search(r":(\d+(?:\.\d+)+)[^:/]*$", image.partition("@")[0])
    if tag is None:
        raise ValueError(f"the tag of {image!r} does not begin with the version of nginx")
    return tuple(map(int, tag[1].split(".")))


def _upstream(service: str, servers: Sequence[str], *, zone: bool = False) -> str:
    lines = [f"    zone {service} 256k;\n"] if zone else []
    lines += [f"    server {server} max_fails=0;\n" for server in servers]
    return f"  upstream {service} {{\n{''.join(lines)}{KEEP_ALIVE}  }}\n"


def _location(
    path: str,
    service: str,
    name: str | None,
    upstream: str,
    limits: Mapping[str, SenderLimit],
    limits_factor: int,
    *,
    users: str,
    own: str | None,
) -> str:
    lines = [f"set $replicas {name};"] if name else []
    limit = limits.get(PARAMETER.sub("{}", path), USERS)
    lines.append(f"set {LIMIT} {limit.zone};")
    if limit is not USERS:
        lines.append(limit.times(limits_factor).directives)
    if limit is CLIENTS:
        lines.append(users)  # they call some of these routes, too
    lines += [own] if own else []
    lines.append(f"proxy_pass http://{'$replicas' if name else upstream};")
    if service == Service.AUTHZ:
        lines.append(NEXT_REPLICA_IF_STALE)
    return f"    location {path_match(path)} {{ {' '.join(lines)} }}\n"
