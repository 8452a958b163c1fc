"""An ended session's access token opens nothing from the moment that the news of its end came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.contracts import identity
from shared.ids import new_id
from tests.services.rows import row_of
from tests.services.team.running import Person, Team

if TYPE_CHECKING:
    from collections.abc import Callable


def ended(person: Person) -> identity.SessionEnded:
    return identity.SessionEnded(
        session_id=person.session_id, user_id=person.user_id, ended_at=person.team.clock.now()
    )


def stolen(person: Person) -> identity.SessionReuseDetected:
    return identity.SessionReuseDetected(
        **ended(person).model_dump(), email=person.email, name=person.name
    )


@pytest.mark.parametrize("news", [ended, stolen])
async def test_the_token_of_an_ended_session_opens_nothing(
    team: Team, news: Callable[[Person], Any]
) -> None:
    ana = await team.person("Ana")
    await ana.get(ana.path)

    await team.tell(row_of(news(ana)))

    body = {"name": "Engines", "catalog": "standard"}
    for method, path, sent in (
        ("GET", "/v1/me/accounts", None),
        ("GET", ana.path, None),
        ("POST", f"{ana.path}/convert", body),
        ("POST", "/v1/invitations/accept", {"token": "x", "code": "ABCDEFGH"}),
    ):
        answer = await ana.send(method, path, sent)
        assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_another_session_of_the_same_user_continues(team: Team) -> None:
    ana = await team.person("Ana")
    elsewhere = replace(ana, session_id=new_id("ses"))

    await team.tell(row_of(ended(ana)))

    assert (await elsewhere.get(ana.path))["id"] == ana.account_id


async def test_the_end_of_a_session_may_be_delivered_twice(team: Team) -> None:
    ana = await team.person("Ana")
    news = row_of(ended(ana))
    await team.tell(news)
    await team.tell(news)
    assert (await ana.send("GET", ana.path)).status == 401


async def test_an_ended_session_is_kept_until_its_last_token_has_expired(team: Team) -> None:
    ana = await team.person("Ana")
    before = team.clock.now()
    await team.tell(row_of(ended(ana)))
    kept = await team.database["ended_sessions"].find_one({"_id": ana.session_id})
    assert kept is not None
    lifetime = timedelta(minutes=5)
    assert kept["expires_at"] >= before + lifetime
    indexes = await team.database["ended_sessions"].index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0
