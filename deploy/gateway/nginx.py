"""What is nginx told, so that each path reaches its service and nothing else does?"""

import re
from collections.abc import Mapping, Sequence

from deploy.gateway.paths import PARAMETER
from deploy.gateway.problems import LARGEST_BODY, REQUEST_ID, ROWS

SENDER_SECONDS = 10
"""A sender of headers, or of a part of a body, that takes longer is disconnected."""
MAIN = """\
worker_processes auto;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}

http {{
  access_log off;
  server_tokens off;
  default_type application/json;
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;

  # Large requests, slow ones and crowds end here (T19): a service is asked once the whole body is
  # there, so whoever sends slowly holds a connection of nginx and nothing else.
  client_max_body_size {largest_body};
  client_body_buffer_size {largest_body};
  client_header_timeout {sender_seconds}s;
  client_body_timeout {sender_seconds}s;
  large_client_header_buffers 4 16k;
  limit_conn_zone $binary_remote_addr zone=connections:4m;
  limit_conn connections 200;
  limit_conn_status 429;

{real_ip}
  # One id in a problem of the gateway's own, in the service's answer and in its log.
  map $http_x_request_id {request_id} {{
    default req_$request_id;
    "~^[A-Za-z0-9._~-]{{1,128}}$" $http_x_request_id;
  }}

  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Connection "";
  proxy_set_header X-Request-ID {request_id};
  # What the sender says about the way here is not believed, and not passed on (T18).
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header Forwarded "";
  proxy_connect_timeout 2s;
  proxy_read_timeout 60s;
  # A request with an effect is tried on another replica only if none has seen it.
  proxy_next_upstream error timeout;
  proxy_next_upstream_timeout 5s;
{upstreams}
  server {{
    listen {listen};
    {resolver}
    {error_pages}

    location = /openapi.json {{ root {static}; }}
    location = /docs {{
      root {static};
      default_type text/html;
      charset utf-8;
      add_header Content-Security-Policy "default-src 'none'; style-src 'unsafe-inline'";
      add_header X-Content-Type-Options nosniff;
      try_files /docs.html =404;
    }}
{locations}
    location / {{ return 404; }}

    {problems}
  }}
}}
"""
# Asking authz changes nothing, so the next replica may be asked when one is stale.
ASK_THE_NEXT = "proxy_next_upstream error timeout http_503 non_idempotent;"


def configuration(
    owners: Mapping[str, str],
    *,
    listen: str,
    static: str,
    addresses: Mapping[str, Sequence[str]] | None = None,
    names: Mapping[str, str] | None = None,
    resolver: str | None = None,
    proxies: Sequence[str] = (),
    sender_seconds: int = SENDER_SECONDS,
) -> str:
    """The whole `nginx.conf`.

    With `addresses` (service → host:port of each replica) they are fixed. With `names` (service →
    host:port whose host is looked up again while running) replicas may come and go; that needs
    the address of a `resolver`. `static` is the folder with openapi.json and docs.html.
    `proxies` are the networks of load balancers in front, whose X-Forwarded-For says who asks.
    """
    upstreams = "".join(
        f"  upstream {service} {{\n"
        + "".join(f"    server {address} max_fails=0;\n" for address in replicas)
        + "    keepalive 64;\n  }\n"
        for service, replicas in (addresses or {}).items()
    )
    locations = "".join(
        _location(path, service, (names or {}).get(service)) for path, service in owners.items()
    )
    return MAIN.format(
        listen=listen,
        largest_body=LARGEST_BODY,
        sender_seconds=sender_seconds,
        request_id=REQUEST_ID,
        static=static,
        upstreams=upstreams,
        locations=locations.rstrip("\n"),
        resolver=f"resolver {resolver} valid=1s ipv6=off;" if resolver else "",
        error_pages="\n    ".join(row.error_page for row in ROWS),
        real_ip=_real_ip(proxies),
        problems="\n    ".join(row.location for row in ROWS),
    )


def _real_ip(proxies: Sequence[str]) -> str:
    """The nearest address that is none of ours: what stands left of it anybody may have written."""
    if not proxies:
        return ""
    trusted = "".join(f"  set_real_ip_from {network};\n" for network in proxies)
    return f"\n{trusted}  real_ip_header X-Forwarded-For;\n  real_ip_recursive on;\n"


def _location(path: str, service: str, name: str | None) -> str:
    if PARAMETER.search(path):
        match = "~ ^" + "[^/]+".join(re.escape(part) for part in PARAMETER.split(path)) + "$"
        match = match.replace("\\-", "-")
    else:
        match = f"= {path}"
    lines = [f"set $replicas {name};"] if name else []
    lines.append(f"proxy_pass http://{'$replicas' if name else service};")
    if service == "authz":
        lines.append(ASK_THE_NEXT)
    return f"    location {match} {{ {' '.join(lines)} }}\n"
