"""Exports of what notification has of a person: how long their lists are."""

MAX_ROWS = 1_000
"""The longest list of an export; a longer one says that it is cut."""
PAGE_ROWS = 100
"""Rows that are read and written as text at once: other requests have their turn after them."""
