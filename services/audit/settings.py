"""The settings of audit, read from the environment."""

from shared.contracts.topology import Service
from shared.runtime.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    """Every variable of this service, `ROLECALL_AUDIT_…`."""

    model_config = settings_config(Service.AUDIT)
