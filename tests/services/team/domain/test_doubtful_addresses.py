"""Addresses that deserve a second look before they are invited."""

import pytest

from services.team.domain.doubtful_addresses import (
    SimilarDomain,
    ThrowAwayAddress,
    require_no_doubt,
)
from shared.addresses import parse_address

MEMBERS = ("ada@northwind.example", "bea@x.example", "carl@gmail.com", "eve@acme.org.uk")


def check(domain: str) -> None:
    require_no_doubt(parse_address(f"dora@{domain}").key, member_keys=MEMBERS)


@pytest.mark.parametrize(
    "domain",
    [
        "northwind.example",
        "mail.northwind.example",
        "x.example",
        "y.example",
        "southwind.example",
        "gmail.com",
        "ymail.com",
        "gmx.at",
        "yahoo.fr",
        "müller.example",
        "ac.me.uk",
        "mail.southwind.example",
    ],
)
def test_a_usual_address_needs_no_second_look(domain: str) -> None:
    check(domain)


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("northwnd.example", "northwind.example"),
        ("northwindd.example", "northwind.example"),
        ("nrothwind.example", "northwind.example"),
        ("northwimd.example", "northwind.example"),
        ("northwind.exampel", "northwind.example"),
        ("northvvind.example", "northwind.example"),
        ("n0rthwind.example", "northwind.example"),
        ("north-wind.example", "northwind.example"),
        ("northwind.test", "northwind.example"),
        ("n\u043erthwind.example", "northwind.example"),
        ("n\u043erthw\u0456nd.example", "northwind.example"),
        ("\u0578orthwind.example", "northwind.example"),
        ("nörthwind.example", "northwind.example"),
        ("gmial.com", "gmail.com"),
        ("grnail.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.com.br", "gmail.com"),
        ("northwind.example.evil.test", "northwind.example"),
        ("mail.northwind.exampel", "northwind.example"),
        ("acme.co.uk", "acme.org.uk"),
        ("acme.com", "acme.org.uk"),
        ("outlok.com", "outlook.com"),
    ],
)
def test_a_domain_that_resembles_another_is_told_with_it(domain: str, known: str) -> None:
    with pytest.raises(SimilarDomain) as refused:
        check(domain)
    assert refused.value.members["resembles"] == known


@pytest.mark.parametrize("domain", ["mailinator.com", "box.mailinator.com", "yopmail.com"])
def test_a_throw_away_mailbox_is_told(domain: str) -> None:
    with pytest.raises(ThrowAwayAddress) as refused:
        check(domain)
    assert refused.value.members == {"domain": domain}


def test_a_domain_that_a_member_has_needs_no_second_look() -> None:
    require_no_doubt("ada@mailinator.com", member_keys=["bea@mailinator.com"])
    require_no_doubt("ada@gmial.com", member_keys=["bea@gmial.com"])


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        ("nörthwind.example", "nörthwind.example"),
        ("n\u043erthwind.example", "xn--nrthwind-nbh.example"),
    ],
)
def test_a_domain_is_told_as_it_was_written_unless_letters_resemble(domain: str, told: str) -> None:
    with pytest.raises(SimilarDomain) as refused:
        check(domain)
    assert refused.value.members["domain"] == told
