"""What people read about a field: each text of the API for a field of the pages, in German."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
import shared
from services.console.pages.field_faults import ENGLISH, SENTENCES, in_english, in_german
from services.console.pages.words import fault_in
from services.console.routes import PAGES
from services.console.routes.outcomes import FIELDS
from shared.http.routes import Route, Strictness
from shared.http.validation import check_json
from shared.problems import Refusal
from tests.services.console.test_texts import ASKED, FOLLOWED, ROWS

SERVICES, SHARED = Path(services.__path__[0]), Path(shared.__path__[0])
OF_PAGES = FIELDS | {name for row in PAGES for name in row.fields}
WRONG: tuple[object, ...] = (
    "",
    "x" * 10_000,
    "\x00",
    "a b@",
    "2026-99-99",
    5,
    -1,
    10**30,
    1.5,
    [],
    {},
    None,
    ["\x00"],
)
"""What no form should send, and what each field says about it."""
OF_PROGRAMS = re.compile(
    r"RFC|IANA|UTC|/v1/|`null`|\b(?:schema|array|object|string|integer|null|bits|items|[Ss]end)\b"
)
CHECKED = ("names.py", "addresses.py", "locales.py", "http/outbound.py", "http/moments.py")
"""What checks fields of every service."""


def said_of_fields(row: Route) -> Iterator[str]:
    """What the body of a route says about each of its fields, for each of the wrong values."""
    assert row.takes is not None
    for name in row.takes.model_fields.keys() & OF_PAGES:
        for wrong in WRONG:
            try:
                body = {name: wrong}
                raw = json.dumps(body).encode()
                check_json(row.takes, raw, value=body, strictness=Strictness.STRICT)
            except Refusal as refusal:
                yield from (one.message for one in refusal.errors if one.pointer == f"/{name}")


def text_of(node: ast.AST, constants: dict[str, str]) -> str:
    """The text of an expression, with a number for each part that is known later."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part, constants) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)):
            return constants.get(name, "5")
        case ast.FormattedValue():
            return "5"
        case ast.Name(id=name):
            return constants.get(name, "")
    return ""


def said_in(file: Path) -> Iterator[tuple[str, str]]:
    """The texts of a module about a field, with the field; `*` where each caller names it."""
    tree = ast.parse(file.read_text())
    constants: dict[str, str] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                constants[name] = text_of(value, constants) or "5"
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="ValueError"), args=[text, *_]):
                yield "*", text_of(text, constants)
            case ast.Tuple(elts=[ast.Constant(value=str(pointer)), text]):
                yield pointer.removeprefix("/"), text_of(text, constants)


BY_BODIES = {
    text
    for request in ASKED - FOLLOWED
    if (row := ROWS[request]).takes
    for text in said_of_fields(row)
}
BY_CHECKS = {text for name in CHECKED for _, text in said_in(SHARED / name)}
BY_RULES = {
    text
    for file in SERVICES.rglob("*.py")
    if file.relative_to(SERVICES).parts[0] != "console"
    for field, text in said_in(file)
    if field in OF_PAGES and " " in text
}


OF_RECEIVERS = {
    text_of(node.value, {})
    for node in ast.walk(ast.parse((SHARED / "http/outbound_faults.py").read_text()))
    if isinstance(node, ast.Return) and node.value is not None
}


@pytest.mark.parametrize("text", sorted((BY_BODIES | BY_CHECKS | BY_RULES | OF_RECEIVERS) - {""}))
def test_what_the_api_says_of_a_field_of_the_pages_has_german_words(text):
    assert in_german(text) is not None


@pytest.mark.parametrize("text", sorted((BY_BODIES | BY_CHECKS | BY_RULES) - {""}))
def test_what_people_read_of_a_field_has_no_words_of_a_program(text):
    assert not OF_PROGRAMS.search(in_english(text))


def test_each_sentence_for_people_takes_the_place_of_a_known_one():
    assert ENGLISH.keys() <= SENTENCES.keys()
    for sentence, words in ENGLISH.items():
        assert in_english(sentence) == words
    assert in_english("Must not be empty. See its schema.") == (
        "Must not be empty. Look at what you entered."
    )


def test_the_texts_of_each_origin_are_found():
    assert "Must not be empty." in BY_BODIES
    assert "The e-mail address has no @. Enter it as name@example.com." in BY_CHECKS
    assert "Must be in the future." in BY_RULES
    assert "The name of the host leads to no address that may be used." in OF_RECEIVERS


def test_what_is_said_sentence_by_sentence_keeps_its_parts():
    text = "This language is not known. Choose one of: en, de."
    assert (
        in_german(text) == "Diese Sprache ist nicht bekannt. Wählen Sie eines von diesen: en, de."
    )


@pytest.mark.parametrize("text", ["<b>Wrong.", "Must not be empty. <b>Wrong."])
def test_a_text_without_german_words_is_marked_as_english(text):
    shown = f'<span lang="en">{text.replace("<", "&lt;").replace(">", "&gt;")}</span>'
    assert (fault_in("de", text), fault_in("en", text)) == (shown, text)


def test_each_sentence_is_translated_by_its_own_row():
    for sentence, german in SENTENCES.items():
        assert in_german(sentence) == german
