"""The settings of authz."""

from pydantic import Field

from shared.contracts.topology import Service
from shared.runtime.replica_settings import ReplicaSettings
from shared.runtime.settings import settings_config


class Settings(ReplicaSettings):
    """The settings of a replica of authz, besides those of every service."""

    model_config = settings_config(Service.AUTHZ)

    forward_auth_file: str = Field(
        "",
        description="File with the map of a gateway's routes to permissions, for /forward-auth;"
        " without it every request there is refused",
    )
    check_sample: int = Field(
        10_000, ge=0, description="One check of this number is logged with its reason; 0: none is"
    )
