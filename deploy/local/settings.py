"""The settings of the one-process runner."""

from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.team.settings import CATALOG_PATTERN
from shared.runtime.settings import LogLevel


class LocalSettings(BaseSettings):
    """The settings of `make run`; everything else is created at the first start."""

    model_config = SettingsConfigDict(frozen=True)

    port: int = Field(8080, ge=1, le=65535, validation_alias="PORT")
    public_url: str = Field("", validation_alias="PUBLIC_URL")
    """The address that browsers use, if it is not `http://127.0.0.1:PORT`."""
    mail_port: int = Field(8025, ge=1, le=65535, validation_alias="MAIL_PORT")
    data_dir: Path = Field(Path(".data"), validation_alias="ROLECALL_DATA_DIR")
    log_level: LogLevel = Field(LogLevel.WARNING, validation_alias="ROLECALL_LOG_LEVEL")
    personal_catalog: str = Field(
        "standard", pattern=CATALOG_PATTERN, validation_alias="ROLECALL_TEAM_PERSONAL_CATALOG"
    )

    resources_per_account: int = Field(
        5_000, ge=1, validation_alias="ROLECALL_TEAM_RESOURCES_PER_ACCOUNT"
    )
    """Fewer than elsewhere: the database of this runner reads every match of a page of a snapshot,
    and with some ten thousand the next start takes longer than it waits."""

    @field_validator("mail_port")
    @classmethod
    def _another_port(cls, mail_port: int, given: ValidationInfo) -> int:
        if mail_port == given.data.get("port"):
            raise ValueError("must differ from PORT")
        return mail_port
