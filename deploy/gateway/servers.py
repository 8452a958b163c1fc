"""The servers of the gateway: for everyone, and for the console alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.gateway.docs import CONTENT_SECURITY_POLICY
from deploy.gateway.problems import ERROR_PAGES, HSTS, LIMIT, POLICY
from deploy.gateway.tls import Tls, Version

SERVER = """\
  server {{
    listen {listen};{visitors}
    absolute_redirect off;
    {error_pages}
    add_header RateLimit-Policy {policy} always;
    add_header Strict-Transport-Security {hsts} always;

    location = / {{ return 302 {start}; }}
    location = /openapi.json {{ set {limit} users; root {static}; }}
    location = /docs {{
      set {limit} users;
      root {static};
      default_type text/html;
      charset utf-8;
      add_header Content-Security-Policy "{docs_policy}";
      add_header X-Content-Type-Options nosniff;
      add_header Strict-Transport-Security {hsts} always;
      try_files /docs.html =404;
    }}
{locations}
    location / {{ return 404; }}

    {problems}
  }}
"""


@dataclass(frozen=True, kw_only=True)
class ConsoleListener:
    """Where the console asks, in the name of its visitors.

    The console names the visitor for whom it asks, so that every limit of an address counts the
    visitor. A sender who reaches `listen` from `trusted` chooses its own address: bind it where the
    console alone can connect.
    """

    listen: str
    """One address or host name, and a port. A name is looked up when nginx starts."""
    trusted: Sequence[str]
    """The networks in which the console is."""

    @property
    def directives(self) -> str:
        """Whose word about a visitor counts; no load balancer stands between."""
        networks = "".join(f"\n    set_real_ip_from {network};" for network in self.trusted)
        return f"{networks}\n    real_ip_header X-Forwarded-For;\n    real_ip_recursive off;"


def server_blocks(
    listen: str,
    console: ConsoleListener | None,
    *,
    static: str,
    start: str,
    locations: str,
    tls: Tls | None = None,
    version: Version = (),
) -> str:
    """The server for everyone, and that of the console, with the same locations.

    `start` is the page to which the bare address leads. With `tls` the server for everyone speaks
    nothing else; the console's stays as it is.
    """
    addresses = [(listen, "")]
    if tls is not None:
        addresses = [(tls.listen(listen, version), tls.directives(version))]
    if console is not None:
        addresses.append((console.listen, console.directives))
    redirect = "" if tls is None else tls.redirect
    return redirect + "".join(
        SERVER.format(
            listen=address,
            visitors=visitors,
            error_pages="\n    ".join(page.error_page for page in ERROR_PAGES),
            policy=POLICY,
            hsts=HSTS,
            limit=LIMIT,
            static=static,
            start=start,
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
