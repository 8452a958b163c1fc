"""What is noted of an evaluation is the same in a batch as alone: denials, allows and activity."""

from collections.abc import Sequence

import pytest
from msgspec import structs

from rolecall import Resource
from services.authz.domain.batches import Semantic
from services.authz.domain.evaluations import Evaluated, EvaluationRequest
from services.authz.routes.answer_texts import answer_text, evaluated_text
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluation import evaluate_at_once
from services.authz.use_cases.evaluations import OF_ONE_EVALUATION, evaluate_each_at_once
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.ids import SessionId, UserId
from tests.services.authz.histories import ACCOUNT, ANA, BO, CY, PROD, member
from tests.services.authz.noting import NO_BOUNDS, TOKEN, Bounds, noted, replica
from tests.services.authz.offline import PRINCIPAL, request

Caller = ClientPrincipal | UserPrincipal


def user(user_id: str) -> UserPrincipal:
    """A user with a session."""
    return UserPrincipal(user_id=UserId(user_id), session_id=SessionId("ses_1"), account_id=None)


STRANGER, MEMBER = user("usr_" + "e" * 32), user(BO)
IN_PROD = Resource("i-1", project_id=PROD)
REQUESTS = {
    "allowed": request(BO),
    "allowed in a project": structs.replace(request(BO), resource=IN_PROD),
    "denied by the role": request(BO, "frobnicate"),
    "denied in a project": structs.replace(request(CY), resource=IN_PROD),
    "denied in an unknown project": structs.replace(
        request(CY), resource=Resource("i-1", project_id="prj_unknown")
    ),
    "of an owner by an external id": structs.replace(
        request(BO), resource=Resource("i-1", "ext-1")
    ),
    "of a suspended member": request(ANA),
    "of a stranger": request("usr_" + "e" * 32),
    "of no account": structs.replace(request(BO), account_id=None),
    "of an unknown account": structs.replace(request(BO), account_id="acc_" + "e" * 32),
    "of a type that names no member": structs.replace(request(BO), subject_type="robot"),
    "elsewhere": structs.replace(request(BO), point=ACCOUNT, account_id="acc_" + "e" * 32),
    "at a point": structs.replace(request(BO), point=ACCOUNT),
    "of a token": structs.replace(request(TOKEN), subject_type="api_token"),
    "denied to a token": structs.replace(request(TOKEN, "frobnicate"), subject_type="api_token"),
}


def in_a_batch(ctx: Ctx, caller: Caller, asked: EvaluationRequest) -> Evaluated:
    """The only evaluation of a batch."""
    results = evaluate_each_at_once(ctx, caller, [asked], semantic=Semantic.EXECUTE_ALL)
    assert results is not None
    (one,) = results
    assert isinstance(one, Evaluated)
    return one


@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS)
def test_an_evaluation_is_noted_in_a_batch_as_it_is_alone(asked: EvaluationRequest) -> None:
    alone, batch = replica(), replica()
    single = evaluate_at_once(alone, PRINCIPAL, asked)
    one = in_a_batch(batch, PRINCIPAL, asked)
    assert one.result == single
    assert noted(batch) == noted(alone)


@pytest.mark.parametrize(
    ("caller", "asked"),
    [
        *((PRINCIPAL, asked) for asked in REQUESTS.values()),
        (STRANGER, request(STRANGER.user_id)),
        (MEMBER, request(BO)),
    ],
    ids=[*REQUESTS, "of a stranger about themselves", "of a member about themselves"],
)
def test_an_evaluation_is_told_in_a_batch_as_it_is_alone(
    caller: Caller, asked: EvaluationRequest
) -> None:
    """A stranger does not learn the revision of an account."""
    ctx = replica()
    one = in_a_batch(ctx, caller, asked)
    assert evaluated_text(one) == answer_text(evaluate_at_once(ctx, caller, asked))


@pytest.mark.parametrize(
    "bounds",
    [
        NO_BOUNDS,
        {"account_ids": (ACCOUNT,)},
        {"account_ids": ("acc_" + "f" * 32,)},
        {"resource_types": ("volume",)},
    ],
    ids=["none", "the account", "another account", "another type"],
)
@pytest.mark.parametrize("over", [(), (BO,), ("ses_1",)], ids=["none", "disabled", "signed out"])
def test_a_batch_of_ordinary_members_has_the_results_that_they_get_alone(
    over: Sequence[str], bounds: Bounds
) -> None:
    """No member has an external id here. Requests that follow each other share their subject."""
    plain = (member(BO, "developer"), member(CY, "viewer"))
    asked = request(BO)
    every = [
        *REQUESTS.values(),
        asked,
        structs.replace(asked, account_id="acc_" + "e" * 32),
        structs.replace(asked, session_id="ses_1"),
        structs.replace(asked, subject_type="robot"),
        structs.replace(asked, point="acc_" + "e" * 32),
        structs.replace(asked, resource_type="volume"),
    ]
    alone, batch = (replica(*plain, over=over, bounds=bounds) for _ in range(2))

    def single(one: EvaluationRequest) -> object:
        try:
            return evaluate_at_once(alone, PRINCIPAL, one)
        except OF_ONE_EVALUATION as refusal:
            return type(refusal)

    results = evaluate_each_at_once(batch, PRINCIPAL, every, semantic=Semantic.EXECUTE_ALL)
    assert results is not None
    told = [one.result if isinstance(one, Evaluated) else type(one) for one in results]
    assert told == [single(one) for one in every]
    assert noted(batch) == noted(alone)


def test_all_evaluations_of_a_batch_are_noted() -> None:
    alone, batch = replica(), replica()
    for asked in REQUESTS.values():
        evaluate_at_once(alone, PRINCIPAL, asked)
    every = [*REQUESTS.values()]
    evaluate_each_at_once(batch, PRINCIPAL, every, semantic=Semantic.EXECUTE_ALL)
    of_batch, of_each = noted(batch), noted(alone)
    assert [len(each) for each in of_each] == [6, 3, 2, 1]
    assert of_batch == of_each
