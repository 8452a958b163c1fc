"""Tests of the policy stream: what it tells, to whom, how fresh, and when it ends."""

import asyncio
import json
from contextlib import ExitStack
from dataclasses import fields, replace
from typing import ClassVar

import jwt
import pytest

from services.authz.domain.change_log import MAX_CHANGES
from services.authz.use_cases import policy_stream as use_case
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.policy_feed import MAX_READERS_OF_CLIENT, PolicyFeed
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import parse_revision, shard_of
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.http.lanes import TooManyAtOnce
from shared.ids import ClientId
from tests.clocks import SetClock
from tests.services.authz.conftest import TIMEOUTS, SkippingClock
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CLIENT,
    CY,
    DI,
    OTHER_ACCOUNT,
    RUNPOD,
    account,
    catalog,
    ended,
    member,
    no_member,
    override,
    resource,
    revoked_key,
    revoked_token,
    service_client,
)
from tests.services.authz.streams import policy_stream
from tests.waiting import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")


def identity_tells(world, policy_object):
    """Identity's journal gets the object, and the replicas learn of it by the bus."""
    return world.identity.change(policy_object)


def no_client(client_id=CLIENT):
    return PolicyObject(kind=PolicyObjectKind.SERVICE_CLIENT, id=client_id, state=None)


async def test_a_stream_tells_the_whole_state_and_then_each_change(world):
    world.team.write(override(BO, {"instance": {"view": "all"}}), resource(owner_id=BO))
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("ready")
        assert {(kind, each) for kind, each, _ in told.objects()} == {
            ("account", ACCOUNT),
            ("member", ANA),
            ("member", BO),
            ("project", "prj_" + "1" * 32),
            ("override", "prj_" + "1" * 32 + "/" + BO),
            ("resource", "instance/i-1"),
        }
        names = [name for name, _ in told.events]
        assert names.index("state") < names.index("ready")
        first = told.events[1][1]["objects"]
        assert [each["kind"] for each in first] == ["catalog"], "before the account that follows it"
        revision, _ = await world.team.change(no_member(BO))
        change = await told.until("change")
        assert [each["state"] for each in change["objects"]] == [None]
        position = parse_revision(revision)
        assert (change["shard"], change["seq"]) == (position.shard, position.seq)
        lease = await told.until("lease")
        assert lease["seconds"] == 3.0
        assert [content["n"] for _, content in told.events] == list(range(1, len(told.events) + 1))


def sessions_of(told):
    return [
        each
        for name, content in told.events
        if name == "session.ended"
        for each in content["sessions"]
    ]


async def test_a_stream_tells_the_sessions_that_have_ended(world):
    world.identity.write(ended("ses_1"))
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("ready")
        assert sessions_of(told) == ["ses_1"], "with the state"
        await world.identity.change(ended("ses_2"))
        content = await told.until("session.ended")
        assert content["sessions"] == ["ses_2"]
        assert content["seconds"] == SESSION_END_RETENTION.total_seconds()
        assert told.last_id is not None
        await world.identity.change(ended("ses_3"))
        last = told.last_id
        async with policy_stream(world, service, after=last) as again:
            assert (await again.until("hello"))["resumed"]
            assert (await again.until("session.ended"))["sessions"] == ["ses_3"]


async def test_a_bound_client_learns_of_the_sessions_of_its_members_only(world):
    world.team.write(account(OTHER_ACCOUNT, owner=CY), member(CY, "owner", OTHER_ACCOUNT))
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[OTHER_ACCOUNT]),
        ended("ses_1"),
        ended("ses_d", user_id=DI),
    )
    token = world.client_token(BOUND_CLIENT)
    async with world.replica() as service, policy_stream(world, service, token=token) as told:
        await told.until("ready")
        await world.identity.change(ended("ses_2"))
        await world.identity.change(ended("ses_c", user_id=CY))
        await told.until("session.ended")
        assert sessions_of(told) == ["ses_c"]
        await world.team.change(member(DI, "developer", OTHER_ACCOUNT))
        await told.until("change")
        assert sessions_of(told) == ["ses_c", "ses_d"], "before the member is told"


async def test_a_stream_tells_no_name_and_no_address(world):
    custom = {"role_1": {"name": "Secret name", "description": "Words", "grants": {}}}
    world.team.write(account(roles=custom))
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("ready")
        text = str(told.objects())
        assert "role_1" in text
        assert not {"Secret name", "Words", "name", "email"} & set(text.replace("'", " ").split())
        assert "Secret name" not in text


async def test_a_bound_client_is_told_its_accounts_and_types_only(world):
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[ACCOUNT], resource_types=["volume"])
    )
    world.team.write(account(OTHER_ACCOUNT), member(DI, "owner", OTHER_ACCOUNT))
    world.team.write(resource("i-1"))
    token = world.client_token(BOUND_CLIENT)
    async with world.replica() as service:
        async with policy_stream(world, service, token=token) as told:
            hello, _ = await told.until("hello"), await told.until("ready")
            assert (hello["account_ids"], hello["resource_types"]) == ([ACCOUNT], ["volume"])
            await world.team.change(member(DI, "admin", OTHER_ACCOUNT))
            await world.team.change(resource("i-2"), member(CY, "viewer"))
            await told.until("change")
            assert {(kind, each) for kind, each, _ in told.objects()} == {
                ("account", ACCOUNT),
                ("member", ANA),
                ("member", BO),
                ("member", CY),
                ("project", "prj_" + "1" * 32),
            }
            assert DI not in str(told.events)
        async with policy_stream(world, service, token=token, account=OTHER_ACCOUNT) as told:
            assert told.status == 403


async def test_a_bound_client_is_told_no_catalog_of_other_accounts(world):
    world.identity.write(service_client(BOUND_CLIENT, account_ids=[ACCOUNT]))
    token = world.client_token(BOUND_CLIENT)
    async with (
        world.replica() as service,
        policy_stream(world, service, token=token) as told,
        policy_stream(world, service) as unbound,
    ):
        await told.until("ready")
        await unbound.until("ready")
        await world.team.change(catalog(RUNPOD.id))
        await world.team.change(member(CY, "viewer"))
        await told.until("change")
        assert RUNPOD.id not in str(told.events)
        assert (await unbound.until("change"))["objects"][0]["id"] == RUNPOD.id
        await world.team.change(account(catalog=RUNPOD.id))
        assert (await told.until("state"))["objects"][0]["id"] == RUNPOD.id


async def test_a_bound_client_is_told_a_catalog_that_arrives_late(world):
    world.identity.write(service_client(BOUND_CLIENT, account_ids=[ACCOUNT]))
    world.team.write(account(catalog=RUNPOD.id))
    token = world.client_token(BOUND_CLIENT)
    async with world.replica() as service, policy_stream(world, service, token=token) as told:
        await told.until("ready")
        await world.team.change(catalog(RUNPOD.id))
        assert (await told.until("change"))["objects"][0]["id"] == RUNPOD.id


async def test_a_client_can_follow_one_account(world):
    world.team.write(account(OTHER_ACCOUNT), member(CY, "owner", OTHER_ACCOUNT))
    async with (
        world.replica() as service,
        policy_stream(world, service, account=OTHER_ACCOUNT) as told,
    ):
        await told.until("ready")
        assert {each for _, each, _ in told.objects()} == {OTHER_ACCOUNT, CY}


@pytest.mark.parametrize(
    "changed",
    [
        no_client(),
        service_client(scopes=["audit:write"]),
        service_client(account_ids=[]),
        service_client(account_ids=[OTHER_ACCOUNT]),
        service_client(resource_types=["volume"]),
    ],
    ids=["deleted", "scope", "no account", "other account", "types"],
)
async def test_a_stream_ends_when_its_client_is_deleted_or_narrowed(world, changed):
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("ready")
        await identity_tells(world, changed)
        await world.team.change(no_member(BO))
        end = await told.until("end")
        assert end["reason"] == "client-changed"
        assert "change" not in [name for name, _ in told.events], "nothing was told after it"
        with pytest.raises(EOFError):
            await told.next()


def revoked(token):
    """What identity tells of this access token when it is revoked, and when its key is."""
    payload = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    return {"token": revoked_token(payload["jti"]), "key": revoked_key(header["kid"])}


@pytest.mark.parametrize("what", ["token", "key"])
async def test_a_stream_ends_when_its_token_is_revoked(world, what):
    token = world.client_token()
    other = world.client_token()
    async with (
        world.replica() as service,
        policy_stream(world, service, token=token) as told,
        policy_stream(world, service, token=other) as others,
    ):
        for each in told, others:
            await each.until("ready")
        await identity_tells(world, revoked(token)[what])
        await world.team.change(no_member(BO))
        end = await told.until("end")
        assert end["reason"] == "token-revoked"
        assert end.get("revoked_keys", []) == (["k1"] if what == "key" else [])
        assert "change" not in [name for name, _ in told.events], "nothing was told after it"
        with pytest.raises(EOFError):
            await told.next()
        await others.until("change" if what == "token" else "end")


@pytest.mark.rule("T5")
async def test_a_revoked_key_is_told_at_once_and_to_each_new_reader(world):
    patient = replace(TIMEOUTS, stream_beat=3600.0)
    key = revoked_key("k9")
    async with world.replica(timeouts=patient) as service:
        async with policy_stream(world, service) as told:
            assert "revoked_keys" not in await told.until("lease")
            await identity_tells(world, key)
            assert (await told.until("lease"))["revoked_keys"] == ["k9"]
        for after in (told.last_id, None):
            async with policy_stream(world, service, after=after) as later:
                assert (await later.until("lease"))["revoked_keys"] == ["k9"]


async def test_a_replica_without_its_leases_tells_nothing_more(world):
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("lease")
        world.team.away = world.identity.away = True
        world.clock.skip(5)
        world.team.write(no_member(BO))
        await world.team.publish(world.team.rows[shard_of(ACCOUNT)][-1:])
        end = await told.until("end")
        assert end["reason"] == "stale"
        assert "change" not in [name for name, _ in told.events]
        async with policy_stream(world, service) as refused:
            assert refused.status == 503


async def test_a_drain_ends_the_streams_and_admits_no_other(world):
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("ready")
        service.drain()
        assert (await told.until("end"))["reason"] == "draining"
        async with policy_stream(world, service) as refused:
            assert refused.status == 503


async def test_another_epoch_ends_the_streams(world):
    async with world.replica() as service, policy_stream(world, service) as told:
        first = await told.until("hello")
        await told.until("ready")
        world.team.restore()
        world.team.write(catalog(world_catalog()))
        world.team.write(account(), member(ANA, "owner"))
        assert (await told.until("end"))["reason"] in {"reloaded", "stale"}

        async def again():
            async with policy_stream(world, service, after=told.last_id) as later:
                assert later.status == 200
                hello = await later.until("hello")
                await later.until("ready")
                return hello, {each for _, each, _ in later.objects()}

        hello, known = await wait_for(again, what="the stream of the new epoch")
        assert hello["epoch"] != first["epoch"]
        assert not hello["resumed"]
        assert BO not in known


def world_catalog():
    return account().state["catalog"]


async def test_a_reader_goes_on_after_the_last_event_that_it_has(world):
    async with world.replica() as service:
        async with policy_stream(world, service) as told:
            await told.until("ready")
        await world.team.change(member(CY, "viewer"))
        await world.team.change(no_member(BO))
        async with policy_stream(world, service, after=told.last_id) as later:
            assert (await later.until("hello"))["resumed"]
            await later.until("ready")
            assert [each for _, each, _ in later.objects()] == [CY, BO]
        async with policy_stream(world, service, after=told.last_id, account=ACCOUNT) as other:
            assert not (await other.until("hello"))["resumed"], "it tells another part"


async def test_an_event_id_that_is_too_long_begins_with_the_whole_state(world):
    async with world.replica() as service:
        async with policy_stream(world, service) as told:
            await told.until("ready")
        assert told.last_id is not None
        after = told.last_id.rpartition(".")[0] + "." + "9" * 5_000
        async with policy_stream(world, service, after=after) as later:
            assert not (await later.until("hello"))["resumed"]
            await later.until("ready")


@pytest.mark.parametrize("after", ["", "x", "a.b.1", "a.b.c.d", "ä.b.1"])
async def test_an_event_id_of_elsewhere_begins_with_the_whole_state(world, after):
    async with world.replica() as service, policy_stream(world, service, after=after) as told:
        assert not (await told.until("hello"))["resumed"]
        await told.until("ready")
        assert told.objects()


async def test_a_reader_who_comes_too_late_begins_anew(world):
    timeouts = replace(TIMEOUTS, stream_resume=2.0)
    async with world.replica(timeouts=timeouts) as service:
        async with policy_stream(world, service) as told:
            await told.until("ready")
        feed = service.public._ctx.feed
        await wait_for(lambda: not feed._readers, what="the end of the first reader")
        world.clock.skip(3)
        await world.team.change(no_member(BO))
        assert feed.log.last == 0, "nothing is kept without a reader"
        await wait_for(service.public._ctx.holds, what="the leases")
        async with policy_stream(world, service, after=told.last_id) as later:
            assert not (await later.until("hello"))["resumed"]
            await later.until("ready")
            assert BO not in {each for _, each, _ in later.objects()}


async def test_a_slow_reader_is_cut_off_with_an_event_that_says_so(world):
    async with world.replica() as service:
        ctx = service.public._ctx
        client = ClientPrincipal(client_id=ClientId(CLIENT), scopes=frozenset({"authz:check"}))
        pieces = use_case.open_stream(ctx, client, account_id=None, after=None)
        assert b"event: hello" in await anext(pieces)
        for _ in range(MAX_CHANGES + 1):
            ctx.feed.changed([member(BO, "viewer")])
        rest = [piece async for piece in pieces]
        assert b"too-slow" in rest[-1]
        assert not ctx.feed._readers, "it holds no place any more"


async def test_an_account_is_told_again_with_a_catalog_that_it_moves_to(world):
    world.team.write(catalog(RUNPOD.id))
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("ready")
        await world.team.change(account(catalog=RUNPOD.id))
        catalogs = (await told.until("state"))["objects"]
        assert [each["id"] for each in catalogs] == [RUNPOD.id]
        change = await told.until("change")
        assert change["objects"][0]["state"]["catalog"] == RUNPOD.id


async def test_a_user_may_not_read_the_policy(world):
    async with world.replica() as service:
        token = world.user_token(ANA, "ses_" + "9" * 32)
        async with policy_stream(world, service, token=token) as told:
            assert told.status == 403


async def test_a_stream_has_no_body_for_a_head_request(world):
    async with world.replica() as service:
        url = service.addresses["public"] + "/v1/authz/policy-stream"
        headers = {"Authorization": f"Bearer {world.client_token()}"}
        async with asyncio.timeout(30), world.http.head(url, headers=headers) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
            assert answer.content_type == "text/event-stream"


async def test_one_client_has_a_bounded_number_of_readers():
    feed = PolicyFeed(clock=SetClock(), timeouts=TIMEOUTS)
    for _ in range(2):
        with ExitStack() as readers:
            for _ in range(MAX_READERS_OF_CLIENT):
                feed.require_room(CLIENT)
                readers.enter_context(feed.reader(CLIENT))
            with pytest.raises(TooManyAtOnce):
                feed.require_room(CLIENT)
            feed.require_room(BOUND_CLIENT)


async def test_a_change_of_several_rows_is_told_at_its_last_one(world):
    async with world.replica() as service, policy_stream(world, service) as told:
        await told.until("ready")
        revision, _ = await world.team.change(member(CY, "viewer"), member(DI, "viewer"))
        change = await told.until("change")
        assert (change["shard"], change["seq"]) == parse_revision(revision)[2:]


class StoppedAfterLooks(Ctx):
    """The process is stopped for a moment after each look at the leases."""

    looks: ClassVar[list[float]] = []
    clock: SkippingClock

    def holds(self):
        self.looks.append(self.clock.boottime())
        found = super().holds()
        self.clock.skip(0.001)
        return found


async def test_a_lease_counts_from_before_the_look_at_the_leases(world):
    async with world.replica() as service:
        known = service.public._ctx
        ctx = StoppedAfterLooks(**{each.name: getattr(known, each.name) for each in fields(known)})
        client = ClientPrincipal(client_id=ClientId(CLIENT), scopes=frozenset({"authz:check"}))
        async for piece in use_case.open_stream(ctx, client, account_id=None, after=None):
            if b"event: lease" in piece:
                assert json.loads(piece.partition(b"data: ")[2])["at"] == ctx.looks[-1]
                break
