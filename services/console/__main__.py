"""Run the console as a process of its own."""

import asyncio

from services.console.app import build
from services.console.settings import NAME, Settings
from shared import logs
from shared.problems import StartRefused
from shared.runtime.environment import load, refuse_start, warn_of_unknown_names
from shared.runtime.service import event_loop, run


def main() -> None:
    """Serve until a signal; the console has no bus and no database to connect to."""
    settings = load(Settings)
    logs.setup(NAME, settings.log_level)
    warn_of_unknown_names(Settings)
    try:
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(run(build(settings), settings))
    except StartRefused as refused:
        refuse_start([str(refused)])


main()
