"""The settings of the console, read from the environment."""

from pydantic import Field

from shared.runtime.settings import ListenerSettings, settings_config
from shared.secret_keys import Secret32, secret_bytes

NAME = "console"


class Settings(ListenerSettings):
    """Every variable of this service, `ROLECALL_CONSOLE_…`."""

    model_config = settings_config(NAME)

    api_url: str = Field(
        "",
        description="Address of the gateway for this service, which must trust it to name its"
        " visitors; the default is the public address",
    )
    cookie_keys: tuple[Secret32, ...] = Field(
        min_length=1,
        description="JSON: the keys that seal the cookies, 32 random bytes each in base64url; the"
        " first seals, all open",
    )
    design_page: bool = Field(
        default=False,
        description="true: /console/design shows the parts of the pages, for those who build pages",
    )
    product_name: str = Field("Rolecall", description="Name of the platform on the pages")

    @property
    def sealing_keys(self) -> tuple[bytes, ...]:
        """The bytes of the keys, the newest first."""
        return tuple(secret_bytes(key) for key in self.cookie_keys)
