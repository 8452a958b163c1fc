"""The texts of answers to evaluations, which are kept: few of them differ."""

from rolecall import Decision
from services.authz.domain.evaluations import Evaluated, EvaluationResult
from services.authz.routes.evaluation import Told, told_answer

KEPT_ANSWERS = 4096
"""The texts of answers that are kept: one for each shard, reason and role in use."""

_answer_texts: dict[Told, bytes] = {}
"""What results tell, and their answers."""


def answer_text(result: EvaluationResult) -> bytes:
    """The answer with this result, as JSON."""
    told = (result.allowed, result.reason, result.decided_by, result.revision, result.at)
    return _answer_texts.get(told) or _kept_text(told)


def decision_text(decision: Decision, revision: str | None) -> bytes:
    """The answer with this decision, as JSON."""
    told = (decision.allowed, decision.reason, decision.decided_by, revision, None)
    return _answer_texts.get(told) or _kept_text(told)


def evaluated_text(one: Evaluated) -> bytes:
    """The answer with the result of one evaluation of a batch, as JSON."""
    decision, place = one.decision, one.place
    return decision_text(decision, place.revision_of(decision) if place.own else place.revision)


def _kept_text(told: Told) -> bytes:
    text = told_answer(told).model_dump_json().encode()
    if len(_answer_texts) >= KEPT_ANSWERS:
        del _answer_texts[next(iter(_answer_texts))]
    _answer_texts[told] = text
    return text
