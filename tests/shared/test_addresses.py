"""E-mail addresses: the accepted texts, and the equal ones."""

import pytest

from shared.addresses import parse_address


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("ana@example.com", "ana@example.com"),
        ("Ana.Diaz+team@Example.COM", "ana.diaz+team@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("ana@faß.example", "ana@xn--fa-hia.example"),
        ("ana@example。com", "ana@example.com"),
        ("o'neill@mail.example.co.uk", "o'neill@mail.example.co.uk"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("x@example.xn--p1ai", "x@example.xn--p1ai"),
    ],
)
def test_an_address_is_kept_as_typed_and_compared_by_its_key(typed: str, key: str) -> None:
    address = parse_address(typed)
    assert (address.typed, address.key) == (typed, key)


@pytest.mark.parametrize("around", [" {}", "{} ", "\t{}\r\n", "\u00a0{}\u3000"])
def test_blanks_around_an_address_are_removed(around: str) -> None:
    assert parse_address(around.format("Ana@example.com")) == parse_address("Ana@example.com")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ana",
        "ana@",
        "@example.com",
        "ana@localhost",
        "ana@example",
        "ana@127.0.0.1",
        "ana@[127.0.0.1]",
        "ana@[IPv6:::1]",
        "ana@example.1",
        "ana@-example.com",
        "ana@example-.com",
        "ana@exa_mple.com",
        "ana@example..com",
        "ana@.example.com",
        "ana@example.com.",
        "ana@example.com@evil.example",
        "v@x.example,evil@x.example",
        "v@x.example;evil@x.example",
        "v@x.example evil@x.example",
        "v@x.example\r\nBcc: evil@x.example",
        "v@x.example\n@x.example",
        "v @x.example",
        "v@ x.example",
        " ",
        "v\0@x.example",
        "Ana <v@x.example>",
        "<v@x.example>",
        '"a b"@x.example',
        "a(comment)@x.example",
        ".ana@x.example",
        "ana.@x.example",
        "a..na@x.example",
        "=?utf-8?q?x=0d=0aBcc:evil@x.example?=@x.example",
        "=?utf-8?q?x?=@x.example",
        "\u0430na@x.example",
        "ana\uff20x.example",
        "ana@x.exa\u202emple",
        "ana@x.exa\ud800mple",
        "a" * 65 + "@example.com",
        "ana@" + "a" * 64 + ".example",
        "ana@" + ".".join(["a" * 60] * 5) + ".example",
    ],
)
def test_a_text_that_is_not_one_plain_mailbox_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("josé@example.com", "unaccented letters from A to Z"),
        ("a" * 65 + "@example.com", "The part before the @ must have at most 64 characters."),
        ("Ana <ana@example.com>", "Enter only the address, without a name"),
        ("ana diaz@example.com", "An e-mail address has no spaces. Remove them."),
        ("", "The e-mail address is empty. Enter it as name@example.com."),
        (" \t", "The e-mail address is empty."),
        ("ana", "The e-mail address has no @."),
        ("ana@@example.com", "more than one @"),
        ("ana@example.com,eve@example.com", "takes one e-mail address"),
        ("ana@example.com eve@example.com", "takes one e-mail address"),
        ("@example.com", "The part before the @ is missing."),
        ("ana@", "The domain after the @ is missing."),
        (".ana@example.com", "The part before the @ cannot begin or end with a dot"),
        ("a..na@example.com", "two dots in a row"),
        ("a(na)@example.com", "unaccented letters from A to Z"),
        ("ana@example.com.", "The domain after the @ cannot begin or end with a dot"),
        ("ana@example..com", "two dots in a row"),
        ("ana@[127.0.0.1]", "must be a domain name, not an address"),
        ("ana@localhost", "The domain after the @ has no ending such as .com."),
        ("ana@127.0.0.1", "The part after the @ is not a domain name."),
        ("ana@exa_mple.com", "The part after the @ is not a domain name."),
    ],
)
def test_the_message_says_what_is_wrong_with_the_address(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_address(text)
