"""The leaf of a record in the tree, with commitments in the place of personal values.

A leaf has no personal value. It has a commitment to it: the hash of a random salt and the value.
Value and salt stand beside the tree. Without both the commitment tells nothing, and the leaf's hash
can still be computed: a value can be erased, and all proofs stay valid.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from rolecall.audit.canonical import canonical, canonical_plain
from rolecall.audit.trees import leaf_hash

SALT_BYTES = 16
PERSONAL_MEMBERS = ("actor.name", "actor.email", "resource.name", "ip", "user_agent", "reason")
PERSONAL_OBJECTS = ("before", "after")
"""Each of their members has its own commitment."""

_PERSONAL = tuple((path, *path.partition(".")[::2]) for path in PERSONAL_MEMBERS)

Form = Mapping[str, Any]
"""A record as a JSON object."""


class SealError(ValueError):
    """A record or its seal is malformed."""


def personal_values(record: Form) -> dict[str, Any]:
    """The personal values of a record by their paths, such as `actor.name` and `after.role`.

    Raises:
        SealError: one of the objects with personal members is something else.
    """
    found = {}
    for path, outer, inner in _PERSONAL:
        value = record.get(outer)
        if inner and value is not None:
            value = value.get(inner)
        if value is not None:
            found[path] = value
    for name in PERSONAL_OBJECTS:
        members = record.get(name)
        if members is None:
            continue
        if not isinstance(members, Mapping):
            raise SealError(f"`{name}` is not an object.")
        for member, value in members.items():
            found[f"{name}.{member}"] = value
    return found


def commitment(salt: bytes, value: Any) -> str:
    """The commitment to a value: SHA-256 of salt and canonical form, hexadecimal."""
    return hashlib.sha256(salt + canonical(value)).hexdigest()


def commitments(values: Mapping[str, Any], salts: Mapping[str, bytes]) -> dict[str, str]:
    """The commitments to personal values, by their paths.

    Raises:
        SealError: not each value has one salt, or a salt has another length.
    """
    if values.keys() != salts.keys():
        raise SealError("Values and salts do not belong together.")
    if any(len(salt) != SALT_BYTES for salt in salts.values()):
        raise SealError("A salt has another length.")
    return {path: commitment(salts[path], value) for path, value in values.items()}


def leaf_of(record: Form, committed: Mapping[str, str]) -> bytes:
    """The hash of the leaf of a record with these commitments.

    Members that are null are left out: one that a later version adds changes no leaf.
    """
    leaf = {"commitments": committed, "record": _without_personal(record)}
    write = canonical_plain if all(map(str.isascii, committed)) else canonical
    return leaf_hash(write(leaf))


def _without_personal(record: Form) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in record.items():
        if value is None or name in _PERSONAL_AT_TOP:
            continue
        if name in PERSONAL_OBJECTS:
            kept[name] = {}
        elif isinstance(value, dict):
            inner = _PERSONAL_INSIDE.get(name, ())
            kept[name] = {
                member: each
                for member, each in value.items()
                if each is not None and member not in inner
            }
        else:
            kept[name] = value
    return kept


_PERSONAL_AT_TOP = frozenset(outer for _, outer, inner in _PERSONAL if not inner)
_PERSONAL_INSIDE = {
    name: frozenset(inner for _, outer, inner in _PERSONAL if outer == name and inner)
    for name in {outer for _, outer, inner in _PERSONAL if inner}
}


def encoded(data: bytes) -> str:
    """Bytes as a member of a seal: base64."""
    return base64.b64encode(data).decode()


def decoded(text: Any) -> bytes:
    """Read what `encoded` wrote.

    Raises:
        SealError: the value is not base64.
    """
    if not isinstance(text, str):
        raise SealError("A member of the seal is not base64.")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if encoded(data) != text:
        raise SealError("A member of the seal is not base64.")
    return data
