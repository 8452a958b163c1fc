"""The pages of a company's sign-in, over a stand-in of the API: proofs, secrets, and presses."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from rolecall.client.jwk import decode
from services.console.domain.sealing import Sealer
from services.identity.domain.account_connections import ISSUER_MOVED_ALONE
from tests.services.console.accounts import API, EVERYTHING, PAGE, describe_account
from tests.services.console.browsing import problem
from tests.services.console.conftest import KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST, ONE = f"{API}/sso-connections", f"{API}/sso-connections/con_1"
HERE = f"{PAGE}/settings/sign-in"
CONNECTION = {
    "id": "con_1",
    "label": "<b>Acme",
    "issuer": "https://login.acme.example",
    "client_id": "rolecall",
    "has_secret": True,
    "domain": "acme.example",
    "txt_name": "_rolecall.acme.example",
    "txt_value": "rolecall-domain=abc",
    "redirect_uris": ["https://rolecall.example/sign-in/callback/con_1"],
    "created_at": "2026-11-27T08:00:00Z",
    "proved_at": None,
    "enabled": True,
    "join_role": None,
    "rule_set_by": None,
    "etag": '"s1"',
}
TYPED = {
    "label": "Acme",
    "issuer": "https://login.acme.example",
    "client_id": "rolecall",
    "domain": "acme.example",
    "join_role": "viewer",
}
CHANGE = f"PATCH {ONE}"
AGAIN = "Enter it again: a secret is not kept."
TOO_OLD, STEP_UP = problem(401, "step-up-required"), "POST /v1/me/step-up"
PROVED = (200, {"access_token": "e30.proved.token", "expires_in": 300})


@pytest.fixture
def company(api):
    describe_account(api, permissions=EVERYTHING)
    api.answers |= {
        "GET /v1/me/mfa": (200, {"totp": None, "passkeys": 0, "recovery_codes_left": 0}),
        f"GET {LIST}": (200, {"items": [CONNECTION]}),
        f"GET {ONE}": (200, CONNECTION),
        STEP_UP: PROVED,
    }
    return api


@pytest.mark.rule("B1")
async def test_a_secret_passes_a_fresh_proof_sealed_and_is_sent_once(browser, company):
    company.answers[f"POST {LIST}"] = TOO_OLD
    await browser.sign_in()
    await browser.open(f"{HERE}/new")
    await browser.press(f"{HERE}/new", press="create", client_secret="hunter2!", **TYPED)
    assert "Is it you?" in browser.text
    assert "hunter2!" not in browser.text
    proof = browser.text
    company.answers[f"POST {LIST}"] = (201, CONNECTION)
    where = await browser.press(f"{HERE}/new", press="create", password="right")
    assert where == f"{HERE}/con_1?done=company-connected"
    sent = company.asked_for(f"POST {LIST}")
    assert sent[-1] == {**TYPED, "client_secret": "hunter2!"}
    assert len(set(company.keys)) == 1

    browser.cookies.clear()
    await browser.sign_in()
    browser.text = re.sub('name="form" value="[^"]*"', "", proof)
    sealed = dict(re.findall('name="(\\w+)" value="([^"]*)"', proof))["carried"]
    await browser.open(f"{HERE}/new")
    another = {"press": "create", "password": "right", "proof": "yes", "carried": sealed}
    await browser.press(f"{HERE}/new", **another, **TYPED)
    assert company.asked_for(f"POST {LIST}") == sent  # nothing of another sign-in
    assert (browser.status, AGAIN in browser.text) == (403, True)


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("page", "press", "call"), [("new", "create", f"POST {LIST}"), ("con_1", "change", CHANGE)]
)
async def test_a_secret_that_was_sealed_for_too_long_is_asked_for_again(
    browser, company, page, press, call
):
    company.answers[call] = TOO_OLD
    await browser.sign_in()
    await browser.open(f"{HERE}/{page}")
    await browser.press(f"{HERE}/{page}", press=press, client_secret="hunter2!", **TYPED)
    asked = len(company.asked_for(call))
    old = resealed(browser.text, age=310)
    company.answers[call] = (200, CONNECTION)
    browser.text = old
    assert await browser.press(f"{HERE}/{page}", press=press, password="right") == ""
    assert len(company.asked_for(call)) == asked
    assert (browser.status, AGAIN in browser.text) == (403, True)
    assert 'value="Acme"' in browser.text
    await browser.press(f"{HERE}/{page}", press=press, client_secret="hunter2!", **TYPED)
    assert company.asked_for(call)[-1]["client_secret"] == "hunter2!"


async def test_a_proof_without_a_secret_may_take_its_time(browser, company):
    company.answers[CHANGE] = TOO_OLD
    await browser.sign_in()
    await browser.open(f"{HERE}/con_1")
    await browser.press(f"{HERE}/con_1", press="change", client_secret="", **TYPED)
    assert "Is it you?" in browser.text
    assert 'name="carried"' not in browser.text


async def test_the_longest_secret_passes_a_proof(browser, company):
    secret = "\U0001f511" * 400
    company.answers[CHANGE] = TOO_OLD
    await browser.sign_in()
    await browser.open(f"{HERE}/con_1")
    await browser.press(f"{HERE}/con_1", press="change", client_secret=secret, **TYPED)
    company.answers[CHANGE] = (200, CONNECTION)
    await browser.press(f"{HERE}/con_1", press="change", password="right")
    assert [each["client_secret"] for each in company.asked_for(CHANGE)] == [secret, secret]


@pytest.mark.parametrize("status", [412, 422])
async def test_a_secret_of_a_refused_form_is_asked_for_again(browser, company, status):
    fault = {"pointer": "/issuer", "message": "The address must begin with https://."}
    company.answers[CHANGE] = problem(status, "invalid", errors=[fault])
    await browser.sign_in()
    for secret in ("hunter2!", ""):
        await browser.open(f"{HERE}/con_1")
        await browser.press(f"{HERE}/con_1", press="change", client_secret=secret, **TYPED)
        assert (browser.status, AGAIN in browser.text) == (status, bool(secret))


def resealed(text: str, *, age: int) -> str:
    """A page whose sealed secret is `age` seconds old."""
    sealer, now = Sealer([decode(KEY)]), datetime.now(UTC)
    [carried] = re.findall('name="carried" value="([^"]*)"', text)
    content = sealer.open("carried", carried, now=now, seconds=300)
    assert content["typed"] == {"client_secret": "hunter2!"}
    made = now - timedelta(seconds=age)
    return text.replace(carried, sealer.seal("carried", content, now=made))


async def test_the_record_that_proves_the_domain_is_shown_until_it_is_proved(browser, company):
    company.answers[f"POST {ONE}/prove-domain"] = problem(
        409, "domain-not-proved", record=CONNECTION["txt_name"]
    )
    await browser.sign_in()
    await browser.open(f"{HERE}/con_1")
    for text in ("&lt;b&gt;Acme", CONNECTION["txt_name"], CONNECTION["txt_value"], "callback"):
        assert text in browser.text
    await browser.press(f"{HERE}/con_1", press="prove")
    assert (browser.status, "is not there yet" in browser.text) == (409, True)
    company.answers |= {
        f"POST {ONE}/prove-domain": (200, CONNECTION),
        f"GET {ONE}": (200, CONNECTION | {"proved_at": "2026-11-27T09:00:00Z"}),
    }
    where = await browser.press(f"{HERE}/con_1", press="prove")
    assert where == f"{HERE}/con_1?done=domain-proved"
    await browser.open(where)
    assert CONNECTION["txt_value"] not in browser.text


async def test_a_change_counts_for_what_was_shown_and_keeps_the_secret(browser, company):
    company.answers[f"PATCH {ONE}"] = (200, CONNECTION)
    await browser.sign_in()
    await browser.open(f"{HERE}/con_1")
    changed = {name: text for name, text in TYPED.items() if name != "domain"}
    await browser.press(f"{HERE}/con_1", press="change", **changed | {"join_role": ""})
    assert company.asked_for(f"PATCH {ONE}") == [changed | {"join_role": None}]
    assert company.conditions == ['"s1"']
    await browser.open(f"{HERE}/con_1")
    await browser.press(f"{HERE}/con_1", press="off")
    assert company.asked_for(f"PATCH {ONE}")[-1] == {"enabled": False}


async def test_another_issuer_asks_for_its_own_secret_at_the_field(browser, company):
    fault = {"pointer": "/client_secret", "message": ISSUER_MOVED_ALONE}
    company.answers[f"PATCH {ONE}"] = problem(422, "invalid", errors=[fault])
    await browser.sign_in()
    await browser.open(f"{HERE}/con_1")
    assert "Another issuer needs its own secret." in browser.text
    typed = {"issuer": "https://other.example", "client_secret": ""}
    await browser.press(f"{HERE}/con_1", press="change", **typed)
    assert browser.status == 422
    assert re.search('id="client_secret"[^>]*aria-invalid="true"', browser.text)


async def test_a_connection_is_deleted_after_its_page_has_asked(browser, company):
    company.answers[f"DELETE {ONE}"] = (204, None)
    await browser.sign_in()
    await browser.open(f"{HERE}/con_1/delete")
    assert "They stay members." in browser.text
    assert company.asked_for(f"DELETE {ONE}") == []
    where = await browser.press(f"{HERE}/con_1/delete")
    assert where == f"{HERE}?done=company-deleted"


async def test_a_fault_stands_at_its_field_in_german(browser, company):
    describe_account(company, permissions=EVERYTHING, locale="de")
    fault = {"pointer": "/issuer", "message": "The address must begin with https://."}
    company.answers[f"POST {LIST}"] = problem(422, "invalid", errors=[fault])
    await browser.sign_in()
    await browser.open(f"{HERE}/new")
    await browser.press(f"{HERE}/new", press="create", client_secret="hunter2!", **TYPED)
    assert "Die Adresse muss mit https:// beginnen." in browser.text
    assert "hunter2!" not in browser.text


async def test_a_shorter_time_of_the_log_is_asked_before_it_is_chosen(browser, api):
    describe_account(api, permissions=(*EVERYTHING, "audit_log:view", "webhook:manage"))
    kept = {
        "days": 365,
        "chosen_at": None,
        "days_in_force": 365,
        "in_force_at": None,
        "kept_since": None,
        "records_ended": 0,
        "etag": '"r1"',
    }
    retention, delivery = f"{API}/audit-retention", f"{API}/audit-checkpoint/delivery"
    page = f"{PAGE}/settings/log"
    api.answers |= {
        f"GET {retention}": (200, kept),
        f"PUT {retention}": (200, kept),
        f"GET {delivery}": (200, {"daily": False, "delivered_on": None}),
        f"PUT {delivery}": (200, {"daily": True, "delivered_on": None}),
    }
    await browser.sign_in()
    await browser.open(page)
    await browser.press(page, press="keep", days="90")
    assert "older than 90 days are deleted for good" in browser.text
    assert api.asked_for(f"PUT {retention}") == []
    where = await browser.press(page)
    assert where == f"{page}?done=retention-changed"
    await browser.open(page)
    await browser.press(page, press="keep", days="")
    assert api.asked_for(f"PUT {retention}") == [{"days": 90}, {"days": None}]
    assert api.conditions == ['"r1"', '"r1"']
    await browser.open(page)
    assert await browser.press(page, press="mail") == f"{page}?done=seals-mailed"
    assert api.asked_for(f"PUT {delivery}") == [{"daily": True}]
