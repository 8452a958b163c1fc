"""The pages of an account's settings, over a stand-in of the API."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.console.domain.event_choices import chosen_types, offered
from services.console.domain.retention_choices import ends_records, read_days
from shared.clock import SystemClock
from tests.services.console.accounts import ACCOUNT, API, PAGE, USER_ID, describe_account, member
from tests.services.console.browsing import StandIn, problem, tokens

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS, HOOKS, STREAMS = f"{PAGE}/settings", f"{API}/webhooks", f"{API}/audit-streams"
PREVIEW, TRANSFER = f"POST {API}/changes/preview", f"{API}/ownership-transfer"
OWNED = ACCOUNT | {
    "owner": True,
    "owner_user_id": USER_ID,
    "require_second_factor": False,
    "ownership_transfer": None,
    "deletes_at": None,
    "etag": '"a1"',
}
OFFER = {
    "user_id": "usr_2",
    "name": "Bo <b>",
    "owner_name": "Ana",
    "expires_at": "2026-12-04T08:00:00Z",
}
HOOK: Mapping[str, Any] = {
    "id": "whk_1",
    "url": "https://hooks.example/<x>",
    "event_types": ["member.*", "role.changed"],
    "description": "Directory",
    "enabled": True,
    "disabled_because": None,
    "failing_since": None,
    "previous_secret_until": None,
    "etag": '"w1"',
}
DELIVERY = {
    "id": "dlv_1",
    "event_type": "member.removed",
    "status": "failed",
    "created_at": "2026-11-27T08:00:00Z",
    "finished_at": "2026-11-27T09:00:00Z",
    "attempts": [{"status": None, "error": "no <answer>", "milliseconds": 9}],
}
STREAM: Mapping[str, Any] = {
    "id": "str_1",
    "name": "SIEM",
    "url": "https://siem.example",
    "header": "Authorization",
    "enabled": True,
    "paused_because": None,
    "waiting_records": 3,
    "sent_at": None,
    "problem": None,
    "test_due": False,
    "tested": None,
    "etag": '"t1"',
}
TYPES = ("member.removed", "member.joined", "role.changed", "webhook.test")
EVERYTHING = ("account:view", "account:update", "webhook:manage", "audit_log:view")


@pytest.fixture
def settings(api: StandIn) -> StandIn:
    """The API of an account that the visitor owns."""
    describe_account(api, permissions=EVERYTHING, account=OWNED, members=(member(2),))
    preview = {"members_concerned": 1, "memberships_ending": 2, "invitations_concerned": 3}
    api.answers |= {
        f"PATCH {API}": (200, OWNED),
        PREVIEW: (
            200,
            {
                **preview,
                "preview_tag": '"seen1"',
                "items": [{"name": "Cy <i>", "email": "", "user_id": "u"}],
            },
        ),
        "GET /v1/webhook-event-types": (200, {"items": [{"type": one} for one in TYPES]}),
        f"GET {HOOKS}": (200, {"items": [HOOK]}),
        f"POST {HOOKS}": (201, {**HOOK, "secret": "whsec_1"}),
        f"GET {HOOKS}/whk_1": (200, HOOK),
        f"PATCH {HOOKS}/whk_1": (200, HOOK),
        f"DELETE {HOOKS}/whk_1": (204, None),
        f"GET {HOOKS}/whk_1/deliveries": (200, {"items": [DELIVERY], "next_cursor": None}),
        f"POST {HOOKS}/whk_1/test": (202, DELIVERY),
        f"POST {HOOKS}/whk_1/rotate-secret": (200, {**HOOK, "secret": "whsec_2"}),
        f"POST {HOOKS}/whk_1/deliveries/dlv_1/redeliver": (200, DELIVERY),
        f"GET {STREAMS}": (200, {"items": [STREAM]}),
        f"POST {STREAMS}": (201, STREAM),
        f"GET {STREAMS}/str_1": (200, STREAM),
        f"PATCH {STREAMS}/str_1": (200, STREAM),
        f"POST {STREAMS}/str_1/test": (202, STREAM),
        f"DELETE {STREAMS}/str_1": (204, None),
    }
    return api


async def test_a_form_offers_nouns_and_keeps_what_was_chosen_besides():
    assert offered(TYPES, ("role.changed", "*")) == [
        "member.*",
        "role.*",
        "webhook.*",
        "role.changed",
    ]
    assert chosen_types({"event.member.*": "on", "url": "x"}) == ["member.*"]
    assert chosen_types({"url": "x"}) == ["*"]


@pytest.mark.parametrize(
    ("before", "typed", "after", "ends"),
    [
        (365, "90", 90, True),
        (365, "364", 364, True),
        (365, "365", 365, False),
        (365, " 366 ", 366, False),
        (365, "", None, False),
        (None, "3650", 3650, True),
        (None, " ", None, False),
        (365, "soon", "soon", False),
        (365, "\u0663", "\u0663", False),
    ],
)
async def test_records_end_by_a_shorter_time_and_by_the_first_limit(before, typed, after, ends):
    assert read_days(typed) == after
    assert ends_records(before, after) is ends


async def test_an_account_is_renamed_as_it_was_shown(browser, settings):
    await browser.sign_in()
    await browser.open(SETTINGS)
    shown = re.findall('name="state" value="([^"]*)"', browser.text)
    settings.answers[f"PATCH {API}"] = problem(412, "precondition-failed")
    await browser.press(SETTINGS, name="Gears & Co")
    assert (browser.status, 'value="Gears &amp; Co"' in browser.text) == (412, True)
    settings.answers[f"PATCH {API}"] = (200, OWNED)
    assert await browser.press(SETTINGS, name="Gears") == f"{SETTINGS}?done=account-renamed"
    assert settings.conditions == [f'"{tag}"' for tag in shown * 2]


async def test_a_member_who_may_change_nothing_is_offered_nothing(browser, settings):
    account = OWNED | {"owner": False}
    describe_account(settings, permissions=("account:view",), account=account)
    await browser.sign_in()
    await browser.open(SETTINGS)
    for offered_text in ('name="name"', "second-factor", "revert", "delete", "webhooks"):
        assert offered_text not in browser.text


NO_FACTOR = {"totp": None, "passkeys": 0, "recovery_codes_left": 0}


@pytest.mark.parametrize(
    ("factors", "demanded", "offered_press"),
    [
        (NO_FACTOR, False, False),
        (NO_FACTOR | {"totp": {"added_at": "2026-11-01T08:00:00Z"}}, False, True),
        (NO_FACTOR | {"passkeys": 1}, False, True),
        (NO_FACTOR, True, True),
    ],
)
async def test_a_second_factor_is_demanded_by_those_who_have_one(
    browser, settings, factors, demanded, offered_press
):
    settings.answers["GET /v1/me/mfa"] = (200, factors)
    settings.answers[f"GET {API}"] = (200, OWNED | {"require_second_factor": demanded})
    await browser.sign_in()
    await browser.open(SETTINGS)
    assert (f'href="{SETTINGS}/second-factor"' in browser.text) is offered_press
    for shown in ('disabled aria-describedby="factor-reason"', "Add one first:"):
        assert (shown in browser.text) is not offered_press


async def test_the_demand_of_a_second_factor_names_who_is_shut_out(browser, settings):
    await browser.sign_in()
    await browser.open(f"{SETTINGS}/second-factor")
    assert settings.asked_for(PREVIEW) == [
        {"change": {"type": "account_change", "require_second_factor": True}}
    ]
    assert "Shut out at once: 1" in browser.text
    assert "Cy &lt;i&gt;" in browser.text
    assert settings.asked_for(f"PATCH {API}") == []
    where = await browser.press(f"{SETTINGS}/second-factor")
    assert where == f"{SETTINGS}?done=factor-demanded"
    assert settings.asked_for(f"PATCH {API}") == [{"require_second_factor": True}]
    assert settings.previewed == [(f"PATCH {API}", '"seen1"')]


CHANGES = [
    ("", {"name": "Gears"}, '"a1"'),
    ("/second-factor", {}, '"a1"'),
    *(("/webhooks/whk_1", {"press": one}, '"w1"') for one in ("change", "enable", "disable")),
    ("/webhooks/whk_1/delete", {}, '"w1"'),
    *(("/streams/str_1", {"press": one}, '"t1"') for one in ("secret", "enable", "disable")),
    ("/streams/str_1/delete", {}, '"t1"'),
]


@pytest.mark.parametrize(("page", "typed", "state"), CHANGES)
async def test_a_change_counts_for_the_state_that_was_shown(browser, settings, page, typed, state):
    await browser.sign_in()
    await browser.open(SETTINGS + page)
    assert "done=" in await browser.press(SETTINGS + page, **typed)
    assert settings.conditions == [state]


async def test_the_secret_of_a_webhook_is_in_one_answer(browser, settings):
    await browser.sign_in()
    new = f"{SETTINGS}/webhooks/new"
    await browser.open(new)
    await browser.press(new, url="https://x.example", **{"event.member.*": "on"})
    assert 'value="whsec_1"' in browser.text
    assert settings.asked_for(f"POST {HOOKS}") == [
        {"url": "https://x.example", "description": "", "event_types": ["member.*"]}
    ]
    one = f"{SETTINGS}/webhooks/whk_1"
    await browser.open(one)
    assert "whsec" not in browser.text
    await browser.press(one, press="rotate")
    assert 'value="whsec_2"' in browser.text
    settings.answers[f"POST {HOOKS}/whk_1/rotate-secret"] = (200, {**HOOK, "secret": None})
    await browser.open(one)
    await browser.press(one, press="rotate")
    assert "was shown once before" in browser.text
    assert len(settings.keys) == 3


@pytest.mark.parametrize(
    ("page", "made", "secret"),
    [("new", HOOKS, "whsec_1"), ("whk_1", f"{HOOKS}/whk_1/rotate-secret", "whsec_2")],
)
async def test_a_new_secret_of_a_webhook_needs_no_answer_after_it(
    browser, settings, page, made, secret
):
    await browser.sign_in()
    await browser.open(f"{SETTINGS}/webhooks/{page}")
    settings.silent_after = f"POST {made}"
    await browser.press(f"{SETTINGS}/webhooks/{page}", press="rotate", url="https://x.example")
    assert settings.silent
    assert (browser.status, f'value="{secret}"' in browser.text) == (200, True)


async def test_the_list_of_webhooks_names_events_as_their_form_does(browser, settings):
    await browser.sign_in()
    await browser.open(f"{SETTINGS}/webhooks")
    assert "<bdi>Members, Role edited: what it allows</bdi>" in browser.text
    await browser.open(f"{SETTINGS}/webhooks/whk_1")
    for words in ("Members", "Role edited: what it allows"):
        assert f"<span>{words}</span>" in browser.text


async def test_a_webhook_shows_its_deliveries_and_takes_presses(browser, settings):
    await browser.sign_in()
    one = f"{SETTINGS}/webhooks/whk_1"
    for press, method, path, body, done in (
        ("test", "POST", "whk_1/test", None, "test-sent"),
        ("disable", "PATCH", "whk_1", {"enabled": False}, "webhook-disabled"),
        ("enable", "PATCH", "whk_1", {"enabled": True}, "webhook-enabled"),
        ("redeliver", "POST", "whk_1/deliveries/dlv_1/redeliver", None, "redelivered"),
    ):
        await browser.open(one)
        assert await browser.press(one, press=press) == f"{one}?done={done}"
        assert settings.asked_for(f"{method} {HOOKS}/{path}")[-1] == body
    await browser.open(one)
    for shown in ("hooks.example/&lt;x&gt;", "no &lt;answer&gt;", 'name="event.role.changed"'):
        assert shown in browser.text
    asked = len(settings.asked)
    await browser.press(one, press="unknown")
    assert {name.partition(" ")[0] for name, *_ in settings.asked[asked:]} == {"GET"}
    assert set(settings.conditions) == {'"w1"'}


@pytest.mark.parametrize(("typed", "days"), [("1", 1), ("7", 7), ("30", 30), ("9", 30), ("", 30)])
@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ({"deliveries": 0, "more": False}, "none-failed"),
        ({"deliveries": 2, "more": False}, "failed-redelivered"),
        ({"deliveries": 2, "more": True}, "failed-redelivered-partly"),
    ],
)
async def test_what_has_failed_since_the_chosen_days_is_sent_again(
    browser, settings, typed, days, answer, done
):
    settings.answers[f"POST {HOOKS}/whk_1/redeliver"] = (200, answer)
    one = f"{SETTINGS}/webhooks/whk_1"
    await browser.sign_in()
    await browser.open(one)
    before = SystemClock().now()
    to = await browser.press(one, press="redeliver-failed", since=typed)
    assert to == f"{one}?done={done}"
    [sent] = settings.asked_for(f"POST {HOOKS}/whk_1/redeliver")
    back = timedelta(days=days)
    assert before - back <= datetime.fromisoformat(sent["since"]) <= SystemClock().now() - back


async def test_a_webhook_and_a_stream_are_deleted_after_a_question(browser, settings):
    await browser.sign_in()
    for kind, path, name in (
        ("webhooks", f"{HOOKS}/whk_1", "whk_1"),
        ("streams", f"{STREAMS}/str_1", "str_1"),
    ):
        where = f"{SETTINGS}/{kind}/{name}/delete"
        await browser.open(where)
        assert settings.asked_for(f"DELETE {path}") == []
        to = await browser.press(where)
        assert to == f"{SETTINGS}/{kind}?done={kind.removesuffix('s')}-deleted"
    assert settings.conditions == ['"w1"', '"t1"']


async def test_the_secret_of_a_stream_is_sent_and_never_shown(browser, settings):
    await browser.sign_in()
    new = f"{SETTINGS}/streams/new"
    settings.answers[f"POST {STREAMS}"] = problem(409, "too-many-streams", limit=5)
    await browser.open(new)
    fields = {"url": "https://x.example", "name": "SIEM", "header": "X-Key"}
    await browser.press(new, secret="Bearer s3cret", start="beginning", **fields)
    assert (browser.status, "There are 5 log streams" in browser.text) == (409, True)
    assert "s3cret" not in browser.text
    settings.answers[f"POST {STREAMS}"] = (201, STREAM)
    where = await browser.press(new, secret="Bearer s3cret", start="beginning", **fields)
    assert where == f"{SETTINGS}/streams/str_1?done=stream-created"
    assert settings.asked_for(f"POST {STREAMS}")[-1] == {
        **fields,
        "secret": "Bearer s3cret",
        "start": "beginning",
    }
    one = f"{SETTINGS}/streams/str_1"
    for press, body in (
        ("enable", {"enabled": True}),
        ("disable", {"enabled": False}),
        ("secret", {"secret": "new"}),
    ):
        await browser.open(one)
        await browser.press(one, press=press, secret="new")
        assert settings.asked_for(f"PATCH {STREAMS}/str_1")[-1] == body
    await browser.open(one)
    assert await browser.press(one, press="test") == f"{one}?done=test-sent"


@pytest.mark.rule("B3")
async def test_the_account_is_offered_after_a_fresh_proof(browser, settings):
    """The proof is asked on a page of its own, which carries the member and the key."""
    await browser.sign_in()
    where = f"{SETTINGS}/ownership"
    settings.answers[f"POST {TRANSFER}"] = problem(401, "step-up-required")
    settings.answers["POST /v1/me/step-up"] = (200, tokens())
    await browser.open(where)
    await browser.press(where, press="offer", member="usr_2")
    assert f'action="{where}"' in browser.text
    settings.answers[f"POST {TRANSFER}"] = (201, OFFER)
    to = await browser.press(where, press="offer", password="pw")
    assert to == f"{where}?done=ownership-offered"
    assert settings.asked_for(f"POST {TRANSFER}") == [{"user_id": "usr_2"}] * 2
    assert len(set(settings.keys)) == 1


@pytest.mark.rule("B3")
async def test_an_offer_is_taken_back_accepted_or_declined(browser, settings):
    await browser.sign_in()
    where = f"{SETTINGS}/ownership"
    receiver = OWNED | {"owner": False, "ownership_transfer": OFFER | {"user_id": USER_ID}}
    settings.answers |= {
        f"DELETE {TRANSFER}": (204, None),
        f"POST {TRANSFER}/accept": (200, OWNED),
        f"POST {TRANSFER}/decline": (204, None),
    }
    for account, press, request in (
        (OWNED | {"ownership_transfer": OFFER}, "take-back", f"DELETE {TRANSFER}"),
        (receiver, "accept", f"POST {TRANSFER}/accept"),
        (receiver, "decline", f"POST {TRANSFER}/decline"),
    ):
        settings.answers[f"GET {API}"] = (200, account)
        await browser.open(where)
        assert f'value="{press}"' in browser.text
        assert (await browser.press(where, press=press)).startswith(f"{where}?done=")
        assert len(settings.asked_for(request)) == 1
    settings.answers[f"GET {API}"] = (200, OWNED | {"owner": False})
    await browser.open(where)
    assert "Only the owner" in browser.text
    assert "<select" not in browser.text


@pytest.mark.rule("B3")
async def test_each_page_tells_the_receiver_of_an_offer(browser, settings):
    await browser.sign_in()
    for receiver, told in ((USER_ID, True), ("usr_2", False)):
        offer = OFFER | {"user_id": receiver, "owner_name": "Bo <i>"}
        settings.answers[f"GET {API}"] = (200, OWNED | {"ownership_transfer": offer})
        await browser.open(f"{PAGE}/settings")
        assert "offers this account" not in browser.text
        await browser.open(f"{PAGE}/members")
        assert ("Bo &lt;i&gt; offers this account to you." in browser.text) is told


@pytest.mark.rule("Rp3")
async def test_a_team_is_reverted_after_its_name_was_typed(browser, settings):
    await browser.sign_in()
    where = f"{SETTINGS}/revert"
    settings.answers[f"POST {API}/revert"] = problem(409, "confirmation-wrong")
    await browser.open(where)
    assert "Members: 2" in browser.text
    assert "Pending invitations: 3" in browser.text
    await browser.press(where, confirm="wrong")
    assert "This is not the name of the account." in browser.text
    settings.answers[f"POST {API}/revert"] = (200, OWNED)
    assert await browser.press(where, confirm="Analytical Engines") == f"{SETTINGS}?done=reverted"
    assert settings.asked_for(f"POST {API}/revert") == [
        {"confirm": "wrong"},
        {"confirm": "Analytical Engines"},
    ]
    assert settings.previewed == [(f"POST {API}/revert", '"seen1"')] * 2


async def test_an_account_is_deleted_by_its_name_and_restored(browser, settings):
    await browser.sign_in()
    where = f"{SETTINGS}/delete"
    settings.answers |= {
        f"DELETE {API}": problem(401, "step-up-required"),
        f"POST {API}/restore": (200, OWNED),
        "POST /v1/me/step-up": (200, tokens()),
    }
    counts = {"active": 3, "suspended": 1, "invited": 2, "expired": 0}
    people = {"items": [member(1), member(2, name="Bo <b>"), member(3)], "next_cursor": None}
    settings.answers |= {
        f"GET {API}/members": (200, people | {"counts": counts}),
        f"GET {API}/projects": (200, {"items": [{"id": "p", "name": "Alpha <i>"}]}),
    }
    await browser.open(where)
    assert "Other members: 2 (<bdi>Bo &lt;b&gt;</bdi>, <bdi>Member 3</bdi>)" in browser.text
    assert "Pending invitations: 2" in browser.text
    assert "Projects: 1 (<bdi>Alpha &lt;i&gt;</bdi>)" in browser.text
    await browser.press(where, press="delete", confirm="Analytical Engines")
    settings.answers[f"DELETE {API}"] = (200, OWNED)
    to = await browser.press(where, press="delete", password="pw")
    assert to == f"{where}?done=account-deleted"
    assert (f"DELETE {API}", {"confirm": "Analytical Engines"}) in settings.queries
    deleted = OWNED | {"status": "deleting", "deletes_at": "2026-12-27T08:00:00Z"}
    settings.answers[f"GET {API}"] = (200, deleted)
    await browser.open(where)
    assert ">27 Dec 2026, 08:00</time>" in browser.text
    assert 'name="confirm"' not in browser.text
    assert await browser.press(where, press="restore") == f"{SETTINGS}?done=account-restored"


async def test_a_fault_of_the_secret_of_a_stream_stands_at_its_field(browser, settings):
    await browser.sign_in()
    fault = {"pointer": "/secret", "message": "Contains a character that is not allowed."}
    refusal = problem(422, "invalid", errors=[fault])
    for page, request, press in (
        (f"{SETTINGS}/streams/new", f"POST {STREAMS}", {}),
        (f"{SETTINGS}/streams/str_1", f"PATCH {STREAMS}/str_1", {"press": "secret"}),
    ):
        settings.answers[request] = refusal
        await browser.open(page)
        await browser.press(page, secret="no\nsecret", **press)
        assert browser.status == 422
        assert re.search(r'id="secret-fault"[^>]*>[^<]*Contains a character', browser.text)
        assert "no\nsecret" not in browser.text
