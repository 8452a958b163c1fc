"""The rules of users as tables."""

from __future__ import annotations

from services.identity.domain.users import caller_as, rename
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import SessionId
from tests.services.identity.domain.rows import USER


def test_a_rename_has_a_fact_only_if_the_name_changes() -> None:
    assert rename(USER, "Ana") == (USER, ())
    renamed, (fact,) = rename(USER, "Ana Díaz")
    assert renamed.name == "Ana Díaz"
    assert (fact.before, fact.after) == ({"name": "Ana"}, {"name": "Ana Díaz"})


def test_the_actor_keeps_the_session_of_the_request_without_a_new_one() -> None:
    asked = Caller(
        actor=Actor(type="user", id="usr_1", session_id="ses_old"),
        request=RequestInfo(request_id="req-1"),
    )
    assert caller_as(asked, USER).actor.session_id == "ses_old"
    assert caller_as(asked, USER, session_id=SessionId("ses_new")).actor.session_id == "ses_new"
    assert caller_as(asked, USER).actor.email == USER.email
