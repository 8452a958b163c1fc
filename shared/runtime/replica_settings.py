"""The settings of a service whose processes follow journals under leases."""

import socket
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.ids import new_id
from shared.runtime.settings import StatelessSettings


class ReplicaSettings(StatelessSettings):
    """The slot of a process in the lease rows."""

    replica: Annotated[
        str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._~:-]{0,199})?$")
    ] = Field(
        "",
        description="The slot of this replica: its name in receipts; by default host and port",
    )

    @property
    def slot(self) -> str:
        """The name of this replica in lease rows and receipts.

        Two live processes with one name are both honoured: each life has a row of its own.
        """
        if self.replica:
            return self.replica
        if self.share_port:
            return new_id("rep")
        return f"{socket.gethostname()}:{self.port}" if self.port else new_id("rep")
