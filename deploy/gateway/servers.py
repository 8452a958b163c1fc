"""The servers of the gateway: for everyone, and for the console alone."""

from collections.abc import Sequence

from deploy.gateway.docs import CONTENT_SECURITY_POLICY
from deploy.gateway.problems import ERROR_PAGES, LIMIT, POLICY

SERVER = """\
  server {{
    listen {listen};{visitors}
    absolute_redirect off;
    {error_pages}
    add_header RateLimit-Policy {policy} always;

    location = / {{ return 302 /docs; }}
    location = /openapi.json {{ set {limit} users; root {static}; }}
    location = /docs {{
      set {limit} users;
      root {static};
      default_type text/html;
      charset utf-8;
      add_header Content-Security-Policy "{docs_policy}";
      add_header X-Content-Type-Options nosniff;
      try_files /docs.html =404;
    }}
{locations}
    location / {{ return 404; }}

    {problems}
  }}
"""
# Only the console reaches this port. It names the visitor for whom it asks, so that every limit of
# an address counts the visitor. No load balancer stands between.
VISITORS = """
    set_real_ip_from 0.0.0.0/0;
    set_real_ip_from ::/0;
    real_ip_header X-Forwarded-For;
    real_ip_recursive off;"""


def server_blocks(listen: str, inside: str | None, *, static: str, locations: str) -> str:
    """The server for everyone; with `inside`, also that of the console, with the same locations."""
    addresses = [(listen, "")] if inside is None else [(listen, ""), (inside, VISITORS)]
    return "".join(
        SERVER.format(
            listen=address,
            visitors=visitors,
            error_pages="\n    ".join(page.error_page for page in ERROR_PAGES),
            policy=POLICY,
            limit=LIMIT,
            static=static,
            docs_policy=CONTENT_SECURITY_POLICY,
            locations=locations.rstrip("\n"),
            problems="\n    ".join(page.locations for page in ERROR_PAGES),
        )
        for address, visitors in addresses
    )


def real_ip(proxies: Sequence[str]) -> str:
    """The directives that take the sender's address from X-Forwarded-For.

    It is the last address of the list that is not a trusted proxy. A sender can forge everything
    to the left of it.
    """
    if not proxies:
        return ""
    trusted = "".join(f"  set_real_ip_from {network};\n" for network in proxies)
    return f"\n{trusted}  real_ip_header X-Forwarded-For;\n  real_ip_recursive on;\n"
