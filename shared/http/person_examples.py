"""Examples of what the product knows of a person, and writes to them."""

from collections.abc import Mapping
from typing import Any

PERSONS: Mapping[str, Any] = {
    "device": "Firefox on Linux",
    "ip": "203.0.113.7",
    "ids": ["msg_01990b5d2f0c7a3fb1e2c3d4e5f60718"],
    "locale": "en",
    "network": "203.0.113.7",
    "time_zone": "Europe/Berlin",
}
"""Per name of a member, as in `shared.http.examples`."""
