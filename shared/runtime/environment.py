"""The environment variables of the services: read, checked and listed.

A secret may be in a file instead: `ROLECALL_TEAM_LINK_KEY_FILE` names the file with the value of
`ROLECALL_TEAM_LINK_KEY`, as Docker and Kubernetes mount secrets.
"""

import json
import logging
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, NoReturn, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsError

from shared.contracts.topology import Service

PREFIX = "ROLECALL_"
FILE = "_FILE"
MAX_FILE_BYTES = 64 * 1024
PARTS = (*(service.upper() for service in Service), "CONSOLE")
"""The parts of the product, as their variables name them."""
OTHERS = frozenset(
    {
        *(f"ROLECALL_{name}_INTERNAL_URL" for name in PARTS),
        *("ROLECALL_URL", "ROLECALL_TOKEN", "ROLECALL_TOKEN_FILE", "ROLECALL_OPERATOR"),
        *("ROLECALL_ADMIN_KEY", "ROLECALL_ADMIN_KEY_FILE"),
        *("ROLECALL_CLIENT_ID", "ROLECALL_CLIENT_SECRET"),
        *("ROLECALL_DATA_DIR", "ROLECALL_LOG_LEVEL", "ROLECALL_COMPOSE_DIR"),
        *("ROLECALL_PROJECT", "ROLECALL_IMAGE"),
    }
)
"""Variables of commands, which may be in the environment of a service as well."""

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

_log = logging.getLogger(__name__)


class SettingsFaulty(Exception):  # noqa: N818 - what it says is told to an operator
    """Settings that are missing or not valid; `sentences` has one for each."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def load(settings: type[SettingsT]) -> SettingsT:
    """Read the environment; end the process with status 2 and a sentence for each fault."""
    try:
        return read(settings)
    except SettingsFaulty as problem:
        refuse_start(problem.sentences)


def read(settings: type[SettingsT]) -> SettingsT:
    """Read the environment.

    Raises:
        SettingsFaulty: a setting is missing or not valid.
    """
    given = _read_files(settings)
    faults = list(given.faults.values())
    try:
        loaded = settings(**given.values)
    except ValidationError as error:
        faults += _sentences(settings, error, given)
    except SettingsError as error:
        # pydantic-settings names the field between quotes and would show the value further on.
        name = str(error).split('"')[1]
        faults.append(f"{variable(settings, name)} is not valid: it must be JSON.")
    if faults:
        raise SettingsFaulty(faults)
    return loaded


def refuse_start(sentences: list[str]) -> NoReturn:
    """Write the reasons to standard error and end the process with status 2."""
    sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences))
    raise SystemExit(2)


def variable(settings: type[BaseSettings], field: str) -> str:
    """The environment variable of a field."""
    return f"{settings.model_config.get('env_prefix', '')}{field}".upper()


def service_name(settings: type[BaseSettings]) -> str:
    """The service that a `Settings` class is for, by its prefix."""
    return settings.model_config.get("env_prefix", "").split("_")[1].lower()


class Variable(NamedTuple):
    """One environment variable; `default` is None when a value is required."""

    name: str
    description: str
    default: str | None
    secret: bool
    """Whether its value may be in a file, which the same name with `_FILE` names."""


def variables(settings: type[BaseSettings]) -> list[Variable]:
    """The variables of a service in the order of its class, for `.env.example`."""
    return [
        Variable(
            name=variable(settings, name),
            description=field.description or "",
            default=None if field.is_required() else _as_text(field.get_default()),
            secret=_holds_secret(field.annotation),
        )
        for name, field in settings.model_fields.items()
    ]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _holds_secret(kind: Any) -> bool:
    """Whether values of a type are secret, or have a member that is."""
    if isinstance(kind, type):
        if issubclass(kind, BaseModel):
            return any(_holds_secret(member.annotation) for member in kind.model_fields.values())
        return issubclass(kind, SecretStr)
    return any(_holds_secret(part) for part in get_args(kind))


@dataclass(frozen=True)
class _Files:
    """What the files of secrets gave: a value or a fault, by field."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def _read_files(settings: type[BaseSettings]) -> _Files:
    """Read each file that the environment names instead of a secret."""
    found, environment = _Files(), _upper_names()
    for name, each in settings.model_fields.items():
        given = variable(settings, name)
        file = environment.get(given + FILE)
        if not file or not _holds_secret(each.annotation):
            continue
        try:
            if environment.get(given):
                raise ValueError(f"{given} is set as well. Remove one of them")  # noqa: TRY301
            text = _content(Path(file))
            is_json = get_origin(each.annotation) not in {None, Union, UnionType}
            found.values[name] = _parsed(text) if is_json else text
        except ValueError as problem:
            found.faults[name] = f"{given}{FILE} is not valid: {problem}."
    return found


def _upper_names() -> Mapping[str, str]:
    return {name.upper(): value for name, value in os.environ.items()}


def _content(file: Path) -> str:
    """The text of a file without the end of its line.

    Raises:
        ValueError: it cannot be read. The text never names the file: a secret may stand there.
    """
    try:
        with file.open("rb") as reading:
            data = reading.read(MAX_FILE_BYTES + 1)
    except OSError as problem:
        raise ValueError(f"its file cannot be read ({problem.strerror})") from None
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"its file has more than {MAX_FILE_BYTES} bytes")
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("its file is not UTF-8 text") from None
    if not text:
        raise ValueError("its file is empty")
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("its file must contain JSON") from None


_REASONS = {
    "int_parsing": "must be an integer",
    "int_type": "must be an integer",
    "float_parsing": "must be a number",
    "enum": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
}
"""By pydantic's type of error; other types keep the message of the validator."""


def _sentences(
    settings: type[BaseSettings], error: ValidationError, given: _Files
) -> Iterator[str]:
    """What is wrong with each variable, apart from those whose files have a fault already."""
    for fault in error.errors(include_input=False, include_url=False):
        field = str(fault["loc"][0])
        if field in given.faults:
            continue
        name = variable(settings, field) + (FILE if field in given.values else "")
        if fault["type"] == "missing":
            yield f"{name} is not set."
        else:
            reason = fault["msg"].removeprefix("Value error, ")
            if fault["type"] in _REASONS:
                limits = fault.get("ctx", {})
                expected = str(limits.get("expected", "")).replace("'", "")
                reason = _REASONS[fault["type"]].format_map({**limits, "expected": expected})
            yield f"{name} is not valid: {reason}."


def unknown_names(
    settings: type[BaseSettings], environment: Mapping[str, str]
) -> Mapping[str, str]:
    """The variables without a meaning, each with the one that may be meant, or an empty text.

    A service does not know the variables of the others.
    """
    known = known_names(settings)
    own = f"{PREFIX}{service_name(settings)}_".upper()
    others = tuple(f"{PREFIX}{part}_" for part in PARTS if f"{PREFIX}{part}_" != own)
    names = [name for name in environment if name.upper().startswith(PREFIX)]
    return meanings(
        (name for name in names if not name.upper().startswith(others)), known=known | OTHERS
    )


def known_names(settings: type[BaseSettings]) -> frozenset[str]:
    """The variables of a service, also those that name a file."""
    return frozenset(
        name
        for each in variables(settings)
        for name in ((each.name, each.name + FILE) if each.secret else (each.name,))
    )


def meanings(names: Iterator[str], *, known: Collection[str]) -> Mapping[str, str]:
    """The names that are not among the known ones, each with the closest of those."""
    return {
        name: _closest(name.upper(), known) for name in sorted(names) if name.upper() not in known
    }


def _closest(name: str, known: Collection[str]) -> str:
    if (without := name.removesuffix(FILE)) in known:
        return without  # what is not secret is not read from a file
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.85)), "")


def warn_of_unknown_names(settings: type[BaseSettings]) -> None:
    """Log each variable that no setting reads, such as a misspelt one.

    It does not end the start: an earlier version may run beside a later one, with its variables.
    """
    for name, meant in unknown_names(settings, os.environ).items():
        hint = f" Did you mean {meant}?" if meant else " Correct or remove it."
        _log.warning("%s is not a setting.%s", name, hint)
