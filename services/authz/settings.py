"""The settings of authz."""

import re
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from rolecall.core.table import PERMISSION_PATTERN
from services.authz.domain.allow_samples import EVERY
from shared.contracts.facts import SHARDS
from shared.contracts.topology import Service
from shared.runtime.replica_settings import ReplicaSettings
from shared.runtime.settings import settings_config

SampledPermission = Annotated[
    str, StringConstraints(pattern=rf"^(?:{PERMISSION_PATTERN}|{re.escape(EVERY)})$")
]


GroupUrls = tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...]
Samples = dict[SampledPermission, Annotated[int, Field(ge=1)]]


class Settings(ReplicaSettings):
    """The settings of a replica of authz, besides those of every service."""

    model_config = settings_config(Service.AUTHZ)

    group: int = Field(
        0,
        ge=0,
        le=SHARDS,
        description="The group of this replica, from 1 on, where accounts are divided among groups;"
        " 0: it holds all accounts",
    )
    group_urls: GroupUrls = Field(
        (),
        description="JSON: for each group the list of the public addresses of its replicas;"
        " every replica has the same",
    )
    group_internal_urls: GroupUrls = Field(
        (), description="JSON: the same with their internal addresses"
    )
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

    @model_validator(mode="after")
    def _groups_are_whole(self) -> Self:
        """Refuse a group without addresses, and addresses without a group."""
        count = len(self.group_urls)
        if count > SHARDS or self.group > count or bool(self.group) is not bool(count):
            raise ValueError("group must be one of the groups in group_urls, or both are left out")
        if len(self.group_internal_urls) != count:
            raise ValueError("group_internal_urls must name as many groups as group_urls")
        return self
