"""Give the database of a service the form that this version needs, apart from its start.

`python -m deploy.migrate SERVICE …` runs with the settings of the services. It applies what may be
applied while replicas of the version before run. After the last of them, `--contract` applies the
rest. `--plan` shows what either would do. Several may run at once: one applies the steps. `--back`
forgets steps that only expanded the database, for the way back to a version before 0.2.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence

from services.audit import migrations as audit
from services.audit.settings import Settings as AuditSettings
from services.identity import migrations as identity
from services.identity.settings import Settings as IdentitySettings
from services.notification import migrations as notification
from services.notification.settings import Settings as NotificationSettings
from services.team import migrations as team
from services.team.settings import Settings as TeamSettings
from shared import logs
from shared.auth.keys import read_private
from shared.auth.row_signatures import RowSigner
from shared.clock import Clock, SystemClock
from shared.contracts.topology import Service
from shared.migrations import Migration, Phase, forget_expanded, migrate, pending_steps
from shared.mongo import DatabaseAway, connect
from shared.problems import StartRefused
from shared.runtime.environment import load, variable
from shared.runtime.settings import ServiceSettings
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

Migrations = Callable[[RowSigner], Sequence[Migration]]
SERVICES: Mapping[str, tuple[type[ServiceSettings], Migrations]] = {
    Service.IDENTITY: (IdentitySettings, identity.migrations),
    Service.TEAM: (TeamSettings, team.migrations),
    Service.NOTIFICATION: (NotificationSettings, notification.migrations),
    Service.AUDIT: (AuditSettings, audit.migrations),
}
"""The services with a database: their settings, and the steps that make its form."""
HINTS = {
    Phase.EXPAND: "expand: apply it before you start the first new replica.\n",
    Phase.CONTRACT: "contract: apply it with --contract after the last old replica has ended.\n",
    Phase.REPLACE: "replace: stop every replica of the service before you apply it.\n",
}


async def run(
    url: str,
    name: str,
    steps: Sequence[Migration],
    *,
    service: str,
    contract: bool = False,
    plan: bool = False,
    back: int | None = None,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
) -> Sequence[str]:
    """Apply the steps to a database, or only look; return the lines that tell it.

    With `back`, forget the steps behind this number instead.

    Raises:
        StartRefused: this version must not run on the database, or the steps cannot be forgotten.
        DatabaseAway: the database does not answer.
    """
    clock = clock or SystemClock()
    client = connect(url, app_name=service, timeouts=timeouts)
    database = client[name]
    try:
        if back is not None:
            forgotten = await forget_expanded(database, steps, after=back)
            return [f"{name}: {each.number} {each.name}: forgotten\n" for each in forgotten]
        before = await pending_steps(database, steps, clock=clock)
        if not plan:
            await migrate(database, steps, clock=clock, timeouts=timeouts, contract=contract)
        left = {each.number for each in await pending_steps(database, steps, clock=clock)}
    finally:
        client.close()
    return _lines(name, before, left)


def _lines(name: str, before: Sequence[Migration], left: set[int]) -> Sequence[str]:
    if not before:
        return [f"{name} has every migration of this version.\n"]
    lines = [
        f"{name}: {each.number} {each.name} ({each.phase}):"
        f" {'pending' if each.number in left else 'applied'}\n"
        for each in before
    ]
    waiting = [each.phase for each in before if each.number in left]
    return lines + [HINTS[phase] for phase in Phase if phase in waiting]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 refused, 2 wrong usage or no answer."""
    parser = argparse.ArgumentParser(prog="python -m deploy.migrate", description=__doc__)
    parser.add_argument("services", nargs="+", choices=sorted(SERVICES), metavar="SERVICE")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="show the steps, and change nothing")
    what.add_argument(
        "--contract", action="store_true", help="apply also what replicas before do not survive"
    )
    what.add_argument(
        "--back", type=int, metavar="NUMBER", help="forget the steps behind this number"
    )
    options = parser.parse_args(arguments)
    if options.back is not None and len(options.services) > 1:
        parser.error("--back takes one service, because each has numbers of its own")
    statuses = (_migrate(service, options) for service in options.services)
    return next((status for status in statuses if status), 0)


def _migrate(service: str, options: argparse.Namespace) -> int:
    settings_class, migrations = SERVICES[service]
    settings = load(settings_class)
    logs.setup(service, settings.log_level)
    work = run(
        settings.mongo_url.get_secret_value(),
        settings.mongo_database,
        migrations(RowSigner(read_private(settings.journal_key.get_secret_value()))),
        service=service,
        contract=options.contract,
        plan=options.plan,
        back=options.back,
    )
    try:
        sys.stdout.writelines(asyncio.run(work))
    except StartRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except DatabaseAway:
        address = variable(settings_class, "mongo_url")
        sys.stderr.write(f"The database does not answer. Start it, or correct {address}.\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
