"""What does a line of the log say, and what must it never say?"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from shared import context
from shared.redaction import SECRETS

REDACTED = "[redacted]"
_SECRET_NAMES = re.compile(
    r"authorization|cookie|password|passwd|secret|token|otp|api_?key|private_?key|admin_?key"
    r"|internal_?key",
    re.IGNORECASE,
)
# Words that mean a secret only when they are the whole name: `status_code` is none.
_SECRET_WORDS = frozenset({"code", "key"})
_SECRET_SHAPES = re.compile(
    SECRETS + r"|(?<=\bBearer )\S+|(?<=\bBasic )\S+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # a password in an address
    r"|(?<=[?&#])(?:token|code|refresh_token|password)=[^\s&#\"']+",
    re.IGNORECASE,
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line, with the request it belongs to, and without secrets."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "ts": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "service": context.service.get() or self._service,
            "msg": redact(record.getMessage()),
        }
        actor = context.actor.get()
        about = {
            "request_id": context.request_id.get(),
            "principal": None if actor is None else f"{actor.type}:{actor.id}",
            "account": context.account_id.get(),
        }
        line |= {name: value for name, value in about.items() if value is not None}
        for name, value in vars(record).items():
            if name not in _STANDARD and not name.startswith("_"):
                line[name] = _clean(name, value)
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=lambda value: redact(str(value)))


def redact(text: str) -> str:
    """The text with everything gone that looks like a credential."""
    return _SECRET_SHAPES.sub(REDACTED, text)


def setup(service: str, level: str) -> None:
    """Write this process's log to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their INFO lines tell of every connection; what matters of it is logged here already.
    for noisy in ("aiohttp", "pymongo", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    # They tell of every lost link with a stack; the bus says so once itself.
    for noisy in ("aiormq", "aio_pika"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    # It tells, with a stack, of each request that is no HTTP; our own faults never reach it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def _clean(name: str, value: Any) -> Any:
    if _SECRET_NAMES.search(name) or name.lower() in _SECRET_WORDS:
        return REDACTED
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    return value
