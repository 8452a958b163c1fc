"""What the relying party asks of browsers, and takes from them, without a server."""

from __future__ import annotations

import pytest

from services.identity.adapters.relying_party import RelyingParty
from services.identity.domain.passkeys import Passkey, PasskeyRefused
from tests.services.identity.domain.rows import NOON, USER
from tests.support.passkeys import SoftPasskey, encoded

PARTY = RelyingParty(public_url="https://cloud.example:8443", product="Rolecall")
CHALLENGE = PARTY.new_challenge()
HERE = "https://cloud.example:8443"


def made(passkey: SoftPasskey) -> Passkey:
    options = PARTY.creation_options(USER, (), challenge=CHALLENGE)
    return PARTY.new_passkey(passkey.create(options), challenge=CHALLENGE, name="Phone", now=NOON)


@pytest.mark.rule("B1")
def test_a_passkey_is_of_the_whole_origin_and_keeps_its_first_count() -> None:
    assert made(SoftPasskey(origin=HERE, count=7)).sign_count == 7
    for other in ("https://cloud.example", "https://cloud.example:8444", "http://cloud.example"):
        with pytest.raises(PasskeyRefused):
            made(SoftPasskey(origin=other))


def test_a_browser_is_told_what_it_has_and_asks_for_the_person() -> None:
    known = SoftPasskey(origin=HERE)
    options = PARTY.creation_options(USER, [made(known)], challenge=CHALLENGE)
    assert [one["id"] for one in options["excludeCredentials"]] == [encoded(known.id)]
    choice = options["authenticatorSelection"]
    assert (choice["userVerification"], choice["residentKey"]) == ("required", "required")
    asked = PARTY.request_options(challenge=CHALLENGE)
    assert (asked["userVerification"], asked["rpId"]) == ("required", "cloud.example")
