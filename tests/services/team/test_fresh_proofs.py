"""Giving an account away and deleting it need a fresh proof of who the owner is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.team.routes import ROUTES
from shared.http.access import needs_fresh_proof
from tests.services.team.running import Team


def test_the_routes_that_need_a_fresh_proof_are_known() -> None:
    assert {row.operation_id for row in ROUTES if needs_fresh_proof(row.access)} == {
        "offerOwnership",
        "deleteAccount",
    }


@pytest.mark.parametrize(
    ("seconds_ago", "statuses"), [(299, {201, 403, 409, 422}), (300, {401}), (10**6, {401})]
)
async def test_an_old_proof_gives_no_account_away(
    team: Team, seconds_ago: float, statuses: set[int]
) -> None:
    owner = replace(await team.person("Ana"), proved_seconds_ago=seconds_ago)
    await owner.get(owner.path)
    body = {"user_id": owner.user_id}
    answers = [
        await owner.send("POST", f"{owner.path}/ownership-transfer", body),
        await owner.send("DELETE", f"{owner.path}?confirm=x"),
    ]
    for answer in answers:
        assert answer.status in statuses, answer.body
        if answer.status == 401:
            assert answer.body["code"] == "step-up-required"
