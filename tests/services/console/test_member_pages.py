"""The pages of members and invitations over a stand-in of the API."""

import re
from html import unescape
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from services.console.routes.invite import typed_addresses
from tests.services.console.accounts import API, PAGE, describe_account, member
from tests.services.console.browsing import problem
from tests.services.console.conftest import noted

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEA, MEMBER = f"{API}/members/usr_2", f"{PAGE}/members/usr_2"
INVITE, INVITATIONS = f"{PAGE}/invite", f"POST {API}/invitations"
PREVIEW = f"POST {API}/changes/preview"
REVISION = "team.3f2a.17.42"
LOST = {"instance": {"view": {"before": "all", "after": None}}}
IN_PRODUCTION = {"project_id": "prj_1", "name": "Production", "override": None}
IMPACT = {
    "user_id": "usr_2",
    "name": "Bea",
    "email": "bea@example.com",
    "role": {"before": "developer", "after": None},
    "membership": {"before": "member", "after": "none"},
    "everywhere": {"gained": {}, "lost": LOST},
    "in_projects": [],
}


def preview(**more):
    return 200, {
        "items": [IMPACT],
        "next_cursor": None,
        "etag": '"state1"',
        "preview_tag": '"seen1"',
        "members_concerned": 1,
        "memberships_ending": 1,
        "invitations_concerned": 0,
        "invitations": [],
        "violations": [],
        "resource_types_lost": [],
    } | more


def invited(email: str, *, url: str = "", again: bool = False):
    link = {"token": "t", "code": "c", "url": url} if url else None
    note = "shown-once" if again else None
    return 201, {"invitation": {"email": email}, "link": link, "note": note}


async def open_page(browser, api, path: str, **more) -> None:
    describe_account(api, **more)
    api.answers |= {
        f"GET {BEA}": (200, member(2, name="Bea", email="bea@example.com")),
        f"GET {BEA}/access": (200, {"items": [IN_PRODUCTION]}),
        f"GET {API}/projects": (200, {"items": [], "next_cursor": None}),
        PREVIEW: preview(),
    }
    await browser.sign_in()
    await browser.open(path)


@pytest.mark.parametrize("locale", ["en", "de"])
async def test_a_removal_says_what_ends_and_then_since_when(browser, api, locale):
    await open_page(browser, api, f"{MEMBER}/remove", locale=locale)
    assert {"en": "Instances", "de": "Instanzen"}[locale] in browser.text
    assert not any(name.startswith("DELETE") for name, *_ in api.asked)
    api.answers[f"DELETE {BEA}"] = (204, None)
    api.revisions[f"DELETE {BEA}"] = REVISION
    where = await browser.press(f"{MEMBER}/remove")
    assert where == f"{PAGE}/members?done=removed&revision={REVISION}"
    assert api.conditions == ['"state1"']
    api.answers[f"GET {API}/revisions/{REVISION}"] = (
        200,
        {"effective": True, "effective_at": "2026-11-27T17:30:05Z"},
    )
    await browser.open(where)
    assert "17:30:05" in browser.text
    said = {"en": "The member was removed.", "de": "Das Mitglied wurde entfernt."}
    assert said[locale] in browser.text


@pytest.mark.parametrize("revision", ["../../me", "team.a.1.1%2F..", "identity.a.1.1", "x"])
async def test_an_address_asks_for_no_receipt_that_cannot_be_one(browser, api, revision):
    await open_page(browser, api, f"{PAGE}/members")
    browser.receive(noted(f"{PAGE}/members", {"revision": revision}))
    await browser.open(f"{PAGE}/members?revision={quote(revision)}")
    assert browser.status == 200
    assert not any("revisions" in name for name, *_ in api.asked)


async def test_a_change_that_a_rule_refuses_has_no_button(browser, api):
    await open_page(browser, api, PAGE)
    api.answers[PREVIEW] = preview(violations=[{"guardrail": "An <b>admin"}] * 2)
    await browser.open(f"{MEMBER}/remove")
    assert "Remove the member</button>" not in browser.text
    assert browser.text.count("An &lt;b&gt;admin") == 1
    api.answers[PREVIEW] = preview()
    await browser.open(f"{MEMBER}/remove")
    assert "Remove the member</button>" in browser.text


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "The rule “Two &lt;admins&gt;” of this account"),
        ("de", "Die Regel „Two &lt;admins&gt;“ dieses Kontos"),
    ],
)
async def test_a_rule_that_refuses_the_press_is_named_in_words(browser, api, locale, words):
    await open_page(browser, api, f"{MEMBER}/suspend", locale=locale)
    api.answers[f"POST {BEA}/suspend"] = problem(
        409, "guardrail-violated", guardrail="Two <admins>"
    )
    await browser.press(f"{MEMBER}/suspend")
    assert (browser.status, words in browser.text) == (409, True)
    assert "About guardrail-violated" not in browser.text


async def test_a_role_changes_for_the_state_that_its_preview_showed(browser, api):
    await open_page(browser, api, f"{MEMBER}/role?role=viewer")
    [asked] = api.asked_for(PREVIEW)
    assert asked["change"] == {"type": "member_change", "user_id": "usr_2", "role": "viewer"}
    assert "would have <bdi" in browser.text
    assert not any(name.startswith("PATCH") for name, *_ in api.asked)
    api.answers[f"PATCH {BEA}"] = problem(412, "precondition-failed")
    api.answers[PREVIEW] = preview(etag='"state2"', preview_tag='"seen2"')
    await browser.press(f"{MEMBER}/role?role=viewer")
    assert (browser.status, "Someone has changed this meanwhile" in browser.text) == (412, True)
    api.answers[f"PATCH {BEA}"] = (200, member(2))
    where = await browser.press(f"{MEMBER}/role?role=viewer")
    assert where == f"{MEMBER}?done=role-changed"
    assert api.conditions == ['"state1"', '"state2"']
    assert api.previewed == [(f"PATCH {BEA}", '"seen1"'), (f"PATCH {BEA}", '"seen2"')]
    assert api.asked_for(f"PATCH {BEA}")[-1] == {"role": "viewer"}


@pytest.mark.parametrize(
    ("press", "change"),
    [
        ("members/usr_2/suspend", f"POST {BEA}/suspend"),
        ("members/usr_2/resume", f"POST {BEA}/resume"),
        ("members/usr_2/remove", f"DELETE {BEA}"),
        ("leave", f"POST {API}/leave"),
    ],
)
async def test_a_press_counts_for_what_its_page_has_shown(browser, api, press, change):
    await open_page(browser, api, f"{PAGE}/{press}")
    api.answers[change] = (204, None)
    await browser.press(f"{PAGE}/{press}")
    assert api.previewed == [(change, '"seen1"')]


async def test_what_a_removed_member_owns_is_given_to_another_one(browser, api):
    await open_page(browser, api, f"{MEMBER}/remove", members=(member(2), member(3)))
    assert "reassign_to" not in browser.text
    api.answers |= {
        f"GET {API}/resources": (200, {"items": [{"id": "i"}], "next_cursor": None}),
        f"DELETE {BEA}": (200, {}),
    }
    await browser.open(f"{MEMBER}/remove")
    assert (f"GET {API}/resources", {"owner": "usr_2", "limit": "1"}) in api.queries
    assert '<option value="usr_3">' in browser.text
    assert '<option value="usr_2">' not in browser.text
    await browser.press(f"{MEMBER}/remove", reassign_to="usr_3")
    assert api.queries[-1] == (f"DELETE {BEA}", {"reassign_to": "usr_3"})


async def test_the_last_day_of_a_membership_ends_in_the_zone_of_the_visitor(browser, api):
    await open_page(browser, api, PAGE)
    api.answers["GET /v1/me"] = (200, api.answers["GET /v1/me"][1] | {"time_zone": "Asia/Tokyo"})
    api.answers[f"PATCH {BEA}"] = (200, member(2))
    await browser.open(MEMBER)
    await browser.press(MEMBER, press="end", expires_at="soon")
    assert (browser.status, "Choose a day." in browser.text) == (422, True)
    for typed, press, sent in (
        ("2027-03-31", "end", "2027-03-31T14:59:59+00:00"),
        ("", "end", None),
        ("2027-03-31", "no-end", None),
    ):
        await browser.open(MEMBER)
        await browser.press(MEMBER, press=press, expires_at=typed)
        assert api.asked_for(f"PATCH {BEA}")[-1] == {"expires_at": sent}


@pytest.mark.rule("Ci12")
@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        (("member:view",), set()),
        (("member:view", "member:update"), {"/suspend", "/role"}),
        (("member:view", "member:remove"), {"/remove"}),
    ],
)
async def test_a_button_that_the_visitor_may_not_press_is_not_there(
    browser, api, permissions, shown
):
    await open_page(browser, api, MEMBER, permissions=permissions)
    found = {way for way in ("/suspend", "/role", "/remove") if f'{MEMBER}{way}"' in browser.text}
    assert found == shown
    assert ("Your role does not let you change members" in browser.text) is (
        "member:update" not in permissions
    )


@pytest.mark.rule("Ci12")
async def test_a_form_that_the_visitor_may_not_send_is_a_reason_instead(browser, api):
    await open_page(browser, api, INVITE, permissions=("account:view", "member:view"))
    assert "Your role does not let you invite people" in browser.text
    assert "<textarea" not in browser.text
    await browser.open(f"{PAGE}/convert")
    assert "This account is a team already." in browser.text
    assert 'name="name"' not in browser.text


async def test_the_owner_has_no_buttons_and_the_page_says_why(browser, api):
    await open_page(browser, api, PAGE)
    api.answers[f"GET {BEA}"] = (200, member(2, owner=True))
    await browser.open(MEMBER)
    assert "The owner keeps their role" in browser.text
    assert f"{MEMBER}/" not in browser.text


async def test_several_people_are_invited_and_each_once(browser, api):
    await open_page(browser, api, INVITE)
    api.answers[INVITATIONS] = invited("a@example.com")
    emails = "a@example.com, b@example.com\n\n a@example.com;c@example.com"
    sent = {"emails": emails, "role": "developer", "delivery": "email"}
    form = browser.text
    assert await browser.press(INVITE, **sent) == f"{PAGE}/members?done=invited-all"
    bodies = api.asked_for(INVITATIONS)
    assert [body["email"][0] for body in bodies] == ["a", "b", "c"]
    assert all(body["role"] == "developer" for body in bodies)
    browser.text = form
    await browser.press(INVITE, **sent)  # the button was pressed twice
    assert api.keys[:3] == api.keys[3:]
    assert len(set(api.keys)) == 3


async def test_a_form_that_has_invited_one_invites_the_others_and_says_so(browser, api):
    """The address went out with another role: a repeated press does not change it."""
    await open_page(browser, api, INVITE)
    key = {"pointer": "/headers/Idempotency-Key", "message": "Use a new key."}
    reused = problem(422, "idempotency-key-reused", errors=[key])
    api.series[INVITATIONS] = [reused, invited("c@example.com")]
    form = browser.text
    await browser.press(INVITE, emails="a@example.com c@example.com", role="viewer")
    assert [body["email"] for body in api.asked_for(INVITATIONS)] == [
        "a@example.com",
        "c@example.com",
    ]
    told, _, rest = browser.text.partition("An earlier press of this form")
    assert "<bdi>c@example.com</bdi>" in told.partition("These people are invited")[2]
    assert "<bdi>a@example.com</bdi>" in rest.partition("<form")[0]
    assert re.findall(r"<textarea[^>]*>([^<]*)</textarea>", browser.text) == [""]
    assert once_of(browser.text) != once_of(form)


def once_of(text):
    return re.findall(r'name="once" value="([^"]+)"', text)[0]


async def test_the_form_keeps_who_was_not_invited_with_the_reason(browser, api):
    await open_page(browser, api, INVITE)
    fault = {"pointer": "/email", "message": "Not an address."}
    api.series[INVITATIONS] = [
        invited("a@example.com"),
        problem(409, "already-a-member"),
        problem(422, "invalid", errors=[fault]),
        invited("d@example.com", url="https://x/invitations?token=t&code=c"),
    ]
    emails = "a@example.com b@example.com <b>c d@example.com"
    await browser.press(INVITE, emails=emails, role="viewer", delivery="email")
    kept = re.findall(r"<textarea[^>]*>([^<]*)</textarea>", browser.text)
    assert kept == ["b@example.com\n&lt;b&gt;c"]
    assert "is a member of the account already" in browser.text
    assert "This is not an e-mail address." in browser.text
    assert 'value="https://x/invitations?token=t&amp;code=c"' in browser.text
    assert 'value="viewer" required checked' in browser.text


async def test_a_doubtful_address_is_invited_after_a_second_press_alone(browser, api):
    await open_page(browser, api, INVITE)
    assert 'name="as_typed"' not in browser.text
    doubt = {"domain": "exarnple.com", "resembles": "example.com"}
    api.answers[INVITATIONS] = problem(409, "similar-domain", **doubt)
    await browser.press(INVITE, emails="a@exarnple.com", role="viewer")
    assert "exarnple.com resembles example.com" in browser.text
    assert 'name="as_typed"' in browser.text
    api.answers[INVITATIONS] = invited("a@exarnple.com")
    await browser.press(INVITE, emails="a@exarnple.com", role="viewer", as_typed="a@exarnple.com")
    asked = [body["check_address"] for body in api.asked_for(INVITATIONS)]
    assert asked == [True, False]


async def test_a_second_press_is_about_the_doubted_addresses_alone(browser, api):
    await open_page(browser, api, INVITE)
    doubt = {"domain": "exarnple.com", "resembles": "example.com"}
    api.series[INVITATIONS] = [
        problem(409, "similar-domain", **doubt),
        invited("b@example.com"),
        problem(409, "throw-away-address", domain="mailinator.com"),
    ]
    emails = "a@exarnple.com b@example.com c@mailinator.com"
    await browser.press(INVITE, emails=emails, role="viewer")
    assert 'name="as_typed" value="a@exarnple.com c@mailinator.com"' in browser.text
    api.series[INVITATIONS] = [invited("a@exarnple.com"), problem(409, "similar-domain", **doubt)]
    emails = "a@exarnple.com d@exarnple.com"
    await browser.press(INVITE, emails=emails, role="viewer", as_typed="a@exarnple.com")
    asked = [body["check_address"] for body in api.asked_for(INVITATIONS)]
    assert asked == [True, True, True, False, True]
    assert 'name="as_typed" value="d@exarnple.com"' in browser.text


async def test_a_limit_ends_the_round_and_keeps_the_rest(browser, api):
    await open_page(browser, api, INVITE)
    api.series[INVITATIONS] = [
        invited("a@example.com"),
        problem(429, "invitation-rate-limited"),
    ]
    await browser.press(INVITE, emails="a@x.example b@x.example c@x.example", role="viewer")
    assert browser.status == 429
    assert len(api.asked_for(INVITATIONS)) == 2
    assert "b@x.example\nc@x.example</textarea>" in browser.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"emails": " "}, "Enter at least one e-mail address."),
        ({"emails": " ".join(f"{one}@x.example" for one in range(21))}, "at most 20 addresses"),
        ({"membership_expires_at": "31.3.2027"}, "Choose a day."),
    ],
)
async def test_a_form_that_cannot_be_meant_invites_no_one(browser, api, fields, words):
    await open_page(browser, api, INVITE)
    await browser.press(INVITE, **{"emails": "a@x.example", "role": "viewer", **fields})
    assert (browser.status, words in browser.text) == (422, True)
    assert api.asked_for(INVITATIONS) == []


@pytest.mark.parametrize("again", [False, True])
async def test_a_link_to_hand_over_is_shown_by_its_press_alone(browser, api, again):
    await open_page(browser, api, INVITE)
    url = "" if again else "https://x/invitations?token=t"
    api.answers[INVITATIONS] = invited("a@example.com", url=url, again=again)
    assert await browser.press(INVITE, emails="a@example.com", role="viewer") == ""
    assert ("This link was shown already" in browser.text) is again
    assert (url in browser.text) is True


LINK = "https://x/invitations?token=t"


async def test_a_link_to_hand_over_needs_no_answer_after_it(browser, api):
    await open_page(browser, api, INVITE)
    api.answers[INVITATIONS] = invited("a@example.com", url=LINK)
    api.silent_after = INVITATIONS
    await browser.press(INVITE, emails="a@example.com", role="viewer")
    assert api.silent
    assert (browser.status, f'value="{LINK}"' in browser.text) == (200, True)


@pytest.mark.parametrize(
    ("refusal", "status", "words"),
    [
        (problem(503, "unavailable"), 503, "b@x.example"),
        (problem(401, "unauthenticated"), 403, "You are signed out."),
        (
            problem(422, "invalid", errors=[{"pointer": "/role", "message": "No such role."}]),
            422,
            "No such role.",
        ),
    ],
)
async def test_links_made_before_a_refusal_are_shown(browser, api, refusal, status, words):
    await open_page(browser, api, INVITE)
    api.series[INVITATIONS] = [invited("a@x.example", url=LINK), refusal]
    api.silent_after = INVITATIONS
    await browser.press(INVITE, emails="a@x.example b@x.example c@x.example", role="viewer")
    assert (browser.status, words in browser.text) == (status, True)
    assert f'value="{LINK}"' in browser.text
    assert "b@x.example\nc@x.example</textarea>" in browser.text


async def test_a_link_that_was_made_anew_needs_no_answer_after_it(browser, api):
    where, resend = f"{PAGE}/invitations/inv_1", f"POST {API}/invitations/inv_1/resend"
    await open_page(browser, api, PAGE)
    api.answers |= {f"GET {API}/invitations": pending(), resend: invited("hal@x.example", url=LINK)}
    await browser.open(where)
    api.silent_after = resend
    await browser.press(where)
    assert api.silent
    assert (browser.status, f'value="{LINK}"' in browser.text) == (200, True)


def pending(**more):
    one = {
        "id": "inv_1",
        "status": "invited",
        "email": "hal@example.com",
        "role_title": "Developer",
        "invited_by_name": "Ada",
        "created_at": "2026-11-20T08:00:00Z",
        "expires_at": "2026-11-28T08:00:00Z",
        "membership_expires_at": None,
        "not_mailed": None,
        "locked": None,
        "resend_offered": True,
    }
    return 200, {"items": [one | more], "next_cursor": None}


async def test_an_invitation_is_sent_again_or_cancelled(browser, api):
    where = f"{PAGE}/invitations/inv_1"
    await open_page(browser, api, PAGE)
    api.answers[f"GET {API}/invitations"] = pending(not_mailed={"reason": "bounced"})
    await browser.open(where)
    assert "could not be delivered" in browser.text
    api.answers[f"POST {API}/invitations/inv_1/resend"] = invited("hal@example.com")
    assert await browser.press(where) == f"{PAGE}/members?done=resent"
    for answer in ((204, None), problem(404, "not-found")):
        await browser.open(f"{where}/cancel")
        assert "its link opens nothing any more" in browser.text
        api.answers[f"DELETE {API}/invitations/inv_1"] = answer
        to = await browser.press(f"{where}/cancel")
        assert to == f"{PAGE}/members?done=invitation-cancelled"
    await browser.open(f"{PAGE}/invitations/inv_2")
    assert browser.status == 404
    assert "There is no such page" in browser.text


@pytest.mark.parametrize("where", [INVITE, f"{MEMBER}/suspend"])
async def test_a_removed_members_press_says_that_the_access_has_ended(browser, api, where):
    await open_page(browser, api, where)
    for name in list(api.answers):
        if API in name:
            api.answers[name] = problem(404, "not-found")
    api.answers[f"POST {BEA}/suspend"] = problem(404, "not-found")
    await browser.press(where, emails="a@x.example", role="viewer")
    assert (browser.status, "You have no access to this account" in browser.text) == (404, True)


async def test_a_member_leaves_after_seeing_what_ends(browser, api):
    await open_page(browser, api, f"{PAGE}/leave")
    assert api.asked_for(PREVIEW) == [{"change": {"type": "leave"}}]
    api.answers[f"POST {API}/leave"] = (204, None)
    assert await browser.press(f"{PAGE}/leave") == "/console?done=left"


async def test_a_personal_account_is_turned_into_a_team(browser, api):
    own = {"id": "acc_1", "name": "Ana", "kind": "personal", "owner": True, "role_title": "Owner"}
    own |= {"catalog": "standard@1", "catalog_title": "Standard"}
    await open_page(browser, api, f"{PAGE}/members", account=own)
    assert f'href="{PAGE}/convert"' in browser.text
    assert f'href="{PAGE}/invite"' not in browser.text
    api.answers[f"GET {API}/catalogs"] = (200, {"items": [{"name": "shop", "title": "Shop"}]})
    api.answers[f"POST {API}/convert"] = (200, own)
    for chosen in ("", "shop"):
        await browser.open(f"{PAGE}/convert")
        assert '<option value="shop">Shop</option>' in browser.text
        to = await browser.press(f"{PAGE}/convert", name="Gears", catalog=chosen)
        assert to == f"{PAGE}/members?done=converted"
    assert api.asked_for(f"POST {API}/convert") == [
        {"name": "Gears"},
        {"name": "Gears", "catalog": "shop"},
    ]


async def test_each_way_on_from_the_list_keeps_what_else_it_was_asked_for(browser, api):
    describe_account(api, members=(member(2),))
    status, listed = api.answers[f"GET {API}/members"]
    api.answers[f"GET {API}/members"] = (status, listed | {"next_cursor": "c2"})
    asked = {"q": "b", "status": "active", "role": "developer", "sort": "-name"}
    await browser.sign_in()
    await browser.open(f"{PAGE}/members?{urlencode(asked | {'cursor': 'c1'})}")
    search = re.findall('<form[^>]* role="search".*?</form>', browser.text, re.DOTALL)[-1]
    fields = re.findall('name="([^"]*)" value="([^"]*)"', search)
    assert dict(fields) == asked  # and no cursor: it is of another list
    links = re.findall(f'href="{PAGE}/members[?]([^"]*)"', browser.text)
    ways = [dict(parse_qsl(unescape(query))) for query in links]
    changed = [
        {name for name in {*asked, *way} if way.get(name) != asked.get(name)} for way in ways
    ]
    assert [one for one in changed if len(one) > 1] == []
    assert {name for one in changed for name in one} == {"status", "role", "sort", "cursor"}
    assert {way["cursor"] for way in ways if "cursor" in way} == {"c2", "c1"}


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Bo Li <bo@x.example>", ["bo@x.example"]),
        (
            "a@x.example Bo Li <bo@x.example>, c@x.example",
            ["a@x.example", "bo@x.example", "c@x.example"],
        ),
        ('"Li, Bo" <bo@x.example>; <c@x.example>', ["bo@x.example", "c@x.example"]),
        ("a@x.example,\na@x.example,", ["a@x.example"]),
        ("<b>c", ["<b>c"]),
        (" ", [""]),
    ],
)
async def test_an_address_is_taken_without_the_name_before_it(text, addresses):
    assert typed_addresses(text) == addresses
