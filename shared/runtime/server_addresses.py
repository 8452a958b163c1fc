"""The addresses of RabbitMQ and MongoDB in the settings, also those with TLS.

The client libraries read the parameters of an address themselves. A wrong file would be found at
the first connection, and then again and again, so it is looked for when a service starts.
"""

from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

MEMORY_BUS = "memory://"
AMQP_FILES = ("cafile", "certfile", "keyfile")
"""The parameters of an amqps:// address that name a file."""
MONGO_FILES = ("tlscafile", "tlscertificatekeyfile")
"""The parameters of a mongodb:// address that name a file, in any case of letters."""


def _checked_amqp_address(url: SecretStr) -> SecretStr:
    """Refuse the broker's default account except on the broker's own machine (`T37`)."""
    text = url.get_secret_value()
    if text == MEMORY_BUS:
        return url
    parts = urlsplit(text)
    if parts.scheme not in {"amqp", "amqps"} or parts.hostname is None:
        raise ValueError("must be an amqp:// or amqps:// address")
    _require_encoded(parts)
    user, password = unquote(parts.username or "guest"), unquote(parts.password or "guest")
    if (user, password) == ("guest", "guest") and not is_loopback(parts.hostname):
        raise ValueError("must not use the account guest:guest of another machine")
    if _readable_files(parts, AMQP_FILES) and parts.scheme != "amqps":
        raise ValueError("must begin with amqps:// if it names files for TLS")
    return url


def _checked_mongo_address(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"mongodb", "mongodb+srv"}:
        raise ValueError("must be a mongodb:// address")
    _require_encoded(parts)
    _readable_files(parts, MONGO_FILES)
    return url


AmqpAddress = Annotated[SecretStr, AfterValidator(_checked_amqp_address)]
"""A setting with the address of RabbitMQ."""
MongoAddress = Annotated[SecretStr, AfterValidator(_checked_mongo_address)]
"""A setting with the address of MongoDB; it may name several servers."""


def _require_encoded(parts: SplitResult) -> None:
    """Refuse a password whose marks end the place of the password.

    Libraries would take its parts for a host, a port or the name of a database, and name them in
    their errors.

    Raises:
        ValueError: it is not encoded.
    """
    beyond = parts.path + parts.fragment + ("" if parts.path else parts.query)
    if "@" in beyond or parts.netloc.count("@") > 1:
        raise ValueError("must have `/`, `?`, `#` and `@` of a password as %2F, %3F, %23 and %40")


def _readable_files(parts: SplitResult, names: Collection[str]) -> list[str]:
    """The files that these parameters name.

    Raises:
        ValueError: one of them cannot be read.
    """
    files = [(name, file) for name, file in parse_qsl(parts.query) if name.lower() in names]
    for name, file in files:
        try:
            with Path(file).open("rb"):
                pass
        except OSError as problem:
            raise ValueError(f"the file of {name} cannot be read ({problem.strerror})") from None
    return [file for _, file in files]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
