"""The pages of the audit log, over a stand-in of the API."""

import asyncio
import re
from datetime import UTC, datetime
from functools import partial

import aiohttp
import pytest

from services.console.domain.log_filters import asked, chosen, period, ranges, typed_moment
from services.console.domain.log_proofs import proof_of
from services.console.domain.log_records import Changed, changes, fits_a_browser, in_line
from services.console.domain.moments import shown_moment
from services.console.pages.action_words import ACTIONS, event_words
from services.console.pages.project_words import ProjectWords
from services.console.pages.record_words import (
    action_choices,
    changed_rows,
    record_row,
    type_choices,
)
from services.console.routes.answers import HEADERS, POLICY
from shared.contracts.registry import FACTS_OF
from tests.services.console.accounts import API, PAGE, describe_account
from tests.services.console.browsing import BREAK, EXPORT, TAIL, StandIn, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 30.0
LOG, EVENTS, SEARCHES = f"{PAGE}/log", f"GET {API}/audit-events", f"{API}/audit-searches"
SEARCH = {
    "id": "ase_1",
    "name": "Denials <b>",
    "filters": {"outcome": "denied"},
    "shared": True,
    "created_by": "usr_1",
    "created_at": "2026-11-01T08:00:00Z",
    "etag": '"s1"',
}
SEALED = {"size": 7, "checkpoint": "note", "signed_at": "2026-11-27T08:00:00Z"}
CATALOG = {
    "policies": {"words": {"project": "cluster", "projects": "clusters"}},
    "sections": [{"entries": [{"id": "instance", "title": "Instances"}]}],
    "roles": [{"id": "viewer", "name": "Reader"}],
}
ANA = {"type": "user", "id": "usr_1", "name": "Ana <i>", "email": "ana@example.com"}


def a_record(**more):
    return {
        "id": "evt_1",
        "occurred_at": "2026-11-27T08:00:00Z",
        "actor": {**ANA, "token_id": None, "on_behalf_of": None},
        "action": "member.role_changed",
        "resource": {"type": "member", "id": "usr_2", "name": "Bo <script>"},
        "project_id": None,
        "outcome": "succeeded",
        "before": {"role": "viewer"},
        "after": {"role": "<b>admin", "until": None},
        "reason": None,
        "request_id": "req_1",
        "ip": "192.0.2.1",
        "user_agent": None,
        "reported_by": None,
        "erased": [],
        **more,
    }


def found(*records, following=None):
    return {
        "items": list(records),
        "next_cursor": following,
        "complete_until": "2026-11-27T09:00:00Z",
        "kept_since": None,
    }


@pytest.fixture
def log(api: StandIn) -> StandIn:
    """The API of an account with a log."""
    describe_account(api, permissions=("account:view", "audit_log:view"))
    api.pieces, api.followed, api.left = asyncio.Queue(), [], asyncio.Event()
    api.answers |= {
        EVENTS: (200, found(a_record())),
        f"{EVENTS}/evt_1": (200, a_record()),
        f"GET {SEARCHES}": (200, {"items": [SEARCH], "next_cursor": None}),
        f"GET {SEARCHES}/ase_1": (200, SEARCH),
        f"GET {API}/audit-checkpoint": (200, {**SEALED, "verifier_keys": ["log+1+key"]}),
        f"GET {API}/catalog": (200, CATALOG),
        f"GET {API}/projects": problem(403, "permission-missing"),
    }
    return api


BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ({"action": "member.", "user": "", "text": "  "}, {"action": "member."}),
        ({"from": "2026-11-01T00:00"}, {"from": "2026-10-31T23:00:00Z"}),
        ({"to": "2026-07-01T12:30"}, {"to": "2026-07-01T10:30:00Z"}),
        ({"from": "2026-10-31T23:00:00Z"}, {"from": "2026-10-31T23:00:00Z"}),
        ({"from": "2026-13-01T00:00"}, {"from": "2026-13-01T00:00"}),
        ({"from": "0001-01-01T00:00"}, {"from": "0001-01-01T00:00"}),
        ({"from": "0999-07-01T00:00:00"}, {"from": "0999-06-30T23:06:32Z"}),
        ({"from": "soon"}, {"from": "soon"}),
        ({"cursor": "c", "done": "x", "limit": "9"}, {}),
    ],
)
async def test_an_address_has_filters_that_mean_the_same_to_all(query, filters):
    assert chosen(query, BERLIN) == filters


async def test_a_moment_is_typed_by_the_readers_clock():
    assert typed_moment("2026-10-31T23:00:00Z", BERLIN) == "2026-11-01T00:00"
    assert typed_moment("0999-01-01T00:00:00Z", "UTC") == "0999-01-01T00:00"
    for text in ("soon", "0001-01-01T00:00", "9999-12-31T23:59"):
        assert typed_moment(text, BERLIN) == text


async def test_usual_times_are_days_of_the_readers_zone():
    now = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    assert ranges(now, BERLIN) == {
        "today": {"from": "2026-11-01T23:00:00Z"},
        "last_7_days": {"from": "2026-10-26T23:00:00Z"},
        "last_week": {"from": "2026-10-25T23:00:00Z", "to": "2026-11-01T23:00:00Z"},
        "last_30_days": {"from": "2026-10-03T22:00:00Z"},
        "this_month": {"from": "2026-10-31T23:00:00Z"},
        "last_month": {"from": "2026-09-30T22:00:00Z", "to": "2026-10-31T23:00:00Z"},
    }


async def test_a_usual_time_takes_the_place_of_another_beside_the_filters():
    now = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)  # a Monday in Berlin
    query = {"action": "role.changed", "from": "2026-01-01T00:00", "to": "", "range": "last_week"}
    week = {"from": "2026-10-25T23:00:00Z", "to": "2026-11-01T23:00:00Z"}
    assert asked(query, now=now, time_zone=BERLIN) == {"action": "role.changed", **week}
    assert asked(
        query | {"range": "today", "to": "2026-02-01T00:00"}, now=now, time_zone=BERLIN
    ) == {
        "action": "role.changed",
        "from": "2026-11-01T23:00:00Z",
    }
    assert asked(query | {"range": "soon"}, now=now, time_zone="UTC") == {
        "action": "role.changed",
        "from": "2026-01-01T00:00:00Z",
    }


async def test_what_changed_comes_first():
    rows = changes({"a": 1, "b": 2, "old": 0}, {"a": 1, "b": 3, "new": None})
    assert [one.name for one in rows if one.differs] == ["b", "old"]
    assert rows[-1] in (
        Changed(name="a", before=1, after=1),
        Changed(name="new", before=None, after=None),
    )
    assert changes(None, None) == []


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("text", "text"),
        (None, ""),
        (3, "3"),
        (["a", "b"], "a, b"),
        ({"vm": {"view": "all", "edit": "self"}}, "vm: view: all; edit: self"),
        ({"a": [True, None]}, "a: true, "),
    ],
)
async def test_a_value_of_a_record_is_one_line(value, line):
    assert in_line(value) == line


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"a": [1, "x", None, True, 1.5]}, True),
        ({"a": [2**53]}, True),
        ({"a": {"b": [2**53 + 1]}}, False),
        (-(2**60), False),
    ],
)
async def test_a_browser_reads_all_numbers_but_great_ones(value, fits):
    assert fits_a_browser(value) is fits


PLATFORM = {"service_client", "signing_key", "dead_fact", "journal", "catalog", "event", "sign_up"}
"""What no account's log has, or what is recorded as another action."""
RECORDED = {
    fact.type.split(".", 1)[1].rsplit(".v", 1)[0] for facts in FACTS_OF.values() for fact in facts
}


async def test_each_action_of_an_account_has_words():
    expected = {action for action in RECORDED if action.partition(".")[0] not in PLATFORM}
    assert expected == ACTIONS.keys()


CLUSTERS = ProjectWords("Cluster", "Clusters")


async def test_a_record_is_told_in_the_language_of_its_reader():
    row = record_row(a_record(), language="de", product="Rolecall", projects=CLUSTERS, roles={})
    assert (row["what"], row["type_words"]) == ("Mitglied bekam andere Rolle", "Mitglied")
    assert row["roles"] == ("viewer", "<b>admin")
    [role, until] = changed_rows(
        a_record(before={"role": "x", "until": True}),
        "de",
        {"x": "Nachtschicht"},
        CLUSTERS,
        when=str,
    )
    assert (role["name"], role["before"]) == ("Rolle", "Nachtschicht")
    assert (until["before"], until["after"]) == ("Ja", "")
    preferred = a_record(before={"locale": "en", "time_zone": "UTC"}, after={"locale": "de"})
    [spoken, zone] = changed_rows(preferred, "de", {}, CLUSTERS, when=str)
    assert (spoken["name"], spoken["before"], spoken["after"]) == ("Sprache", "English", "Deutsch")
    assert (zone["name"], zone["before"]) == ("Zeitzone", "UTC")
    reported = record_row(
        a_record(action="instance.shut_down"),
        language="de",
        product="R",
        projects=CLUSTERS,
        roles={},
    )
    assert (reported["what"], reported["roles"]) == ("Instance shut down", None)
    exported = a_record(action="export.started", before=None, after={"after": "evt_9"})
    [row] = changed_rows(exported, "de", {}, CLUSTERS, when=str)
    assert (row["name"], row["after"]) == ("Fortgesetzt nach Eintrag", "evt_9")
    by = {"type": "user", "id": "usr_1", "name": None, "email": None}
    for erased, who in (([], "usr_1"), (["ip"], "usr_1"), (["actor.name"], "Deleted person")):
        unnamed = a_record(actor=by, erased=erased)
        row = record_row(unnamed, language="en", product="R", projects=CLUSTERS, roles={})
        assert row["who"] == who


async def test_what_is_about_projects_has_the_word_of_the_catalog():
    made = a_record(action="project.created", before={"project_id": "prj_1"})
    row = record_row(made, language="de", product="R", projects=CLUSTERS, roles={})
    assert row["what"] == "Cluster angelegt"
    changed = changed_rows(made, "de", {}, CLUSTERS, when=str)
    [member] = [one for one in changed if one["before"] == "prj_1"]
    assert member["name"] == "Cluster"
    said = f"{action_choices('de', CLUSTERS)} {type_choices('de', [], CLUSTERS)}"
    assert "Clusters: Alles" in said
    offered = dict(action_choices("en", CLUSTERS))
    for subject in ("Members", "Roles"):
        assert ("member.role_changed", "Member got another role") in offered[subject]
    assert "Projekt" not in said
    assert event_words("project.*", "en", CLUSTERS) == "Clusters"
    german = {"project_word": "projekt", "projects_word": "projekte"}
    assert ProjectWords.of(german) == ("Projekt", "Projekte")


async def test_moments_of_what_changed_are_said_in_the_language_of_the_reader():
    moment = {"expires_at": "2026-05-03T10:00:00Z"}
    odd = {"expires_at": "never", "deletes_at": "2026-05-03", "name": "2026-05-03T10:00:00Z"}
    when = partial(shown_moment, locale="de", time_zone="Europe/Vienna")
    rows = changed_rows(a_record(before=moment, after=odd), "de", {}, CLUSTERS, when=when)
    [first] = [row for row in rows if row["before"]]
    assert (first["before"], first["after"]) == ("3. Mai 2026, 12:00", "never")
    assert {row["after"] for row in rows} >= {"2026-05-03", "2026-05-03T10:00:00Z"}


async def test_the_list_shows_records_and_asks_with_the_filters_of_its_address(browser, log):
    await browser.sign_in()
    log.answers[EVENTS] = (200, found(a_record(), following="next+1"))
    await browser.open(f"{LOG}?action=member.&text=Bo&cursor=c%2B1")
    assert browser.status == 200
    asked = {"action": "member.", "text": "Bo", "cursor": "c+1", "limit": "50"}
    assert (EVENTS, asked) in log.queries
    assert "Member got another role" in browser.text
    assert "Reader → &lt;b&gt;admin" in browser.text
    assert 'href="?action=member.&amp;text=Bo&amp;user=ana%40example.com"' in browser.text
    assert "Bo &lt;script&gt;" in browser.text
    assert "Ana &lt;i&gt;" in browser.text
    assert f'href="{LOG}?action=member.&amp;text=Bo&amp;cursor=next%2B1"' in browser.text
    assert f'href="{LOG}/export?text=Bo&amp;action=member."' in browser.text
    assert 'value="member." selected' in browser.text
    assert "27 Nov 2026, 09:00" in browser.text  # until when it is complete
    assert f'href="{LOG}?outcome=denied"><bdi>Denials &lt;b&gt;' in browser.text


async def test_a_form_leads_to_an_address_without_empty_filters(browser, log):
    describe_account(log, permissions=("audit_log:view",), locale="de")
    log.answers["GET /v1/me"][1]["time_zone"] = BERLIN
    await browser.sign_in()
    where = await browser.open(f"{LOG}?text=&action=&from=2026-11-01T00%3A00&user=a%40b.example")
    assert where == f"{LOG}?user=a%40b.example&from=2026-10-31T23%3A00%3A00Z"
    await browser.open(where)
    assert 'value="2026-11-01T00:00"' in browser.text
    assert "<h1>Audit-Protokoll</h1>" in browser.text


@pytest.mark.parametrize(
    ("name", "text", "time_zone"),
    [
        ("from", "0001-01-01T00:00", BERLIN),
        ("to", "0001-01-01T00:00", BERLIN),
        ("from", "9999-12-31T23:59", "America/New_York"),
        ("to", "9999-12-31T23:59", "America/New_York"),
    ],
)
async def test_a_moment_that_utc_cannot_write_is_told_at_its_field(
    browser, log, name, text, time_zone
):
    log.answers["GET /v1/me"][1]["time_zone"] = time_zone
    errors = [{"pointer": f"/query/{name}", "message": "Must be a moment."}]
    log.answers[EVENTS] = problem(422, "invalid", errors=errors)
    await browser.sign_in()
    await browser.open(f"{LOG}?{name}={text.replace(':', '%3A')}")
    assert browser.status == 200
    assert (EVENTS, {name: text, "limit": "50"}) in log.queries
    assert re.search(f'id="{name}-fault">Must be a moment', browser.text)
    assert f'value="{text}"' in browser.text


async def test_a_filter_that_is_not_valid_is_told_at_its_field(browser, log):
    await browser.sign_in()
    errors = [{"pointer": "/query/from", "message": "Must be a moment."}]
    log.answers[EVENTS] = problem(422, "invalid", errors=errors)
    await browser.open(f"{LOG}?from=soon")
    assert browser.status == 200
    assert re.search('id="from-fault">Must be a moment', browser.text)
    assert 'value="soon"' in browser.text
    log.answers[EVENTS] = problem(
        422, "invalid", errors=[{"pointer": "/query/cursor", "message": "Not a cursor."}]
    )
    await browser.open(f"{LOG}?cursor=x")
    assert browser.status == 422


async def test_a_member_without_the_permission_reads_why(browser, log):
    await browser.sign_in()
    log.answers[EVENTS] = problem(403, "permission-missing")
    await browser.open(LOG)
    assert (browser.status, "Your role in this account" in browser.text) == (403, True)


async def test_the_filters_of_the_address_are_saved_once_under_a_name(browser, log):
    await browser.sign_in()
    log.answers[f"POST {SEARCHES}"] = problem(409, "too-many-searches", limit=50)
    await browser.open(f"{LOG}?outcome=denied&user=a%40b.example")
    here = f"{LOG}?user=a%40b.example&outcome=denied"
    await browser.press(here, press="save", name="Bad & new", shared="on")
    assert "There are 50 saved searches" in browser.text
    assert 'value="Bad &amp; new"' in browser.text
    log.answers[f"POST {SEARCHES}"] = (201, SEARCH)
    assert await browser.press(here, press="save", name="New") == f"{here}&done=search-saved"
    filters = {"user": "a@b.example", "outcome": "denied"}
    assert log.asked_for(f"POST {SEARCHES}") == [
        {"name": "Bad & new", "filters": filters, "shared": True},
        {"name": "New", "filters": filters, "shared": False},
    ]
    assert len(set(log.keys)) == 1


async def test_a_search_is_renamed_and_deleted_as_it_was_shown(browser, log):
    await browser.sign_in()
    one = f"{LOG}/searches/ase_1"
    log.answers |= {
        f"PATCH {SEARCHES}/ase_1": problem(412, "precondition-failed"),
        f"DELETE {SEARCHES}/ase_1": (204, None),
    }
    await browser.open(one)
    await browser.press(one, name="Typed")
    assert (browser.status, 'value="Typed"' in browser.text) == (412, True)
    log.answers[f"PATCH {SEARCHES}/ase_1"] = (200, SEARCH)
    assert await browser.press(one, name="New") == f"{LOG}/searches?done=search-changed"
    await browser.open(f"{one}/delete")
    assert "All of them lose it." in browser.text
    assert await browser.press(f"{one}/delete") == f"{LOG}/searches?done=search-deleted"
    assert log.conditions == ['"s1"'] * 3


async def test_only_its_maker_is_offered_to_change_a_shared_search(browser, log):
    await browser.sign_in()
    log.answers[f"GET {SEARCHES}/ase_1"] = (200, SEARCH | {"created_by": "usr_9"})
    await browser.open(f"{LOG}/searches/ase_1")
    assert "Another member has shared this search" in browser.text
    assert 'name="state"' not in browser.text


async def test_a_record_shows_what_changed_in_words_and_as_data(browser, log):
    await browser.sign_in()
    await browser.open(f"{LOG}/records/evt_1")
    assert "<bdi>Reader</bdi>" in browser.text
    assert "<bdi>&lt;b&gt;admin</bdi>" in browser.text
    assert "&#34;role&#34;: &#34;viewer&#34;" in browser.text
    log.answers[f"{EVENTS}/evt_1"] = problem(404, "not-found")
    await browser.open(f"{LOG}/records/evt_1")
    assert browser.status == 404


PERIODS = [
    ({}, "UTC", ""),
    ({"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z"}, "Europe/Berlin", "-2026-11"),
    ({"from": "2026-12-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}, "UTC", "-2026-12"),
    (
        {"from": "2026-11-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"},
        "UTC",
        "-from-2026-11-01-to-2027-01-01",
    ),
    ({"from": "2026-11-03T00:00:00Z", "action": "member."}, "UTC", "-from-2026-11-03"),
    ({"to": '2026"; x'}, "UTC", ""),
]


@pytest.mark.parametrize(("filters", "zone", "named"), PERIODS)
async def test_the_name_of_a_file_has_its_time(filters, zone, named):
    assert period(filters, zone) == named


async def test_a_file_passes_through_while_the_api_writes_it(browser, log):
    """The console has sent the first piece before the API has the second one."""
    await browser.sign_in()
    async with asyncio.timeout(SECONDS), a_file(browser, "format=csv&action=member.") as answer:
        for piece in (b"first\n", b"second\n"):
            log.pieces.put_nowait(piece)
            assert await answer.content.readexactly(len(piece)) == piece
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-acc_1.csv"'
        assert answer.content_type == "application/jsonl"
        log.pieces.put_nowait(b"")
        assert await answer.content.read() == b""
    assert (EXPORT, {"action": "member.", "format": "csv"}) in log.queries


@pytest.mark.rule("T24")
@pytest.mark.parametrize(
    "path", [LOG, f"{LOG}/export/file", f"{LOG}/live", "/console/none", f"{LOG}?range=today"]
)
async def test_each_kind_of_answer_tells_the_browser_what_it_may_do(browser, log, path):
    await browser.sign_in()
    log.pieces.put_nowait(b"")
    sent = {**cookies_of(browser), "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    async with (
        asyncio.timeout(SECONDS),
        browser.http.get(browser.url + path, headers=sent, allow_redirects=False) as answer,
    ):
        found = {name: answer.headers.get(name, "") for name in HEADERS}
    assert found.pop("Content-Security-Policy").startswith(POLICY)
    assert found == {name: text for name, text in HEADERS.items() if name in found}


async def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(browser, log):
    await browser.sign_in()
    async with asyncio.timeout(SECONDS), a_file(browser, "format=jsonl") as answer:
        log.pieces.put_nowait(b"first\n")
        assert await answer.content.readexactly(6) == b"first\n"
        log.pieces.put_nowait(BREAK)
        with pytest.raises(aiohttp.ClientError):
            await answer.content.read()


async def test_a_refused_file_is_a_page(browser, log):
    await browser.sign_in()
    log.answers[EXPORT] = problem(429, "too-many-exports-at-once")
    await browser.open(f"{LOG}/export/file?format=csv")
    assert (browser.status, "Too many exports" in browser.text) == (429, True)
    browser.cookies.clear()
    where = await browser.open(f"{LOG}/export/file?format=csv&action=member.")
    assert where.startswith("/sign-in?to=%2Fconsole%2Faccounts%2Facc_1%2Flog%2Fexport%3Fformat")


@pytest.mark.rule("T25")
@pytest.mark.parametrize("said", ["cross-site", "same-site"])
async def test_a_page_of_another_site_starts_no_export(browser, log, said):
    await browser.sign_in()
    headers = {**cookies_of(browser), "Sec-Fetch-Site": said}
    log.pieces.put_nowait(b"")
    where = f"{browser.url}{LOG}/export/file?format=csv"
    async with asyncio.timeout(SECONDS), browser.http.get(where, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (403, "text/html")
    assert EXPORT not in {name for name, _ in log.queries}


async def test_the_list_follows_the_records_that_its_filters_take(browser, log):
    await browser.sign_in()
    event = b"id: 1.8\nevent: record\ndata: {}\n\n"
    headers = {**cookies_of(browser), "Sec-Fetch-Site": "same-origin", "Last-Event-ID": "1.7"}
    where = f"{browser.url}{LOG}/live?action=member.&limit=9"
    async with asyncio.timeout(SECONDS), browser.http.get(where, headers=headers) as answer:
        log.pieces.put_nowait(event)
        assert await answer.content.readexactly(len(event)) == event
        log.pieces.put_nowait(b"")
        await answer.content.read()
    assert (TAIL, {"action": "member."}) in log.queries
    assert log.followed[0]["Last-Event-ID"] == "1.7"


LINE = {"id": "evt_1", "seal": {"index": 3, "salts": {}, "path": ["of the page"]}}
PLACE = {"event_id": "evt_1", "index": 3, "hashes": ["aa", "bb"]}


async def test_a_proof_has_the_way_from_the_record_to_the_root():
    proof = proof_of(PLACE, LINE, SEALED | {"verifier_keys": ["k1", "k2"]})
    assert proof is not None
    assert (proof.way, proof.keys, proof.index) == ("aa\nbb", "k1\nk2", 3)
    assert "of the page" not in proof.line


@pytest.mark.parametrize(
    ("line", "sealed"),
    [
        (None, SEALED),
        ({"seal": {"index": 3, "leaf": "x"}}, SEALED),
        (LINE | {"id": "evt_2"}, SEALED),
        (LINE, SEALED | {"checkpoint": None}),
    ],
)
async def test_a_record_without_contents_or_seal_has_no_proof(line, sealed):
    assert proof_of(PLACE, line, {**sealed, "verifier_keys": []}) is None


def cookies_of(browser):
    return {"Cookie": "; ".join(f"{name}={text}" for name, text in browser.cookies.items())}


def a_file(browser, query):
    where = f"{browser.url}{LOG}/export/file?{query}"
    return browser.http.get(where, headers=cookies_of(browser))
