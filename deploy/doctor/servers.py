"""The database, the broker and the disks as the services see them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from deploy.doctor.findings import Finding, error, good, warning
from deploy.doctor.peers import check_clock

RIGHTS = "docs/operations/servers.md has the rights that the user needs."
OLDEST_BROKER, OLDEST_DATABASE = (3, 10), (7, 0)
LITTLE, TOO_LITTLE = 0.1, 0.03
"""The parts of a disk that should, and must, be free."""


@dataclass(frozen=True, kw_only=True)
class SeenDatabase:
    """What a service's database said to its user; `fault` if nothing."""

    service: str
    name: str = ""
    fault: str = ""
    offset: timedelta = timedelta()
    version: str = ""
    replica_set: bool = True
    """Also true of a cluster: both have transactions."""
    user: str | None = None
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The roles of the user by database."""
    free: float | None = None
    """The part of its disk that is free, where the server tells it."""
    applied: int = 0
    """The last migration step."""
    known: int = 0
    """The last step that this version knows."""


def check_database(seen: SeenDatabase) -> Iterator[Finding]:
    """Find what keeps a service from working on its database, and what its user could misuse."""
    where = f"{seen.service}'s database"
    if seen.fault:
        do = "Start it, or correct MONGO_URL: the address, the user, the password, the authority."
        yield error("services", where, f"No answer: {seen.fault}.", do)
        return
    yield from check_clock(where, seen.offset)
    if _older(seen.version, OLDEST_DATABASE):
        yield warning("versions", where, f"MongoDB {seen.version} is old.", "Use 7.0 or later.")
    else:
        yield good("versions", where, f"MongoDB {seen.version}.")
    if not seen.replica_set:
        do = "Make it a replica set: without one there are no transactions."
        yield error("services", where, "It is a single server.", do)
    yield from _roles(seen, where)
    yield from check_disk(where, seen.free)
    if seen.applied > seen.known:
        what = f"It has step {seen.applied}, and this version knows {seen.known}."
        yield error("migrations", where, what, "Use the newer version, or restore a backup.")
    elif seen.applied < seen.known:
        what = f"Steps {seen.applied + 1} to {seen.known} are still to be done."
        yield warning("migrations", where, what, "The next start of the service does them.")
    else:
        yield good("migrations", where, f"All {seen.known} steps are done.")


def _roles(seen: SeenDatabase, where: str) -> Iterator[Finding]:
    if seen.user is None:
        what = "It answers without a user: every program that reaches it can change everything."
        yield warning("permissions", where, what, f"Turn authentication on. {RIGHTS}")
        return
    own = set(seen.roles.get(seen.name, ()))
    more = {
        f"{role} on {database}"
        for database, roles in seen.roles.items()
        for role in roles
        if database != seen.name or role != "readWrite"
    }
    if "readWrite" not in own and not any("root" in role for role in more):
        what = f"The user {seen.user} may not read and write {seen.name}."
        yield error("permissions", where, what, RIGHTS)
    elif more:
        what = f"The user {seen.user} may more than needed: {', '.join(sorted(more))}."
        yield warning("permissions", where, what, RIGHTS)
    else:
        yield good(
            "permissions",
            where,
            f"The user {seen.user} has the rights that it needs, and no others.",
        )


@dataclass(frozen=True, kw_only=True)
class SeenBroker:
    """What the broker let the user of a service do; `fault` if it let it do nothing."""

    service: str
    user: str = ""
    fault: str = ""
    version: str = ""
    lacking: Sequence[str] = ()
    """What the service needs and may not do."""
    excess: Sequence[str] = ()
    """What the user may do and the service does not need."""


def check_broker(seen: SeenBroker) -> Iterator[Finding]:
    """Find what keeps a service from publishing and consuming, and what its user could misuse."""
    where = f"{seen.service}'s broker"
    if seen.fault:
        do = "Start it, or correct AMQP_URL: the address, the user, the password, the authority."
        yield error("services", where, f"No answer: {seen.fault}.", do)
        return
    if _older(seen.version, OLDEST_BROKER):
        yield warning("versions", where, f"RabbitMQ {seen.version} is old.", "Use 3.10 or later.")
    else:
        yield good("versions", where, f"RabbitMQ {seen.version}.")
    for what in seen.lacking:
        yield error("permissions", where, f"The user {seen.user} may not {what}.", RIGHTS)
    for what in seen.excess:
        told = f"The user {seen.user} may {what}, which is more than needed."
        yield warning("permissions", where, told, RIGHTS)
    if not seen.lacking and not seen.excess:
        yield good(
            "permissions",
            where,
            f"The user {seen.user} has the rights that it needs, and no others.",
        )


def check_disk(where: str, free: float | None) -> Iterator[Finding]:
    """Find a disk that is nearly full; `free` is the part that is free."""
    if free is None:
        return
    if free < LITTLE:
        grave = error if free < TOO_LITTLE else warning
        do = "Give it more room before writes fail."
        yield grave("disk", where, f"{free:.0%} of its disk are free.", do)
    else:
        yield good("disk", where, f"{free:.0%} of its disk are free.")


def _older(version: str, than: tuple[int, int]) -> bool:
    numbers = version.split(".")
    try:
        return (int(numbers[0]), int(numbers[1])) < than
    except (ValueError, IndexError):
        return False
