"""Mails that are switched off, and the list that has every message."""

import pytest

from services.notification.domain.messages import MessageKind
from services.notification.domain.preferences import (
    MAX_ACCOUNTS,
    OPTIONAL_KINDS,
    MailsOffInAll,
    UnsubscribeLinkInvalid,
    UnsubscribeTarget,
)
from services.notification.routes.preferences import preferences_view
from services.notification.use_cases import entries, preferences
from shared.auth.principals import UserPrincipal
from shared.contracts import identity, identity_erasure, team, team_endings
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.http.preconditions import Precondition, PreconditionFailed
from shared.ids import AccountId, SessionId, UserId
from shared.locales import Locale
from shared.problems import Invalid
from tests.services.notification.conftest import UNSUBSCRIBE_LINKS
from tests.services.notification.samples import MEMBER, ROLE_CHANGED, USER
from tests.services.notification.steps import send_what_is_due, take, tell
from tests.services.rows import row_of

BO, ACCOUNT, OTHER = UserId("usr_" + "b" * 32), "acc_" + "1" * 32, "acc_" + "2" * 32
PRINCIPAL = UserPrincipal(user_id=BO, session_id=SessionId("ses_1"), account_id=AccountId(ACCOUNT))
CALLER = Caller(actor=Actor(type="user", id=BO), request=RequestInfo(request_id="req_1"))
CEM = UserPrincipal(user_id=UserId("usr_" + "c" * 32), session_id=SessionId("ses_3"))
STRANGER = Caller(
    actor=Actor(type="anonymous", id="anonymous"), request=RequestInfo(request_id="req_2")
)
ROLE = MessageKind.ROLE_CHANGED


def changed(**fields):
    return team.MemberRoleChanged(**ROLE_CHANGED | {"user_id": BO} | fields, ends_sessions=False)


REMOVED = team.MemberRemoved(**MEMBER | {"user_id": BO})


async def listed(sending, **wanted):
    filters = {"account_id": None, "unread": None, "before": None, "limit": 50} | wanted
    return [one.entry.kind for one in await entries.page(sending.ctx, PRINCIPAL, **filters)]


async def changes_of(sending):
    return [row for row in await sending.rows() if row.action == "preferences.changed"]


def token_of_url(url):
    return url.partition("token=")[2]


def token_of(mail):
    return token_of_url(str(mail["List-Unsubscribe"]).strip("<>"))


async def learn_about(sending, user_id, *, locale):
    fields = USER | {"user_id": user_id, "email": "bo@example.com", "locale": locale}
    fact = identity.UserSignedUp(**fields, verified=True, generation=1)
    await take(sending, row_of(fact))


def sent(scripted):
    return len(scripted.mails)


async def test_a_switched_off_mail_is_listed_and_not_sent(sending, scripted):
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [(ACCOUNT, [ROLE])])
    for account_id in (ACCOUNT, OTHER):
        await tell(sending, changed(), account_id=account_id)
    await tell(sending, REMOVED, account_id=ACCOUNT)
    await send_what_is_due(sending)
    assert sent(scripted) == 2
    assert sorted((await sending.statuses()).values()) == ["sent", "sent", "withheld"]
    assert await listed(sending) == ["removed", "role_changed", "role_changed"]


@pytest.mark.rule("B12")
async def test_the_link_of_a_mail_switches_its_kind_off_once(sending, scripted):
    await tell(sending, changed(), account_id=ACCOUNT)
    await send_what_is_due(sending)
    url = str(scripted.mails[0]["List-Unsubscribe"]).strip("<>")
    assert str(scripted.mails[0]["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click"
    for _ in range(2):
        await preferences.unsubscribe(sending.ctx, STRANGER, url.partition("token=")[2])
    await tell(sending, changed(role="admin"), account_id=ACCOUNT)
    await tell(sending, changed(role="admin"), account_id=OTHER)
    await send_what_is_due(sending)
    assert sent(scripted) == 2
    [row] = await changes_of(sending)
    assert row.after == {"off": ["role_changed in other accounts (1)"]}
    assert row.actor.type == "anonymous"


@pytest.mark.parametrize("by_link", [True, False])
async def test_preferences_are_recorded_in_the_own_account_alone(sending, scripted, *, by_link):
    """The team's log has nothing of a person's other accounts, nor of one who has left it."""
    await learn_about(sending, BO, locale="en")
    await tell(sending, changed(), REMOVED, account_id=ACCOUNT)
    if by_link:
        token = UNSUBSCRIBE_LINKS.token(UnsubscribeTarget(BO, ACCOUNT, ROLE))
        await preferences.unsubscribe(sending.ctx, STRANGER, token)
    else:
        chosen = [("acc_" + f"{n:032x}", sorted(OPTIONAL_KINDS)) for n in range(MAX_ACCOUNTS)]
        await preferences.choose(sending.ctx, CALLER, PRINCIPAL, chosen)
    [row] = await changes_of(sending)
    assert row.account_id == USER["account_id"]
    assert "acc_" not in str(row.after)
    assert len(row.to_event()) < 4_000


async def test_a_link_says_what_it_is_about_and_changes_nothing(sending, scripted):
    await learn_about(sending, BO, locale="de")
    await tell(sending, changed(), account_id=ACCOUNT)
    await send_what_is_due(sending)
    token = token_of(scripted.mails[0])
    states = []
    for change in (None, preferences.unsubscribe, preferences.resubscribe):
        if change is not None:
            await change(sending.ctx, STRANGER, token)
        found = await preferences.look_up(sending.ctx, token)
        states.append(found.state)
    assert states == ["on", "off", "on"]
    assert (found.title, found.account_name) == ("Ihre Rolle hat sich geändert", "Acme")
    assert found.email == "b…@example.com"  # a mail is forwarded: its reader may be another person
    actions = [row.action for row in await sending.rows()]
    assert actions.count("preferences.changed") == 2
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [(None, [ROLE])])
    with pytest.raises(MailsOffInAll):
        await preferences.resubscribe(sending.ctx, STRANGER, token)
    assert (await preferences.look_up(sending.ctx, token)).state == "off-in-all"


async def test_a_link_of_before_the_upgrade_works_without_a_known_person(sending):
    token = token_of_url(UNSUBSCRIBE_LINKS.url(await _message(sending)))
    found = await preferences.look_up(sending.ctx, token)
    assert (found.email, found.locale, found.state) == (None, "en", "on")
    await tell(sending, identity_erasure.UserErased(user_id=BO, account_id="acc_bo"))
    with pytest.raises(UnsubscribeLinkInvalid):
        await preferences.look_up(sending.ctx, token)


@pytest.mark.rule("B12")
async def test_of_two_choices_for_one_state_the_second_is_refused(sending):
    """Two tabs show the same state. The second press would undo what the first one chose."""
    seen = preferences_view(await preferences.show(sending.ctx, PRINCIPAL)).etag
    condition = Precondition(represent=preferences_view, if_match=(seen,))

    async def choose(kinds: list[str]):
        chosen: list[tuple[str | None, list[str]]] = [(None, kinds)]
        return await preferences.choose(
            sending.ctx, CALLER, PRINCIPAL, chosen, precondition=condition
        )

    first = await choose([ROLE])
    in_german = preferences_view(first.result, Locale.DE)
    assert in_german.etag == preferences_view(first.result).etag != seen
    assert in_german.read_tag != preferences_view(first.result).read_tag, "304 is of one language"
    with pytest.raises(PreconditionFailed):
        await choose(["token_expiry"])
    await choose([ROLE])  # the same again: its answer was lost
    [off] = (await preferences.show(sending.ctx, PRINCIPAL)).off
    assert off.kinds == (ROLE,)


@pytest.mark.parametrize(
    "ending",
    [
        REMOVED,
        team.MemberLeft(**MEMBER | {"user_id": BO}),
        team_endings.AccountDeleted(account_name="A", owner_user_id="usr_a"),
    ],
    ids=lambda fact: fact.type,
)
async def test_what_is_off_in_an_account_ends_with_the_membership(sending, ending):
    kinds: list[str] = [ROLE]
    everywhere = [(ACCOUNT, kinds), (OTHER, kinds), (None, ["token_expiry"])]
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, everywhere)
    await preferences.choose(sending.ctx, CALLER, CEM, [(ACCOUNT, [ROLE])])
    await tell(sending, ending, account_id=ACCOUNT)
    left = await preferences.show(sending.ctx, PRINCIPAL)
    assert {one.account_id for one in left.off} == {OTHER, None}
    of_another = (await preferences.show(sending.ctx, CEM)).off
    assert bool(of_another) is not isinstance(ending, team_endings.AccountDeleted)
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [(OTHER, [ROLE])])
    assert len((await preferences.show(sending.ctx, PRINCIPAL)).off) == 1


async def test_a_refused_choice_changes_nothing(sending):
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [(None, [ROLE])])
    with pytest.raises(Invalid):
        await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [(None, ["password_changed"])])
    [off] = (await preferences.show(sending.ctx, PRINCIPAL)).off
    assert (off.account_id, off.kinds) == (None, (ROLE,))
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [])
    assert (await preferences.show(sending.ctx, PRINCIPAL)).off == ()


async def test_a_list_pages_filters_and_counts_what_is_unread(sending):
    for account_id in (ACCOUNT, OTHER, ACCOUNT):
        await tell(sending, changed(), account_id=account_id)
    await tell(sending, changed(email="cem@example.com", user_id="usr_cem"))
    assert await entries.count_unread(sending.ctx, PRINCIPAL) == 3
    assert len(await listed(sending, account_id=ACCOUNT)) == 2
    found = await entries.page(
        sending.ctx, PRINCIPAL, account_id=None, unread=True, before=None, limit=50
    )
    ids = [one.entry.id for one in found]
    assert ids == sorted(ids, reverse=True)
    assert len(await listed(sending, before=ids[0])) == 2
    assert "“Acme”" in found[0].text.title
    assert await entries.mark_read(sending.ctx, PRINCIPAL, ids=[ids[1]], up_to=None) == 2
    assert await entries.mark_read(sending.ctx, PRINCIPAL, ids=None, up_to=ids[1]) == 1
    assert len(await listed(sending, unread=False)) == 2
    other = UserPrincipal(user_id=UserId("usr_cem"), session_id=SessionId("ses_2"))
    [of_other] = await entries.page(
        sending.ctx, other, account_id=None, unread=None, before=None, limit=50
    )
    for named, places in (
        ({"ids": [of_other.entry.id, ids[0]], "up_to": None}, ["/ids/1"]),
        ({"ids": None, "up_to": ids[0]}, ["/up_to"]),
        ({"ids": None, "up_to": "msg_" + "f" * 32}, ["/up_to"]),
    ):
        with pytest.raises(Invalid) as refused:
            await entries.mark_read(sending.ctx, other, **named)
        assert [each.pointer for each in refused.value.errors] == places
        assert await entries.count_unread(sending.ctx, other) == 1, "a refusal marks nothing"
    newest = of_other.entry.id  # the entries of others are older
    assert await entries.mark_read(sending.ctx, other, ids=None, up_to=newest) == 0
    assert await entries.count_unread(sending.ctx, PRINCIPAL) == 1
    assert await entries.mark_read(sending.ctx, PRINCIPAL, ids=None, up_to=ids[0]) == 0


@pytest.mark.parametrize("named", [{"ids": None, "up_to": None}, {"ids": [], "up_to": "msg_1"}])
async def test_marking_names_what_is_read_in_one_way(sending, named):
    with pytest.raises(Invalid):
        await entries.mark_read(sending.ctx, PRINCIPAL, **named)


async def test_a_fact_that_arrives_twice_is_one_entry_and_stays_read(sending):
    row = row_of(changed(), account_id=ACCOUNT)
    await take(sending, row)
    [message_id] = await sending.statuses()
    await entries.mark_read(sending.ctx, PRINCIPAL, ids=[message_id], up_to=None)
    await take(sending, row)
    assert await entries.count_unread(sending.ctx, PRINCIPAL) == 0
    assert len(await listed(sending)) == 1


async def test_an_erased_person_has_no_list_and_no_preferences(sending):
    url = UNSUBSCRIBE_LINKS.url(await _message(sending))
    assert url is not None
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [(None, [ROLE])])
    await tell(sending, identity_erasure.UserErased(user_id=BO, account_id="acc_bo"))
    await tell(sending, changed(), account_id=ACCOUNT)
    await preferences.unsubscribe(sending.ctx, STRANGER, url.partition("token=")[2])
    assert await listed(sending) == []
    for name in ("entries", "preferences"):
        assert [one async for one in sending.database[name].find({})] == []


async def _message(sending):
    await tell(sending, changed(), account_id=ACCOUNT)
    [found] = await sending.ctx.messages.due(sending.clock.now(), limit=5)
    message = await sending.ctx.messages.claim(found, claim="c", until=sending.clock.now())
    assert message is not None
    return message
