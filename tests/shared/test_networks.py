"""Addresses in every form that proxies write, and the networks that are private."""

from ipaddress import ip_network

import pytest

from shared.networks import (
    PRIVATE_NETWORKS,
    check_trusted_networks,
    is_within,
    network_of,
    read_address,
)

READ = {
    "192.0.2.1": "192.0.2.1",
    "192.0.2.1:4711": "192.0.2.1",
    "2001:db8::1": "2001:db8::1",
    "[2001:db8::1]": "2001:db8::1",
    "[2001:db8::1]:4711": "2001:db8::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "[::ffff:192.0.2.1]:80": "192.0.2.1",
    "fe80::1%eth0": "fe80::1%eth0",
}
NO_ADDRESSES = (
    *("", ":", "[]", "[]:80", "unknown", "_hidden", "localhost", "192.0.2.1:", "192.0.2.1:x"),
    *("192.0.2.1:123456", "[192.0.2.1", "192.0.2.1]", "[2001:db8::1]x", "192.0.2.256", "1.2.3"),
    *("2001:db8::1:4711x", "[[::1]]", "192.0.2.1 ", "evil.example:80"),
)


@pytest.mark.parametrize(("text", "address"), READ.items())
def test_an_address_is_read_with_port_and_brackets(text: str, address: str) -> None:
    assert str(read_address(text)) == address


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_text_that_is_not_an_address_is_not_read(text: str) -> None:
    assert read_address(text) is None


PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255"),
    *("::1", "fd12::1", "fe80::1", "fe80::1%eth0"),
)
PUBLIC = ("172.32.0.1", "192.0.2.1", "100.128.0.1", "2001:db8::1", "::2")


def is_private(text: str) -> bool:
    address = read_address(text)
    assert address is not None
    return is_within(address, [ip_network(network) for network in PRIVATE_NETWORKS])


@pytest.mark.parametrize("text", PRIVATE)
def test_an_address_without_a_route_in_the_internet_is_private(text: str) -> None:
    assert is_private(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_any_other_address_is_not_private(text: str) -> None:
    assert not is_private(text)


def test_a_customer_of_ipv6_is_one_sender_in_every_form() -> None:
    forms = ("2001:db8:1:2::9", "[2001:db8:1:2::9]:80", "2001:db8:1:2:3:4:5:6")
    assert {network_of(form) for form in forms} == {"2001:db8:1:2::/64"}
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1:80") == "192.0.2.1"


@pytest.mark.rule("T18")
@pytest.mark.parametrize(
    ("widest", "too_wide"),
    [
        ("100.0.0.0/8", "100.0.0.0/7"),
        ("2000::/16", "2000::/15"),
        ("fc00::/7", "fc00::/6"),
        ("::ffff:100.0.0.0/104", "::ffff:100.0.0.0/103"),
    ],
)
def test_the_networks_of_proxies_have_a_shortest_prefix(widest: str, too_wide: str) -> None:
    check_trusted_networks([ip_network(widest)])
    with pytest.raises(ValueError, match="too many addresses"):
        check_trusted_networks([ip_network(too_wide)])
