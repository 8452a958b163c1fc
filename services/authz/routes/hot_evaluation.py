"""The answers to evaluation requests that are recognised in the bytes of a connection.

Each step is the one that `Api` and the ROUTES row take for the same request, without their waits.
"""

import asyncio
import time
from typing import Any

from services.authz.adapters.hot_connections import HotConnection
from services.authz.adapters.hot_requests import HotRequest, HotRequests
from services.authz.routes.evaluation import EVALUATION, Evaluation, answer_text, request_of
from services.authz.routes.hot_bodies import read_quickly
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluation import (
    EvaluationRequest,
    EvaluationResult,
    evaluate_at_once,
)
from shared import context
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.admission import refused_by_token
from shared.http.api import Api
from shared.http.bodies import ReceivedBody
from shared.http.direct_answers import DirectAnswers
from shared.http.problem_responses import END_OF_LINE
from shared.http.proxies import Proxies
from shared.http.requests import REQUEST_ID_HEADER, SENT_ID_HEADER, own_id, repeatable_id
from shared.problems import Refusal
from shared.runtime.connections import Server


class HotEvaluations:
    """Answers evaluation requests at once, or leaves them to aiohttp."""

    def __init__(self, api: Api, ctx: Ctx, *, proxies: Proxies) -> None:
        self._api = api
        self._ctx = ctx
        self._proxies = proxies
        self._answers = DirectAnswers(api.name, EVALUATION)
        self._requests = HotRequests(
            EVALUATION.path, own_id_field=REQUEST_ID_HEADER, sent_id_field=SENT_ID_HEADER
        )

    def connection(self, server: Server, **settings: Any) -> HotConnection:
        """Make a connection that is answered from here."""
        return HotConnection(
            self._requests,
            self.answer,
            server,
            rest_seconds=self._ctx.timeouts.check_rest,
            **settings,
        )

    def answer(self, request: HotRequest, transport: asyncio.BaseTransport) -> bytes | None:
        """Return the answer; `None` if aiohttp is to answer, because that waits or logs a fault."""
        started = time.perf_counter()
        trusted = request.made_id is not None and self._proxies.trust_connection(transport)
        request_id = own_id(request.made_id, trusted=trusted)
        sent_id = None if request.sent_id is None else repeatable_id(request.sent_id)
        # One context serves all requests of a connection.
        context.service.set(self._api.name)
        context.request_id.set(request_id)
        try:
            result = self._evaluate(request)
        except Refusal as refusal:
            return self._answers.refusal(
                refusal, request_id=request_id, sent_id=sent_id, started=started
            )
        except Exception:  # noqa: BLE001 - aiohttp meets the same fault, answers it and logs it
            return None
        if result is None:
            return None
        content = answer_text(result) + END_OF_LINE
        return self._answers.success(
            content, request_id=request_id, sent_id=sent_id, started=started
        )

    def _evaluate(self, request: HotRequest) -> EvaluationResult | None:
        principal = self._api.admit_now(
            EVALUATION, request.authorization, body_bytes=len(request.body)
        )
        if not isinstance(principal, ClientPrincipal | UserPrincipal):
            return None
        self._ctx.callers.check_now(principal)
        refusal = refused_by_token(EVALUATION.access, principal)
        if refusal is not None:
            raise refusal
        check = read_quickly(request.body) or _read(request.body)
        if check.at_least_revision is not None or check.at is not None:
            return None  # it may wait for the revision, or is about a past time
        return evaluate_at_once(self._ctx, principal, check)


def _read(raw: bytes) -> EvaluationRequest:
    body = ReceivedBody(raw).parse(EVALUATION)
    if not isinstance(body, Evaluation):
        raise TypeError("The row takes another body.")
    return request_of(body)
