"""Which rows of an issuer's key set are read, and with how much work."""

import secrets
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key

from services.identity.adapters.issuer_keys import MAX_KEYS, key_for, read_keys
from tests.support.issuer import KEYS, public_row
from tests.support.unfolding import little_work


def base64(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


def odd(bits: int) -> int:
    return secrets.randbits(bits) | 1 << bits - 1 | 1


def rsa(bits: int, **members: Any) -> dict[str, Any]:
    return {"kty": "RSA", "kid": "k", "n": base64(odd(bits)), "e": "AQAB"} | members


def private_row(algorithm: str) -> dict[str, Any]:
    row = jwt.get_algorithm_by_name(algorithm).to_jwk(KEYS[algorithm], as_dict=True)
    return {**row, "kid": "k"}


CURVE = public_row("ES256", kid="k")
ED25519 = public_row("EdDSA", kid="k")
READ = {
    "RS256": public_row("RS256", kid="k"),
    "ES256": CURVE,
    "EdDSA": ED25519,
    "no algorithm": {**CURVE, "alg": None},
    "no use": {name: value for name, value in CURVE.items() if name != "use"},
    "padded base64": {**CURVE, "x": f"{CURVE['x']}="},
    "further members": {**CURVE, "x5c": ["certificate"], "x5t": "print", "key_ops": ["verify"]},
    "8,192 bits": rsa(8192),
}
LEFT_OUT = {
    "no row": 7,
    "a private RSA key": private_row("RS256"),
    "a private EC key": private_row("ES256"),
    "a private Ed25519 key": private_row("EdDSA"),
    "a private exponent without primes": rsa(4096, d=base64(odd(4095))),
    "a secret": {"kty": "oct", "k": "c2VjcmV0"},
    "2,047 bits": rsa(2047),
    "8,193 bits": rsa(8193),
    "200,000 bits": rsa(200_000),
    "a large exponent": rsa(2048, e=base64(odd(2048))),
    "a modulus that is a number": rsa(2048, n=7),
    "a modulus that is missing": {"kty": "RSA", "e": "AQAB"},
    "a modulus in other signs": rsa(2048, n="§" * 342),
    "a point that is not on its curve": {**CURVE, "y": CURVE["x"]},
    "a long coordinate": {**CURVE, "x": "A" * 100_000},
    "another curve": {
        **jwt.get_algorithm_by_name("ES384").to_jwk(
            new_curve_key(SECP384R1()).public_key(), as_dict=True
        )
    },
    "an unknown kind": {**CURVE, "kty": ["EC"]},
    "another algorithm": {**CURVE, "alg": "ES384"},
    "an algorithm that is an object": {**CURVE, "alg": {}},
    "for encryption": {**CURVE, "use": "enc"},
    "a very long id": {**CURVE, "kid": "k" * 2000},
}


@pytest.mark.parametrize("row", READ.values(), ids=READ)
def test_public_keys_of_the_algorithms_are_read(row: dict[str, Any]) -> None:
    [key] = read_keys({"keys": [row]})
    assert key_for([key], "k", key.algorithm) is key


@pytest.mark.rule("T19")
@pytest.mark.parametrize("row", LEFT_OUT.values(), ids=LEFT_OUT)
def test_other_rows_are_left_out_without_work(row: Any) -> None:
    for attempt in little_work():
        with attempt:
            assert read_keys({"keys": [row, CURVE]}) == read_keys({"keys": [CURVE]})


@pytest.mark.rule("T19")
def test_a_key_set_of_the_longest_keys_takes_little_work() -> None:
    row = rsa(8192, e="_____w")
    for attempt in little_work():
        with attempt:
            keys = read_keys({"keys": [row] * 1000})
    assert len(keys) == MAX_KEYS
    header, signature = (urlsafe_b64encode(part).decode() for part in (b'{"alg":"RS256"}', b"x"))
    token = f"{header}.e30.{(signature.rstrip('=') + 'A' * 1364)}"
    for attempt in little_work():
        with attempt, pytest.raises(jwt.PyJWTError):
            jwt.PyJWS().decode(token, keys[0].public, algorithms=["RS256"])
