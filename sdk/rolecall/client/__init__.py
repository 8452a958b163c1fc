"""Clients of a running Rolecall."""

from rolecall.client.checks import RolecallClient
from rolecall.client.evaluations import CheckDecision, UndecidedError

__all__ = ["CheckDecision", "RolecallClient", "UndecidedError"]
