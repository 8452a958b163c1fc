"""Permission checks over HTTP, for services that do not hold policy state themselves."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Unpack
from urllib.parse import urlencode

from rolecall.client.deadline import Deadline
from rolecall.client.evaluations import (
    CheckArguments,
    CheckDecision,
    UndecidedError,
    decision_of,
    evaluation_of,
)
from rolecall.client.explanations import (
    EXPLAIN_PATH,
    CheckExplanation,
    explanation_of,
    holders_of,
    who_can_path,
    who_can_question,
)
from rolecall.client.transport import (
    HttpAnswer,
    UnreachableError,
    basic_credentials,
    post,
    usable_address,
)
from rolecall.core.state import Resource
from rolecall.core.who_can import Holder

SCOPE = "authz:check"
RENEW_EARLY_SECONDS = 30.0
"""An access token is renewed this long before it expires."""
REQUEST_REFUSED = frozenset({400, 403, 404, 410, 413, 422})
"""The statuses of a refusal that is about the request, not about its client."""


class RolecallClient:
    """Asks a running Rolecall; gets and renews its access token by itself. Thread-safe.

    `base_url` is the gateway. Plain http sends the secret unencrypted and is refused, except for
    this machine or with `allow_http`. `timeout` in seconds bounds a check: the token, the question
    and its answer together, apart from the look-up of the server's name.

    Raises:
        ValueError: the address cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float = 2.0,
        allow_http: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = usable_address(base_url, allow_http=allow_http)
        self._basic = basic_credentials(client_id, client_secret)
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = float("-inf")

    def check(
        self, subject_id: str, permission: str, **arguments: Unpack[CheckArguments]
    ) -> CheckDecision:
        """Decide whether a user has a permission, such as `instance:write`.

        The other arguments are those of `CheckArguments`, which says what they mean.

        Raises:
            UndecidedError: there is no decision. This is never an allow.
        """
        question = evaluation_of(subject_id, permission, **arguments)
        return decision_of(self._ask("/access/v1/evaluation", question))

    def explain(
        self, subject_id: str, permission: str, **arguments: Unpack[CheckArguments]
    ) -> CheckExplanation:
        """Explain such a check: its decision, each step, and what would allow it.

        Raises:
            UndecidedError: there is no explanation, or the client may not ask.
        """
        question = evaluation_of(subject_id, permission, **arguments)
        return explanation_of(self._ask(EXPLAIN_PATH, question))

    def who_can(
        self,
        permission: str,
        *,
        account_id: str | None = None,
        project_id: str | None = None,
        resource_id: str | None = None,
        owner_id: str | None = None,
    ) -> Iterator[Holder]:
        """Yield the members who have a permission, and what grants it, page by page.

        Raises:
            UndecidedError: there is no answer, or the client may not ask.
        """
        place = Resource(resource_id, owner_id, project_id)
        question = who_can_question(permission, place, account_id=account_id)
        cursor: str | None = None
        while True:
            found, cursor = holders_of(self._ask(who_can_path(cursor), question))
            yield from found
            if cursor is None:
                return

    def _ask(self, path: str, question: Mapping[str, Any]) -> object:
        """Send one question as JSON, and return the JSON content of its answer.

        Raises:
            UndecidedError: there is no answer with status 200.
        """
        body = json.dumps(question).encode()
        deadline = Deadline(self._timeout)
        token = self._access_token(deadline, refused=None)
        answer = self._send(path, body, token, deadline)
        if answer.status == 401:
            # The signing keys may have changed. A new token is worth one more attempt.
            renewed = self._access_token(deadline, refused=token)
            answer = self._send(path, body, renewed, deadline)
        if answer.status != 200:
            raise _undecided(answer, request_refused=answer.status in REQUEST_REFUSED)
        return answer.content

    def _send(self, path: str, body: bytes, token: str, deadline: Deadline) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self._post(path, body, headers, deadline)

    def _access_token(self, deadline: Deadline, *, refused: str | None) -> str:
        """The current token, or a new one if it expires soon or is the one that was refused."""
        if not self._lock.acquire(timeout=_remaining(deadline)):
            raise UndecidedError("Another thread is fetching a token. Try again.", temporary=True)
        try:
            if self._clock() < self._renew_at and self._token != refused:
                return self._token
            requested_at = self._clock()
            answer = self._post(
                "/oauth2/token",
                token_request(SCOPE),
                {
                    "Authorization": self._basic,
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                deadline,
            )
            if answer.status != 200:
                raise _undecided(answer)
            match answer.content:
                case {"access_token": str(token), "expires_in": int(seconds)}:
                    self._token = token
                    self._renew_at = requested_at + seconds - RENEW_EARLY_SECONDS
                    return token
        finally:
            self._lock.release()
        raise UndecidedError("The token answer is not from Rolecall.", temporary=True)

    def _post(
        self, path: str, body: bytes, headers: dict[str, str], deadline: Deadline
    ) -> HttpAnswer:
        seconds = _remaining(deadline)
        try:
            return post(self._base_url + path, body=body, headers=headers, timeout=seconds)
        except UnreachableError as error:
            raise UndecidedError(str(error), temporary=True) from error


def token_request(scope: str) -> bytes:
    """The form of a client that asks for a token with this scope (RFC 6749, 4.4.2)."""
    return urlencode({"grant_type": "client_credentials", "scope": scope}).encode()


def _remaining(deadline: Deadline) -> float:
    try:
        return deadline.remaining()
    except TimeoutError as error:
        raise UndecidedError("The check took too long.", temporary=True) from error


def _undecided(answer: HttpAnswer, *, request_refused: bool = False) -> UndecidedError:
    return UndecidedError(
        f"Rolecall {answer.refusal()}",
        temporary=answer.status >= 500 or answer.status == 429,
        request_refused=request_refused,
    )
