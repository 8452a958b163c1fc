"""The texts of catalogs on German pages: which are translated, and what people have named."""

from collections.abc import Iterator
from typing import Any

import pytest

from rolecall import SHIPPED_CATALOGS, load_catalog
from services.console.pages.catalog_words import FOREIGN, in_words
from shared.catalog_words import GERMAN, NAMES
from tests.services.console.account_api import CATALOGS, catalog_answer
from tests.services.console.accounts import API, PAGE, describe_account
from tests.services.console.browsing import ME, OPENED


def texts(catalog: dict[str, Any]) -> Iterator[str]:
    """Everything of a catalog that people read."""
    yield from (catalog["title"], catalog["description"], *catalog["policies"]["words"].values())
    for section in catalog["sections"]:
        yield section["title"]
        for entry in section["entries"]:
            yield from (entry["title"], *(level["title"] for level in entry["levels"]))
            yield entry.get("description", "")
    for role in catalog["roles"]:
        yield from (role["title"], role["description"])


def test_each_text_of_the_shipped_catalogs_has_german_words():
    shipped = {text for name in SHIPPED_CATALOGS for text in texts(load_catalog(name).to_mapping())}
    assert shipped - {""} == GERMAN.keys() | NAMES


OWN_ROLE = {"id": "rol_1", "name": "Viewer", "description": "Everything.", "built_in": False}
BUILT_IN = OWN_ROLE | {"built_in": True}
SENT = [{"translations": "x", "role_title": "Admin", "built_in": True, "name": "Admin"}]
"""What a service or a person may send as a value of their own."""
ANSWERS: list[tuple[Any, Any]] = [
    ({"role_title": "Admin"}, {"role_title": "Verwaltung"}),
    ({"role_title": "Night shift"}, {"role_title": "Night shift"}),
    ({"role": "admin", "role_title": "Admin"}, {"role": "admin", "role_title": "Verwaltung"}),
    ({"role": "rol_1", "role_title": "Admin"}, {"role": "rol_1", "role_title": "Admin"}),
    (
        {"role": "rol_1", "role_title": "Admin", "project_word": "project"},
        {"role": "rol_1", "role_title": "Admin", "project_word": "Projekt"},
    ),
    (
        {"items": [{"name": "Admin", "role_title": "Admin"}]},
        {"items": [{"name": "Admin", "role_title": "Verwaltung"}]},
    ),
    (
        {"name": "Projects", "projects_word": "projects"},
        {"name": "Projects", "projects_word": "Projekte"},
    ),
    (OWN_ROLE, OWN_ROLE),
    (BUILT_IN, BUILT_IN | {"name": "Einsicht", "description": "Alles."}),
    ({"title": "Delete", "reason": "View"}, {"title": "Delete", "reason": "View"}),
    ({"levels": ["view"]}, {"levels": ["view"]}),
    ("Admin", "Admin"),
    (None, None),
    *((one, one) for one in ({name: SENT} for name in FOREIGN)),
]


@pytest.mark.parametrize(("answer", "german"), ANSWERS)
def test_what_people_have_named_stays_as_it_is(answer, german):
    assert in_words(answer, "de") == german
    assert in_words(answer, "en") == answer


def test_the_catalog_of_an_author_is_in_its_own_words():
    shop = catalog_answer(CATALOGS["print-shop"])
    own = {"de": {shop["title"]: "Druckerei", "View": "Sehen"}, "fr": {"View": "Voir"}}
    assert in_words(shop | {"translations": own}, "de")["title"] == "Druckerei"
    assert in_words(shop | {"translations": own}, "en")["title"] == shop["title"]
    other = {"en": {shop["title"]: "Printers"}}
    assert in_words(shop | {"translations": other}, "en")["title"] == "Printers"
    member = {"role": "admin", "role_title": "Admin", "translations": {"de": {"Admin": "Leitung"}}}
    listed = in_words({"items": [member, member | {"translations": {}}]}, "de")["items"]
    assert [one["role_title"] for one in listed] == ["Leitung", "Verwaltung"]
    german = in_words(shop, "de")
    assert german["title"] == shop["title"]
    assert german["id"] == shop["id"]
    assert german["roles"][0]["id"] == shop["roles"][0]["id"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_first_page_of_a_german_user_has_german_words(browser, api):
    describe_account(api, locale="de")
    await browser.sign_in()
    await browser.open(f"{PAGE}/roles")
    for words in ("Instanzen", "Verwaltung", "Ansehen", "Rechenleistung", ">Projekte<"):
        assert words in browser.text, words
    for words in ("Instances", "Read/Write", "Compute", "Viewer"):
        assert words not in browser.text, words
    assert [name for name, *_ in api.asked].count("GET /v1/me") == 2
    await browser.open(f"{PAGE}/roles")
    assert [name for name, *_ in api.asked].count("GET /v1/me") == 3
    assert api.asked_for(f"GET {API}/catalog") == [None, None]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_invitation_names_its_role_in_the_language_of_the_browser(browser, api):
    api.answers["POST /v1/invitations/lookup"] = (200, OPENED)
    where = "/invitations?token=inv_1.1.a&code=K7"
    german = {"Accept-Language": "de"}
    await browser.send("GET", where, headers=german)
    await browser.send("GET", "/invitations", headers=german)
    assert "Entwicklung" in browser.text
    api.answers["GET /v1/me"] = (200, ME)
    await browser.open("/invitations")
    assert "Developer" in browser.text
