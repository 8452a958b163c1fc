"""The page of a user's API tokens in every account, over a stand-in of the API."""

import pytest

from tests.services.console.browsing import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE, LISTED, REVOKE = "/security/tokens", "GET /v1/me/api-tokens", "DELETE /v1/me/api-tokens/tok_1"
LIMITED = {"projects": ["prj_1"], "grants": None, "read_only": True}
UNLIMITED = {"projects": None, "grants": None, "read_only": False}


def token(number: int, **more: object) -> dict[str, object]:
    return {
        "id": f"tok_{number}",
        "account_id": f"acc_{number}",
        "user_id": "usr_1",
        "name": f"Deploy <b>{number}",
        "status": "active",
        "created_at": "2026-11-01T08:00:00Z",
        "expires_at": "2027-01-01T08:00:00Z",
        "last_used_at": None,
        "revoked_at": None,
        "restriction": UNLIMITED,
    } | more


async def shown(browser, api, *items, following=None, where=PAGE) -> None:
    api.answers |= {
        LISTED: (200, {"items": list(items), "next_cursor": following}),
        "GET /v1/me/sessions": (200, {"items": [], "next_cursor": None}),
        "GET /v1/accounts": (
            200,
            {
                "items": [
                    {"id": "acc_1", "name": "Engines", "kind": "team", "role_title": "Admin"}
                ],
                "next_cursor": None,
            },
        ),
    }
    await browser.sign_in()
    await browser.open(where)


@pytest.mark.rule("Ci10")
async def test_each_token_names_its_account_also_one_that_was_left(browser, api):
    await shown(browser, api, token(1, restriction=LIMITED), token(2))
    assert "Deploy &lt;b&gt;1" in browser.text
    assert 'href="/console/accounts/acc_1/tokens/tok_1"' in browser.text
    assert "<bdi>Engines</bdi>" in browser.text
    assert "acc_2" not in browser.text
    for words in ("An account that you have left", "Only reads", "Some projects", "Never"):
        assert words in browser.text


@pytest.mark.rule("Ci10")
@pytest.mark.parametrize("answer", [(204, None), problem(404, "not-found")], ids=["lives", "gone"])
async def test_a_token_is_revoked_after_a_question(browser, api, answer):
    api.answers[REVOKE] = answer
    await shown(browser, api, token(1), following="c", where=f"{PAGE}?cursor=b")
    assert f'action="{PAGE}?cursor=b"' in browser.text
    await browser.press(f"{PAGE}?cursor=b", press="ask-revoke", token_id="tok_1")
    assert "refused from then on, everywhere" in browser.text
    assert api.asked_for(REVOKE) == []
    assert await browser.press(PAGE, press="revoke") == f"{PAGE}?done=token-revoked"
    assert api.asked_for(REVOKE) == [None]
    assert {"limit": "50", "cursor": "b"} in [
        query for name, query in api.queries if name == LISTED
    ]


async def test_an_ended_token_has_no_button_and_an_unknown_one_no_question(browser, api):
    await shown(browser, api, token(1, status="revoked", revoked_at="2026-11-02T08:00:00Z"))
    assert ("Revoked" in browser.text, "ask-revoke" in browser.text) == (True, False)
    await browser.open("/security/sessions")
    assert await browser.press(PAGE, press="ask-revoke", token_id="tok_9") == PAGE


@pytest.mark.rule("T25")
async def test_a_press_without_the_mark_revokes_no_token(browser, api):
    await shown(browser, api, token(1))
    await browser.send("POST", PAGE, data={"press": "revoke", "token_id": "tok_1"})
    assert (browser.status, api.asked_for(REVOKE)) == (403, [])
