"""Connections of a listener, which answer what is not HTTP with a problem document."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from shared.http.problem_responses import problem_response
from shared.http.refusals import NotHttp, Unexpected
from shared.ids import new_id
from shared.problems import Refusal


class Connection(web.RequestHandler):
    """One connection of a listener, served by aiohttp."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refused; aiohttp's own answer repeats what was sent."""
        super().handle_error(request, status, exc, message)  # logs, and ends a begun answer
        refusal: Refusal = Unexpected() if status >= 500 else NotHttp()
        response = problem_response(refusal, new_id("req"))
        response.force_close()
        return response


MakeConnection = Callable[..., Connection]
"""`Connection`, or what makes one of a subclass from the same arguments."""


class Runner(web.AppRunner):
    """Runs an application on such connections.

    While it is `draining`, each connection closes after its next answer.
    """

    def __init__(
        self, app: web.Application, make_connection: MakeConnection, **settings: Any
    ) -> None:
        super().__init__(app, **settings)
        self.make_connection = make_connection
        self.draining = False

    async def _make_server(self) -> web.Server:
        # aiohttp has no setting for the class of its connections.
        return Server(await super()._make_server(), self)


class Server(web.Server):
    """Makes the connections of a runner."""

    def __init__(self, made: web.Server, runner: Runner) -> None:
        vars(self).update(vars(made))
        self.runner = runner

    def __call__(self) -> web.RequestHandler:
        """Make a new connection."""
        return self.runner.make_connection(self, loop=self._loop, **self._kwargs)
