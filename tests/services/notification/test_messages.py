"""Who is told of which fact, and what follows from an attempt to send?"""

import re
from datetime import timedelta

import pytest

from services.notification.domain import (
    KEEPS_TRYING,
    TOLD,
    Deferred,
    Failed,
    Kind,
    LinkName,
    Message,
    Refused,
    Sent,
    Status,
    Unlinked,
    Unreachable,
    Withdrawn,
    message_id,
    messages_of,
    outcome,
)
from shared.contracts import identity, team
from shared.contracts.registry import FACT_TYPES
from shared.inbox import caller_for
from tests.services.rows import NOON, row_of

INVITATION_ID = "inv_" + "0" * 31 + "1"
USER = {"user_id": "usr_bo", "email": "bo@example.com", "name": "Bo Li", "account_id": "acc_bo"}
MEMBER = {
    "account_name": "Acme",
    "user_id": "usr_bo",
    "email": "bo@example.com",
    "name": "Bo Li",
    "role": "developer",
}
INVITATION = {
    "account_name": "Acme",
    "invitation_id": INVITATION_ID,
    "email": "bo@example.com",
    "role": "developer",
}
OPEN = INVITATION | {
    "role_title": "Developer",
    "inviter_name": "Ana Díaz",
    "generation": 1,
    "expires_at": NOON + timedelta(days=7),
}
INVITER = {"inviter_user_id": "usr_ana", "inviter_email": "ana@example.com"}
OVERRIDE = {
    "account_name": "Acme",
    "project_id": "prj_1",
    "project_name": "prod",
    "user_id": "usr_bo",
    "email": "bo@example.com",
}
VERIFICATION = LinkName(owner="identity", kind="verification", id="usr_bo", generation=1)
LINK = LinkName(owner="team", kind="invitation", id=INVITATION_ID, generation=1)

TELLING = [
    (
        identity.UserSignedUp(**USER, verified=False, generation=1),
        Kind.VERIFY_EMAIL,
        "bo@example.com",
        VERIFICATION,
    ),
    (
        identity.UserVerificationResent(**USER, generation=1),
        Kind.VERIFY_EMAIL,
        "bo@example.com",
        VERIFICATION,
    ),
    (
        identity.SessionReuseDetected(
            session_id="ses_1",
            user_id="usr_bo",
            email="bo@example.com",
            name="Bo Li",
            ended_at=NOON,
        ),
        Kind.SIGNED_OUT,
        "bo@example.com",
        None,
    ),
    (
        team.InvitationCreated(**OPEN, delivery="email"),
        Kind.INVITATION,
        "bo@example.com",
        LINK,
    ),
    (
        team.InvitationResent(**OPEN, delivery="email"),
        Kind.INVITATION,
        "bo@example.com",
        LINK,
    ),
    (
        team.InvitationAccepted(**INVITATION, **INVITER, user_id="usr_bo", name="Bo Li"),
        Kind.INVITATION_ACCEPTED,
        "ana@example.com",
        None,
    ),
    (
        team.InvitationDeclined(**INVITATION, **INVITER),
        Kind.INVITATION_DECLINED,
        "ana@example.com",
        None,
    ),
    (
        team.MemberRoleChanged(
            **MEMBER, previous_role="basic", role_title="Developer", ends_sessions=False
        ),
        Kind.ROLE_CHANGED,
        "bo@example.com",
        None,
    ),
    (team.MemberRemoved(**MEMBER), Kind.REMOVED, "bo@example.com", None),
    (team.OverrideSet(**OVERRIDE, expires_at=None), Kind.OVERRIDE_SET, "bo@example.com", None),
    (team.OverrideRemoved(**OVERRIDE), Kind.OVERRIDE_REMOVED, "bo@example.com", None),
]
SILENT = [
    identity.UserSignedUp(**USER, verified=True, generation=1),
    team.InvitationCreated(**OPEN, delivery="link"),
    team.InvitationResent(**OPEN, delivery="link"),
    team.MemberLeft(**MEMBER),
    team.InvitationRevoked(**INVITATION),
]


def told_of(payload, **fields):
    row = row_of(payload, account_id="acc_1", **fields)
    return messages_of(row, caller=caller_for(row, service="notification"), now=NOON)


@pytest.mark.parametrize(
    ("payload", "kind", "recipient", "link"), TELLING, ids=lambda value: getattr(value, "type", "")
)
def test_whoever_a_fact_concerns_is_told(payload, kind, recipient, link):
    (message,) = told_of(payload)
    assert (message.kind, message.recipient, message.link) == (kind, recipient, link)
    assert message.account_id == "acc_1"
    assert message.caller.actor.on_behalf_of == "usr_ana"


def test_the_table_above_has_every_fact_that_somebody_is_told_of():
    assert {payload.type for payload, *_ in TELLING} == set(TOLD)


@pytest.mark.parametrize("payload", SILENT, ids=lambda payload: payload.type)
def test_a_fact_that_needs_no_mail_gives_none(payload):
    assert told_of(payload) == ()


@pytest.mark.parametrize(
    ("title", "shown"), [({"role_title": "Developer"}, "Developer"), ({}, "developer")]
)
def test_whoever_invited_reads_the_roles_title_where_the_fact_has_it(title, shown):
    (message,) = told_of(
        team.InvitationAccepted(**INVITATION, **INVITER, **title, user_id="usr_bo", name="Bo Li")
    )
    assert message.words["role"] == shown


def test_no_message_keeps_a_secret():
    named = set.union(
        *(set(FACT_TYPES[fact_type].model_fields) for fact_type in TOLD), Message.__annotations__
    )
    assert not named & {"password", "token", "code", "secret", "url", "link_key"}


def test_the_same_fact_kind_and_recipient_always_have_the_same_message_id():
    fact = "evt_0190b5d2f0c87a3fb1e2c3d4e5f60718"
    first = message_id(fact, Kind.INVITATION, "bo@example.com")
    assert first == message_id(fact, Kind.INVITATION, "bo@example.com")
    assert re.fullmatch(r"msg_0190b5d2f0c88[0-9a-f]{3}8[0-9a-f]{15}", first)


def test_another_fact_kind_or_recipient_has_another_message_id():
    fact, other = "evt_0190b5d2f0c87a3fb1e2c3d4e5f60718", "evt_0190b5d2f0c87a3fb1e2c3d4e5f60719"
    ids = {
        message_id(fact, Kind.INVITATION, "bo@example.com"),
        message_id(other, Kind.INVITATION, "bo@example.com"),
        message_id(fact, Kind.REMOVED, "bo@example.com"),
        message_id(fact, Kind.INVITATION, "ana@example.com"),
    }
    assert len(ids) == 4


def waiting(*, attempts=0, deferrals=0):
    (message,) = told_of(team.MemberRemoved(**MEMBER))
    return Message(**(vars(message) | {"attempts": attempts, "deferrals": deferrals}))


@pytest.mark.parametrize(
    ("attempt", "status"),
    [
        (Sent(reply="250 taken"), Status.SENT),
        (Refused(reply="550 no such user"), Status.BOUNCED),
        (Withdrawn(), Status.WITHDRAWN),
    ],
)
def test_some_attempts_are_the_last_one(attempt, status):
    assert outcome(waiting(), attempt, now=NOON, jitter=0.0) is status


@pytest.mark.parametrize(
    ("attempts", "deferrals", "attempt", "seconds"),
    [
        (0, 0, Unreachable(reason="refused"), 1),
        (1, 0, Unreachable(reason="refused"), 5),
        (2, 0, Unreachable(reason="refused"), 30),
        (3, 0, Unreachable(reason="refused"), 60),
        (50, 0, Unreachable(reason="refused"), 3600),
        (0, 0, Unlinked(reason="unavailable"), 1),
        (1, 0, Unlinked(reason="unavailable"), 2),
        (50, 0, Unlinked(reason="a service of ours that keeps restarting"), 5),
        (0, 0, Failed(reason="a fault of ours"), 1),
        (50, 0, Failed(reason="a fault of ours"), 3600),
        (0, 0, Deferred(reply="451 later"), 60),
        (1, 1, Deferred(reply="451 later"), 300),
        (2, 2, Deferred(reply="451 later"), 900),
        (3, 3, Deferred(reply="451 later"), 3600),
        (9, 9, Deferred(reply="451 later"), 3600),
        (5, 0, Deferred(reply="a mail server that is back may put us off"), 60),
        (3, 3, Unreachable(reason="a mail server that put us off restarts"), 1),
    ],
)
def test_the_pauses_between_attempts_follow_the_schedule(attempts, deferrals, attempt, seconds):
    message = waiting(attempts=attempts, deferrals=deferrals)
    again = outcome(message, attempt, now=NOON, jitter=0.0)
    assert again == NOON + timedelta(seconds=seconds)


def test_jitter_makes_a_pause_longer_by_a_fifth_at_most():
    again = outcome(waiting(), Deferred(reply="451 later"), now=NOON, jitter=1.0)
    assert again == NOON + timedelta(seconds=72)


def test_after_three_days_a_message_is_given_up_visibly():
    late = NOON + KEEPS_TRYING - timedelta(minutes=30)
    message = waiting(attempts=90, deferrals=80)
    assert outcome(message, Deferred(reply="451 later"), now=late, jitter=0.0) is Status.BOUNCED
