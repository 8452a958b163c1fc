"""Names and addresses as a mail shows them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notification.domain.names import (
    MAX_NAME_LENGTH,
    display_name,
    display_text,
    hidden_address,
    mailbox_of,
    quoted,
)

HARMLESS = [
    "Ana Díaz",
    "J.R. Smith",
    "Acme Inc.",
    "O'Neil & Söhne GmbH",
    "Team: Alpha",
    "研究チーム",
    "v1.2",
    "Wait...what",
    "Sales (D.E.)",
    "👩‍🚀 space",
    "A. B. Müller",
    "Acme 2.0",
    "St. John's",
    "AT&T",
    "Team 24/7",
    "C++/Rust guild",
    "Season 2024/2025",
]


@pytest.mark.parametrize("name", HARMLESS)
def test_an_ordinary_name_stays_as_it_is(name):
    assert display_name(name) == name


@pytest.mark.parametrize(
    ("name", "displayed"),
    [
        ("Click https://evil.example/x now", "Click now"),
        ("HTTPS:/evil.example", ""),
        ("www.evil.example", "www evil example"),
        ("evil.example/login", ""),
        ("evil。example", "evil example"),
        ("evil\u2024example", "evil example"),
        ("evil.\u200dexample", "evil \u200dexample"),
        ("evil\u200c.example", "evil\u200c example"),
        (
            "\u092d\u093e\u0930\u0924\u0940.\u092d\u093e\u0930\u0924",
            "\u092d\u093e\u0930\u0924\u0940 \u092d\u093e\u0930\u0924",
        ),
        ("mailto:a@evil.example", ""),
        ("javascript:alert(1)", "alert(1)"),
        ("a\r\nBcc: the others", "a Bcc: the others"),
        ("Call +49 30 1234567", ""),
        ("Pay at evil.example?id=1", ""),
        ("evil。example/login", ""),
        ("evil dot com", ""),
        ("evil.dot.com", ""),
        ("a\r\nBcc: victim@x.example", ""),
        ("a\u2028b\u0085c\x00d", "a b c d"),
        ("=?utf-8?q?x=0d=0aBcc:v?=", "= ?utf-8?q?x=0d=0aBcc:v?="),
        ("=\u200b?utf-8?q?x?=", "= ?utf-8?q?x?="),
        ("safe\u202eexe.txt", "safeexe txt"),
        ("  lots \t of   space ", "lots of space"),
        ("x" * 200, "x" * (MAX_NAME_LENGTH - 1) + "…"),
    ],
)
def test_links_and_hidden_characters_are_removed_from_a_name(name, displayed):
    assert display_name(name) == displayed


@pytest.mark.parametrize(
    ("field", "text", "word"),
    [
        ("email", "Bo.Li@example.com", "Bo.Li@example.com"),
        ("email", "<Bo.Li@example.com>", ""),
        ("name", "Bo.Li@example.com", ""),
        ("name", "www.evil.example/login@x.org", ""),
    ],
)
def test_an_address_is_unchanged_only_in_the_field_email(field, text, word):
    assert display_text(field, text) == word


HIDDEN_ADDRESSES = [
    ("jo@xn--mnchen-3ya.example", "j…@münchen.example"),
    ("jo@example.com", "j…@example.com"),
    ("jo@xn--a.example", "j…@xn--a.example"),
]


@pytest.mark.parametrize(("address", "shown"), HIDDEN_ADDRESSES)
def test_a_hidden_address_has_its_domain_as_mails_write_it(address, shown):
    assert hidden_address(address) == shown


HOSTS = [
    ("hooks.acme.example", "hooks[.]acme[.]example"),
    ("127.0.0.1", "127[.]0[.]0[.]1"),
    ("203.0.113.77", "203[.]0[.]113[.]77"),
    ("2001:db8::1", "2001:db8::1"),
    ("localhost", "localhost"),
    (
        "ec2-203-0-113-77.eu-central-1.compute.amazonaws.com",
        "ec2-203-0-113-77[.]eu-central-1[.]compute[.]amazonaws[.]com",
    ),
    ("prod-12345678.hooks.example", "prod-12345678[.]hooks[.]example"),
    ("my_hooks.example", "my_hooks[.]example"),
    ("hooks.münchen.example", "hooks[.]xn--mnchen-3ya[.]example"),
    ("hooks。acme。example", "hooks[.]acme[.]example"),
    (f"{'a' * 90}.example", f"…{'a' * 71}[.]example"),
    ("", ""),
    ("evil.example/login", ""),
    ("evil.example pay now", ""),
    ("bo@evil.example", ""),
    ("evil\u202e.example", ""),
    ("a\r\nBcc: v", ""),
]


@pytest.mark.rule("T13")
@pytest.mark.parametrize(("host", "shown"), HOSTS)
def test_a_host_is_shown_whole_and_makes_no_link(host, shown):
    assert display_text("host", host) == shown


CLOSED_ONCE = "“Ana\u2019 Your bill is due”"
CLOSING_MARKS = (
    *"\"'`\u00b4\u02ba\u02bc\u02dd\u02ee\u05f4\u2019\u201d\u201f\u203a\u00bb\u2032\u2033\u2034\u2036",
    *"\u275e\u276f\u2e03\u2e0a\u2e21\u300d\u300f\u301e\u301f\ufe42\ufe44\uff02\uff07\uff63\U0001f677",
    "''",
    "\u2019\u2019",
    "\u00b4\u00b4",
    "\u2032'",
)
"""What a reader takes for a closing quotation mark, alone or in pairs."""


@pytest.mark.rule("T13")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ana Díaz", "“Ana Díaz”"),
        ("", ""),
        ('Acme "Best" Inc.', "“Acme \u2019Best\u2019 Inc.”"),
        ("Ana” of Rolecall. Your bill is “due", "“Ana\u2019 of Rolecall. Your bill is \u2019due”"),
        ("„Ana“ «A» \uff02B\uff02", "“\u2019Ana\u2019 \u2019A\u2019 \u2019B\u2019”"),
        ("Shaun O'Neil", "“Shaun O\u2019Neil”"),
        *((f"Ana{mark} Your bill is due", CLOSED_ONCE) for mark in CLOSING_MARKS),
    ],
)
def test_a_quoted_name_cannot_close_its_quotation_marks(name, shown):
    assert quoted(name) == shown


@pytest.mark.rule("T13")
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("bo.li@example.com", "bo.li@example.com"),
        ("bo+rolecall@example.com", "bo+rolecall@example.com"),
        ("bo+2026@example.com", "bo+2026@example.com"),
        ("bo+URGENT-call-0900-123-456@example.com", "bo+…@example.com"),
        ("bo+evil.example/login@example.com", "bo+…@example.com"),
        ("bo+www.evil.example@example.com", "bo+…@example.com"),
        ("bo+http//evil.example/pay@example.com", "bo+…@example.com"),
        ("bo+yourAccountIsLocked@example.com", "bo+…@example.com"),
        ("bo+pay+now@example.com", "bo+…@example.com"),
        ("bo+0900123@example.com", "bo+…@example.com"),
        ("call-0900-123-456@example.com", "c…@example.com"),
        ("evil.example/login@example.com", "e…@example.com"),
        ("evil.example/login+news@example.com", "e…+news@example.com"),
    ],
)
def test_an_address_carries_no_message_in_a_mail(address, shown):
    assert display_text("email", address) == shown


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_a_displayed_name_is_short_visible_and_stable(name):
    displayed = display_name(name)
    assert len(displayed) <= MAX_NAME_LENGTH
    assert displayed.splitlines() in ([], [displayed])
    assert "=?" not in displayed
    assert display_name(displayed) == displayed


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("bo@example.com", "bo@example.com"),
        ("Bo.Li+team@Example.COM", "Bo.Li+team@example.com"),
        ("bo@bücher.example", "bo@xn--bcher-kva.example"),
    ],
)
def test_a_mailbox_keeps_the_local_part_and_has_its_domain_in_ascii(address, mailbox):
    assert mailbox_of(address) == mailbox


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no-at-sign",
        "v@x.example,evil@x.example",
        "v@x.example evil@x.example",
        "v@x.example\r\nBcc: evil@x.example",
        "v@x.example\n",
        "<v@x.example>",
        '"v w"@x.example',
        "v@[127.0.0.1]",
        "v@localhost",
        "=?utf-8?q?x?=@x.example",
        "v\u202e@x.example",
        "v@x.example>",
        "a" * 65 + "@x.example",
        "v@" + "x" * 250 + ".example",
    ],
)
def test_text_that_is_not_exactly_one_mailbox_is_refused(address):
    assert mailbox_of(address) is None
