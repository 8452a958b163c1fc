"""The state of a list, by which a script notices that others have changed it."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

PASSING = frozenset({"last_active_at"})
"""What changes of a member by itself, without a change of the list."""


def list_state(listed: Mapping[str, Any]) -> str:
    """The state of a page of members and invitations; it says nothing of what is in it."""
    items = [
        {name: part for name, part in one.items() if name not in PASSING} for one in listed["items"]
    ]
    text = json.dumps([items, listed["counts"]], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:32]
