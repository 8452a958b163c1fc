"""The settings of authz."""

from shared.contracts.topology import Service
from shared.runtime.replica_settings import ReplicaSettings
from shared.runtime.settings import settings_config


class Settings(ReplicaSettings):
    """The settings of a replica of authz, besides those of every service."""

    model_config = settings_config(Service.AUTHZ)
