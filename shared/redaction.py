"""What does a secret look like that must stand in no log and no record (T15)?"""

SECRETS = (
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JWT
    r"|\brc[ts]_[\w-]{8,}"  # an API token or a client's secret of ours
    r"|\$argon2\S+"
    r"|\b(?:usr|inv|ses)_[0-9a-f]{32}\.\d+\.[\w-]+"  # the token of a mailed link, of a refresh
)
"""A regular expression, to be joined with others by `|`."""
