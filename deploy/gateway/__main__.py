"""The command that writes the files of a gateway, as the chart for Kubernetes runs it."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.compose_environment import parse_networks
from deploy.gateway.files import FOLDER, gateway_files
from deploy.gateway.groups import upstream_of_group
from deploy.gateway.nginx import image_version
from deploy.gateway.other_files import OtherGateway, other_files
from deploy.gateway.paths import path_owners, public_routes
from deploy.gateway.rules import gateway_rules
from deploy.gateway.servers import ConsoleListener
from deploy.gateway.tls import Tls
from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service
from shared.networks import PRIVATE_NETWORKS

NGINX = "nginx"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, and return an exit status."""
    options = _parser().parse_args(arguments)
    hosts = options.host.split(",")
    replicas = {
        name: [host.replace("SERVICE", name) + f":{options.port}" for host in hosts]
        for name in (*Service, CONSOLE, *map(upstream_of_group, range(2, options.groups + 1)))
    }
    tls = None
    if options.tls_certificate:
        tls = Tls(
            certificate=options.tls_certificate,
            key=options.tls_key,
            redirect_from=options.redirect_from,
            public_url=options.public_url.rstrip("/"),
        )
    console = ConsoleListener(listen=options.console_listen, trusted=PRIVATE_NETWORKS)
    proxies = parse_networks(options.trusted_proxies)
    if options.gateway == NGINX:
        if len(hosts) > 1:
            raise SystemExit("nginx asks one name for all replicas. Give one --host.")
        files = gateway_files(
            listen=options.listen,
            console=console,
            names={name: each for name, [each] in replicas.items()},
            resolver=options.resolver or _own_resolver(options.resolv_conf),
            version=image_version(options.nginx_image),
            proxies=proxies,
            limits_factor=options.limits_factor,
            tls=tls,
        )
    else:
        files = other_files(
            OtherGateway(options.gateway),
            gateway_rules(path_owners(public_routes()), replicas),
            folder=FOLDER,
            listen=options.listen,
            upstreams=replicas,
            console=console,
            proxies=proxies,
            tls=tls,
            limits_factor=options.limits_factor,
        )
    for name, text in files.items():
        (options.folder / name).write_text(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.gateway", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, help=f"the folder that the gateway has as {FOLDER}")
    add("--for", dest="gateway", choices=(NGINX, *OtherGateway), default=NGINX, help="the gateway")
    add("--host", required=True, help="the host of a service, with SERVICE for its name")
    add("--port", type=int, default=8080, help="the public port of the services")
    add(
        "--groups",
        type=_factor,
        default=1,
        help="the groups of authz; SERVICE is authz-2 and so on",
    )
    add("--listen", default="8080", help="the address or port of the gateway")
    add("--console-listen", default="8082", help="the one that only the console can reach")
    add("--resolver", default="", help="a name server; by default the first one of this machine")
    add("--resolv-conf", type=Path, default=Path("/etc/resolv.conf"), help="where it is named")
    add("--nginx-image", default="nginx:1.30", help="its tag says the version of nginx")
    add("--trusted-proxies", default="", help="networks of load balancers, with commas")
    add("--limits-factor", type=_factor, default=1, help="multiplies the limits of an address")
    add("--tls-certificate", default="", help="a PEM file; with it the gateway speaks TLS")
    add("--tls-key", default="", help="the PEM file with its private key")
    add("--redirect-from", default="", help="the port that leads http to https")
    add("--public-url", default="", help="the https address that it leads to")
    return parser


def _factor(text: str) -> int:
    factor = int(text)
    if factor < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return factor


def _own_resolver(file: Path) -> str:
    servers = re.findall(r"^nameserver\s+(\S+)", file.read_text(), re.MULTILINE)
    if not servers:
        raise SystemExit(f"{file} names no name server. Give one with --resolver.")
    return f"[{servers[0]}]" if ":" in servers[0] else servers[0]


if __name__ == "__main__":
    sys.exit(main())
