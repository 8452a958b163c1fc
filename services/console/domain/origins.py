"""Whether a form was sent by a page of this console (`T25`)."""

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
