"""The broker of a product as a victim that also loses all that it has stored."""

import shutil
from pathlib import Path

from deploy.programs.rabbitmq import Rabbitmq


class ForgettingBroker:
    """Every second kill deletes its data: queues, bindings and messages. It starts empty then."""

    def __init__(self, broker: Rabbitmq) -> None:
        self.deletions = 0
        self._broker = broker
        self._kills = 0

    @property
    def running(self) -> bool:
        """Whether the broker runs."""
        return self._broker.running

    @property
    def log(self) -> Path:
        """The log of the broker."""
        return self._broker.log

    def start(self) -> None:
        """Start the broker, with what is left."""
        self._broker.start()

    def kill(self) -> None:
        """Kill the broker; the first time and every second time after it forgets everything."""
        self._broker.kill()
        if self._kills % 2 == 0:
            shutil.rmtree(self._broker.folder / "mnesia")
            self.deletions += 1
        self._kills += 1
