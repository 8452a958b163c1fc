"""What people read about each refusal that the API can give the console."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import services.console
from deploy.gateway.paths import public_routes
from services.console.adapters.api import ApiRefusal
from services.console.domain.sections import PERSON_SECTIONS, SECTIONS
from services.console.pages.mail_words import MAIL_KINDS
from services.console.pages.page_text import PageText
from services.console.pages.refusals import IN_ACCOUNTS
from services.console.pages.texts import (
    DONE,
    FAILURES,
    FOR_PEOPLE,
    FORMER_LIVES,
    ISSUER_REFUSED,
    NO_COOKIES,
    NO_NEW_PASSKEY,
    NO_PASSKEY,
    STALE_FORM,
    UNKNOWN,
    sentence,
)
from services.console.pages.words import GROUPS, WORDS, fault_in
from services.notification.domain.messages import MessageKind
from shared.http.refusals import Unexpected
from shared.http.routes import PARAMETER, Route
from shared.http.streams import EVENT_STREAM
from shared.locales import Locale
from shared.problems import STATUS, Refusal

SOURCES = Path(services.console.__file__).parent
ROWS = {
    (row.method, PARAMETER.sub("{}", row.path)): row
    for rows in public_routes().values()
    for row in rows
}


OF_EVERY_PAGE = {
    *(FORMER_LIVES, ISSUER_REFUSED, NO_COOKIES, NO_NEW_PASSKEY, NO_PASSKEY, STALE_FORM, UNKNOWN)
}


def text_of(node: ast.AST) -> str:
    """The text of a literal, with {} for each part that is known later."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "{}" for part in parts)
    return ""


def requests(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The method and the path of each request of the API; without a method it is a POST."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            texts = [text_of(argument) for argument in node.args]
            for before, path in zip(["POST", *texts], texts, strict=False):
                if path.startswith("/v1/"):
                    yield before, path


ROUTES = [ast.parse(file.read_text()) for file in sorted((SOURCES / "routes").glob("*.py"))]
TREES = [ast.parse(file.read_text()) for file in sorted(SOURCES.rglob("*.py"))]
ASKED = {request for tree in TREES for request in requests(tree)}
FOLLOWED = {request for request in ASKED if EVENT_STREAM in ROWS[request].streams}
"""What scripts follow: no page shows its refusals."""
PARTS = {
    part
    for tree in TREES
    for node in ast.walk(tree)
    if isinstance(node, ast.JoinedStr)
    for part in node.values
}
NAMED = {
    text
    for tree in TREES
    for node in ast.walk(tree)
    if node not in PARTS and (text := text_of(node)).startswith("/v1/")
}


def refusals(row: Route) -> set[type[Refusal]]:
    return {*row.all_refusals(), Unexpected}


REFUSALS = {
    refusal.code: refusal for request in ASKED - FOLLOWED for refusal in refusals(ROWS[request])
}


def test_every_path_of_the_api_is_asked_with_a_method_that_is_seen_here():
    assert {path for _, path in ASKED} == NAMED
    assert ("POST", "/v1/session/switch") in ASKED


OF_ACCOUNTS = {
    request for request in ASKED - FOLLOWED if request[1].startswith(("/v1/accounts", "/v1/authz"))
}
OTHERS = {
    refusal.code: refusal
    for request in ASKED - FOLLOWED - OF_ACCOUNTS
    for refusal in refusals(ROWS[request])
}


@pytest.mark.parametrize("code", sorted(OTHERS))
def test_every_refusal_of_the_api_has_words_for_people(code):
    refusal = ApiRefusal(status=STATUS[OTHERS[code].kind], code=code)
    assert sentence(refusal) != UNKNOWN


ACCOUNT_REFUSALS = {
    refusal.code: refusal for request in OF_ACCOUNTS for refusal in refusals(ROWS[request])
}


@pytest.mark.parametrize("code", sorted(ACCOUNT_REFUSALS))
def test_every_refusal_of_an_account_has_words_in_each_language(code):
    refusal = ApiRefusal(status=STATUS[ACCOUNT_REFUSALS[code].kind], code=code)
    words = sentence(refusal, in_account=True)
    assert isinstance(words, PageText)
    assert words.en != words.de
    assert "{" not in "".join(words)


def test_no_words_are_about_a_code_that_the_api_does_not_give():
    assert FOR_PEOPLE.keys() <= REFUSALS.keys()


@pytest.mark.parametrize("text", sorted({*FOR_PEOPLE.values(), UNKNOWN}))
def test_words_for_people_name_nothing_that_programs_send(text):
    for word in ("/v1", "POST", "header", "token", "`", "{", "JSON"):
        assert word not in "".join(text)


def test_each_text_of_the_table_is_shown_by_a_page():
    pages = "".join(file.read_text() for file in (SOURCES / "pages").rglob("*.html"))
    said = set(re.findall(r'say\("(\w+)"[,)]', pages))
    chosen = set(re.findall(r'"(\w+)"', pages)) | {f"section_{one.id}" for one in SECTIONS}
    asked = {text_of(node) for tree in ROUTES for node in ast.walk(tree)}
    chosen |= {one.id for one in PERSON_SECTIONS}
    assert said <= WORDS.keys() <= said | chosen | asked
    assert len(WORDS) == sum(map(len, GROUPS))  # no group takes a word of another one


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_text_names_the_same_parts_in_each_language(name):
    parts = {frozenset(re.findall(r"{(\w+)}", text)) for text in WORDS[name]}
    assert len(parts) == 1
    assert WORDS[name]._fields == tuple(Locale)


@pytest.mark.parametrize(
    "text", sorted({*FOR_PEOPLE.values(), *DONE.values(), *FAILURES.values(), *OF_EVERY_PAGE})
)
def test_each_text_of_a_page_of_one_person_is_in_both_languages(text):
    assert fault_in("de", text) == text.de != text.en == fault_in("en", text)


def test_each_kind_of_mail_has_words_in_both_languages():
    assert MAIL_KINDS.keys() == set(MessageKind)
    assert all(words.en != words.de for words in MAIL_KINDS.values())


@pytest.mark.parametrize("table", [WORDS, IN_ACCOUNTS, DONE])
def test_own_permissions_of_a_member_have_one_name_on_the_pages(table):
    assert [
        name for name, text in table.items() if re.search("[Ee]xception|Ausnahm", str(text))
    ] == []


async def test_what_the_api_says_to_programs_is_not_shown(browser, api):
    await browser.sign_in()
    for code, words in (("account-suspended", "owner can ask"), ("new-code", UNKNOWN.en)):
        await browser.open("/console")
        answer = {"code": code, "detail": "Send PATCH /v1/me."}
        api.answers["POST /v1/session/switch"] = (403, answer)
        await browser.press("/console", account_id="acc_2")
        assert browser.status == 403
        assert words in browser.text
        assert "/v1/" not in browser.text
