"""Mistakes in what a route requires, which concern the application and not its users."""

import logging
import re
from collections.abc import Mapping

from rolecall.client.problem import CHECK_FAILED, ProblemAnswer, permission_missing
from rolecall.core.decision import Reason
from rolecall.core.table import PERMISSION_PATTERN

_PERMISSION = re.compile(PERMISSION_PATTERN, re.ASCII)
_log = logging.getLogger(__name__)


class RouteFaults:
    """Finds the mistakes in what one route requires, and logs each of them once.

    `account`, `project` and `resource` are the names of path variables.

    Raises:
        ValueError: the permission does not have the form of one.
    """

    def __init__(
        self, permission: str, *, account: str | None, project: str | None, resource: str | None
    ) -> None:
        if _PERMISSION.fullmatch(permission) is None:
            raise ValueError(
                f"{permission!r} is not a permission. Write the resource type and the action, such"
                " as 'instance:write'."
            )
        self.parameters = tuple(name for name in (account, project, resource) if name is not None)
        self._permission = permission
        self._names_account = account is not None
        self._logged: set[str] = set()

    def unfit(self, path: Mapping[str, str]) -> ProblemAnswer | None:
        """The answer to a request whose path lacks a variable; `None` if it has all."""
        missing = [name for name in self.parameters if name not in path]
        if not missing:
            return None
        self._log_once(
            f"the path of the route has no variable `{missing[0]}`. Correct the name in `require`."
        )
        return CHECK_FAILED

    def denied(self, reason: str) -> ProblemAnswer:
        """The answer to a request that is denied for this reason."""
        if reason == Reason.PERMISSION_UNKNOWN:
            self._log_once("the account's catalog has no such permission. Check its spelling.")
        elif reason == Reason.NO_ACCOUNT and not self._names_account:
            self._log_once("no account is named. Pass `account=` to `require`.")
        return permission_missing(self._permission)

    def _log_once(self, fault: str) -> None:
        if fault not in self._logged:
            self._logged.add(fault)
            _log.error("the check of `%s` cannot be right: %s", self._permission, fault)
