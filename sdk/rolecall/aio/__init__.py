"""The client for asyncio: `Rolecall` asks a running Rolecall, or decides from its policy stream."""

from rolecall.aio.check import Check
from rolecall.aio.errors import (
    BusyError,
    CircuitOpenError,
    ClientRefusedError,
    LeaseOverError,
    NoAnswerError,
    NotOpenError,
    RequestRefusedError,
    TokenExpiredError,
    TokenRejectedError,
)
from rolecall.aio.report_types import AuditEvent, MemberUsage, ReportOutcome
from rolecall.aio.requirement import Requirement
from rolecall.aio.rolecall import Mode, Rolecall
from rolecall.client.access_tokens import TokenUser

__all__ = [
    "AuditEvent",
    "BusyError",
    "Check",
    "CircuitOpenError",
    "ClientRefusedError",
    "LeaseOverError",
    "MemberUsage",
    "Mode",
    "NoAnswerError",
    "NotOpenError",
    "ReportOutcome",
    "RequestRefusedError",
    "Requirement",
    "Rolecall",
    "TokenExpiredError",
    "TokenRejectedError",
    "TokenUser",
]
