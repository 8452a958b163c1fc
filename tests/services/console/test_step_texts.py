"""What people read of the steps of a decision: each sentence of the API in both languages."""

import ast
import inspect

import pytest

from rolecall.core import explain
from rolecall.core.decision_steps import TEXT_OF_DENIAL, TEXT_OF_STEP
from services.console.domain.permission_tables import read_table
from services.console.pages.step_texts import STEP_TEXTS, step_text, step_titles
from tests.services.console.account_api import CATALOGS, catalog_answer

OF_TOKENS = {"_token_text"}
"""What only checks by API tokens say: a page asks about members."""
COMPOSED = {"_grants_text", "_reach", "_role"}
"""What is put together of several texts: the list below has them."""
GRANTS = [
    f"{source} {said}"
    for source in ("The role Admin", "The override in the project Prod")
    for said in (
        "does not grant “Instances: View”.",
        "grants “Instances: View” for every resource.",
        "grants “Instances: View” under conditions for the user's own resources.",
        (
            "grants “Instances: View” for every resource and under conditions for the user's own"
            " resources."
        ),
        (
            "grants “Instances: View” under conditions for every resource and for the user's own"
            " resources."
        ),
    )
]


def written(node: ast.AST) -> str:
    """The text of an expression, with a word for each part that is known later."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(written(part) or "word" for part in parts)
    return ""


def said_by_methods() -> set[str]:
    """What the methods of the explanation return, but for composed texts."""
    tree = ast.parse(inspect.getsource(explain))
    [told] = [one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == "_Told"]
    texts = set()
    for method in told.body:
        if isinstance(method, ast.FunctionDef) and method.name not in OF_TOKENS | COMPOSED:
            for node in ast.walk(method):
                if isinstance(node, ast.Return) and node.value is not None:
                    texts.add(written(node.value))
    return {text.replace("the word.", "the role word.") for text in texts if text.endswith(".")}


SAID = {*TEXT_OF_STEP.values(), *TEXT_OF_DENIAL.values(), *said_by_methods(), *GRANTS}


@pytest.mark.parametrize("text", sorted(SAID))
def test_each_step_is_told_in_both_languages(text):
    assert "<span" not in step_text("en", text) + step_text("de", text)
    assert step_text("de", text) != step_text("en", text)


def test_the_texts_of_the_steps_are_found():
    assert "The request names no single resource." in SAID
    assert "The user is an active member with the role word." in SAID
    assert len(GRANTS) == 10


def test_a_grant_with_two_reaches_is_told_with_both():
    text = GRANTS[3].replace("Instances: View", "Instanzen: Ansehen")
    assert step_text("de", text) == (
        "Die Rolle Admin enthält “Instanzen: Ansehen” für jede Ressource und unter Bedingungen für"
        " eigene Ressourcen."
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_step_uses_a_word_of_programs(language):
    said = " ".join(text.of(language) for text in STEP_TEXTS.values()).lower()
    for word in ("catalog", "override", "request", "registered", "grant ", "grants"):
        assert word not in said


def test_names_stay_as_they_are_and_unknown_texts_are_english():
    text = "The role Data & “Co” does not grant “Instances: Delete”. It was so."
    assert step_text("de", text).startswith('<span lang="en">')
    known = step_text("de", text.removesuffix(" It was so."))
    assert known == "Die Rolle Data & “Co” enthält “Instances: Delete” nicht."


OWN_WORDS = {"de": {"Printer": "Drucker", "shop": "Laden"}, "en": {"Drucker": "Printer"}}
STEPS = [
    (
        "de",
        "printer",
        "The role Printer does not grant “Presses: Run”.",
        "Die Rolle Drucker enthält",
    ),
    ("de", "rol_1", "The role Printer does not grant “Presses: Run”.", "Die Rolle Printer enthält"),
    ("en", "printer", "The role Drucker does not grant “Presses: Run”.", "The role Printer does"),
    ("de", "rol_1", "The account has the shop Printer.", "Im Konto gibt es Printer (Laden)."),
    ("de", "rol_1", "The check concerns no shop.", "Keine Auswahl: Laden."),
    ("de", "admin", "The role Admin does not grant “A”.", "Die Rolle Verwaltung enthält"),
]


@pytest.mark.parametrize(("language", "role_id", "text", "said"), STEPS)
def test_a_step_has_the_catalogs_words_and_keeps_what_people_named(language, role_id, text, said):
    answer = catalog_answer(CATALOGS["print-shop"]) | {"translations": OWN_WORDS}
    titles = step_titles(read_table(answer), role_id, language)
    assert step_text(language, text, titles).startswith(said)
