"""The page with every setting: docs/operations/settings.md, made from the `Settings` classes."""

import importlib
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service
from shared.mongo import WORKERS
from shared.runtime.environment import variables
from shared.runtime.settings import ListenerSettings, ServiceSettings, StatelessSettings

PAGE = "docs/operations/settings.md"
SECTIONS: Mapping[str, type[BaseSettings]] = {
    "settings of every process": ListenerSettings,
    "settings of the five services": StatelessSettings,
    "settings of services with a database": ServiceSettings,
}
"""The tables of what several services have; each leaves out what the one before it has."""
COMMANDS: Sequence[tuple[str, str, str, str]] = (
    ("PORT", "`make run`, `make up`", "port of the gateway on this machine", "`8080`"),
    ("MAIL_PORT", "`make run`, `make up`", "port of the page with the mails", "`8025`"),
    (
        "PUBLIC_URL",
        "`make run`, `make up`",
        "address that browsers use",
        "the port of the gateway on this machine",
    ),
    ("ROLECALL_DATA_DIR", "`make run`", "folder of the data and the secrets", "`.data`"),
    ("ROLECALL_LOG_LEVEL", "`make run`", "DEBUG, INFO, WARNING or ERROR", "`WARNING`"),
    (
        "ROLECALL_TEAM_PERSONAL_CATALOG",
        "`make run`, `make up`",
        "catalog of new personal accounts",
        "`standard`",
    ),
    (
        "ROLECALL_TEAM_RESOURCES_PER_ACCOUNT",
        "`make run`",
        "registered resources that an account may have",
        "`5000`",
    ),
    ("ROLECALL_PROJECT", "`make up`", "name of the composition on this machine", "`rolecall`"),
    ("PRODUCTION", "`make up`", "1: secrets in files, and a mail server", "empty"),
    (
        "SMTP_HOST, MAIL_FROM, SMTP_PORT, SMTP_SECURITY, SMTP_USERNAME, SMTP_PASSWORD_FILE",
        "`make up PRODUCTION=1`",
        "the mail server, the address that mails come from, and how to sign in there",
        "required, required, `587`, `starttls`, empty, empty",
    ),
    (
        "TLS_CERTIFICATE, TLS_KEY, TLS_PORT",
        "`make up`",
        "PEM files with which the gateway speaks TLS, and its port for it",
        "empty, empty, `8443`",
    ),
    (
        "LISTEN_ADDRESS",
        "`make up`",
        "the address of this machine at which the gateway is published",
        "`127.0.0.1`",
    ),
    (
        "TRUSTED_PROXIES",
        "`make up`",
        "networks of load balancers that name the client, with commas",
        "empty",
    ),
    (
        "LIMITS_FACTOR",
        "`make up`",
        "multiplies the gateway's limits of one address, 1 to 1000",
        "`1`",
    ),
    (
        "*_IMAGE",
        "`make up`",
        "images: `RABBITMQ_IMAGE`, `MONGO_IMAGE`, `NGINX_IMAGE`, `PYTHON_IMAGE` (to build from)",
        "those of docker-compose.yml",
    ),
    (
        "SOURCE_DATE_EPOCH",
        "`make up`, `deploy.image.build`",
        "time that the label `created` of the image says",
        "the time of the commit",
    ),
    (
        "IMAGE_SOURCE",
        "`make up`, `deploy.image.build`",
        "address of the repository, for the label `source` of the image",
        "none",
    ),
    ("DOCKER_HOST", "`make up`", "address of the container engine", "its socket"),
    (
        "MOTOR_MAX_WORKERS",
        "every process with a database",
        "operations of the database at the same time, besides those of leases",
        f"`{WORKERS}`",
    ),
    ("ROLECALL_URL", "`rolecall`", "address of the gateway", "none"),
    (
        "ROLECALL_TOKEN, ROLECALL_TOKEN_FILE",
        "`rolecall`",
        "a user's access token or API token, or a file with it",
        "none",
    ),
    (
        "ROLECALL_CLIENT_ID, ROLECALL_CLIENT_SECRET",
        "`rolecall`",
        "a service client, for checks",
        "none",
    ),
    (
        "ROLECALL_ADMIN_KEY, ROLECALL_ADMIN_KEY_FILE",
        "`rolecall admin`, `rolecall dlq`",
        "the operator's key, or a file with it",
        "none",
    ),
    (
        "ROLECALL_<SERVICE>_INTERNAL_URL",
        "`rolecall admin`, `rolecall dlq`",
        "internal address of a service",
        "none",
    ),
    (
        "ROLECALL_OPERATOR",
        "`rolecall admin`, `rolecall dlq`",
        "your name in the audit log",
        "the name of your login",
    ),
)
"""The variables that commands read: names, commands, meaning, default."""
UNITS = {"_seconds": "seconds", "_days": "days", "port": "port"}
COMMANDS_HEADER = ("variable", "read by", "meaning", "default")
HEADER = ("setting", "meaning", "value", "default", "secret")


def settings_classes() -> Mapping[str, type[BaseSettings]]:
    """The `Settings` class of each service and of the console."""
    return {
        str(name): importlib.import_module(f"services.{name}.settings").Settings
        for name in (*Service, CONSOLE)
    }


def settings_rows() -> Mapping[str, Sequence[Sequence[str]]]:
    """The rows of each table of the page, by the name of the table."""
    tables: dict[str, Sequence[Sequence[str]]] = {}
    listed: set[str] = set()
    for name, shared in SECTIONS.items():
        fields = [each for each in shared.model_fields if each not in listed]
        tables[name] = _rows(shared, fields, prefix="…_")
        listed.update(fields)
    for service, own in settings_classes().items():
        fields = [each for each in own.model_fields if each not in listed]
        tables[f"settings of {service}"] = _rows(own, fields, prefix=f"ROLECALL_{service}_".upper())
    return tables


def _rows(
    settings: type[BaseSettings], fields: Sequence[str], *, prefix: str
) -> Sequence[Sequence[str]]:
    listed = dict(zip(settings.model_fields, variables(settings), strict=True))
    return [
        (
            f"`{prefix}{name.upper()}`",
            listed[name].description,
            value_text(name, settings.model_fields[name]),
            _default(listed[name].default),
            "yes" if listed[name].secret else "",
        )
        for name in fields
    ]


def _default(value: str | None) -> str:
    if value is None:
        return "required"
    return f"`{value}`" if value not in {"", "null"} else "empty"


def value_text(name: str, field: FieldInfo) -> str:
    """What a value of a setting is: its kind, its unit and its bounds."""
    kinds = _kinds(field.annotation)
    if bool in kinds:
        return "true or false"
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Enum):
            return ", ".join(f"`{each.value}`" for each in kind)
    if {int, float} & set(kinds):
        unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "number")
        return unit + _bounds(field)
    if Path in kinds:
        return "path"
    return "text" if {str, SecretStr} & set(kinds) else "JSON"


def _kinds(annotation: Any) -> Sequence[Any]:
    """The types of a value, without `None`."""
    if typing.get_origin(annotation) in {Union, UnionType}:
        return [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    return [annotation]


def _bounds(field: FieldInfo) -> str:
    least = next((each.ge for each in field.metadata if hasattr(each, "ge")), None)
    above = next((each.gt for each in field.metadata if hasattr(each, "gt")), None)
    most = next((each.le for each in field.metadata if hasattr(each, "le")), None)
    if above is not None:
        return f", above {above}" + ("" if most is None else f", at most {most}")
    match least, most:
        case None, None:
            return ""
        case _, None:
            return f", at least {least}"
    return f", {least} to {most}"
