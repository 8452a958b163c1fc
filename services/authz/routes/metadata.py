"""The metadata of the policy decision points (AuthZEN)."""

from services.authz.routes.evaluation import EVALUATION_PATH
from services.authz.routes.evaluations import EVALUATIONS_PATH
from services.authz.routes.points import POINT_PATH, point_of
from services.authz.routes.search import (
    ACTION_SEARCH_PATH,
    RESOURCE_SEARCH_PATH,
    SUBJECT_SEARCH_PATH,
)
from services.authz.use_cases.context import Ctx
from shared.http.access import Public
from shared.http.routes import Answer, Call, Route

METADATA_PATH = "/.well-known/authzen-configuration"


class Configuration(Answer):
    """The metadata of a policy decision point (AuthZEN Authorization API 1.0, 9)."""

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str
    search_subject_endpoint: str
    search_resource_endpoint: str
    search_action_endpoint: str


async def configuration(ctx: Ctx, call: Call[None, None]) -> Configuration:
    """Answer with the addresses of the decision point, also of an account that does not exist."""
    account_id = point_of(call)
    of_account = "" if account_id is None else POINT_PATH.format(account_id=account_id)
    point = ctx.public_url + of_account
    return Configuration(
        policy_decision_point=point,
        access_evaluation_endpoint=point + EVALUATION_PATH,
        access_evaluations_endpoint=point + EVALUATIONS_PATH,
        search_subject_endpoint=point + SUBJECT_SEARCH_PATH,
        search_resource_endpoint=point + RESOURCE_SEARCH_PATH,
        search_action_endpoint=point + ACTION_SEARCH_PATH,
    )


ROUTES = (
    Route(
        method="GET",
        path=METADATA_PATH,
        handler=configuration,
        operation_id="authzenConfiguration",
        summary="The addresses of the decision point (AuthZEN)",
        tag="decisions",
        access=Public(),
        gives=Configuration,
    ),
    Route(
        method="GET",
        path=METADATA_PATH + POINT_PATH,
        handler=configuration,
        operation_id="authzenConfigurationOfAccount",
        summary="The addresses of an account's own decision point (AuthZEN)",
        tag="decisions",
        access=Public(),
        gives=Configuration,
    ),
)
