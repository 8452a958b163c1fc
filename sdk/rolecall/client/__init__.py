"""Clients of a running Rolecall."""

from rolecall.client.checks import CheckDecision, RolecallClient, UndecidedError

__all__ = ["CheckDecision", "RolecallClient", "UndecidedError"]
