"""What authenticators answer, made plain before a library reads it.

A library of WebAuthn parses also what the product has not asked for: tags of CBOR, statements with
chains of certificates, further members of a key. None of them reaches it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from webauthn.helpers import encode_cbor

from services.identity.adapters.plain_cbor import Item, NotPlainError, read

HAS_PASSKEY, HAS_EXTENSIONS = 0x40, 0x80
_FLAGS_AT, _HEADER_SIZE, _AAGUID_SIZE = 32, 37, 16
MAX_ID_SIZE = 1023
MAX_KEY_SIZE = 1024

Member = int | range
"""A member of a key: exactly this number, or as many bytes."""


@dataclass(frozen=True, kw_only=True)
class PlainData:
    """The parts of authenticator data (WebAuthn, section 6.1)."""

    header: bytes
    attested: bytes
    """The authenticator's model and the id of a passkey, before its key."""
    key: bytes | None


_KEYS: Final[tuple[Mapping[int, Member], ...]] = (
    {1: 2, 3: -7, -1: 1, -2: range(32, 33), -3: range(32, 33)},  # ES256
    {1: 1, 3: -8, -1: 6, -2: range(32, 33)},  # EdDSA
    {1: 3, 3: -257, -1: range(256, 513), -2: range(1, 5)},  # RS256, of at most 4,096 bits
)
"""The kinds of keys that the options for a browser ask for, each with its members (RFC 9053)."""


def without_statement(attestation: bytes) -> bytes:
    """Return the attestation object of a new passkey with nothing but the passkey.

    No statement about the authenticator is asked for, so none is read.

    Raises:
        ValueError: it is not what an authenticator makes.
    """
    members, end = read(attestation)
    if end != len(attestation) or not isinstance(members, dict):
        raise NotPlainError("not one map")
    data = members.get("authData")
    if not isinstance(data, bytes):
        raise NotPlainError("no data of the authenticator")
    found = plain_data(data)
    if found.key is None:
        raise NotPlainError("no passkey")
    header = bytearray(found.header)
    header[_FLAGS_AT] &= ~HAS_EXTENSIONS
    plain = bytes(header) + found.attested + found.key
    return encode_cbor({"fmt": "none", "attStmt": {}, "authData": plain})


def plain_data(data: bytes) -> PlainData:
    """Read the data of an authenticator.

    Raises:
        ValueError: they are not what an authenticator makes.
    """
    header, end = data[:_HEADER_SIZE], _HEADER_SIZE
    if len(header) < _HEADER_SIZE:
        raise NotPlainError("too short")
    attested, key = b"", None
    if header[_FLAGS_AT] & HAS_PASSKEY:
        size_at = _HEADER_SIZE + _AAGUID_SIZE
        size = int.from_bytes(data[size_at : size_at + 2])
        if size > MAX_ID_SIZE:
            raise NotPlainError("the id is too long")
        attested = data[_HEADER_SIZE : size_at + 2 + size]
        members, end = read(data, size_at + 2 + size)
        key = _known_members(members)
    if header[_FLAGS_AT] & HAS_EXTENSIONS:
        _, end = read(data, end)
    if end != len(data):
        raise NotPlainError("more than its parts")
    return PlainData(header=header, attested=attested, key=key)


def plain_key(stored: bytes) -> bytes:
    """Return a stored key with its known members alone.

    Raises:
        ValueError: it is not a key of a kind that is asked for.
    """
    if len(stored) > MAX_KEY_SIZE:
        raise NotPlainError("too long")
    members, _ = read(stored)
    return _known_members(members)


def _known_members(key: Item) -> bytes:
    for kind in _KEYS:
        if isinstance(key, dict) and all(_fits(key.get(name), kind[name]) for name in kind):
            return encode_cbor({name: key[name] for name in kind})
    raise NotPlainError("a key of another kind")


def _fits(value: Item, member: Member) -> bool:
    if isinstance(member, range):
        return isinstance(value, bytes) and len(value) in member
    return value == member and not isinstance(value, bool)
