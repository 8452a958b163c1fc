"""How long an access token is valid, and how long the end of its session is remembered."""

from datetime import timedelta

from rolecall.client.access_tokens import ACCESS_SECONDS

SESSION_END_RETENTION = timedelta(seconds=2 * ACCESS_SECONDS)
"""After this time no access token of an ended session is valid, even with clocks that differ."""
