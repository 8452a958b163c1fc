"""The files of gateways other than nginx: Traefik and Envoy, with the same rules."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import yaml

from deploy.gateway import envoy, traefik
from deploy.gateway.docs import page
from deploy.gateway.paths import public_routes
from deploy.gateway.rules import READ_SECONDS, Rule
from deploy.gateway.servers import ConsoleListener
from deploy.gateway.tls import Tls
from shared.http.openapi import document_of


class OtherGateway(StrEnum):
    """A gateway that has rules made from the same tables as nginx's."""

    TRAEFIK = "traefik"
    ENVOY = "envoy"


def other_files(
    gateway: OtherGateway,
    rules: Sequence[Rule],
    *,
    folder: str,
    listen: str,
    upstreams: Mapping[str, Sequence[str]],
    console: ConsoleListener | None = None,
    proxies: Sequence[str] = (),
    tls: Tls | None = None,
    limits_factor: int = 1,
    read_seconds: int = READ_SECONDS,
) -> Mapping[str, str]:
    """The files by name. The gateway finds them in `folder`."""
    if gateway is OtherGateway.TRAEFIK:
        documents = traefik.traefik_files(
            rules,
            listen=listen,
            folder=folder,
            upstreams=upstreams,
            console=console,
            proxies=proxies,
            tls=tls,
            limits_factor=limits_factor,
            read_seconds=read_seconds,
        )
        return {name: _text(document) for name, document in documents.items()}
    api = document_of([row for rows in public_routes().values() for row in rows])
    document = envoy.envoy_configuration(
        rules,
        listen=listen,
        static=folder,
        upstreams=upstreams,
        console=console,
        proxies=proxies,
        tls=tls,
        limits_factor=limits_factor,
        read_seconds=read_seconds,
    )
    return {
        envoy.NAME: json.dumps(document, indent=1) + "\n",
        "openapi.json": json.dumps(api) + "\n",
        "docs.html": page(api),
    }


def _text(document: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(document))  # YAML would point to what occurs twice
    return yaml.safe_dump(plain, sort_keys=False, width=1000)
