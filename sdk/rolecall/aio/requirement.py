"""A permission that a request needs, and the answer to a request that does not have it."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from rolecall.aio.errors import TokenExpiredError, TokenRejectedError
from rolecall.client.access_tokens import TokenUser
from rolecall.client.evaluations import CheckDecision, UndecidedError
from rolecall.client.problem import (
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    TOKEN_MISSING,
    UNAUTHENTICATED,
    ProblemAnswer,
    problem_of,
)
from rolecall.client.revisions import read_revision
from rolecall.client.route_faults import RouteFaults
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.core.state import Resource

REVISION_HEADER = "Rolecall-Revision"
TextOf = Callable[[Any], str | Awaitable[str | None] | None]
"""A function of the framework's request, which may be a coroutine function."""
GivenOf = Callable[[Any], Given | Awaitable[Given]]
"""Such a function that returns the properties that conditions test."""
T = TypeVar("T")


class Authority(Protocol):
    """What decides: `Rolecall`."""

    async def check(
        self,
        subject: str,
        permission: str,
        resource: Resource | str = ...,
        *,
        account: str | None = None,
        session: str | None = None,
        at_least_revision: str | None = None,
        given: Given = NOTHING_GIVEN,
    ) -> CheckDecision:
        """Decide one check."""
        ...

    async def verify(self, token: str) -> TokenUser:
        """Verify the access token of a user."""
        ...


@dataclass(frozen=True, slots=True)
class GuardedRequest:
    """A request as every framework has it; `original` is the framework's own object."""

    headers: Mapping[str, str]
    path: Mapping[str, str]
    original: Any


@dataclass(frozen=True, slots=True)
class GuardedUser:
    """The user whose request may be handled."""

    user_id: str
    session_id: str | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """A permission, and where in a request a check of it finds its parts.

    Raises:
        ValueError: the permission does not have the form of one.
    """

    authority: Authority
    permission: str
    account: str | None = None
    project: str | None = None
    resource: str | None = None
    owner: TextOf | None = None
    creates: bool = False
    subject: TextOf | None = None
    given: GivenOf | None = None
    _faults: RouteFaults = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the form of the permission."""
        faults = RouteFaults(
            self.permission, account=self.account, project=self.project, resource=self.resource
        )
        object.__setattr__(self, "_faults", faults)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The variables that the path of a request must have."""
        return self._faults.parameters

    async def admit(self, request: GuardedRequest) -> GuardedUser | ProblemAnswer:
        """The user whose request may be handled, or the answer to one that is not allowed.

        401 without a user, 403 without the permission, 503 without a decision that another attempt
        may get. 403 `check-refused` and 500 `check-failed` say that Rolecall refuses the request,
        or this application; both are logged. So is once what no user can have.
        """
        unfit = self._faults.unfit(request.path)
        if unfit is not None:
            return unfit
        try:
            caller = await self._caller(request)
            if caller is None:
                return TOKEN_MISSING if self.subject is None else UNAUTHENTICATED
            decision = await self._check(caller, request)
        except TokenExpiredError:
            return TOKEN_EXPIRED
        except TokenRejectedError:
            return TOKEN_INVALID
        except UndecidedError as error:
            return problem_of(error)
        return caller if decision.allowed else self._faults.denied(decision.reason)

    async def _check(self, caller: GuardedUser, request: GuardedRequest) -> CheckDecision:
        path = request.path
        owner = caller.user_id if self.creates else None
        if self.owner is not None:
            owner = await _found(self.owner, request)
        return await self.authority.check(
            caller.user_id,
            self.permission,
            Resource(
                None if self.resource is None else path[self.resource],
                owner,
                None if self.project is None else path[self.project],
            ),
            account=None if self.account is None else path[self.account],
            session=caller.session_id,
            at_least_revision=_revision(request),
            given=NOTHING_GIVEN if self.given is None else await _found(self.given, request),
        )

    async def _caller(self, request: GuardedRequest) -> GuardedUser | None:
        if self.subject is not None:
            user_id = await _found(self.subject, request)
            return None if user_id is None else GuardedUser(user_id, None)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        user = await self.authority.verify(token.strip(" "))
        return GuardedUser(user.user_id, user.session_id)


def _revision(request: GuardedRequest) -> str | None:
    """The revision that the caller sends; a text that cannot be one asks for nothing."""
    sent = request.headers.get(REVISION_HEADER)
    return None if sent is None or read_revision(sent) is None else sent


async def _found(function: Callable[[Any], T | Awaitable[T]], request: GuardedRequest) -> T:
    found = function(request.original)
    return await found if inspect.isawaitable(found) else found
