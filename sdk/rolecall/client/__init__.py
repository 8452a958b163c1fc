"""Clients of a running Rolecall."""

from rolecall.client.checks import RolecallClient
from rolecall.client.evaluations import CheckDecision, UndecidedError
from rolecall.client.explanations import CheckExplanation

__all__ = ["CheckDecision", "CheckExplanation", "RolecallClient", "UndecidedError"]
