"""Tests of the hashes of other systems that may be imported."""

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.imported_passwords import hash_fault

SALT, HASH = "c29tZXNhbHQxMjM0NTY3OA", "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
DIGEST = "abcdefghijklmnopqrstuu5tQzH8EYgJ8BNfM5ZQm1x6Q4mKcY7ei"


def argon2(parameters: str = "m=19456,t=2,p=1", salt: str = SALT, hashed: str = HASH) -> str:
    return f"$argon2id$v=19${parameters}${salt}${hashed}"


ACCEPTED = (
    argon2(),
    argon2("m=4096,t=1,p=1"),
    argon2("m=65536,t=4,p=4"),
    *(f"$2{kind}$10${DIGEST}" for kind in "aby"),
    f"$2b$08${DIGEST}",
)
REFUSED = (
    argon2("m=4095,t=3,p=1"),
    argon2("m=65537,t=1,p=1"),
    argon2("m=65536,t=5,p=1"),
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
    "correct-horse-battery",
    "{SSHA}abcdef",
    "$6$salt$hash",
)


@pytest.mark.parametrize("hashed", ACCEPTED)
async def test_a_hash_of_bounded_cost_is_imported_and_compared(hashed: str) -> None:
    assert hash_fault(hashed) is None
    hasher = Argon2Hasher()
    try:
        for password in ("another", "caf\u00e9 \u212b", "long " * 40, "with\0nul"):
            assert await hasher.verify(hashed, password) is False
    finally:
        hasher.close()


@pytest.mark.parametrize("hashed", REFUSED)
def test_another_hash_is_refused_with_what_helps(hashed: str) -> None:
    fault = hash_fault(hashed)
    assert fault is not None
    assert fault.endswith("Or leave it out: the user then sets a password by a reset.")
