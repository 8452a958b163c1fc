"""The routes of streams of the audit log."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from services.audit.domain.streams import StreamStart, TooManyStreams
from services.audit.routes.filters import READ
from services.audit.routes.stream_views import StreamView
from services.audit.use_cases import streams
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.streams import WantedStream
from shared.catalog_parts import NotInThisCatalog
from shared.http.access import Permission
from shared.http.outbound import MAX_URL_LENGTH
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import StreamId
from shared.names import parse_optional_name

MANAGE = Permission("webhook:manage")
"""A stream also needs `audit_log:view`: its receiver reads the whole log. The handlers ask."""
PATH = "/v1/accounts/{account_id}/audit-streams"

Name = Annotated[str, Field(max_length=400, examples=["SIEM"]), AfterValidator(parse_optional_name)]
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL_LENGTH,
        examples=["https://siem.acme.example/ingest"],
    ),
]
Header = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$",
        description="The header in which the receiver is sent its secret",
        examples=["Authorization"],
    ),
]
Secret = Annotated[
    str,
    Field(
        pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,2046}[\x21-\x7e])?$",
        description="The value of that header. It is never shown",
        examples=["Bearer 4f6b1c"],
    ),
]


class NewStream(Body):
    """A receiver, its secret, and from where on it gets the records."""

    url: Url
    secret: Secret
    header: Header = "Authorization"
    name: Name = ""
    start: StreamStart = StreamStart.NOW


class ChangeStream(Body):
    """What changes; a member that is left out stays as it is. A new `url` needs a `secret`.

    `start` is from where on the receiver gets the records: `beginning` is the oldest that is kept.
    """

    name: Name | None = None
    url: Url | None = None
    header: Header | None = None
    secret: Secret | None = None
    enabled: bool | None = None
    start: StreamStart | None = None


def stream_id(call: Call[Any, Any]) -> StreamId:
    """Return the stream that the path names."""
    return StreamId(call.path["stream_id"])


async def _require_reader(ctx: Ctx, call: Call[Any, Any]) -> None:
    """Check that the caller may read the log, which the receiver of a stream reads.

    Raises:
        Refusal: they may not, or it cannot be decided.
    """
    await ctx.checker.check(call.member, call.account_id, READ.name, revision=None)


async def list_streams(ctx: Ctx, call: Call[None, PageQuery]) -> Page[StreamView]:
    """List the streams of the account."""
    found = await streams.list_streams(ctx, call.account_id)
    page, following = paged(found, call, key=lambda shown: (shown.stream.id, ""))
    return Page[StreamView](items=list(map(StreamView.of, page)), next_cursor=following)


async def create_stream(ctx: Ctx, call: Call[NewStream, None]) -> Reply:
    """Create a stream."""
    await _require_reader(ctx, call)
    body = call.body
    made = await streams.create_stream(
        ctx,
        call.caller,
        call.account_id,
        user_id=call.member.user_id,
        name=body.name,
        url=body.url,
        header=body.header,
        secret=body.secret,
        start=body.start,
        guard=call.guard,
        answer=StreamView.of,
    )
    return Reply(body=StreamView.of(made.result))


async def show_stream(ctx: Ctx, call: Call[None, None]) -> StreamView:
    """Return a stream."""
    return StreamView.of(await streams.show_stream(ctx, call.account_id, stream_id(call)))


async def change_stream(ctx: Ctx, call: Call[ChangeStream, None]) -> StreamView:
    """Change a stream."""
    await _require_reader(ctx, call)
    changed = await streams.change_stream(
        ctx,
        call.caller,
        call.account_id,
        stream_id(call),
        wanted=WantedStream(**dict(call.body)),
        precondition=call.precondition,
    )
    return StreamView.of(changed.result)


async def test_stream(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Let a test batch be sent."""
    await _require_reader(ctx, call)
    ordered = await streams.order_test(ctx, call.caller, call.account_id, stream_id(call))
    return Reply(body=StreamView.of(ordered.result))


async def delete_stream(ctx: Ctx, call: Call[None, None]) -> None:
    """Delete a stream."""
    await streams.delete_stream(
        ctx, call.caller, call.account_id, stream_id(call), precondition=call.precondition
    )


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handler=list_streams,
        operation_id="listAuditStreams",
        summary="List the streams of the account's audit log, the oldest first",
        tag="audit",
        access=MANAGE,
        query=PageQuery,
        gives=Page[StreamView],
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="POST",
        path=PATH,
        handler=create_stream,
        operation_id="createAuditStream",
        summary="Send the account's audit records to a receiver, such as a SIEM",
        tag="audit",
        access=MANAGE,
        takes=NewStream,
        gives=StreamView,
        status=201,
        refuses=(NotInThisCatalog, TooManyStreams),
        idempotent=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/{{stream_id}}",
        handler=show_stream,
        operation_id="getAuditStream",
        summary="Show a stream, and how far its receiver is",
        tag="audit",
        access=MANAGE,
        gives=StreamView,
        refuses=(NotInThisCatalog,),
        represent=StreamView.of,
    ),
    Route(
        method="PATCH",
        path=f"{PATH}/{{stream_id}}",
        handler=change_stream,
        operation_id="changeAuditStream",
        summary="Change a stream, pause it, or let it go on from another place",
        tag="audit",
        access=MANAGE,
        takes=ChangeStream,
        gives=StreamView,
        refuses=(NotInThisCatalog,),
        represent=StreamView.of,
    ),
    Route(
        method="DELETE",
        path=f"{PATH}/{{stream_id}}",
        handler=delete_stream,
        operation_id="deleteAuditStream",
        summary="Delete a stream: nothing is sent to its receiver any more",
        tag="audit",
        access=MANAGE,
        refuses=(NotInThisCatalog,),
        represent=StreamView.of,
    ),
    Route(
        method="POST",
        path=f"{PATH}/{{stream_id}}/test",
        handler=test_stream,
        operation_id="testAuditStream",
        summary="Send a test batch to the receiver of a stream",
        tag="audit",
        access=MANAGE,
        gives=StreamView,
        status=202,
        refuses=(NotInThisCatalog,),
        on_repeat="Sends another test batch, unless one waits.",
    ),
)
