"""The settings of authz."""

import socket
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.topology import Service
from shared.ids import new_id
from shared.runtime.settings import StatelessSettings, settings_config


class Settings(StatelessSettings):
    """The settings of a replica of authz, besides those of every service."""

    model_config = settings_config(Service.AUTHZ)

    replica: Annotated[
        str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._~:-]{0,199})?$")
    ] = Field(
        "",
        description="Name of this replica's slot, never shared by two live processes;"
        " by default host and port",
    )

    @property
    def slot(self) -> str:
        """The name under which this replica holds its leases.

        A process that restarts in its slot takes its lease over at once. Without a slot of its
        own it takes a new one, and one change waits until the old lease runs out.
        """
        if self.replica:
            return self.replica
        return f"{socket.gethostname()}:{self.port}" if self.port else new_id("rep")
