"""The settings that the doctor looks at: from files of variables, or from the environment."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic_settings import BaseSettings

from deploy.settings_page import settings_classes
from shared.runtime.environment import FILE, OTHERS, SettingsFaulty, known_names, meanings, read


class SettingsUnreadableError(Exception):
    """A file of variables cannot be read; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class SeenSettings:
    """The settings of the services that are configured here, and what is wrong with them."""

    services: Mapping[str, BaseSettings] = field(default_factory=dict)
    faults: Sequence[str] = ()
    """A sentence for each setting that would end the start of its service."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Variables that no setting reads, each with the one that may be meant."""
    open_files: Sequence[str] = ()
    """Files with secrets that other users of this machine can read."""


def variables_of(files: Sequence[Path]) -> Mapping[str, str]:
    """The variables in files; without any, those of the environment.

    Raises:
        SettingsUnreadableError: a file cannot be read, or has a line that is not a variable.
    """
    if not files:
        return dict(os.environ)
    found: dict[str, str] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise SettingsUnreadableError(f"{file} cannot be read ({problem}).") from None
        for number, line in enumerate(text.splitlines(), 1):
            stripped = line.strip().removeprefix("export ")
            if not stripped or stripped.startswith("#"):
                continue
            name, separator, value = stripped.partition("=")
            if not separator:
                raise SettingsUnreadableError(f"Line {number} of {file} is not NAME=value.")
            found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def see(variables: Mapping[str, str], *, files: Sequence[Path] = ()) -> SeenSettings:
    """Read the settings of every service of which a variable is there."""
    classes = settings_classes()
    services, faults = {}, []
    names = {name.upper(): value for name, value in variables.items()}
    known = {name: known_names(settings) for name, settings in classes.items()}
    with only(variables):
        for service, settings in classes.items():
            if any(names.get(each) for each in known[service]):
                try:
                    services[service] = read(settings)
                except SettingsFaulty as problem:
                    faults += problem.sentences
    given = (name for name in variables if name.upper().startswith("ROLECALL_"))
    secrets = [
        Path(value)
        for service in known
        for name in known[service]
        if name.endswith(FILE) and (value := names.get(name))
    ]
    return SeenSettings(
        services=services,
        faults=faults,
        unknown=meanings(given, known=frozenset().union(*known.values()) | OTHERS),
        open_files=[str(file) for file in (*files, *secrets) if _open_to_others(file)],
    )


def _open_to_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False  # what cannot be read is told as a fault of its setting


@contextmanager
def only(variables: Mapping[str, str]) -> Iterator[None]:
    """Let the environment have these variables alone, which the settings are read from."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
