"""What the routes of provisioning have in common: their scope, their size, and external ids."""

from typing import Annotated

from pydantic import Field

PROVISION_SCOPE = "members:provision"
BATCH_BODY_BYTES = 4 * 1024 * 1024

ExternalId = Annotated[
    str,
    Field(
        pattern=r"^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$",
        description="The platform's own id: 1 to 200 visible ASCII characters, and spaces between",
    ),
]
