"""The rules of sign-up as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.identity.domain.sign_up import (
    check_registration,
    refused,
    request,
    resend,
    signed_up,
)
from shared.ids import SignUpId
from shared.problems import Invalid
from tests.services.identity.domain.rows import NOON, PENDING, USER

GOOD: dict[str, Any] = {"email": "ana@example.com", "name": "Ana"}
DAY, WEEK, MOMENT = timedelta(days=1), timedelta(days=7), timedelta(milliseconds=1)
USED = replace(PENDING, used_at=NOON)


def test_a_valid_registration_keeps_the_typed_address_and_compares_its_key() -> None:
    registration = check_registration(**GOOD | {"email": "Ana@Example.com"})
    assert registration.address.typed == "Ana@Example.com"
    assert registration.address.key == "ana@example.com"


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"email": "ana"}, ["/email"]),
        ({"name": " "}, ["/name"]),
        ({"email": "ana", "name": ""}, ["/email", "/name"]),
    ],
)
def test_a_refused_registration_names_every_wrong_field(change, pointers) -> None:
    with pytest.raises(Invalid) as refusal:
        check_registration(**GOOD | change)
    assert [error.pointer for error in refusal.value.errors] == pointers


@pytest.mark.parametrize(
    ("current", "after", "generation", "made_after"),
    [
        (None, timedelta(), 1, timedelta()),
        (PENDING, timedelta(), 2, timedelta()),
        (PENDING, DAY - MOMENT, 2, timedelta()),
        (PENDING, DAY, 3, DAY),
        (PENDING, WEEK, 3, WEEK),
        (PENDING, 9 * WEEK, 3, 9 * WEEK),
        (USED, MOMENT, 3, MOMENT),
    ],
)
def test_a_repeated_sign_up_mails_the_same_link_while_it_is_young(
    current, after, generation, made_after
) -> None:
    registration = check_registration(email="Ana@example.com", name="Ana Díaz")
    pending, fact = request(current, registration, sign_up_id=SignUpId("sup_1"), now=NOON + after)
    assert (pending.generation, pending.link_made_at) == (generation, NOON + made_after)
    same_link = current is not None and generation == current.generation
    name, email = ("Ana", "ana@example.com") if same_link else ("Ana Díaz", "Ana@example.com")
    assert (pending.id, pending.name, pending.email) == ("sup_1", name, email)
    assert pending.waits(NOON + after)
    assert fact.payload.model_dump() == {
        "sign_up_id": "sup_1",
        "email": email,
        "name": name,
        "generation": generation,
        "expires_at": NOON + made_after + WEEK,
        "locale": "en",
    }


@pytest.mark.parametrize(
    ("current", "after", "generation"),
    [
        (PENDING, timedelta(), 2),
        (PENDING, DAY - MOMENT, 2),
        (PENDING, DAY, 3),
        (PENDING, WEEK, None),
        (USED, timedelta(), None),
        (None, timedelta(), None),
    ],
)
def test_a_resend_mails_only_the_link_of_a_sign_up_that_waits(current, after, generation) -> None:
    mailed = resend(current, now=NOON + after)
    assert (mailed and mailed[0].generation) == generation
    if mailed is not None:
        assert mailed[1].payload.model_dump()["generation"] == generation


@pytest.mark.rule("Ci2")
def test_the_facts_of_a_new_user() -> None:
    facts = signed_up(USER)
    assert [fact.payload.type for fact in facts] == [
        "identity.user.signed_up.v1",
        "identity.user.verified.v1",
    ]
    assert facts[0].payload.model_dump()["verified"] is True
    assert {fact.account_id for fact in facts} == {USER.account_id}


def test_a_sign_up_with_the_address_of_a_user_is_recorded_for_them() -> None:
    fact = refused(USER)
    assert fact.payload.model_dump()["email"] == USER.email
    assert (fact.account_id, fact.outcome, fact.reason) == (
        USER.account_id,
        "denied",
        "account-exists",
    )
