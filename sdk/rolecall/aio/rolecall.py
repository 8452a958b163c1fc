"""The client of a platform service: check permissions, and verify the callers' access tokens."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Self

from rolecall.aio.check import Check
from rolecall.aio.credentials import ClientToken
from rolecall.aio.errors import LeaseOverError
from rolecall.aio.follower import PolicyFollower
from rolecall.aio.keys import TokenKeys
from rolecall.aio.lease import elapsed_seconds
from rolecall.aio.local import Handle
from rolecall.aio.local_groups import DecidesLocally, LocalGroups
from rolecall.aio.questions import Questions
from rolecall.aio.register import REGISTER_SCOPE, ResourceRegister
from rolecall.aio.remote import RemoteChecks
from rolecall.aio.reports import REPORTS, ReportSender
from rolecall.aio.requirement import GivenOf, Requirement, TextOf
from rolecall.aio.transport import Transport
from rolecall.client.access_tokens import TokenUser
from rolecall.client.evaluations import CheckDecision, Moment
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.core.state import Resource

_UNSPECIFIED = Resource()


class Mode(StrEnum):
    """Where checks are decided."""

    REMOTE = "remote"
    """By Rolecall, from state that contains every acknowledged change."""
    LOCAL = "local"
    """In this process, from state that may be up to three seconds old."""


class Rolecall(Questions):
    """A connection to Rolecall; use it in `async with`, and share it in the whole process.

    `timeout` in seconds bounds each call, with all its attempts. `mode="local"` decides in this
    process from a copy of the policy state that is at most three seconds old. What local mode
    cannot decide is asked remotely; with `fallback=False` it is refused. `account` limits the copy
    to one account. `issuer` is the address that users know Rolecall by, if it is another one.

    Raises:
        ValueError: the address cannot be used, or would send the secret unencrypted.
    """

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        client_secret: str,
        mode: Mode | str = Mode.REMOTE,
        account: str | None = None,
        fallback: bool = True,
        timeout: float = 2.0,
        issuer: str | None = None,
        allow_http: bool = False,
        clock: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._transport = Transport(url, allow_http=allow_http)
        credentials = ClientToken(self._transport, client_id, client_secret)

        def with_scope(scope: str) -> ClientToken:
            return ClientToken(self._transport, client_id, client_secret, scope=scope)

        self._reports = {
            name: ReportSender(
                self._transport, with_scope(scope), path=path, member=name, timeout=timeout
            )
            for name, (path, scope) in REPORTS.items()
        }
        super().__init__(
            RemoteChecks(self._transport, credentials, timeout=timeout),
            ResourceRegister(self._transport, with_scope(REGISTER_SCOPE), timeout=timeout),
            **self._reports,
        )
        self._issuer = issuer or url.rstrip("/")
        self._timeout = timeout
        self._fallback = fallback
        self._follower: LocalGroups | None = None
        self._local: DecidesLocally | None = None
        if Mode(mode) is Mode.LOCAL:
            follower = partial(
                PolicyFollower,
                self._transport,
                credentials,
                account_id=account,
                timeout=timeout,
                clock=clock,
            )
            self._follower = LocalGroups(follower, use=self._decide_by, clock=clock)
        self._following: asyncio.Task[None] | None = None
        self._keys: TokenKeys | None = None

    async def __aenter__(self) -> Self:
        """Open the connections; local mode begins to follow the policy stream."""
        await self._transport.open()
        if self._follower is not None:
            self._following = asyncio.create_task(self._follower.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        for sender in self._reports.values():
            await sender.close()
        await self._transport.close()

    async def ready(self) -> None:
        """Wait until local mode can decide; in remote mode it returns at once.

        Raises:
            LeaseOverError: that takes longer than the timeout.
            ClientRefusedError, RequestRefusedError: Rolecall refuses the stream, such as for a
                wrong secret.
        """
        if self._follower is None:
            return
        try:
            async with asyncio.timeout(self._timeout):
                await self._follower.usable()
        except TimeoutError as error:
            raise LeaseOverError("The policy state has not arrived in time.") from error

    async def check(
        self,
        subject: str,
        permission: str,
        resource: Resource | str = _UNSPECIFIED,
        *,
        account: str | None = None,
        session: str | None = None,
        at_least_revision: str | None = None,
        at: Moment | None = None,
        given: Given = NOTHING_GIVEN,
    ) -> CheckDecision:
        """Decide whether a user has a permission, such as `instance:delete`, on a resource.

        `subject` is the id of a user, `resource` an id or what is known of the resource. `account`
        may be left out by a client that is bound to one. With `session`, the id of the user's
        session, its end is a denial. `at_least_revision` is a `Rolecall-Revision` that the answer
        must contain. With `at`, a past time, the answer is from the state of then; that is always
        asked remotely. `given` has the properties that conditions of grants test; what Rolecall has
        stored wins over them.

        Raises:
            NoAnswerError: Rolecall did not answer in time.
            BusyError: it cannot answer now (503 `stale`, overload, rate limit).
            CircuitOpenError: it did not answer the last requests, so it was not asked.
            LeaseOverError: local mode cannot decide this, and `fallback` is off.
            RequestRefusedError: it refuses this request, such as an account not bound.
            ClientRefusedError: it refuses this client.
            UndecidedError: the base of all of them. None of them is ever an allow.
        """
        check = Check(
            subject=subject,
            permission=permission,
            resource=resource,
            account=account,
            session=session,
            at_least_revision=at_least_revision,
            at=at,
            given=given,
        )
        found = self._locally(check)
        return await self._remote.check(check.evaluation()) if found is None else found

    async def check_many(self, checks: Sequence[Check]) -> list[CheckDecision]:
        """Decide several checks, each by itself; the answers are in the order of the checks.

        A check that Rolecall refuses is not allowed, with the reason `check-refused`. Such is one
        about a past time: ask for it by `check`.

        Raises:
            UndecidedError: one of them is not decided; its class says why, as for `check`.
        """
        decided: dict[int, CheckDecision] = {}
        left: list[int] = []
        for index, check in enumerate(checks):
            found = self._locally(check)
            if found is None:
                left.append(index)
            else:
                decided[index] = found
        asked = await self._remote.check_many([checks[index].evaluation() for index in left])
        decided |= dict(zip(left, asked, strict=True))
        return [decided[index] for index in range(len(checks))]

    def resolve(self, subject: str, permission: str, *, account: str | None = None) -> Handle:
        """Resolve a subject and a permission once, for many checks in local mode.

        Raises:
            LeaseOverError: the subject is not the id of a user.
            RuntimeError: the mode is `remote`.
        """
        if self._local is None:
            raise RuntimeError("`resolve` needs local mode: pass mode='local'.")
        return self._local.handle(subject, permission, account=account)

    def require(
        self,
        permission: str,
        *,
        account: str | None = None,
        project: str | None = None,
        resource: str | None = None,
        owner: TextOf | None = None,
        creates: bool = False,
        subject: TextOf | None = None,
        given: GivenOf | None = None,
    ) -> Requirement:
        """Make the requirement of a permission, for the decorators and middleware.

        `account`, `project` and `resource` are names of path variables. `owner` is a function of
        the request that returns the id of the user who owns the resource. With `creates` the
        resource is new and will belong to the user of the request. The subject is the user
        of the request's access token, or what the function `subject` returns. `given` is a function
        of the request, too; it returns the properties that conditions test. The request's
        `Rolecall-Revision` is forwarded, so the check contains the caller's own last change.
        """
        return Requirement(
            self,
            permission,
            account=account,
            project=project,
            resource=resource,
            owner=owner,
            creates=creates,
            subject=subject,
            given=given,
        )

    async def verify(self, token: str) -> TokenUser:
        """Verify the access token of a user with the cached keys of Rolecall.

        Pass its `session_id` to `check` to deny the user of an ended session. A key that Rolecall
        has revoked counts for a minute at most. Local mode learns of it from the policy stream, at
        once.

        Raises:
            TokenExpiredError: the time of the token is over.
            TokenRejectedError: the token is not genuine, or of another issuer.
            NoAnswerError: the keys cannot be fetched.
        """
        return await self.token_keys().verify(token)

    def token_keys(self) -> TokenKeys:
        """Return the public keys of Rolecall, which are fetched when a token needs them."""
        if self._keys is None:
            revoked = self._follower.revoked_keys if self._follower else frozenset[str]()
            self._keys = TokenKeys(
                self._transport, issuer=self._issuer, timeout=self._timeout, revoked=revoked
            )
        return self._keys

    def _decide_by(self, checks: DecidesLocally) -> None:
        self._local = checks

    def _locally(self, check: Check) -> CheckDecision | None:
        """The decision of local mode; `None`: it must be asked remotely.

        Raises:
            LeaseOverError: local mode cannot decide it, and there is no fallback.
        """
        if self._local is None:
            return None
        if check.at is not None:
            if self._fallback:
                return None
            raise LeaseOverError("Past times are not in the policy stream.")
        try:
            return self._local.check(
                check.subject,
                check.permission,
                check.known_resource,
                account=check.account,
                session=check.session,
                at_least_revision=check.at_least_revision,
                given=check.given,
            )
        except LeaseOverError:
            if not self._fallback:
                raise
            return None
