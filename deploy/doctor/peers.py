"""The services as they answer over HTTP: readiness, versions, clocks and metrics."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from deploy.doctor.findings import Finding, error, good, warning
from rolecall.client.jwt import LEEWAY_SECONDS
from shared.contracts.topology import Service
from shared.runtime.environment import PREFIX

KNOWN_GROUPS = "rolecall_known_groups"
SKEW_WARNING, SKEW_ERROR = timedelta(seconds=2), timedelta(seconds=LEEWAY_SECONDS)
"""Tokens are refused if the clocks of two machines differ by more than the second."""


@dataclass(frozen=True, kw_only=True)
class SeenPeer:
    """One address of a service, and what it answered; `fault` if it did not."""

    service: str
    url: str
    fault: str = ""
    offset: timedelta = timedelta()
    """How far its clock is ahead of this machine's."""
    version: str = ""
    checks: Mapping[str, bool] = field(default_factory=dict)
    informational: Mapping[str, bool] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The highest value of each metric."""


@dataclass(frozen=True)
class Limit:
    """A metric whose value is wrong from some value on."""

    metric: str
    above: float
    area: str
    what: str
    do: str
    grave: bool = False


JOURNAL = "Look at `rolecall admin journal` of this service (docs/operations/audit-log.md)."
LIMITS = (
    Limit(
        "rolecall_journal_unsent_seconds",
        60,
        "journals",
        "Facts have waited {value:.0f} s for the bus.",
        "Look at the broker, and at `bus` of /health/ready (docs/operations/failures.md).",
        grave=True,
    ),
    Limit(
        "rolecall_journal_held_seconds",
        3600,
        "journals",
        "A consumer has not confirmed rows that are {value:.0f} s beyond the retention.",
        JOURNAL,
    ),
    Limit(
        "rolecall_inbox_lag_seconds",
        60,
        "journals",
        "Facts of other services are {value:.0f} s behind.",
        "Look whether every source answers (docs/operations/failures.md).",
        grave=True,
    ),
    Limit(
        "rolecall_inbox_missed_rows",
        0,
        "journals",
        "A source had deleted {value:.0f} rows before they were applied here.",
        "See docs/operations/audit-log.md#journals.",
    ),
    Limit(
        "rolecall_inbox_dead",
        0,
        "journals",
        "{value:.0f} facts could not be applied.",
        "`rolecall dlq list` shows them (docs/operations/failures.md).",
    ),
    Limit(
        "rolecall_inconsistent_trees",
        0,
        "journals",
        "{value:.0f} trees of the audit log do not continue their checkpoint.",
        "See docs/operations/audit-log.md#checkpoints-of-the-audit-log.",
        grave=True,
    ),
    Limit(
        "rolecall_seal_age_seconds",
        60,
        "journals",
        "Records of the audit log have waited {value:.0f} s for their seal.",
        "See docs/operations/monitoring.md.",
    ),
    Limit(
        "rolecall_mails_overdue_seconds",
        60,
        "mails",
        "Mails are due for {value:.0f} s.",
        "Look at the mail server, and at the log of notification.",
    ),
)


def check_peers(peers: Sequence[SeenPeer], *, own_version: str) -> Iterator[Finding]:
    """Find services that do not answer, are not ready, or do not fit each other."""
    for peer in peers:
        where = f"{peer.service} {peer.url}".strip()
        if peer.fault:
            do = (
                "Start it, or run the doctor where the services run: their internal ports are shut."
            )
            yield error("services", where, f"No answer: {peer.fault}.", do)
            continue
        yield from _readiness(peer, where)
        yield from check_clock(where, peer.offset)
        yield from _metrics(peer, where)
    yield from _versions(peers, own_version)
    yield from _groups(peers)


def _readiness(peer: SeenPeer, where: str) -> Iterator[Finding]:
    failing = [name for name, holds in peer.checks.items() if not holds]
    if failing:
        do = "docs/operations/monitoring.md says what each check means."
        yield error("services", where, f"Not ready: {', '.join(failing)}.", do)
    away = [name for name, holds in peer.informational.items() if not holds]
    if away:
        do = "docs/operations/failures.md says what this costs."
        yield warning("services", where, f"It works without: {', '.join(away)}.", do)
    if not failing and not away:
        yield good("services", where, "Ready.")


def check_clock(where: str, offset: timedelta) -> Iterator[Finding]:
    """Compare the clock of another machine with that of this one."""
    apart, words = abs(offset), "ahead of" if offset > timedelta() else "behind"
    if apart < SKEW_WARNING:
        yield good("clock", where, "Its clock agrees with this machine's.")
        return
    what = f"Its clock is {apart.total_seconds():.0f} s {words} this machine's."
    grave = error if apart >= SKEW_ERROR else warning
    yield grave("clock", where, what, "Let both machines follow the same time servers (NTP).")


def _metrics(peer: SeenPeer, where: str) -> Iterator[Finding]:
    seen = [limit for limit in LIMITS if limit.metric in peer.metrics]
    wrong = [limit for limit in seen if peer.metrics[limit.metric] > limit.above]
    for limit in wrong:
        what = limit.what.format(value=peer.metrics[limit.metric])
        yield (error if limit.grave else warning)(limit.area, where, what, limit.do)
    if seen and not wrong:
        yield good("journals", where, "No fact, record or mail waits too long.")


def _versions(peers: Sequence[SeenPeer], own_version: str) -> Iterator[Finding]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for peer in peers:
        if not peer.fault:
            found[peer.version or "an earlier version"].add(peer.service)
    if len(found) > 1:
        told = "; ".join(f"{version}: {', '.join(sorted(at))}" for version, at in found.items())
        do = "Finish the update (docs/operations/updating.md)."
        yield warning("versions", "services", f"They have several versions: {told}.", do)
    elif found and own_version not in found:
        what = f"The services have {next(iter(found))}, and this doctor {own_version}."
        yield warning("versions", "services", what, "Use the doctor of the same version.")
    elif found:
        yield good("versions", "services", f"All have version {own_version}.")


def _groups(peers: Sequence[SeenPeer]) -> Iterator[Finding]:
    """Compare among how many groups replicas of authz divide the accounts."""
    told = {
        int(peer.metrics.get(KNOWN_GROUPS, 1))
        for peer in peers
        if peer.service == Service.AUTHZ and not peer.fault
    }
    if len(told) > 1:
        what = f"Replicas know {' and '.join(map(str, sorted(told)))} groups of accounts."
        do = "Finish the change (docs/operations/scaling.md#groups-of-authz)."
        yield warning("services", Service.AUTHZ, what, do)
    elif told - {1}:
        yield good("services", Service.AUTHZ, f"All replicas know {told.pop()} groups of accounts.")


@dataclass(frozen=True, kw_only=True)
class SeenGateway:
    """What people can reach: the answers of the gateway, and ports of its machine."""

    url: str
    fault: str = ""
    offset: timedelta = timedelta()
    open_paths: Sequence[str] = ()
    """Internal paths that are answered by something else than "not found"."""
    open_ports: Mapping[int, str] = field(default_factory=dict)
    """Ports that answer at the public address, with what usually listens there."""


def check_gateway(gateway: SeenGateway) -> Iterator[Finding]:
    """Find what people can reach and should not."""
    if gateway.fault:
        do = "Look from where people are; from a container it may be out of reach."
        yield warning("services", gateway.url, f"No answer: {gateway.fault}.", do)
        return
    yield from check_clock(gateway.url, gateway.offset)
    for path in gateway.open_paths:
        do = "Let the gateway pass on the public routes alone (docs/operations/gateway.md)."
        yield error("ports", gateway.url, f"{path} can be reached from outside.", do)
    for port, name in gateway.open_ports.items():
        do = "Close it in the firewall, or bind it to an inner address."
        yield error("ports", f"{gateway.url} :{port}", f"The port of {name} is open.", do)
    if not gateway.open_paths and not gateway.open_ports:
        yield good("ports", gateway.url, "Only the public routes can be reached.")


def check_bound(hosts: Mapping[str, str], *, in_container: bool) -> Iterator[Finding]:
    """Find internal ports that are bound to every address of a machine; `hosts` by service."""
    for service, host in hosts.items():
        name = f"{PREFIX}{service}_INTERNAL_HOST".upper()
        if host in {"0.0.0.0", "::", ""} and not in_container:  # noqa: S104 - what is looked for
            what = "The internal port is bound to every network of this machine."
            yield warning("ports", name, what, "Bind it to an inner address, such as 127.0.0.1.")
