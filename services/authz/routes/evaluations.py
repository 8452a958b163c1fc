"""The AuthZEN route for several access evaluations at once."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ConfigDict, Field, ValidationError

from services.authz.domain.batches import MOST_EVALUATIONS, Semantic
from services.authz.domain.checks import CHECK_SCOPE
from services.authz.domain.evaluations import Evaluated, EvaluationRequest
from services.authz.routes.answer_texts import evaluated_text
from services.authz.routes.evaluation import (
    ActionEntity,
    Context,
    DecisionContext,
    Evaluation,
    EvaluationAnswer,
    ResourceEntity,
    SubjectEntity,
    bearer_of,
    evaluate_body,
    evaluation_request,
)
from services.authz.routes.hot_bodies import UsualBatch, read_batch_quickly
from services.authz.routes.points import at_each_point, point_of
from services.authz.routes.sent import SentObject
from services.authz.use_cases import evaluations
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluation import PAST_ALONE
from services.authz.use_cases.evaluations import OF_ONE_EVALUATION
from shared.http.access import SessionOrClient
from shared.http.problem_responses import END_OF_LINE
from shared.http.refusals import BadRequest
from shared.http.routes import (
    BODY_CAP_BYTES,
    Answer,
    Body,
    Call,
    Reply,
    Route,
    Strictness,
)
from shared.http.validation import check_json
from shared.problems import Refusal, Stale

EVALUATIONS_PATH = "/access/v1/evaluations"
EVALUATIONS_BODY_BYTES = 3 * BODY_CAP_BYTES
"""The gateway keeps bodies of this size, so that it can ask another replica if one is stale."""

EntityT = TypeVar("EntityT", bound=Body)


class Options(Body):
    """How the evaluations are executed."""

    evaluations_semantic: Semantic = Semantic.EXECUTE_ALL


class Evaluations(Body):
    """An access evaluations request (AuthZEN Authorization API 1.0, 7.1).

    Each evaluation has the members of a single request. What it leaves out is taken from here, as
    a whole. Without evaluations this is a single request.
    """

    subject: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    resource: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    evaluations: list[Any] | None = Field(None, max_length=MOST_EVALUATIONS)
    options: Options | None = None


class EvaluationError(Answer):
    """Why an evaluation failed: the status and the message that it would have alone."""

    status: int
    message: str


class FailedContext(Answer):
    """The reason of a denial because the evaluation failed: the stable code of its refusal."""

    reason: str
    error: EvaluationError


class FailedEvaluation(Answer):
    """The answer to an evaluation that failed."""

    decision: bool = False
    context: FailedContext


class EvaluationsAnswer(Answer):
    """An access evaluations response (AuthZEN Authorization API 1.0, 7.2).

    `evaluations` has a decision for each evaluation, in their order, as far as the semantic goes.
    A request without evaluations has the answer of a single one instead.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "evaluations": [
                        {"decision": True, "context": {"reason": "allowed", "role": "developer"}},
                        {"decision": False, "context": {"reason": "permission-unknown"}},
                    ]
                }
            ]
        }
    )

    evaluations: list[EvaluationAnswer | FailedEvaluation] | None = None
    decision: bool | None = None
    context: DecisionContext | None = None


async def evaluate_each(ctx: Ctx, call: Call[Evaluations | UsualBatch, None]) -> Reply:
    """Answer several access evaluation requests."""
    asked, semantic = asked_of(call)
    if not asked and isinstance(call.body, Evaluations):
        single = _fitting(call.body.model_dump(exclude_unset=True))
        answer = await evaluate_body(ctx, call, single)
        return Reply(body=answer.model_dump_json().encode() + END_OF_LINE)
    results = await evaluations.evaluate_each(ctx, bearer_of(call), asked, semantic=semantic)
    return Reply(body=answers_text(results))


def asked_of(
    call: Call[Evaluations | UsualBatch, None],
) -> tuple[Sequence[EvaluationRequest | BadRequest], Semantic]:
    """The evaluations that are asked, and how far they go; none are a single request."""
    body, point = call.body, point_of(call)
    if isinstance(body, UsualBatch):
        return body.requests(point), body.semantic
    reader = _ItemReader(body, point=point)
    asked = [reader.request(item) for item in body.evaluations or ()]
    return asked, (body.options or Options()).evaluations_semantic


class _ItemReader:
    """Reads the evaluations of one request; each default is read once."""

    def __init__(self, body: Evaluations, *, point: str | None) -> None:
        self._defaults = body.model_dump(
            include={"subject", "action", "resource", "context"}, exclude_none=True
        )
        self._read: dict[str, Any] = {}
        self._point = point

    def request(self, item: Any) -> EvaluationRequest | BadRequest:
        """The request of one evaluation, or what is wrong with it."""
        if not isinstance(item, dict):
            return BadRequest(errors=[("", "Must be an object.")])
        try:
            read = evaluation_request(
                self._entity(item, "subject", SubjectEntity),
                self._entity(item, "action", ActionEntity),
                self._entity(item, "resource", ResourceEntity),
                self._context(item),
                point=self._point,
            )
        except (ValidationError, KeyError):
            return self._refusal(item)
        return read if read.at is None else BadRequest(errors=[("/context/at", PAST_ALONE)])

    def _entity(self, item: Mapping[str, Any], name: str, kind: type[EntityT]) -> EntityT:
        """The entity of the evaluation, or the default as a whole; never a mixture of both.

        Raises:
            ValidationError: it does not fit.
            KeyError: there is none.
        """
        if name in item:
            return kind.model_validate(item[name], strict=True, extra="ignore")
        found: EntityT | None = self._read.get(name)
        if found is None:
            found = kind.model_validate(self._defaults[name], strict=True, extra="ignore")
            self._read[name] = found
        return found

    def _context(self, item: Mapping[str, Any]) -> SentObject[Context] | None:
        whole = item.get("context", self._defaults.get("context"))
        return None if whole is None else SentObject(self._entity(item, "context", Context), whole)

    def _refusal(self, item: Mapping[str, Any]) -> BadRequest:
        """The refusal that the evaluation would get alone."""
        try:
            _fitting({**self._defaults, **item})
        except BadRequest as refusal:
            return refusal
        raise AssertionError("An evaluation fits a single request, but was not read.")


def _fitting(value: dict[str, Any]) -> Evaluation:
    """The single request with these members.

    Raises:
        BadRequest: it does not fit.
    """
    raw = json.dumps(value).encode()
    return check_json(Evaluation, raw, value=value, strictness=Strictness.LENIENT)


def answers_text(results: Sequence[Evaluated | Refusal]) -> bytes:
    """The answer with these results."""
    parts = [
        _failed(result).model_dump_json().encode()
        if isinstance(result, Refusal)
        else evaluated_text(result)
        for result in results
    ]
    return b'{"evaluations":[%s]}' % b",".join(parts) + END_OF_LINE


def _failed(refusal: Refusal) -> FailedEvaluation:
    error = EvaluationError(status=refusal.status, message=_message(refusal))
    return FailedEvaluation(context=FailedContext(reason=refusal.code, error=error))


def _message(refusal: Refusal) -> str:
    """What is wrong, with each fault of the evaluation; it has no list of its own for them."""
    if not refusal.errors:
        return str(refusal)
    faults = [": ".join(filter(None, fault)) for fault in refusal.errors]
    return " ".join(["The evaluation is not valid.", *faults])


EVALUATIONS = Route(
    method="POST",
    path=EVALUATIONS_PATH,
    handler=evaluate_each,
    operation_id="evaluateEach",
    summary="Decide several checks at once (AuthZEN)",
    tag="decisions",
    access=SessionOrClient(CHECK_SCOPE, api_tokens=True),
    takes=Evaluations,
    reads_quickly=read_batch_quickly,
    gives=EvaluationsAnswer,
    refuses=(Stale, *OF_ONE_EVALUATION),
    body_cap=EVALUATIONS_BODY_BYTES,
    strictness=Strictness.LENIENT,
    on_repeat="Decides again. It changes nothing.",
    polled=True,
)
ROUTES = at_each_point(EVALUATIONS)
