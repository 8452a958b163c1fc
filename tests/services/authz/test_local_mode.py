"""Tests of local mode against a replica: it follows, notices what ends, and never runs ahead."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from rolecall.aio import ClientRefusedError, LeaseOverError
from rolecall.aio.follower import PolicyFollower
from rolecall.aio.local import LocalChecks
from rolecall.aio.transport import Transport
from shared.cancellation import end
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from tests.sdk.faulty import client, faulty_rolecall
from tests.sdk.streamed import Script, as_told
from tests.services.authz.conftest import TIMEOUTS, evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    CLIENT,
    SESSION,
    account,
    catalog,
    ended,
    member,
    no_member,
    service_client,
)
from tests.services.authz.streams import STREAM, GivenToken
from tests.waiting import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITE = "instance:write"


class Local:
    """Local mode of one client."""

    def __init__(self, url, token, clock):
        self.transport = Transport(url, allow_http=False)
        self.credentials = GivenToken(token)
        self.follower = PolicyFollower(
            self.transport, self.credentials, account_id=None, timeout=30, clock=clock
        )
        self.checks = LocalChecks(self.follower.mirror, clock=clock)

    def reason(self, user=BO, permission=WRITE):
        """The reason of a decision, or `undecided`."""
        try:
            return self.checks.check(user, permission, account=ACCOUNT).reason
        except LeaseOverError:
            return "undecided"

    async def becomes(self, reason, user=BO):
        await wait_for(lambda: self.reason(user) == reason, what=f"the reason {reason}")


@asynccontextmanager
async def local_mode(url, token, clock):
    local = Local(url, token, clock)
    await local.transport.open()
    task = asyncio.create_task(local.follower.run())
    try:
        yield local
    finally:
        await end([task])
        await local.transport.close()


@asynccontextmanager
async def following(world, **timeouts):
    """A replica, and local mode that follows it."""
    async with world.replica(timeouts=replace(TIMEOUTS, **timeouts)) as service:
        url = service.addresses["public"]
        async with local_mode(url, world.client_token(), world.clock.boottime) as local:
            await asyncio.wait_for(local.follower.usable(), 30)
            yield local, service


async def test_local_mode_decides_as_the_replica_and_follows_it(world):
    async with following(world) as (local, service):
        assert local.reason() == "allowed"
        await world.team.change(no_member(BO))
        await local.becomes("not-a-member")
        await world.team.change(member(BO, "viewer"))
        await local.becomes("permission-missing")
        found = await world.check(service, BO, WRITE)
        assert found.body["context"]["reason"] == local.reason()


async def test_local_mode_refuses_a_session_that_has_ended(world):
    async with following(world) as (local, service):

        def reason():
            return local.checks.check(BO, WRITE, account=ACCOUNT, session=SESSION).reason

        assert reason() == "allowed"
        await world.identity.change(ended())
        await wait_for(lambda: reason() == "session-ended", what="the end of the session")
        assert local.reason() == "allowed", "another check of the user"
        body = evaluation(BO, WRITE)
        body["subject"]["properties"] = {"session_id": SESSION}
        found = await world.post(service, body)
        assert found.body["context"]["reason"] == reason()


async def test_a_wrong_secret_is_what_ready_says():
    async with faulty_rolecall() as server:
        server.answers["/oauth2/token"] = 401, {"error": "invalid_client"}
        async with client(server, mode="local", timeout=30.0) as rc:
            with pytest.raises(ClientRefusedError, match="invalid_client"):
                await rc.ready()


async def test_a_token_of_a_replaced_key_is_not_a_wrong_secret(world):
    async with world.replica() as service:
        good = world.client_token()

        class Renewed(GivenToken):
            """Its first token is not accepted any more."""

            async def token(self, *, until, refused=None):
                return good if refused == "not-a-token" else "not-a-token"

        async with local_mode(service.addresses["public"], "", world.clock.boottime) as local:
            local.follower._credentials = Renewed("")
            await asyncio.wait_for(local.follower.usable(), 30)


async def test_a_revision_is_known_as_soon_as_it_is_applied(world):
    async with following(world) as (local, _):
        revision, _ = await world.team.change(no_member(BO))
        await wait_for(lambda: local.follower.mirror.has(revision), what="the revision")
        found = local.checks.check(BO, WRITE, account=ACCOUNT, at_least_revision=revision)
        assert found.reason == "not-a-member"


async def test_a_replica_without_leases_leaves_local_mode_without_one(world):
    async with following(world) as (local, _):
        world.team.away = world.identity.away = True
        world.clock.skip(2)
        assert local.reason() == "allowed", "within its own lease"
        world.clock.skip(2)
        assert local.reason() == "undecided"
        world.team.away = world.identity.away = False
        await local.becomes("allowed")


async def test_a_deleted_client_decides_nothing_more(world):
    async with following(world) as (local, _):
        local.credentials.gone = True
        gone = PolicyObject(kind=PolicyObjectKind.SERVICE_CLIENT, id=CLIENT, state=None)
        await world.identity.change(gone)
        await local.becomes("undecided")


async def test_a_narrowed_client_decides_about_what_is_left(world):
    async with following(world) as (local, _):
        await world.identity.change(service_client(account_ids=[ACCOUNT], resource_types=["x"]))
        await local.becomes("undecided")
        await world.identity.change(service_client(account_ids=[ACCOUNT]))
        await local.becomes("allowed")


async def test_local_mode_follows_a_restored_database(world):
    async with following(world) as (local, _):
        world.team.restore()
        state = account().state
        assert state is not None
        world.team.write(catalog(state["catalog"]))
        world.team.write(account(), member(ANA, "owner"))
        await local.becomes("not-a-member")
        assert local.reason(ANA) == "allowed"


async def test_local_mode_goes_on_at_another_replica_after_a_drain(world):
    async with following(world) as (local, service), world.replica("b") as other:
        local.transport._base_url = other.addresses["public"]
        service.drain()
        await world.team.change(no_member(BO))
        await local.becomes("not-a-member")


class Streams:
    """Plays one script after another to the readers that open a stream, and then is silent."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.silence = asyncio.Event()

    async def __call__(self, writer):
        script = self.scripts.pop(0) if self.scripts else b""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        writer.write(b"Connection: close\r\n\r\n" + script)
        await writer.drain()
        if not self.scripts:
            await self.silence.wait()
        writer.close()


def script(clock, *objects, lose=False, seconds=3.0):
    """A whole stream: the state, then a removal, and then a lease."""
    written = Script()
    at = clock()
    text = written.hello(at=at)
    text += written.text("state", objects=[as_told(each) for each in objects])
    text += written.text("ready", event_id="a.b.0")
    text += written.text("lease", at=at, seconds=seconds, applied={})
    removal = written.text("change", objects=[as_told(no_member(BO))], shard=1, seq=2)
    text += b"" if lose else removal
    return text + written.text("lease", at=at, seconds=3.0, applied={"1": 2})


async def test_a_lost_event_makes_local_mode_read_the_state_again(world):
    clock = world.clock.boottime
    state = account().state
    assert state is not None
    whole = (catalog(state["catalog"]), account(), member(BO, "developer"))
    async with faulty_rolecall() as server:
        streams = Streams(script(clock, *whole, lose=True), script(clock, *whole))
        server.answers[STREAM] = streams
        async with local_mode(server.url, "t", clock) as local:
            await local.becomes("not-a-member")
        assert "last-event-id" not in server.asked[1].headers


async def test_a_cut_stream_goes_on_after_its_last_event(world):
    clock = world.clock.boottime
    state = account().state
    assert state is not None
    whole = (catalog(state["catalog"]), account(), member(BO, "developer"))
    again = Script()
    later = again.hello(resumed=True, at=clock()) + again.text("ready", event_id="a.b.0")
    async with faulty_rolecall() as server:
        server.answers[STREAM] = Streams(script(clock, *whole), later, b"")
        async with local_mode(server.url, "t", clock) as local:
            await local.becomes("not-a-member")
            await wait_for(lambda: len(server.asked) > 1, what="the second stream")
            assert server.asked[1].headers["last-event-id"] == "a.b.0"
            assert local.reason() == "not-a-member", "within its lease"


@pytest.mark.parametrize("status", [302, 401, 403, 404, 500, 503])
async def test_a_stream_that_is_refused_leaves_nothing_to_decide_from(world, status):
    async with faulty_rolecall() as server:
        server.answers[STREAM] = status, {"code": "refused"}
        async with local_mode(server.url, "t", world.clock.boottime) as local:
            await wait_for(lambda: len(server.asked) > 1, what="another attempt")
            assert local.reason() == "undecided"


@pytest.mark.parametrize("status", [401, 403])
async def test_what_was_told_is_not_used_after_a_refusal(world, status):
    """The lease would hold for an hour: the client may not be allowed to read it any more."""
    clock = world.clock.boottime
    state = account().state
    assert state is not None
    whole = (catalog(state["catalog"]), account(), member(ANA, "owner"))
    streams = Streams(script(clock, *whole, seconds=3600.0), b"")
    async with faulty_rolecall() as server:
        server.answers[STREAM] = [streams, (status, {"code": "refused"})]
        async with local_mode(server.url, "t", clock) as local:
            await wait_for(lambda: len(server.asked) > 1, what="the refusal")
            await local.becomes("undecided", ANA)


async def test_what_was_told_is_not_used_after_the_client_was_changed(world):
    clock = world.clock.boottime
    state = account().state
    assert state is not None
    whole = (catalog(state["catalog"]), account(), member(ANA, "owner"))
    text = script(clock, *whole, seconds=3600.0)
    ends = Script()
    ends.number = text.count(b"event: ")
    streams = Streams(text + ends.text("end", reason="client-changed"), b"")
    async with faulty_rolecall() as server:
        server.answers[STREAM] = streams
        async with local_mode(server.url, "t", clock) as local:
            await wait_for(lambda: len(server.asked) > 1, what="the next stream")
            assert local.reason(ANA) == "undecided", "that stream has told nothing yet"
