"""Log lines: JSON with the request they belong to, and without secrets (T15)."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from shared import context
from shared.redaction import contains_secret_name, redact, redact_values

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Writes one JSON object a line, with its request and without secrets."""

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
        extra = {
            name: value
            for name, value in vars(record).items()
            if name not in _STANDARD and not name.startswith("_")
        }
        line |= redact_values(extra, is_secret=contains_secret_name)
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=lambda value: redact(str(value)))


def setup(service: str, level: str) -> None:
    """Write this process's log to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their INFO lines report each connection; the important ones are logged here already.
    for noisy in ("aiohttp", "pymongo", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    # They report each lost link with a stack; the bus logs it once.
    for noisy in ("aiormq", "aio_pika"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    # It reports each malformed request with a stack; faults of ours do not reach it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
