"""What a service adds to all of its routes below an account."""

from typing import Any, Protocol

from shared.http.routes import Call
from shared.problems import Refusal


class AccountRouteHook(Protocol):
    """What a service applies to all of its routes below `/v1/accounts/{account_id}`."""

    async def prepare(self, call: Call[Any, Any]) -> Any:
        """Authorize a read, and return the third argument of the handler.

        A write is authorized inside its transaction, by what it does with the returned value.

        Raises:
            NotFound, PermissionMissing: the caller may not read this.
        """

    async def authorize(self, call: Call[Any, Any]) -> Any:
        """Check the caller's permission, for example before a kept answer is repeated.

        Raises:
            NotFound, PermissionMissing: the caller may not see the answer any more.
        """

    async def create_missing(self, call: Call[Any, Any]) -> bool:
        """Create the account that was not found, if it is due; return whether to look again."""

    async def refused(self, call: Call[Any, Any], refusal: Refusal) -> None:
        """Take note of a refusal before it is answered."""
