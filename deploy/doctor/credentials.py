"""Rules about keys, users and files: what could be guessed, is shared, or is left over."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from deploy.doctor.findings import Finding, error, good, warning
from deploy.doctor.settings_seen import SeenSettings
from shared.runtime.environment import variable
from shared.runtime.server_addresses import MEMORY_BUS, is_loopback
from shared.secret_keys import split_keys

AREA = "credentials"
LISTS = (
    *("link_key", "refresh_key", "sealing_key", "stream_key", "webhook_key"),
    *("admin_key", "internal_key"),
)
"""Settings that may have several keys."""
OTHER_KEYS = ("journal_key", "checkpoint_key")
ADMIN = "admin_key"
ROTATION = "docs/operations/rotation.md says how to change it."


def check_settings(seen: SeenSettings) -> Iterator[Finding]:
    """What would end a start or has no effect, and files that others can read."""
    for sentence in seen.faults:
        yield error("settings", sentence.split()[0], sentence.partition(" ")[2], "Correct it.")
    for name, meant in seen.unknown.items():
        hint = f"Did you mean {meant}?" if meant else "Correct or remove it."
        yield error("settings", name, "No setting has this name.", hint)
    for file in seen.open_files:
        what = "Other users of this machine can read this file with secrets."
        yield warning(AREA, file, what, f"chmod 600 {file}")
    if not (seen.faults or seen.unknown):
        yield good("settings", ", ".join(seen.services), "Every setting is valid.")


def check_credentials(services: Mapping[str, BaseSettings]) -> Iterator[Finding]:
    """Keys that are weak, shared or left over, and users without a password."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    found: list[Finding] = []
    for settings in services.values():
        for field, keys in keys_of(settings).items():
            name = variable(type(settings), field)
            for key in keys:
                places[key].add(name)
            if any(map(is_weak, keys)):
                what = "This key follows a pattern and can be guessed."
                found.append(error(AREA, name, what, ROTATION))
            if len(keys) > 1 and field != ADMIN:
                what = f"This setting has {len(keys)} keys."
                do = "Remove the former ones when nothing uses them (docs/operations/rotation.md)."
                found.append(warning(AREA, name, what, do))
        found += _users(settings)
    found += _shared(places)
    found += _public_keys(services)
    yield from found
    if not found:
        yield good(AREA, ", ".join(services), "No key is weak, shared or left over.")


def keys_of(settings: BaseSettings) -> Mapping[str, Sequence[str]]:
    """The secret keys of a service by setting."""
    found: dict[str, Sequence[str]] = {}
    for field in (*LISTS, *OTHER_KEYS):
        value = getattr(settings, field, None)
        if isinstance(value, SecretStr):
            found[field] = split_keys(value)
    cookies = getattr(settings, "cookie_keys", ())
    if cookies:
        found["cookie_keys"] = [key.get_secret_value() for key in cookies]
    return found


def is_weak(text: str) -> bool:
    """Whether a key has a pattern: it repeats itself, goes up in steps, or has few characters."""
    size = len(text)
    steps = Counter(ord(after) - ord(before) for before, after in pairwise(text))
    repeats = any(text[length:] == text[:-length] for length in range(1, size // 2 + 1))
    return repeats or len(set(text)) < 10 or steps.most_common(1)[0][1] > size // 3


def _shared(places: Mapping[str, set[str]]) -> Iterator[Finding]:
    """Keys that stand in two settings. Operators may have one admin key for all services."""
    for names in places.values():
        if (
            len({name for name in names if not name.endswith("_ADMIN_KEY")})
            + (any(name.endswith("_ADMIN_KEY") for name in names))
            > 1
        ):
            where = ", ".join(sorted(names))
            yield error(
                AREA, where, "These settings have the same key.", f"Give each its own. {ROTATION}"
            )


def _public_keys(services: Mapping[str, BaseSettings]) -> Iterator[Finding]:
    """Public keys by which one service could speak as another."""
    for settings in services.values():
        owners: defaultdict[str, set[str]] = defaultdict(set)
        for service, keys in getattr(settings, "internal_keys", {}).items():
            for key in keys:
                owners[key].add(service)
        for shared in (sorted(names) for names in owners.values() if len(names) > 1):
            what = f"One key is listed for {', '.join(shared)}: each could speak as the other."
            yield error(AREA, variable(type(settings), "internal_keys"), what, ROTATION)


def _users(settings: BaseSettings) -> Iterator[Finding]:
    """Users at the broker and the database."""
    for field in ("amqp_url", "mongo_url"):
        value = getattr(settings, field, None)
        if value is None or value.get_secret_value() == MEMORY_BUS:
            continue
        parts = urlsplit(value.get_secret_value())
        name, inside = variable(type(settings), field), is_loopback(parts.hostname or "")
        if field == "amqp_url" and unquote(parts.username or "guest") == "guest":
            do = "Create the users of the services (docs/operations/servers.md)."
            yield warning(AREA, name, "The broker's default user has all rights.", do)
        if field == "mongo_url" and not parts.username:
            what = "The database is asked without a user."
            do = "Create the users of the services (docs/operations/servers.md)."
            yield (warning if inside else error)(AREA, name, what, do)
