"""The answers to evaluation requests that are recognised in the bytes of a connection.

Each step is the one that `Api` and the ROUTES row take for the same request, without their waits.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from services.authz.adapters.hot_connections import HotConnection
from services.authz.adapters.hot_requests import MAX_BYTES, HotRequest, HotRequests, HotRoute
from services.authz.domain.evaluations import EvaluationRequest
from services.authz.domain.groups import HeldElsewhere
from services.authz.routes.answer_texts import answer_text
from services.authz.routes.evaluation import EVALUATION, Evaluation, request_of
from services.authz.routes.evaluations import EVALUATIONS, answers_text
from services.authz.routes.hot_bodies import read_batch_quickly, read_quickly
from services.authz.routes.usual_answers import UsualAnswers
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluation import evaluate_at_once
from services.authz.use_cases.evaluations import evaluate_each_at_once
from shared import context
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.admission import require_admitted
from shared.http.api import Api
from shared.http.bodies import ReceivedBody
from shared.http.direct_answers import DirectAnswers
from shared.http.problem_responses import END_OF_LINE
from shared.http.proxies import Proxies
from shared.http.requests import REQUEST_ID_HEADER, SENT_ID_HEADER, own_id, repeatable_id
from shared.problems import Refusal, TokenRevoked
from shared.runtime.connections import Server

MAX_BATCH_BYTES = 65_536
"""The longest batch, with its head."""

Caller = ClientPrincipal | UserPrincipal
_CALLERS = ClientPrincipal, UserPrincipal


class _Answering(NamedTuple):
    """How the requests to one route are answered."""

    decide: Callable[[Caller, bytes], bytes | None]
    """The text of the answer to a body; `None` if aiohttp is to answer."""
    answers: DirectAnswers


class HotEvaluations:
    """Answers evaluation requests at once, single ones and batches, or leaves them to aiohttp."""

    def __init__(
        self, api: Api, ctx: Ctx, *, proxies: Proxies, compiled: ModuleType | None
    ) -> None:
        """Make it; `compiled` decides what is usual, and Python the rest."""
        self._api = api
        self._ctx = ctx
        self._proxies = proxies
        self._refused_tokens = ctx.sign_ins.refused_tokens
        self._usual = None if compiled is None else UsualAnswers(ctx, compiled)
        self._answering: Mapping[str, _Answering] = {
            EVALUATION.path: _Answering(self._one, DirectAnswers(api.name, EVALUATION)),
            EVALUATIONS.path: _Answering(self._several, DirectAnswers(api.name, EVALUATIONS)),
        }
        self._requests = HotRequests(
            (
                HotRoute(EVALUATION.path, EVALUATION.access, MAX_BYTES),
                HotRoute(EVALUATIONS.path, EVALUATIONS.access, MAX_BATCH_BYTES, alone=True),
            ),
            own_id_field=REQUEST_ID_HEADER,
            sent_id_field=SENT_ID_HEADER,
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
        route, sender, _ = request.head
        made_id, sent_id = request.made_id, request.sent_id
        trusted = made_id is not None and self._proxies.trust_connection(transport)
        request_id = own_id(made_id, trusted=trusted)
        if sent_id is not None:
            sent_id = repeatable_id(sent_id)
        # One context serves all requests of a connection.
        context.service.set(self._api.name)
        context.request_id.set(request_id)
        decide, answers = self._answering[route.path]
        try:
            principal = self._api.admit_now(sender, body_bytes=len(request.body))
            if not isinstance(principal, _CALLERS):
                return None
            try:
                if sender.refused:
                    require_admitted(route.access, principal)
                token = principal.access_token
                if token is not None and self._refused_tokens.has(token):
                    raise TokenRevoked
                # It tests the leases after all that was looked up, also here.
                content = decide(principal, request.body)
            except Refusal:
                # A decision is about callers who exist. Others learn of no other refusal.
                self._ctx.callers.check_now(principal)
                raise
        except Refusal as refusal:
            return answers.refusal(refusal, request_id=request_id, sent_id=sent_id, started=started)
        except HeldElsewhere:
            return None  # that waits for the other group
        except Exception:  # noqa: BLE001 - aiohttp meets the same fault, answers it and logs it
            return None
        if content is None:
            return None
        return answers.success(content, request_id=request_id, sent_id=sent_id, started=started)

    def _one(self, principal: Caller, body: bytes) -> bytes | None:
        if self._usual is not None:
            usual = self._usual.one(principal, body)
            if usual is not None:
                return usual
        check = read_quickly(body) or _read(body)
        if check.at_least_revision is not None or check.at is not None:
            return None  # it may wait for the revision, or is about a past time
        return answer_text(evaluate_at_once(self._ctx, principal, check)) + END_OF_LINE

    def _several(self, principal: Caller, body: bytes) -> bytes | None:
        if self._usual is not None:
            usual = self._usual.several(principal, body)
            if usual is not None:
                return usual
        batch = read_batch_quickly(body)
        if batch is None:
            return None
        results = evaluate_each_at_once(
            self._ctx, principal, batch.requests(None), semantic=batch.semantic
        )
        return None if results is None else answers_text(results)


def _read(raw: bytes) -> EvaluationRequest:
    body = ReceivedBody(raw).parse(EVALUATION)
    if not isinstance(body, Evaluation):
        raise TypeError("The row takes another body.")
    return request_of(body)
