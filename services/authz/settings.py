"""The settings of authz."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from rolecall.core.table import PERMISSION_PATTERN
from services.authz.domain.allow_samples import EVERY
from shared.contracts.topology import Service
from shared.runtime.replica_settings import ReplicaSettings
from shared.runtime.settings import settings_config

SampledPermission = Annotated[
    str, StringConstraints(pattern=rf"^(?:{PERMISSION_PATTERN}|{re.escape(EVERY)})$")
]


Samples = dict[SampledPermission, Annotated[int, Field(ge=1)]]


class Settings(ReplicaSettings):
    """The settings of a replica of authz, besides those of every service."""

    model_config = settings_config(Service.AUTHZ)

    forward_auth_file: str = Field(
        "",
        description="File with the map of a gateway's routes to permissions, for /forward-auth;"
        " without it every request there is refused",
    )
    allow_samples: Samples = Field(
        {},
        description="JSON: permission, or * for all others -> N; one of N allowed checks of it is"
        " recorded in the account's audit log. Without it none is",
    )
    check_sample: int = Field(
        10_000, ge=0, description="One check of this number is logged with its reason; 0: none is"
    )
