"""Sessions of tests that ask the product."""

from __future__ import annotations

import aiohttp

from shared.http.client import KEEP_ALIVE_SECONDS


def http_session(
    *, seconds: float | None = 300, timeout: aiohttp.ClientTimeout | None = None, limit: int = 100
) -> aiohttp.ClientSession:
    """A session that uses no connection again which the server may be about to close.

    A test that computes for long does not hear of that, and its next POST would fail.
    """
    return aiohttp.ClientSession(
        timeout=timeout or aiohttp.ClientTimeout(total=seconds),
        connector=aiohttp.TCPConnector(limit=limit, keepalive_timeout=KEEP_ALIVE_SECONDS),
    )
