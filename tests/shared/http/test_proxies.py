"""The header `Forwarded` is read by its grammar, so a client cannot write into it."""

from asyncio import Transport
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from shared.http.proxies import Proxies, ProxyHeader

PROXY, CLIENT = "10.0.0.2", "203.0.113.9"
FORWARDED = Proxies([ip_network("10.0.0.0/8")], ProxyHeader.FORWARDED)
X_FORWARDED_FOR = Proxies([ip_network("10.0.0.0/8")])


class FromProxy(Transport):
    """A connection whose peer is the proxy."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The address of the peer."""
        return (PROXY, 4711) if name == "peername" else default


def client(proxies: Proxies, *sent: tuple[str, str]) -> str | None:
    """The client of a request with these headers."""
    request = make_mocked_request("GET", "/", CIMultiDict(sent), transport=FromProxy())
    return proxies.client_address(request)


def read(*fields: str) -> str | None:
    """The client that fields of `Forwarded` name."""
    return client(FORWARDED, *(("Forwarded", field) for field in fields))


READ = [
    ("for=203.0.113.9", CLIENT),
    ("FOR=203.0.113.9;Proto=https", CLIENT),
    ('proto=http;host="x;for=6.6.6.6";for=203.0.113.9', CLIENT),
    ('for=203.0.113.9;proto=http;host="a,for=6.6.6.6"', CLIENT),
    (r'host="\";for=6.6.6.6;x=\"";for=203.0.113.9', CLIENT),
    (r'for="203.0.113\.9"', CLIENT),
    (";for=203.0.113.9;;proto=http;", CLIENT),
    ("for=6.6.6.6 , for=203.0.113.9; proto=http", CLIENT),
    ("garbage, for=203.0.113.9", CLIENT),
    ('for="[2001:db8::1]:443", for=10.0.0.3', "2001:db8::1"),
    ("for=203.0.113.9, for=_hidden, for=10.0.0.3", "10.0.0.3"),
    ("for=6.6.6.6, for=unknown", PROXY),
    ("for=6.6.6.6;for=203.0.113.9", PROXY),
    ("for=203.0.113.9;proto=http;Proto=https", PROXY),
    ('for="6.6.6.6, for=203.0.113.9', PROXY),
    ('for="6.6.6.6 ";by=10.0.0.2', PROXY),
    ("for=203.0.113.9:80", PROXY),
    ("for = 203.0.113.9", PROXY),
    ("for=203.0.113.9;garbage", PROXY),
    ("for=203.0.113.9 proto=http", PROXY),
    ("for=203.0.113.9,", PROXY),
    ('for="203.0.113.9"x', PROXY),
    ('for="', PROXY),
    ('for="\\', PROXY),
    ("", PROXY),
]


@pytest.mark.rule("T18")
@pytest.mark.parametrize(("field", "address"), READ)
def test_an_element_that_is_not_valid_is_an_unknown_hop(field: str, address: str) -> None:
    assert read(field) == address


PIECES = ['"', "\\", ",", ";", "x=", "=", " ", "\t", "a", "\xe9", "for=6.6.6.6", 'for="6.6.6.6"']
HOSTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def element(host: str, order: list[str]) -> str:
    """What a proxy writes about a request with this `Host`."""
    quoted = host.replace("\\", "\\\\").replace('"', '\\"')
    values = {"for": CLIENT, "host": f'"{quoted}"', "proto": "http", "by": f'"{PROXY}"'}
    return ";".join(f"{name}={values[name]}" for name in order)


ORDERS: st.SearchStrategy[list[str]] = st.permutations(["for", "host", "proto", "by"])


@pytest.mark.rule("T18")
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(host=HOSTS, order=ORDERS)
def test_no_quoted_value_of_host_changes_the_address(host: str, order: list[str]) -> None:
    assert read(element(host, order)) == CLIENT


@pytest.mark.rule("T18")
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sent=HOSTS, host=HOSTS, order=ORDERS)
def test_no_field_that_a_proxy_appends_to_names_a_third_address(
    sent: str, host: str, order: list[str]
) -> None:
    written = element(host, order)
    assert read(sent, written) == CLIENT
    for second in ("", f", {element(host, order[1:] + order[:1])}"):
        assert read(f"{sent}, {written}{second}") in (CLIENT, PROXY)


@pytest.mark.rule("T18")
def test_the_header_that_the_proxies_do_not_write_is_never_read() -> None:
    forged = "6.6.6.6"
    both = ("X-Forwarded-For", forged), ("Forwarded", f"for={CLIENT}")
    assert client(FORWARDED, *both) == CLIENT
    assert client(FORWARDED, both[0]) == PROXY
    both = ("X-Forwarded-For", CLIENT), ("Forwarded", f"for={forged}")
    assert client(X_FORWARDED_FOR, *both) == CLIENT
    assert client(X_FORWARDED_FOR, both[1]) == PROXY
