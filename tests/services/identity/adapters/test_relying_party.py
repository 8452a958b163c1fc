"""What authenticators answer is read as it is written, and never unfolds."""

from dataclasses import replace
from datetime import UTC, datetime

import cbor2
import pytest

from services.identity.adapters.plain_cbor import MAX_ITEMS, read
from services.identity.adapters.relying_party import RelyingParty
from services.identity.domain.passkeys import PasskeyRefused
from tests.support.passkeys import SoftPasskey, encoded
from tests.support.unfolding import little_work, shared_references

ORIGIN = "https://id.example"
PARTY = RelyingParty(public_url=ORIGIN, product="Rolecall")
CHALLENGE = PARTY.new_challenge()
TO_CREATE = {"user": {"id": encoded(b"usr_1")}, "rp": {"id": "id.example"}, "challenge": CHALLENGE}
TO_GET = {"rpId": "id.example", "challenge": CHALLENGE}
UNFOLDS = shared_references()

REFUSED = {
    "a tag": b"\xc1\x00",
    "shared references": UNFOLDS,
    "a regular expression": b"\xd8\x23\x66(a+)+$",
    "a large exponent": b"\xc4\x82\x1a\x7f\xff\xff\xff\x01",
    "a float": b"\xf9\x7e\x00",
    "a value without a meaning": b"\xf7",
    "a simple value in two bytes": b"\xf8\x14",
    "a list without a length": b"\x9f\x00\xff",
    "a text without a length": b"\x7f\x61a\xff",
    "a map without a length": b"\xbf\xff",
    "a length of a reserved kind": b"\x1c",
    "an end without a beginning": b"\xff",
    "a key twice": b"\xa2\x01\x00\x01\x00",
    "a key in two forms": b"\xa2\x01\x00\x18\x01\x00",
    "a truth as a key": b"\xa1\xf5\x00",
    "a list as a key": b"\xa1\x80\x00",
    "bytes as a key": b"\xa1\x41a\x00",
    "five levels": b"\x81" * 5 + b"\x00",
    "very many levels": b"\x81" * 6000 + b"\x00",
    "too many items": b"\x99\x03\xe8" + b"\x00" * 1000,
    "more items than bytes": b"\x9b" + b"\x7f" * 8,
    "more members than bytes": b"\xbb" + b"\x7f" * 8,
    "more bytes than there are": b"\x5b" + b"\x7f" * 8,
    "text that is not UTF-8": b"\x61\xff",
    "nothing": b"",
}
PLAIN = (
    None,
    [True, False, None],
    {"fmt": "packed", "attStmt": {"alg": -7, "x5c": [b"cert"]}, "authData": b"\x00" * 400},
    {1: 2**64 - 1, -1: -(2**64), 24: 255, "credProtect": 2},
    [[[[0]]]],
    list(range(MAX_ITEMS - 1)),
)


@pytest.mark.parametrize("written", REFUSED.values(), ids=REFUSED)
def test_what_no_authenticator_writes_is_refused(written: bytes) -> None:
    for attempt in little_work():
        with attempt, pytest.raises(ValueError, match=r"."):
            read(written)


@pytest.mark.parametrize("value", PLAIN, ids=str)
def test_what_authenticators_write_is_read_to_its_end(value: object) -> None:
    written = cbor2.dumps(value)
    assert read(b"before" + written + b"after", len(b"before")) == (value, 6 + len(written))


def key_with(member: bytes) -> bytes:
    """A key with a member that means nothing."""
    key = cbor2.dumps(SoftPasskey(origin=ORIGIN).public_key())
    return b"\xa6" + key[1:] + b"\x18\x63" + member


PLACES = {
    "the key": {"key": UNFOLDS},
    "a member of the key": {"key": key_with(UNFOLDS)},
    "an extension": {"extensions": b"\xa1\x61e" + UNFOLDS},
    **{
        f"the statement's {name}": {"statement": b"\xa1" + cbor2.dumps(name) + UNFOLDS}
        for name in ("x5c", "sig", "alg", "ver", "response", "certInfo", "pubArea", "other")
    },
}


@pytest.mark.rule("T19")
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_new_passkey_that_unfolds_is_refused_unread(place: dict[str, bytes]) -> None:
    answer = SoftPasskey(origin=ORIGIN).create(TO_CREATE, **place)
    for attempt in little_work():
        with attempt, pytest.raises(PasskeyRefused):
            PARTY.new_passkey(answer, challenge=CHALLENGE, name="Phone", now=datetime.now(UTC))


def added(device: SoftPasskey, **parts: bytes):
    return PARTY.new_passkey(
        device.create(TO_CREATE, **parts), challenge=CHALLENGE, name="Phone", now=datetime.now(UTC)
    )


@pytest.mark.rule("T19")
def test_a_signature_with_what_unfolds_is_refused_unread() -> None:
    device = SoftPasskey(origin=ORIGIN)
    passkey = added(device)
    answer = device.get(TO_GET, extensions=b"\xa1\x61e" + UNFOLDS)
    for attempt in little_work():
        with attempt, pytest.raises(PasskeyRefused):
            PARTY.sign_count(answer, passkey, challenge=CHALLENGE)


@pytest.mark.rule("T19")
def test_a_stored_key_that_unfolds_is_refused_unread() -> None:
    device = SoftPasskey(origin=ORIGIN)
    passkey, long = added(device), cbor2.dumps(device.public_key() | {99: bytes(2000)})
    for stored in (UNFOLDS, key_with(UNFOLDS), long):
        for attempt in little_work():
            with attempt, pytest.raises(PasskeyRefused):
                PARTY.sign_count(
                    device.get(TO_GET), replace(passkey, public_key=stored), challenge=CHALLENGE
                )


def test_a_key_is_kept_with_its_known_members_alone() -> None:
    device = SoftPasskey(origin=ORIGIN)
    known = device.public_key()
    passkey = added(device, key=cbor2.dumps(known | {99: bytes(2000), "more": [1, 2]}))
    assert cbor2.loads(passkey.public_key) == known
    assert PARTY.sign_count(device.get(TO_GET), passkey, challenge=CHALLENGE) == 1
    former = replace(passkey, public_key=cbor2.dumps(known | {99: "kept before"}))
    assert PARTY.sign_count(device.get(TO_GET), former, challenge=CHALLENGE) == 2


RSA = {1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\x01\x00\x01"}
ED25519 = {1: 1, 3: -8, -1: 6, -2: b"x" * 32}


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["RS256", "EdDSA"])
def test_keys_of_each_kind_that_is_asked_for_are_kept(key: dict[int, object]) -> None:
    passkey = added(SoftPasskey(origin=ORIGIN), key=cbor2.dumps(key))
    assert cbor2.loads(passkey.public_key) == key


OTHER_KEYS = {
    "a curve that was not asked for": {-1: 2},
    "an algorithm that was not asked for": {3: -36},
    "a coordinate that is too long": {-2: bytes(33)},
    "a coordinate that is missing": {-2: None},
    "a truth in place of a number": {-1: True},
    "an RSA key that is too long": RSA | {-1: b"\xff" * 513},
    "an RSA key that is too short": RSA | {-1: b"\xff" * 255},
    "an RSA key with a large exponent": RSA | {-2: b"\xff" * 256},
}


@pytest.mark.parametrize("changes", OTHER_KEYS.values(), ids=OTHER_KEYS)
def test_keys_of_other_kinds_and_sizes_are_refused(changes: dict[int, object]) -> None:
    device = SoftPasskey(origin=ORIGIN)
    with pytest.raises(PasskeyRefused):
        added(device, key=cbor2.dumps(device.public_key() | changes))


def test_no_statement_of_an_authenticator_is_read() -> None:
    statement = {"alg": -7, "sig": b"not a signature", "x5c": [b"not a certificate"] * 5}
    device = SoftPasskey(origin=ORIGIN)
    passkey = added(device, statement=cbor2.dumps(statement), extensions=b"\xa1\x61e\xf5")
    answer = device.get(TO_GET, extensions=b"\xa1\x61e\xf5")
    assert PARTY.sign_count(answer, passkey, challenge=CHALLENGE) == 1
