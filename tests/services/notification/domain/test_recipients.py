"""The recipient and the words of each mail, as a table of facts."""

import re

import pytest

from services.notification.domain.messages import Message, MessageKind, message_id
from services.notification.domain.names import MOMENTS
from services.notification.domain.pace import TOPICS, Topic
from services.notification.domain.recipients import RECIPIENTS, messages_of
from shared.contracts import identity, team
from shared.contracts.facts import Actor
from shared.contracts.registry import FACT_TYPES
from shared.inbox import caller_for
from tests.services.notification.samples import MAILS, MEMBER, USER, WITHOUT_MAIL
from tests.services.rows import NOON, row_of

THINGS = {
    Topic.MEMBERSHIP: {"user_id"},
    Topic.MEMBERS: {"user_id"},
    Topic.OVERRIDES: {"project_id"},
    Topic.RESOURCES: {"from_user_id"},
    Topic.INVITATIONS: {"invitation_id"},
    Topic.OWNERSHIP: {"user_id"},
    Topic.SIGN_IN: {"connection_id"},
    Topic.RECEIVERS: {"webhook_id", "stream_id"},
    Topic.ACCOUNT: set(),
}
"""The fields of a fact that a newer mail of the topic has in common with the one it replaces.

Mails of the topic `account` have the account in common."""


def messages_for(payload, **fields):
    row = row_of(payload, account_id="acc_1", **fields)
    return messages_of(row, caller=caller_for(row, service="notification"), now=NOON)


@pytest.mark.rule("Ci1", "Nv14", "Ro15")
@pytest.mark.parametrize(
    ("payload", "expected"), MAILS, ids=lambda value: getattr(value, "type", "")
)
def test_a_fact_causes_this_mail_to_this_recipient(payload, expected):
    messages = messages_for(payload)
    assert [message.recipient for message in messages] == [expected.to, *expected.also]
    assert len({message.id for message in messages}) == len(messages)
    for message in messages:
        assert message.kind is expected.kind
        assert message.words == expected.words
        assert message.link == expected.link
        assert message.expires_at == expected.expires_at
        assert message.account_id == "acc_1"
        assert message.caller.actor.on_behalf_of == "usr_ana"


@pytest.mark.rule("T14")
@pytest.mark.parametrize(
    ("payload", "expected"), MAILS, ids=lambda value: getattr(value, "type", "")
)
def test_a_mail_of_a_pace_names_what_it_is_about(payload, expected):
    topic = TOPICS.get(expected.kind)
    for message in messages_for(payload):
        of_topic = set() if topic is None else THINGS[topic] & set(type(payload).model_fields)
        things = [getattr(payload, name) for name in of_topic] or [topic and "acc_1"]
        named = message.about and message.about.partition("/")[0]
        assert [named] == things


def test_the_table_has_every_fact_that_causes_a_mail():
    assert {payload.type for payload, _ in MAILS} == set(RECIPIENTS)


def test_the_table_has_every_kind_of_message():
    assert {expected.kind for _, expected in MAILS} == set(MessageKind) - {MessageKind.DIGEST}


@pytest.mark.parametrize("payload", WITHOUT_MAIL, ids=lambda payload: payload.type)
def test_some_facts_cause_no_mail(payload):
    assert messages_for(payload) == ()


@pytest.mark.parametrize("fact_type", sorted(set(FACT_TYPES) - set(RECIPIENTS)))
def test_a_fact_outside_the_table_causes_no_mail(fact_type):
    assert messages_for(FACT_TYPES[fact_type].model_construct(), data={"email": "bo@x.y"}) == ()


def test_data_that_do_not_fit_their_fact_are_an_error():
    with pytest.raises(ValueError, match="account_name"):
        messages_for(team.MemberRemoved(**MEMBER), data={"email": "bo@example.com"})


def test_an_actor_who_removes_themself_is_told_that_they_left():
    own, others = (
        messages_for(team.MemberRemoved(**MEMBER), actor=Actor(type="user", id=user_id))[0].words
        for user_id in (MEMBER["user_id"], "usr_ana")
    )
    assert (own.get("left"), others.get("left")) == ("yes", None)


def test_a_factor_that_the_operator_removed_is_told_as_the_platforms_act():
    operator = Actor(type="operator", id="key_1", name="Zoë Ops")
    (message,) = messages_for(identity.SecondFactorRemoved(**USER, kind="totp"), actor=operator)
    assert message.words["by_platform"] == "yes"


def test_an_actor_without_a_name_leaves_the_word_empty():
    (message,) = messages_for(team.MemberRemoved(**MEMBER), actor=Actor(type="service", id="team"))
    assert message.words["actor"] == ""


def test_no_message_keeps_a_secret():
    named = set.union(
        *(set(FACT_TYPES[fact_type].model_fields) for fact_type in RECIPIENTS),
        Message.__annotations__,
    )
    assert not named & {"password", "token", "code", "secret", "url", "link_key"}


def test_the_same_fact_kind_and_recipient_give_the_same_message_id():
    fact = "evt_0190b5d2f0c87a3fb1e2c3d4e5f60718"
    first = message_id(fact, MessageKind.INVITATION, "bo@example.com")
    assert first == message_id(fact, MessageKind.INVITATION, "bo@example.com")
    assert re.fullmatch(r"msg_0190b5d2f0c88[0-9a-f]{3}8[0-9a-f]{15}", first)


def test_another_fact_kind_or_recipient_gives_another_message_id():
    fact, other = "evt_0190b5d2f0c87a3fb1e2c3d4e5f60718", "evt_0190b5d2f0c87a3fb1e2c3d4e5f60719"
    ids = {
        message_id(fact, MessageKind.INVITATION, "bo@example.com"),
        message_id(other, MessageKind.INVITATION, "bo@example.com"),
        message_id(fact, MessageKind.REMOVED, "bo@example.com"),
        message_id(fact, MessageKind.INVITATION, "ana@example.com"),
    }
    assert len(ids) == 4


def test_every_moment_of_a_mail_is_a_word_that_is_shown_as_a_moment():
    words = [word for _, expected in MAILS for word in expected.words.items()]
    fields = {field for field, text in words if re.match(r"\d{4}-\d\d-\d\dT", text)}
    assert fields == MOMENTS
