"""The files of the gateway: nginx's configuration, the OpenAPI document and the page `/docs`."""

import json
from collections.abc import Mapping, Sequence

from deploy.gateway.docs import page
from deploy.gateway.nginx import configuration
from deploy.gateway.paths import path_owners, public_routes
from deploy.gateway.servers import ConsoleListener
from deploy.gateway.tls import Tls, Version
from shared.http.openapi import document_of

FOLDER = "/etc/rolecall"
"""Where the gateway in a container has its files."""


def gateway_files(
    *,
    listen: str,
    console: ConsoleListener,
    names: Mapping[str, str],
    resolver: str,
    version: Version,
    proxies: Sequence[str],
    limits_factor: int,
    tls: Tls | None = None,
) -> Mapping[str, str]:
    """The files by name, for replicas that come and go."""
    routes = public_routes()
    api = document_of([route for rows in routes.values() for route in rows])
    return {
        "openapi.json": json.dumps(api) + "\n",
        "docs.html": page(api),
        "nginx.conf": configuration(
            path_owners(routes),
            listen=listen,
            static=FOLDER,
            console=console,
            names=names,
            resolver=resolver,
            version=version,
            proxies=proxies,
            limits_factor=limits_factor,
            tls=tls,
        ),
    }
