"""The bounds of a member's attributes, which every replica of authz holds in memory."""

import json
import re
from collections.abc import Mapping

from services.team.domain.members import Attribute
from shared.problems import Invalid

MAX_ATTRIBUTES = 32
MAX_TEXT_CHARACTERS = 256
MAX_ATTRIBUTES_BYTES = 4 * 1024
"""Of all attributes of one member as JSON."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")


def check_attributes(attributes: Mapping[str, Attribute]) -> None:
    """Check the keys, the values and the size.

    Raises:
        Invalid: with a pointer to each attribute that does not fit.
    """
    errors = [(f"/attributes/{_escaped(key)}", _KEY_FAULT) for key in attributes if not _fits(key)]
    errors += [
        (f"/attributes/{key}", f"A text may have {MAX_TEXT_CHARACTERS} characters.")
        for key, value in attributes.items()
        if _fits(key) and isinstance(value, str) and len(value) > MAX_TEXT_CHARACTERS
    ]
    if len(attributes) > MAX_ATTRIBUTES:
        errors.append(("/attributes", f"A member may have {MAX_ATTRIBUTES} attributes."))
    if len(json.dumps(dict(attributes)).encode()) > MAX_ATTRIBUTES_BYTES:
        errors.append(
            ("/attributes", f"The attributes may have {MAX_ATTRIBUTES_BYTES} bytes as JSON.")
        )
    if errors:
        raise Invalid(errors=errors)


def _fits(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def _escaped(key: str) -> str:
    """The key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


_KEY_FAULT = (
    "A key begins with a letter a-z and has up to 64 of the characters a-z, 0-9 and underscore."
)
