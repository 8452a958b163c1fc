"""The mailbox of an address, for each kind of alias that a provider documents."""

import pytest

from shared.addresses import parse_address
from shared.mailboxes import mailbox_key


def key_of(address: str) -> str:
    return mailbox_key(parse_address(address).key)


ALIASES = {
    "a plus tag at any domain": ("ana+news@x.example", "ana@x.example"),
    "several plus tags": ("ana+news+more@x.example", "ana@x.example"),
    "a plus tag at Outlook": ("Ana+1@outlook.com", "ana@outlook.com"),
    "dots at Gmail": ("A.n.a@gmail.com", "ana@gmail.com"),
    "Gmail's other domain": ("an.a+x@GoogleMail.com", "ana@gmail.com"),
    "Apple's domains": ("ana+x@me.com", "ana@icloud.com"),
    "Apple's first domain": ("ana@mac.com", "ana@icloud.com"),
    "Proton's signs and domains": ("a_n-a.b+x@pm.me", "anab@proton.me"),
    "Proton's former domain": ("ana@protonmail.com", "ana@proton.me"),
    "Yandex' domains and signs": ("ana-b@ya.ru", "ana.b@yandex.ru"),
    "a subdomain at Fastmail": ("shop@ana.fastmail.com", "ana@fastmail.com"),
    "a disposable name at Yahoo": ("ana-shop@yahoo.com", "ana@yahoo.com"),
}

DIFFERENT = {
    "dots elsewhere": ("a.na@outlook.com", "ana@outlook.com"),
    "signs elsewhere": ("ana-b@x.example", "ana@x.example"),
    "Microsoft's domains": ("ana@hotmail.com", "ana@outlook.com"),
    "Yahoo's domains": ("ana@ymail.com", "ana@yahoo.com"),
    "a subdomain elsewhere": ("shop@ana.x.example", "ana@x.example"),
    "a subdomain of Gmail": ("shop@ana.gmail.com", "ana@gmail.com"),
    "people of one domain": ("ana@gmail.com", "bo@gmail.com"),
}


@pytest.mark.rule("T14")
@pytest.mark.parametrize(("alias", "mailbox"), ALIASES.values(), ids=ALIASES)
def test_an_alias_has_the_key_of_its_mailbox(alias: str, mailbox: str) -> None:
    assert key_of(alias) == mailbox
    assert key_of(mailbox) == mailbox


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_addresses_of_two_mailboxes_have_two_keys(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize("address", ["+a@x.example", "-a@yahoo.com", "_@pm.me", "+@gmail.com"])
def test_a_name_of_signs_alone_keeps_a_key_of_its_own(address: str) -> None:
    name, _, domain = key_of(address).rpartition("@")
    assert name
    assert domain


@pytest.mark.rule("T14")
def test_forty_three_aliases_are_one_mailbox() -> None:
    dotted = [f"{'jane'[:n]}.{'jane'[n:]}@gmail.com" for n in range(1, 4)]
    tagged = [f"j.ane+{n}@googlemail.com" for n in range(40)]
    assert {key_of(address) for address in dotted + tagged} == {"jane@gmail.com"}
