"""The route of the policy stream."""

from pydantic import Field

from services.authz.domain.checks import CHECK_SCOPE
from services.authz.domain.groups import GroupNeeded
from services.authz.use_cases import policy_stream
from services.authz.use_cases.context import Ctx
from shared.auth.bindings import AccountNotBound
from shared.contracts.facts import SHARDS
from shared.http.access import Client
from shared.http.routes import Body, Call, Reply, Route
from shared.http.streams import EVENT_STREAM, Stream
from shared.problems import Stale


class StreamQuery(Body):
    """What the stream tells; by default all accounts that the client may read."""

    account: str | None = Field(
        None, pattern="^acc_[0-9a-f]{32}$", description="Only this account."
    )
    group: int | None = Field(
        None,
        ge=1,
        le=SHARDS,
        description="Only the accounts of this group of replicas. It is needed where accounts are"
        " divided among groups and the stream would tell those of several; `Rolecall-Group` of the"
        " refusal says how many there are.",
    )


async def stream(ctx: Ctx, call: Call[None, StreamQuery]) -> Reply:
    """Open a policy stream."""
    pieces = policy_stream.open_stream(
        ctx,
        call.client,
        account_id=call.query.account,
        after=call.headers.get("Last-Event-ID"),
        group=call.query.group,
    )
    return Reply(body=Stream(pieces=pieces, stall_seconds=ctx.timeouts.stream_stall))


ROUTES = (
    Route(
        method="GET",
        path="/v1/authz/policy-stream",
        handler=stream,
        operation_id="streamPolicy",
        summary="Follow the policy state of accounts (server-sent events)",
        tag="decisions",
        access=Client(CHECK_SCOPE),
        query=StreamQuery,
        streams=(EVENT_STREAM,),
        refuses=(Stale, AccountNotBound, GroupNeeded),
    ),
)
