"""The daily delivery of an account's checkpoints, to those who keep them elsewhere."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDelivery:
    """Whether an account has its checkpoints delivered, and when it had one last."""

    account_id: str
    daily: bool = False
    day: str = ""
    """The day (UTC) of the last delivery, `2026-11-27`."""


def day_of(moment: datetime) -> str:
    """The day of a moment in UTC; days sort as they follow each other."""
    return f"{moment:%Y-%m-%d}"
