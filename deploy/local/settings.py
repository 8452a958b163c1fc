"""The settings of the one-process runner."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rolecall import SHIPPED_CATALOGS
from shared.runtime.settings import LogLevel


def _shipped(name: str) -> str:
    if name not in SHIPPED_CATALOGS:
        raise ValueError(f"must be one of {', '.join(SHIPPED_CATALOGS)}")
    return name


class LocalSettings(BaseSettings):
    """The settings of `make run`; everything else is created at the first start."""

    model_config = SettingsConfigDict(frozen=True)

    port: int = Field(8080, ge=1, le=65535, validation_alias="PORT")
    mail_port: int = Field(8025, ge=1, le=65535, validation_alias="MAIL_PORT")
    data_dir: Path = Field(Path(".data"), validation_alias="ROLECALL_DATA_DIR")
    log_level: LogLevel = Field(LogLevel.WARNING, validation_alias="ROLECALL_LOG_LEVEL")
    personal_catalog: Annotated[str, AfterValidator(_shipped)] = Field(
        "standard", validation_alias="ROLECALL_PERSONAL_CATALOG"
    )

    @field_validator("mail_port")
    @classmethod
    def _another_port(cls, mail_port: int, given: ValidationInfo) -> int:
        if mail_port == given.data.get("port"):
            raise ValueError("must differ from PORT")
        return mail_port
