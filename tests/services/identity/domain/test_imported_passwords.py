"""Tests of the hashes of other systems that may be imported."""

from __future__ import annotations

import base64
from contextlib import closing, suppress
from string import ascii_letters, digits

import bcrypt
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from hypothesis import given, settings
from hypothesis import strategies as st

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.imported_passwords import COMPARISON_SECONDS, hash_fault
from tests.services.identity.faults import MeasuredHasher

SALT, HASH = "c29tZXNhbHQxMjM0NTY3OA", "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
DIGEST = "abcdefghijklmnopqrstuu5tQzH8EYgJ8BNfM5ZQm1x6Q4mKcY7ei"


def argon2(parameters: str = "m=19456,t=2,p=1", salt: str = SALT, hashed: str = HASH) -> str:
    return f"$argon2id$v=19${parameters}${salt}${hashed}"


ACCEPTED = (
    argon2(),
    argon2("m=4096,t=1,p=1"),
    argon2("m=65536,t=3,p=4"),
    *(f"$2{kind}$10${DIGEST}" for kind in "aby"),
    f"$2b$08${DIGEST}",
)
REFUSED = (
    argon2("m=4095,t=3,p=1"),
    argon2("m=65537,t=1,p=1"),
    argon2("m=65536,t=4,p=1"),
    argon2("m=19456,t=999,p=1"),
    argon2("m=19456,t=2,p=5"),
    argon2("m=19456,t=0,p=1"),
    argon2("t=2,m=19456,p=1"),
    argon2(salt="c2hvcnQ"),
    argon2(salt=SALT[:-1] + "B"),
    argon2(hashed="c2hvcnQ"),
    argon2().replace("argon2id", "argon2i"),
    argon2().replace("v=19", "v=16"),
    argon2() + "\n",
    f"$2b$07${DIGEST}",
    f"$2b$13${DIGEST}",
    f"$2b$31${DIGEST}",
    f"$2x$10${DIGEST}",
    f"$2b$10${DIGEST[:-1]}",
    f"$2b$10${DIGEST}\n",
    f"$2b$10${DIGEST[:21]}/{DIGEST[22:]}",
    f"$2b$10${DIGEST[:-1]}j",
    "correct-horse-battery",
    "{SSHA}abcdef",
    "$6$salt$hash",
)


LONGEST = (
    *(f"$2{kind}$12${DIGEST}" for kind in "ab"),
    argon2("m=65536,t=3,p=1"),
    argon2("m=49152,t=4,p=1"),
    argon2("m=4096,t=48,p=1"),
)
"""The accepted hashes whose comparison takes the most time."""
LIGATURE = "wrong-\ufb01ligature-password"
"""Its normalized form differs from what was typed."""
ALPHABET = "./" + ascii_letters + digits


def texts(alphabet: str, size: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=size, max_size=size)


def encoded(least: int, most: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=least, max_size=most).map(
        lambda raw: base64.b64encode(raw).decode().rstrip("=")
    )


BCRYPT_TEXTS = st.builds(
    "$2{}$08${}{}{}{}".format,
    st.sampled_from("aby"),
    texts(ALPHABET, 21),
    st.sampled_from(".Oeu") | st.sampled_from(ALPHABET),
    texts(ALPHABET, 30),
    st.sampled_from(".CGKOSWaeimquy26") | st.sampled_from(ALPHABET),
)
ARGON2_TEXTS = st.builds(
    "$argon2id$v=19$m={},t={},p={}${}${}".format,
    st.integers(4095, 4200),
    st.integers(1, 2),
    st.integers(1, 5),
    encoded(7, 65) | texts(ALPHABET, 22),
    encoded(15, 65) | texts(ALPHABET, 43),
)


@settings(max_examples=60, deadline=None)
@given(hashed=BCRYPT_TEXTS | ARGON2_TEXTS)
def test_every_accepted_hash_is_one_that_the_libraries_compare(hashed: str) -> None:
    if hash_fault(hashed) is not None:
        return
    if hashed.startswith("$2"):
        assert bcrypt.checkpw(b"wrong", hashed.replace("$08$", "$04$", 1).encode()) is False
    else:
        with suppress(VerifyMismatchError):
            PasswordHasher().verify(hashed, b"wrong")


@pytest.mark.parametrize("hashed", ACCEPTED)
async def test_a_hash_of_bounded_cost_is_imported_and_compared(hashed: str) -> None:
    assert hash_fault(hashed) is None
    with closing(Argon2Hasher()) as hasher:
        for password in ("another", "caf\u00e9 \u212b", "long " * 40, "with\0nul"):
            assert await hasher.verify(hashed, password, imported=True, attempts=1) is False


@pytest.mark.rule("T9")
@pytest.mark.parametrize("hashed", LONGEST)
async def test_the_longest_comparison_is_far_below_a_step(hashed: str) -> None:
    assert hash_fault(hashed) is None
    with closing(MeasuredHasher()) as hasher:
        await hasher.verify(hashed, LIGATURE, imported=True, attempts=1)
        assert hasher.seconds[0] < COMPARISON_SECONDS / 2


@pytest.mark.rule("T9")
@pytest.mark.parametrize("hashed", [None, argon2(), f"$2b$08${DIGEST}"])
async def test_each_comparison_is_one_computation(hashed: str | None) -> None:
    with closing(MeasuredHasher()) as hasher:
        for password in ("wrong-password", LIGATURE):
            assert not await hasher.verify(
                hashed, password, imported=hashed is not None, attempts=1
            )
        assert hasher.comparisons == 2


async def test_an_imported_password_is_compared_as_it_was_typed() -> None:
    made = bcrypt.hashpw(LIGATURE.encode(), bcrypt.gensalt(8)).decode()
    with closing(Argon2Hasher()) as hasher:
        assert await hasher.verify(made, LIGATURE, imported=True, attempts=1)
        assert not await hasher.verify(
            made, LIGATURE.replace("\ufb01", "fi"), imported=True, attempts=1
        )


@pytest.mark.parametrize("hashed", REFUSED)
def test_another_hash_is_refused_with_what_helps(hashed: str) -> None:
    fault = hash_fault(hashed)
    assert fault is not None
    assert fault.endswith("Or leave it out: the user then sets a password by a reset.")
