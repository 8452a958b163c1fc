"""The rules of sign-up as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.identity.domain.sign_up import check_registration, sign_up
from shared.problems import Invalid
from tests.services.identity.domain.rows import NOON, USER

GOOD = {"email": "ana@example.com", "name": "Ana", "password": "correct-horse-battery"}


def test_a_valid_registration_keeps_the_typed_address_and_compares_its_key() -> None:
    registration = check_registration(**GOOD | {"email": "Ana@Example.com"})
    assert registration.address.typed == "Ana@Example.com"
    assert registration.address.key == "ana@example.com"


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"email": "ana"}, ["/email"]),
        ({"name": " "}, ["/name"]),
        ({"password": "short"}, ["/password"]),
        ({"password": "Ana12345"}, ["/password"]),
        ({"email": "ana", "name": "", "password": "x"}, ["/email", "/name", "/password"]),
    ],
)
def test_a_refused_registration_names_every_wrong_field(change, pointers) -> None:
    with pytest.raises(Invalid) as refused:
        check_registration(**GOOD | change)
    assert [error.pointer for error in refused.value.errors] == pointers


@pytest.mark.rule("Ci2")
@pytest.mark.parametrize(
    ("verified_at", "types"),
    [
        (None, ["identity.user.signed_up.v1"]),
        (NOON, ["identity.user.signed_up.v1", "identity.user.verified.v1"]),
    ],
)
def test_the_facts_of_a_sign_up(verified_at, types) -> None:
    facts = sign_up(replace(USER, verified_at=verified_at))
    assert [fact.payload.type for fact in facts] == types
