"""Streams of an account: create, change, test, delete."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from services.audit.domain import streams
from services.audit.domain.streams import (
    MAX_STREAMS,
    LogStream,
    StreamChange,
    StreamStart,
    TooManyStreams,
    check_header,
)
from services.audit.domain.tails import TailPlace
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.member_writes import write_named
from services.audit.use_cases.tails import end_of_log, id_before
from shared.contracts.facts import Caller
from shared.http.idempotency import IdempotencyGuard
from shared.http.preconditions import Precondition
from shared.ids import AccountId, StreamId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.problems import Invalid, NotFound
from shared.receivers.addresses import check_receiver_url

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class WantedStream:
    """What a member asks for; what is None stays as it is."""

    name: str | None = None
    url: str | None = None
    header: str | None = None
    secret: str | None = None
    enabled: bool | None = None
    start: StreamStart | None = None


@dataclass(frozen=True, kw_only=True)
class ShownStream:
    """A stream, and the number of sealed records in the log of its account."""

    stream: LogStream
    sealed: int


async def list_streams(ctx: Ctx, account_id: AccountId) -> list[ShownStream]:
    """List the streams of an account, the oldest first."""
    sealed = (await ctx.store.tree_sizes([account_id]))[account_id]
    return [
        ShownStream(stream=each, sealed=sealed) for each in await ctx.store.streams_of(account_id)
    ]


async def show_stream(ctx: Ctx, account_id: AccountId, stream_id: StreamId) -> ShownStream:
    """Return a stream of the account.

    Raises:
        NotFound: the account has none with this id.
    """
    stream = _there(await ctx.store.stream(account_id, stream_id))
    return ShownStream(stream=stream, sealed=(await ctx.store.tree_sizes([account_id]))[account_id])


async def create_stream(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    *,
    user_id: UserId,
    name: str,
    url: str,
    header: str,
    secret: str,
    start: StreamStart,
    guard: IdempotencyGuard | None,
    answer: Callable[[ShownStream], BaseModel],
) -> WriteResult[ShownStream]:
    """Create a stream; the records from its start on are sent to its address.

    Raises:
        Invalid: it names every field that is wrong.
        TooManyStreams.
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """
    _check(ctx, WantedStream(url=url, header=header, secret=secret))
    stream_id = StreamId(new_id("str"))
    place, end = await _place(ctx, account_id, start), await end_of_log(ctx, account_id)

    async def change(write: JournalWrite) -> ShownStream:
        if len(await ctx.store.streams_of(account_id, write.session)) >= MAX_STREAMS:
            raise TooManyStreams(limit=MAX_STREAMS)
        stream = LogStream(
            id=stream_id,
            account_id=account_id,
            name=name,
            url=url,
            header=header,
            sealed_secret=ctx.streams.secrets.seal(secret, about=stream_id),
            secret_at=write.now,
            created_by=user_id,
            created_at=write.now,
            size=place.size,
            last=place.last,
        )
        await ctx.store.add_stream(stream, write.session)
        write.record(streams.created(stream, start))
        made = ShownStream(stream=stream, sealed=end.size)
        if guard is not None:
            await guard.keep_answer(write.session, answer(made))
        return made

    return await _write(ctx, caller, account_id, change, guard)


async def change_stream(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    stream_id: StreamId,
    *,
    wanted: WantedStream,
    precondition: Precondition | None,
) -> WriteResult[ShownStream]:
    """Change a stream: its receiver, its place, or whether it sends.

    Raises:
        Invalid: it names every field that is wrong.
        PreconditionFailed: the stream is not in the state that the request was made for.
        NotFound.
    """
    _check(ctx, wanted)
    end = await end_of_log(ctx, account_id)
    start = wanted.start
    at = None if start is None else (start, await _place(ctx, account_id, start))
    secret = wanted.secret
    sealed = None if secret is None else ctx.streams.secrets.seal(secret, about=stream_id)

    async def apply(write: JournalWrite) -> ShownStream:
        current = _there(await ctx.store.stream(account_id, stream_id, write.session))
        _require_secret(current, wanted)
        change = StreamChange(
            name=wanted.name,
            url=wanted.url,
            header=wanted.header,
            sealed_secret=sealed,
            enabled=wanted.enabled,
        )
        after, fact = streams.changed(current, change, start=at, now=write.now)
        if precondition is not None:
            shown = ShownStream(stream=current, sealed=end.size)
            precondition.require(shown, applied=fact is None)
        if fact is not None:
            await ctx.store.update_stream(current, after, write.session)
            write.record(fact)
        return ShownStream(stream=after, sealed=end.size)

    return await _write(ctx, caller, account_id, apply, None)


async def order_test(
    ctx: Ctx, caller: Caller, account_id: AccountId, stream_id: StreamId
) -> WriteResult[ShownStream]:
    """Let a test batch be sent soon; what came of it is shown with the stream.

    Raises:
        NotFound: the account has none with this id.
    """
    end = await end_of_log(ctx, account_id)

    async def change(write: JournalWrite) -> ShownStream:
        current = _there(await ctx.store.stream(account_id, stream_id, write.session))
        ordered, fact = streams.order_test(current)
        if fact is not None:
            await ctx.store.update_stream(current, ordered, write.session)
            write.record(fact)
        return ShownStream(stream=ordered, sealed=end.size)

    return await _write(ctx, caller, account_id, change, None)


async def delete_stream(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    stream_id: StreamId,
    *,
    precondition: Precondition | None,
) -> WriteResult[None]:
    """Delete a stream: nothing is sent to its receiver any more.

    Raises:
        NotFound: the account has none with this id.
        PreconditionFailed: the stream is not in the state that the request was made for.
    """

    async def change(write: JournalWrite) -> None:
        current = _there(await ctx.store.stream(account_id, stream_id, write.session))
        if precondition is not None:
            precondition.require(ShownStream(stream=current, sealed=0))
        await ctx.store.delete_stream(current, write.session)
        write.record(streams.deleted(current))

    return await _write(ctx, caller, account_id, change, None)


async def _write(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    change: Callable[[JournalWrite], Awaitable[T]],
    guard: IdempotencyGuard | None,
) -> WriteResult[T]:
    take_key = None if guard is None else guard.take_key
    return await write_named(ctx, account_id, change, caller=caller, guard=take_key)


async def _place(ctx: Ctx, account_id: AccountId, start: StreamStart) -> TailPlace:
    if start is StreamStart.NOW:
        return await end_of_log(ctx, account_id)
    kept_from = (await ctx.store.endings(account_id)).until
    return TailPlace(kept_from, await id_before(ctx, account_id, kept_from))


def _there(found: LogStream | None) -> LogStream:
    if found is None:
        raise NotFound
    return found


def _check(ctx: Ctx, wanted: WantedStream) -> None:
    faults: list[tuple[str, str]] = []
    if wanted.url is not None:
        try:
            check_receiver_url(wanted.url, networks=ctx.streams.networks)
        except ValueError as problem:
            faults.append(("/url", str(problem)))
    if wanted.header is not None:
        try:
            check_header(wanted.header)
        except ValueError as problem:
            faults.append(("/header", str(problem)))
    if faults:
        raise Invalid(errors=faults)


def _require_secret(current: LogStream, wanted: WantedStream) -> None:
    """Refuse to send a secret, which no reader can see, to an address that a member chooses now."""
    moved = wanted.url is not None and wanted.url != current.url
    if moved and wanted.secret is None:
        problem = "A new address needs its secret. Send `secret` together with `url`."
        raise Invalid(errors=[("/secret", problem)])
