"""The metadata of the policy decision point (AuthZEN)."""

from services.authz.routes.evaluation import EVALUATION_PATH
from services.authz.use_cases.context import Ctx
from shared.http.access import Public
from shared.http.routes import Answer, Call, Route


class Configuration(Answer):
    """The metadata of the policy decision point (AuthZEN Authorization API 1.0, 9)."""

    policy_decision_point: str
    access_evaluation_endpoint: str


async def configuration(ctx: Ctx, call: Call[None, None]) -> Configuration:
    """Answer with the addresses of the decision point."""
    return Configuration(
        policy_decision_point=ctx.public_url,
        access_evaluation_endpoint=ctx.public_url + EVALUATION_PATH,
    )


ROUTES = (
    Route(
        method="GET",
        path="/.well-known/authzen-configuration",
        handler=configuration,
        operation_id="authzenConfiguration",
        summary="The addresses of the decision point (AuthZEN)",
        tag="decisions",
        access=Public(),
        gives=Configuration,
    ),
)
