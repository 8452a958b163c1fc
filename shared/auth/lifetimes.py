"""How long an access token is valid, and how long the end of its session is remembered."""

from datetime import timedelta

ACCESS_SECONDS = 300
"""The lifetime of an access token."""

SESSION_END_RETENTION = timedelta(seconds=2 * ACCESS_SECONDS)
"""After this time no access token of an ended session is valid, even with clocks that differ."""
