"""Texts of strangers take work in proportion to their length, also the worst that are known."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from rolecall.core.problems import CatalogError
from rolecall.core.source import parse
from services.audit.domain.erased_people import addresses_in
from services.audit.domain.search_terms import words_of
from services.identity.domain.devices import device_of
from services.identity.domain.imported_passwords import hash_fault
from services.identity.domain.passwords import password_fault
from services.notification.domain.names import display_name
from shared.addresses import parse_address
from shared.contacts import has_contact
from shared.http import strict_json
from shared.http.refusals import MalformedJson
from shared.names import parse_name
from shared.redaction import redact
from tests.support.unfolding import little_work

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 60_000
MARKS = "\u0315\u0300"
"""Marks whose order changes when they are composed."""


def password(text: str) -> str | None:
    return password_fault(text, names=["Ana Maria"] * 5, email="a@b.example", product="Rolecall")


def json(text: str) -> object:
    return strict_json.loads(text.encode())


def merged(levels: int) -> str:
    """YAML in which each mapping has the members of the one before twice."""
    lines = (f"a{each}: &a{each} {{<<: [*a{each - 1}, *a{each - 1}]}}" for each in range(1, levels))
    return "\n".join(["a0: &a0 {x: 1}", *lines])


def repeated(levels: int) -> str:
    """YAML in which each list has the one before twice."""
    lines = (f"a{each}: &a{each} [*a{each - 1}, *a{each - 1}]" for each in range(1, levels))
    return "\n".join(["a0: &a0 [x]", *lines])


TEXTS: dict[str, tuple[Callable[[str], object], str]] = {
    "JSON, lists": (json, "[" * LONG),
    "JSON, objects": (json, '{"a":' * LONG),
    "JSON, a long integer": (json, "1" * LONG),
    "JSON, a long fraction": (json, "0." + "1" * LONG),
    "JSON, a large exponent": (json, "1e" + "9" * LONG),
    "JSON, escapes": (json, '"' + "\\u0041" * LONG + '"'),
    "YAML, merges": (parse, merged(20)),
    "YAML, aliases": (parse, repeated(25)),
    "YAML, a long number": (parse, "a: " + "1" * 5_000),
    "a name, marks": (parse_name, MARKS * LONG),
    "a name, compatible forms": (parse_name, "\ufdfa" * LONG),
    "an address, labels": (parse_address, "a@" + "b." * LONG),
    "an address, an encoded label": (parse_address, "a@xn--" + "a" * LONG),
    "an address, letters of a script": (parse_address, "a@" + "\u0430" * LONG + ".example"),
    "an address, marks": (parse_address, "a@" + MARKS * LONG),
    "an address, several": (parse_address, "a@b ," * LONG),
    "a password, one letter": (password, "a" * 128),
    "a password, signs for letters": (password, "4@8({[<369$5!|1" * 8),
    "a password, words": (password, "p4ssw0rd" * 16),
    "a password, a keyboard": (password, "qwertyuiop" * 12),
    "a password, dates": (password, "19991231" * 16),
    "a hash of any cost": (hash_fault, "$argon2id$v=19$m=4194304,t=99999,p=255$" + "A" * LONG),
    "a browser": (device_of, "Mozilla/5.0 (" * LONG),
    "words of a search": (words_of, (MARKS * LONG)[:254]),
    "a contact, digits": (has_contact, "1-a " * 25),
    "a contact, dots": (has_contact, ("a dot " * 17)[:100]),
    "a name in a mail": (display_name, ("http://" * LONG)[:512]),
    "a record, no address": (addresses_in, "x" * LONG),
    "a record, half an address": (addresses_in, "@" + "x." * (LONG // 2)),
    "a log line, tokens": (redact, "eyJ" * (LONG // 3)),
    "a log line, schemes": (redact, "bearer " * (LONG // 28)),
    "a log line, addresses": (redact, "://a:b" * (LONG // 6)),
}


@pytest.mark.rule("T19")
@pytest.mark.parametrize(("read", "text"), TEXTS.values(), ids=TEXTS)
def test_the_worst_text_takes_little_work(read: Callable[[str], object], text: str) -> None:
    for attempt in little_work():
        with attempt, contextlib.suppress(ValueError, MalformedJson, CatalogError):
            read(text)


@pytest.mark.parametrize("value", ["1" * 5_000, "2001-99-99", "1:" * 200 + "1.5"])
def test_a_value_of_yaml_that_cannot_be_read_is_told(value: str) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        parse(f"a: {value}")
