"""The variables of the environment that `make up` reads."""

import os
import re
from ipaddress import ip_network
from pathlib import Path

from deploy.production import Production
from services.notification.settings import Security
from shared.networks import check_trusted_networks

MAX_PORT = 65535
MAX_LIMITS_FACTOR = 1000


def parse_networks(text: str) -> list[str]:
    """The networks or addresses of a list that is separated by commas or blanks.

    Raises:
        SystemExit: an item is not a network, or they cover too many addresses (`T18`).
    """
    try:
        found = [ip_network(word) for word in text.replace(",", " ").split()]
        check_trusted_networks(found)
    except ValueError as problem:
        raise SystemExit(f"TRUSTED_PROXIES is not valid: {problem}.") from problem
    return [str(network) for network in found]


def port_from_environment(variable: str, default: int) -> int:
    """The port that an environment variable names, 1 to 65535.

    Raises:
        SystemExit: the value is not a port; the message names the variable.
    """
    return _number(variable, default, most=MAX_PORT, what="a port")


def limits_factor_from_environment() -> int:
    """The `LIMITS_FACTOR` of the environment, 1 to 1000.

    Raises:
        SystemExit: the value is not such a number.
    """
    return _number("LIMITS_FACTOR", 1, most=MAX_LIMITS_FACTOR, what="a factor")


def project_from_environment() -> str:
    """The name of the composition, `ROLECALL_PROJECT`: one for each checkout on a machine.

    Raises:
        SystemExit: compose does not take such a name.
    """
    name = os.environ.get("ROLECALL_PROJECT") or "rolecall"
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name) is None:
        raise SystemExit(
            f"ROLECALL_PROJECT is not valid: {name!r} may have small letters, digits, - and _."
        )
    return name


def production_from_environment() -> Production | None:
    """What `PRODUCTION=1` needs besides; `None` without it.

    Raises:
        SystemExit: a variable is missing or not valid; the message names all of them.
    """
    if os.environ.get("PRODUCTION", "") in {"", "0"}:
        return None
    given = {
        name: os.environ.get(name, "").strip()
        for name in ("PUBLIC_URL", "SMTP_HOST", "MAIL_FROM", "SMTP_USERNAME", "SMTP_PASSWORD_FILE")
    }
    faults = [f"{name} is not set." for name in ("SMTP_HOST", "MAIL_FROM") if not given[name]]
    if not given["PUBLIC_URL"].startswith("https://"):
        faults.append("PUBLIC_URL must be the https:// address that people use.")
    security = os.environ.get("SMTP_SECURITY", Security.STARTTLS)
    if security not in set(Security):
        faults.append(f"SMTP_SECURITY must be one of: {', '.join(Security)}.")
    password = ""
    if given["SMTP_PASSWORD_FILE"]:
        try:
            password = Path(given["SMTP_PASSWORD_FILE"]).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            faults.append("SMTP_PASSWORD_FILE cannot be read.")
    if faults:
        raise SystemExit("PRODUCTION=1 needs more: " + " ".join(faults))
    return Production(
        smtp_host=given["SMTP_HOST"],
        smtp_port=str(_number("SMTP_PORT", 587, most=MAX_PORT, what="a port")),
        smtp_security=security,
        mail_from=given["MAIL_FROM"],
        smtp_username=given["SMTP_USERNAME"],
        smtp_password=password,
    )


def _number(variable: str, default: int, *, most: int, what: str) -> int:
    text = os.environ.get(variable, "").strip() or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise SystemExit(f"{variable} is not valid: {text!r} is not {what} (1 to {most}).")
    return int(text)
