"""Origins of pages: whether one of ours sent a form (`T25`), and where browsers use passkeys."""

from urllib.parse import urlsplit

OWN_SITES = frozenset({"same-origin", "none"})
"""What a browser says of a request of our own pages, and of one that its user began."""


def is_foreign(*, fetch_site: str | None, origin: str | None, own_origin: str) -> bool:
    """Return whether the browser says that another site's page sent the request.

    Browsers that do not send `Sec-Fetch-Site` send `Origin`. It is `null` because of our referrer
    policy, and then the mark in the form alone decides.
    """
    if fetch_site is not None:
        return fetch_site not in OWN_SITES
    return origin not in {None, "null", own_origin}


def takes_passkeys(origin: str) -> bool:
    """Return whether browsers use passkeys there: at a name, and over a secure connection.

    At an address of the network they refuse each one (Web Authentication, section 5.1.4.1).
    """
    parts = urlsplit(origin)
    host = (parts.hostname or "").rstrip(".")
    last_label = host.rpartition(".")[2]
    if not last_label or last_label.isdecimal() or ":" in host:
        return False
    return parts.scheme == "https" or last_label == "localhost"
