"""The pages of guardrails, over a stand-in of the API."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.console.domain.guardrail_forms import new_rule
from tests.services.console.accounts import API, PAGE, describe_account
from tests.services.console.browsing import StandIn, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

RAILS, WHERE = f"{API}/guardrails", f"{PAGE}/settings/guardrails"
PROJECT = "prj_" + "1" * 32
CATALOG: Mapping[str, Any] = {
    "policies": {"words": {"project": "cluster", "projects": "clusters"}},
    "roles": [{"id": "admin", "name": "Admin <b>"}, {"id": "viewer", "name": "Viewer"}],
    "sections": [
        {"entries": [{"id": "vm", "title": "Machines", "levels": [{"id": "run", "title": "Run"}]}]}
    ],
}


def a_guardrail(**rule: Any) -> dict[str, Any]:
    """A guardrail as the API shows it: each kind of rules has its own members."""
    return {
        "id": "grl_1",
        "name": "Rule <i>",
        "rule": {"project_id": None, **rule},
        "violation_count": 2,
    }


RULES = (
    (
        a_guardrail(type="minimum_holders", minimum=2, role="admin", permission=None),
        "2 active members have the role",
    ),
    (
        a_guardrail(type="minimum_holders", minimum=2, role=None, permission="vm:run"),
        "“Machines: Run”",
    ),
    (a_guardrail(type="only_roles", permission="vm:run", roles=["viewer", "gone"]), "Viewer, gone"),
    (a_guardrail(type="never", permission="vm:gone", role="admin", project_id=PROJECT), "A&amp;B"),
)


@pytest.fixture
def rails(api: StandIn) -> StandIn:
    """The API of an account with guardrails."""
    describe_account(api, permissions=("account:view", "account:update", "guardrail:manage"))
    api.answers |= {
        f"GET {RAILS}": (200, {"items": [one for one, _ in RULES]}),
        f"GET {RAILS}/grl_1": (200, RULES[0][0]),
        f"POST {RAILS}": (201, RULES[0][0]),
        f"DELETE {RAILS}/grl_1": (204, None),
        f"GET {API}/catalog": (200, CATALOG),
        f"GET {API}/projects": (200, {"items": [{"id": PROJECT, "name": "A&B"}]}),
    }
    return api


@pytest.mark.rule("B10")
@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        (
            {"kind": "minimum_holders", "minimum": "2", "role": "admin"},
            {"type": "minimum_holders", "minimum": 2, "role": "admin"},
        ),
        (
            {"kind": "minimum_holders", "minimum": "x", "role": "admin"},
            {"type": "minimum_holders", "minimum": 0, "role": "admin"},
        ),
        (
            {"kind": "only_roles", "permission": "vm:run", "role.admin": "on", "role.a": "on"},
            {"type": "only_roles", "permission": "vm:run", "roles": ["admin", "a"]},
        ),
        (
            {"kind": "never", "permission": "vm:run", "role": "viewer", "project": PROJECT},
            {
                "type": "never",
                "permission": "vm:run",
                "role": "viewer",
                "project_id": PROJECT,
            },
        ),
    ],
)
async def test_a_form_makes_a_rule(typed, rule):
    assert new_rule(typed) == rule


@pytest.mark.rule("B10")
async def test_each_rule_is_told_in_the_words_of_the_catalog(browser, rails):
    await browser.sign_in()
    await browser.open(WHERE)
    for _, told in RULES:
        assert told in browser.text
    assert "Rule &lt;i&gt;" in browser.text
    assert "Admin &lt;b&gt;" in browser.text


@pytest.mark.rule("B10")
@pytest.mark.parametrize("kind", ["minimum_holders", "only_roles", "never"])
async def test_a_rule_is_declared_once_and_a_refusal_keeps_it(browser, rails, kind):
    await browser.sign_in()
    new = f"{WHERE}/new?kind={kind}"
    rails.answers[f"POST {RAILS}"] = problem(409, "guardrail-limit", limit=50)
    await browser.open(new)
    fields = {"minimum": "2", "role": "admin", "permission": "vm:run", "role.admin": "on"}
    await browser.press(new, name="Two & more", **fields)
    assert (browser.status, 'value="Two &amp; more"' in browser.text) == (409, True)
    rails.answers[f"POST {RAILS}"] = (201, RULES[0][0])
    assert await browser.press(new, name="Two", **fields) == f"{WHERE}?done=guardrail-created"
    assert rails.asked_for(f"POST {RAILS}")[-1]["rule"]["type"] == kind
    assert len(set(rails.keys)) == 1


@pytest.mark.rule("B10")
async def test_a_rule_is_deleted_after_a_question(browser, rails):
    await browser.sign_in()
    await browser.open(f"{WHERE}/grl_1")
    assert "It is broken at the moment: 2" in browser.text
    assert rails.asked_for(f"DELETE {RAILS}/grl_1") == []
    assert await browser.press(f"{WHERE}/grl_1") == f"{WHERE}?done=guardrail-deleted"
