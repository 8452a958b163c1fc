"""Presses that need a fresh proof, over a stand-in of the API: what follows the proof."""

import pytest

from tests.services.console.accounts import API, PAGE, USER_ID, describe_account
from tests.services.console.browsing import problem, tokens
from tests.services.console.test_company_sign_in import CONNECTION
from tests.services.console.test_settings import OWNED

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS, ISSUERS = f"{PAGE}/settings", f"{API}/sso-connections"
STEP_UP = "POST /v1/me/step-up"
ASKS = "Is it you?"
PRESSES = [
    ("/security", "begin", "POST /v1/me/mfa/totp"),
    ("/security", "remove", "DELETE /v1/me/mfa/totp"),
    ("/security", "codes", "POST /v1/me/mfa/recovery-codes"),
    ("/security/passkeys", "begin", "POST /v1/me/passkey-challenges"),
    ("/security/passkeys", "remove", "DELETE /v1/me/passkeys/-"),
    ("/console/profile", "address", "POST /v1/me/email"),
    ("/console/profile", "export", "GET /v1/me/export"),
    ("/console/profile/delete", "delete", "DELETE /v1/me"),
    (f"{SETTINGS}/ownership", "offer", f"POST {API}/ownership-transfer"),
    (f"{SETTINGS}/delete", "delete", f"DELETE {API}"),
    (f"{SETTINGS}/sign-in/new", "create", f"POST {ISSUERS}"),
    (f"{SETTINGS}/sign-in/con_1", "prove", f"POST {ISSUERS}/con_1/prove-domain"),
    (f"{SETTINGS}/sign-in/con_1", "change", f"PATCH {ISSUERS}/con_1"),
    (f"{SETTINGS}/sign-in/con_1/delete", "delete", f"DELETE {ISSUERS}/con_1"),
]


@pytest.mark.parametrize(("path", "press", "call"), PRESSES)
async def test_a_press_that_is_refused_after_its_proof_asks_for_no_other(
    browser, api, path, press, call
):
    describe_account(api, account=OWNED | {"owner_user_id": USER_ID})
    api.answers |= {
        f"GET {ISSUERS}/con_1": (200, CONNECTION),
        call: problem(401, "step-up-required"),
        STEP_UP: (200, tokens()),
    }
    await browser.sign_in()
    await browser.open(path)
    await browser.press(path, press=press)
    assert ASKS in browser.text
    api.answers[call] = problem(409, "conflict")
    await browser.press(path, press=press, password="right")
    assert len(api.asked_for(STEP_UP)) == 1
    assert (browser.status, ASKS in browser.text) == (409, False)
