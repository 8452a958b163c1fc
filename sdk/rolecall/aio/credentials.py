"""The access token of a service client, renewed before it expires."""

import asyncio

from rolecall.aio.errors import ClientRefusedError, NoAnswerError
from rolecall.aio.refusals import undecided
from rolecall.aio.transport import Transport
from rolecall.client.checks import RENEW_EARLY_SECONDS, SCOPE, token_request
from rolecall.client.transport import basic_credentials


class ClientToken:
    """Gets and keeps the client's access token; all requests share one renewal."""

    def __init__(
        self, transport: Transport, client_id: str, client_secret: str, *, scope: str = SCOPE
    ) -> None:
        self._transport = transport
        self._headers = {
            "Authorization": basic_credentials(client_id, client_secret),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._form = token_request(scope)
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = float("-inf")

    async def token(self, *, until: float, refused: str | None = None) -> str:
        """The current token, or a new one if it expires soon or is the one that was refused.

        Raises:
            NoAnswerError, BusyError: there is no token by `until`, a time of the event loop.
            ClientRefusedError: Rolecall does not accept the client or its secret.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(until), self._lock:
                if loop.time() < self._renew_at and self._token != refused:
                    return self._token
                return await self._renew(until)
        except TimeoutError as error:
            raise NoAnswerError("There is no access token in time.") from error

    async def _renew(self, until: float) -> str:
        asked_at = asyncio.get_running_loop().time()
        answer, headers = await self._transport.send(
            "POST", "/oauth2/token", headers=self._headers, body=self._form, until=until
        )
        if answer.status in {400, 401, 403}:
            raise ClientRefusedError(f"Rolecall {answer.refusal()}")
        if answer.status != 200:
            raise undecided(answer, headers)
        match answer.content:
            case {"access_token": str(token), "expires_in": int(seconds)}:
                self._token = token
                self._renew_at = asked_at + seconds - RENEW_EARLY_SECONDS
                return token
        raise NoAnswerError("The token answer is not from Rolecall.")
