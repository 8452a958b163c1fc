"""The compiled module that decides usual checks, where it was built: `make compiled`."""

from importlib import import_module
from types import ModuleType

from rolecall.core.state import NOTHING, ORDINARY, AccountStatus, MembershipStatus
from shared.auth.api_tokens import API_TOKEN_PREFIX


def prepared(module: ModuleType) -> ModuleType:
    """The module, which now knows the objects that stand for usual states."""
    module.set_up(
        AccountStatus.ACTIVE, MembershipStatus.ACTIVE, ORDINARY, NOTHING, API_TOKEN_PREFIX.encode()
    )
    return module


def _built() -> ModuleType | None:
    try:
        return prepared(import_module("services.authz.adapters.usual_checks"))
    except ModuleNotFoundError:
        return None


COMPILED = _built()
"""It decides only what it decides as Python does. Without it Python decides all checks."""
