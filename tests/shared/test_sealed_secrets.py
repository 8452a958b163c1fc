"""Sealed secrets: only the key, the form and the id with which one was sealed open it."""

import pytest
from cryptography.exceptions import InvalidTag

from shared.sealed_secrets import NONCE_BYTES, SealedSecrets

KEY = bytes(range(32))
STREAMS = SealedSecrets(KEY, form=b"stream secret 1")


def test_a_secret_is_opened_by_its_key_form_and_id_only():
    sealed = STREAMS.seal("Bearer 4f6b1c", about="str_1")
    assert STREAMS.open(sealed, about="str_1") == "Bearer 4f6b1c"
    for other, about in (
        (STREAMS, "str_2"),
        (STREAMS, ""),
        (SealedSecrets(KEY, form=b"issuer secret 1"), "str_1"),
        (SealedSecrets(bytes(32), form=b"stream secret 1"), "str_1"),
    ):
        with pytest.raises(InvalidTag):
            other.open(sealed, about=about)
    for place in (0, NONCE_BYTES, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(InvalidTag):
            STREAMS.open(bytes(altered), about="str_1")


def test_one_secret_sealed_twice_does_not_look_the_same():
    first, second = (STREAMS.seal("Bearer 4f6b1c", about="str_1") for _ in range(2))
    assert first[:NONCE_BYTES] != second[:NONCE_BYTES]
    assert first[NONCE_BYTES:] != second[NONCE_BYTES:]
    assert b"4f6b1c" not in first
