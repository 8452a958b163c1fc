"""The rules of the pages as tables: sealing, cookies, origins, links, destinations."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console.domain.browser_state import (
    KEPT_SECONDS,
    BrowserSession,
    Cookie,
    PageLink,
    read_link,
    read_session,
)
from services.console.domain.origins import is_foreign, takes_passkeys
from services.console.domain.places import NOT_PAGES, destination
from services.console.domain.sealing import Sealer
from services.console.routes import FEEDS, PAGES, STATES
from services.console.routes.forms import read_pairs

NOW = datetime(2026, 11, 26, tzinfo=UTC)
OLD, NEW, OTHER = (bytes(range(start, start + 32)) for start in (0, 50, 100))
CONTENT = {"access": "a.b.c"}


def test_what_was_sealed_is_opened_with_each_key_and_sealed_with_the_first():
    old, both, new = Sealer([OLD]), Sealer([NEW, OLD]), Sealer([NEW])
    text = old.seal("p", CONTENT, now=NOW)
    assert both.open("p", text, now=NOW, seconds=60) == CONTENT
    assert new.open("p", text, now=NOW, seconds=60) == {}
    assert new.open("p", both.seal("p", CONTENT, now=NOW), now=NOW, seconds=60) == CONTENT


SEALED = Sealer([OLD]).seal("p", CONTENT, now=NOW)
UNOPENED = {
    "nothing": None,
    "empty": "",
    "text": "hello",
    "not ASCII": "gé",
    "a surrogate": "\udc80",
    "too long": "A" * 5000,
    "one character changed": SEALED[:-3] + ("A" if SEALED[-3] != "A" else "B") + SEALED[-2:],
    "cut": SEALED[:-4],
    "of another purpose": Sealer([OLD]).seal("q", CONTENT, now=NOW),
    "of another key": Sealer([OTHER]).seal("p", CONTENT, now=NOW),
    "too old": Sealer([OLD]).seal("p", CONTENT, now=NOW - timedelta(seconds=61)),
}


@pytest.mark.parametrize("text", UNOPENED.values(), ids=UNOPENED)
def test_what_cannot_be_opened_counts_as_absent(text):
    assert Sealer([OLD]).open("p", text, now=NOW, seconds=60) == {}


def test_a_mark_belongs_to_its_text_and_purpose_under_each_key():
    old, both = Sealer([OLD]), Sealer([NEW, OLD])
    mark = old.mark("form", "secret")
    assert both.marked("form", "secret", mark)
    for purpose, text, sent in (
        ("form", "secret2", mark),
        ("p", "secret", mark),
        ("form", "secret", ""),
        ("form", "secret", mark[:-1]),
        ("form", "secret", "\udc80é"),
    ):
        assert not both.marked(purpose, text, sent)
    assert not Sealer([NEW]).marked("form", "secret", mark)


@pytest.mark.rule("T11")
def test_every_cookie_has_the_prefix_that_only_its_host_can_set():
    assert all(cookie.startswith("__Host-") for cookie in Cookie)


def test_the_largest_session_fits_a_cookie():
    session = BrowserSession(
        id="x" * 32, access_token="e" * 1500, refresh_token="r" * 120, expires_at=NOW
    )
    opened = {}
    for cookie, content in session.contents().items():
        text = Sealer([OLD]).seal(cookie, content, now=NOW)
        assert len(cookie) + len(text) < 4000
        opened[cookie] = Sealer([OLD]).open(cookie, text, now=NOW, seconds=KEPT_SECONDS[cookie])
    assert read_session(opened[Cookie.SESSION], opened[Cookie.TOKENS]) == session


SESSION = {"id": "one", "refresh": "r1"}
TOKENS = {"id": "one", "refresh": "r2", "access": "a", "until": int(NOW.timestamp())}
SIGNED_IN = BrowserSession(id="one", refresh_token="r2", access_token="a", expires_at=NOW)
WITHOUT_TOKENS = BrowserSession(id="one", refresh_token="r1")
SESSIONS = [
    (SESSION, TOKENS, SIGNED_IN),
    (SESSION, {}, WITHOUT_TOKENS),
    (SESSION, TOKENS | {"id": "another"}, WITHOUT_TOKENS),
    (SESSION, {"id": "one"}, WITHOUT_TOKENS),
    ({}, TOKENS, None),
    ({"id": "one"}, TOKENS, None),
    ({}, {}, None),
]


@pytest.mark.rule("T11")
@pytest.mark.parametrize(("session", "tokens", "expected"), SESSIONS)
def test_tokens_count_for_their_own_session_alone(session, tokens, expected):
    assert read_session(session, tokens) == expected


def test_a_session_without_its_tokens_gets_new_ones():
    assert WITHOUT_TOKENS.wants_refresh(NOW)


OWN = "https://rolecall.example"
ORIGINS = [
    # Sec-Fetch-Site, Origin, foreign
    ("same-origin", OWN, False),
    ("same-origin", "null", False),
    ("none", None, False),
    ("same-site", "https://evil.rolecall.example", True),
    ("cross-site", "https://evil.example", True),
    ("cross-site", OWN, True),
    ("anything", OWN, True),
    ("", OWN, True),
    (None, None, False),
    (None, "null", False),
    (None, OWN, False),
    (None, "https://rolecall.example.evil.example", True),
    (None, "http://rolecall.example", True),
    (None, "https://rolecall.example:444", True),
]


@pytest.mark.rule("T25")
@pytest.mark.parametrize(("site", "origin", "foreign"), ORIGINS)
def test_a_browser_says_which_site_sent_a_form(site, origin, foreign):
    assert is_foreign(fetch_site=site, origin=origin, own_origin=OWN) is foreign


PASSKEY_ORIGINS = [
    ("https://rolecall.example", True),
    ("https://rolecall.example:8443", True),
    ("https://intranet", True),
    ("http://localhost:8080", True),
    ("http://rolecall.localhost", True),
    ("https://localhost.", True),
    ("http://rolecall.example", False),
    ("http://127.0.0.1:8080", False),
    ("https://127.0.0.1", False),
    ("https://127.1", False),
    ("https://2130706433", False),
    ("https://[::1]:8080", False),
    ("https://", False),
]


@pytest.mark.parametrize(("origin", "taken"), PASSKEY_ORIGINS)
def test_browsers_use_passkeys_at_names_over_secure_connections(origin, taken):
    assert takes_passkeys(origin) is taken


LINKS = [
    ("inv_1.1.abc", "K7QM", PageLink(token="inv_1.1.abc", code="K7QM")),
    (" sup_1.1.abc\n", "", PageLink(token="sup_1.1.abc")),
    ("https://x/invitations?token=a.1.b&code=K7", "", PageLink(token="a.1.b", code="K7")),
    ("https://x/verify#token=a.1.b", "", PageLink(token="a.1.b")),
    ("token=a.1.b&code=K7", "", PageLink(token="a.1.b", code="K7")),
    ("https://x/verify", "", None),
    ("https://x/verify?lang=en", "", None),
    ("", "", None),
    ("a" * 201, "", None),
    ("a", "c" * 41, None),
]


@pytest.mark.parametrize(("token", "code", "link"), LINKS)
def test_a_link_is_read_from_its_parts_or_as_a_whole(token, code, link):
    assert read_link(token, code) == link


ACCOUNT = "/console/accounts/acc_1"


@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("/console", "/console"),
        ("/invitations", "/invitations"),
        ("", "/console"),
        ("/sign-out", "/console"),
        ("//evil.example", "/console"),
        ("https://evil.example/console", "/console"),
        ("/console/../sign-out", "/console"),
        ("/\\evil.example", "/console"),
        (f"{ACCOUNT}/log?action=member.&to=%2B", f"{ACCOUNT}/log?action=member.&to=%2B"),
        (f"{ACCOUNT}/log/export/file?from=a", f"{ACCOUNT}/log/export?from=a"),
        (f"{ACCOUNT}/usage/file", f"{ACCOUNT}/usage"),
        (f"{ACCOUNT}/usage/file/file", f"{ACCOUNT}/usage/file/file"),
        (f"{ACCOUNT}/log/export/file/file?a=b", f"{ACCOUNT}/log/export/file/file?a=b"),
        (f"{ACCOUNT}/log/live?a=b", f"{ACCOUNT}/log?a=b"),
        (f"{ACCOUNT}/members/live", f"{ACCOUNT}/members"),
        ("/notifications/live", "/notifications"),
        (f"{ACCOUNT}/projects/file", f"{ACCOUNT}/projects/file"),
        (f"{ACCOUNT}/projects/prj_1", f"{ACCOUNT}/projects/prj_1"),
        (f"{ACCOUNT}/../../sign-out", "/console"),
        (f"{ACCOUNT}//evil.example", "/console"),
        (f"{ACCOUNT}/log?a=b\r\nSet-Cookie: a=b", "/console"),
        (f"{ACCOUNT}/log#a", "/console"),
        (f"{ACCOUNT}/log?a={'b' * 1000}", "/console"),
    ],
)
def test_after_a_sign_in_a_visitor_stays_here(asked, to):
    assert destination(asked) == to


def test_no_destination_is_a_file_or_what_a_script_follows():
    files = {row.path for row in PAGES if row.downloads}
    assert files | {row.path for row in (*FEEDS, *STATES)} == set(NOT_PAGES)
    for path in NOT_PAGES:
        asked = path.format_map({"account_id": "acc_1"})
        while asked not in {"", "/console"}:
            asked = destination(asked)
            assert asked not in {each.format_map({"account_id": "acc_1"}) for each in NOT_PAGES}
            asked = asked.rpartition("/")[0]


@pytest.mark.parametrize(("seconds", "wants"), [(-1, True), (29, True), (31, False)])
def test_a_token_is_replaced_before_its_end(seconds, wants):
    session = BrowserSession(
        id="x", access_token="a", refresh_token="r", expires_at=NOW + timedelta(seconds=seconds)
    )
    assert session.wants_refresh(NOW) is wants


def test_the_first_of_two_fields_of_one_name_counts():
    assert read_pairs("role=viewer&name=a&role=owner") == {"role": "viewer", "name": "a"}
