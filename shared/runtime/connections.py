"""Connections of a listener, which answer what is not HTTP with a problem document."""

from aiohttp import web

from shared.http.problem_responses import problem_response
from shared.http.refusals import NotHttp, Unexpected
from shared.ids import new_id
from shared.problems import Refusal


class _Connection(web.RequestHandler):
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


class _Server(web.Server):
    def __init__(self, made: web.Server) -> None:
        vars(self).update(vars(made))

    def __call__(self) -> web.RequestHandler:
        """Make the handler of a new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application on such connections."""

    async def _make_server(self) -> web.Server:
        # aiohttp has no setting for the class of its connections.
        return _Server(await super()._make_server())
