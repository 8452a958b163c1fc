"""The live list: each entry once, at any replica, and ended with the session of its reader."""

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from services.notification.domain.live_list import (
    BEGINNING,
    MAX_BEHIND,
    MAX_OF_REPLICA,
    MAX_OF_USER,
    ListPlace,
    TooManyLiveLists,
)
from services.notification.store import ListState
from services.notification.use_cases import entries
from services.notification.use_cases.list_readers import ListReaders
from services.notification.use_cases.live_list import (
    PAGE_ENTRIES,
    EntryTold,
    ListOver,
    UnreadTold,
    check_readers,
    list_events,
    look_at_lists,
    open_list,
)
from shared.auth.access_tokens import sign_access_token, user_claims
from shared.auth.principals import UserPrincipal
from shared.contracts import identity_erasure, team
from shared.ids import AccountId, SessionId, UserId, new_id
from shared.mongo import DatabaseAway
from shared.problems import Invalid
from tests.services.authz.streams import Told
from tests.services.notification.hooks import ANA, SESSION, running_hooks
from tests.services.notification.samples import ROLE_CHANGED
from tests.services.notification.steps import take, tell
from tests.services.rows import row_of
from tests.support.service import ISSUER

BO, OTHER = UserId("usr_" + "b" * 32), UserId("usr_" + "c" * 32)
ACCOUNT = AccountId("acc_" + "1" * 32)
SECONDS = 30.0
"""The longest time of a live list in a test; a defect may make one that does not end."""


def principal(user_id=BO, session="ses_1"):
    return UserPrincipal(user_id=user_id, session_id=SessionId(session), account_id=ACCOUNT)


def changed(user_id=BO):
    return team.MemberRoleChanged(**ROLE_CHANGED | {"user_id": user_id}, ends_sessions=False)


class Replica:
    """One replica of notification with readers of lists, which looks when a test says so."""

    def __init__(self, sending):
        self.ctx = replace(sending.ctx, lists=ListReaders())

    async def look(self):
        await look_at_lists(self.ctx)

    @asynccontextmanager
    async def following(self, *, after=None, of=None):
        reader = of or principal()
        place = await open_list(self.ctx, reader, after=after)
        async with asyncio.timeout(SECONDS), aclosing(list_events(self.ctx, reader, place)) as told:
            yield told


@pytest.fixture
def replica(sending):
    return Replica(sending)


async def until_unread(told):
    """The ids and places of entries up to the next number of unread ones, and that number."""
    found = []
    while isinstance(event := await anext(told), EntryTold):
        found.append((event.shown.entry.id, event.place))
    assert isinstance(event, UnreadTold), event
    return found, event.unread


async def listed(sending, user_id=BO):
    found = await entries.page(
        sending.ctx, principal(user_id), account_id=None, unread=None, before=None, limit=200
    )
    return [one.entry.id for one in found]


@pytest.mark.rule("B12")
async def test_a_live_list_goes_on_after_any_event_without_gap_or_double(sending, replica):
    early = row_of(changed(), account_id=ACCOUNT)  # its id is older than all others
    await tell(sending, changed())
    [first] = await listed(sending)
    async with replica.following() as told:
        assert await until_unread(told) == ([], 1)
        seen = []
        for late in ([], [early], []):
            await tell(sending, changed(), changed(OTHER), changed())
            await take(sending, *late)
            await replica.look()
            found, unread = await until_unread(told)
            seen += found
        assert unread == 8
    told_ids = [each for each, _ in seen]
    assert len(set(told_ids)) == len(told_ids)
    missed = set(await listed(sending)) - set(told_ids)
    assert missed == {first}
    for number, (_, place) in enumerate(seen):
        async with Replica(sending).following(after=str(place)) as told:
            rest, _ = await until_unread(told)
            assert rest == seen[number + 1 :]


async def test_entries_that_are_saved_at_once_are_told_once_each(sending, replica):
    rows = [row_of(changed(), account_id=new_id("acc")) for _ in range(12)]

    async def looking():
        while True:
            await replica.look()
            await asyncio.sleep(0)

    async with replica.following() as told:
        assert await until_unread(told) == ([], 0)
        look = asyncio.create_task(looking())
        taking = asyncio.gather(*(take(sending, row) for row in rows))
        seen: list[tuple[str, int]] = []
        while len(seen) < len(rows):
            if isinstance(event := await anext(told), EntryTold):
                seen.append((event.shown.entry.id, event.place.number))
        await taking
        look.cancel()
    assert [number for _, number in seen] == list(range(1, 13))
    assert sorted(each for each, _ in seen) == sorted(await listed(sending))


async def test_the_number_of_unread_entries_follows_what_is_read_elsewhere(sending, replica):
    await tell(sending, changed(), changed())
    async with replica.following() as told:
        assert await until_unread(told) == ([], 2)
        newest = (await listed(sending))[0]
        assert await entries.mark_read(sending.ctx, principal(), ids=[newest], up_to=None) == 1
        await replica.look()
        assert await until_unread(told) == ([], 1)
        await entries.mark_read(sending.ctx, principal(), ids=[newest], up_to=None)  # no change
        await entries.mark_read(sending.ctx, principal(), ids=None, up_to=newest)
        await replica.look()
        assert await until_unread(told) == ([], 0)


async def test_more_than_a_page_is_told_in_order(sending, replica):
    count = PAGE_ENTRIES + 3
    await tell(sending, *(changed() for _ in range(count)))
    async with replica.following(after=str(BEGINNING)) as told:
        found, unread = await until_unread(told)
    assert unread == count
    assert [place.number for _, place in found] == list(range(1, count + 1))


NO_PLACES = (
    "x",
    "3",
    "3.",
    ".{first}",
    "01.{first}",
    "1.{second}",
    "2.{first}",
    "1.{other}",
    "9.{first}",
    "0.{first}",
)


async def test_a_place_of_another_list_is_refused(sending, replica):
    await tell(sending, changed(), changed(), changed(OTHER))
    first, second = [one.id for one in await sending.ctx.entries.after(BO, 0, limit=2)]
    [other] = await listed(sending, OTHER)
    for form in NO_PLACES:
        after = form.format(first=first, second=second, other=other)
        with pytest.raises(Invalid) as refused:
            await open_list(replica.ctx, principal(), after=after)
        assert refused.value.errors[0].pointer == "/headers/Last-Event-ID"


@pytest.mark.rule("B12")
async def test_nothing_is_told_once_the_session_has_ended(sending, replica):
    async with replica.following() as told, replica.following(of=principal(session="s")) as other:
        assert [await until_unread(each) for each in (told, other)] == [([], 0), ([], 0)]
        await tell(sending, changed(), changed())
        await replica.look()
        assert isinstance(await anext(told), EntryTold)
        replica.ctx.signed_in.ended.add("ses_1")
        await check_readers(replica.ctx)
        assert [event async for event in told] == [ListOver("token-revoked")]
        assert len((await until_unread(other))[0]) == 2
        replica.ctx.signed_in.away = True  # who is signed in is not known: no one is told anything
        await tell(sending, changed())
        await replica.look()
        await check_readers(replica.ctx)
        assert [event async for event in other] == [ListOver("unavailable")]
    assert replica.ctx.lists.users() == set()


async def test_a_live_list_ends_with_a_word_that_says_why(sending, replica):
    await tell(sending, changed())
    far = sending.database["lists"]

    async def behind():
        await far.update_one({"_id": BO}, {"$inc": {"number": MAX_BEHIND + 1, "changes": 1}})

    async def erased():
        await tell(sending, identity_erasure.UserErased(user_id=BO, account_id="acc_bo"))

    async def drained():
        replica.ctx.lists.drain()

    for cause, reason in ((behind, "too-slow"), (erased, "set-back"), (drained, "draining")):
        async with replica.following() as told:
            await until_unread(told)
            await cause()
            await replica.look()
            assert [event async for event in told] == [ListOver(reason)]
    async with replica.following() as told:  # one that was opened while the replica stops
        assert [event async for event in told] == [ListOver("draining")]


async def test_a_live_list_without_its_database_ends_and_gives_its_place_back(sending, replica):
    class Absent:
        async def states(self, user_ids):
            raise DatabaseAway("away")

    place = await open_list(replica.ctx, principal(), after=None)
    ctx = replace(replica.ctx, entries=Absent())
    told = list_events(ctx, principal(), place)
    assert [event async for event in told] == [ListOver("unavailable")]
    assert ctx.lists.users() == set()


async def test_each_user_and_each_replica_has_a_number_of_live_lists(sending, replica):
    lists = replica.ctx.lists
    opened = [list_events(replica.ctx, principal(), BEGINNING) for _ in range(MAX_OF_USER + 1)]
    first = [await anext(told) for told in opened]
    assert first[-1] == ListOver(TooManyLiveLists.code)
    assert all(isinstance(event, UnreadTold) for event in first[:-1])
    with pytest.raises(TooManyLiveLists):
        await open_list(replica.ctx, principal(), after=None)
    await open_list(replica.ctx, principal(OTHER), after=None)
    for told in opened:
        await told.aclose()
    assert lists.users() == set()
    held = [lists.reader(principal(UserId(f"usr_{n}"))) for n in range(MAX_OF_REPLICA)]
    for each in held:
        each.__enter__()
    with pytest.raises(TooManyLiveLists) as refused:
        lists.require_room(BO)
    assert "that a replica may have" in str(refused.value)


def test_only_readers_of_a_list_that_changed_are_woken():
    lists = ListReaders()
    with lists.reader(principal()) as bo, lists.reader(principal(OTHER)) as other:
        state = ListState(ListPlace(1, "msg_1"), 1)
        lists.looked_at({BO: state, OTHER: ListState()})
        for each in (bo, other):
            each.news.clear()
        lists.looked_at({BO: replace(state, changes=2), OTHER: ListState()})
        assert (bo.news.is_set(), other.news.is_set()) == (True, False)


@pytest.mark.rule("B12")
async def test_a_live_list_is_a_stream_of_events_that_ends_with_the_session(mongo_url):
    async with running_hooks(mongo_url, new_id("test")) as hooks:
        claims = user_claims(
            issuer=ISSUER,
            user_id=ANA,
            session_id=SESSION,
            account_id=ACCOUNT,
            now=hooks.clock.now(),
        )
        headers = {"Authorization": f"Bearer {sign_access_token(hooks.authz.key, 'k1', claims)}"}
        url = f"{hooks.url}/v1/me/notifications"
        async with hooks.http.get(f"{url}/stream", headers=headers) as response:
            assert (response.status, response.content_type) == (200, "text/event-stream")
            told = Told(response)
            assert await told.next() == ("unread", {"unread": 0})
            await hooks.happen(changed(ANA))
            name, entry = await told.next()
            assert (name, entry["unread"]) == ("notification", True)
            assert told.last_id == f"1.{entry['id']}"
            async with hooks.http.get(url, headers=headers) as listed:
                assert (await listed.json())["items"] == [entry]
            assert await told.next() == ("unread", {"unread": 1})
            body = {"ids": [entry["id"]]}
            async with hooks.http.post(f"{url}/read", headers=headers, json=body) as read:
                assert read.status == 200
            assert await told.next() == ("unread", {"unread": 0})
            hooks.authz.ended.add(SESSION)
            assert await told.next() == ("end", {"reason": "token-revoked"})
            with pytest.raises(EOFError):
                await told.next()
