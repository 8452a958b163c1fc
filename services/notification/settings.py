"""What must the environment say before notification starts?"""

from pydantic import Field, SecretStr

from services.notification.smtp import Security
from shared.runtime.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    """Every variable of this service, `ROLECALL_NOTIFICATION_…`."""

    model_config = settings_config("notification")

    smtp_host: str = Field(description="The mail server")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port")
    smtp_security: Security = Field(
        Security.STARTTLS, description="starttls, tls (from the first byte) or none"
    )
    smtp_username: str | None = Field(None, description="Account there; none: no sign-in")
    smtp_password: SecretStr | None = Field(None, description="Its password")
    smtp_connections: int = Field(4, ge=1, le=64, description="Mails sent at the same time")
    mail_from: str = Field(description="The address that mails come from")
    mail_from_name: str = Field("Rolecall", description="The name shown beside it")
    product_name: str = Field("Rolecall", description="What the mails call this platform")
