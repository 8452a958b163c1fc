"""The texts of a catalog that facts tell in other languages."""

import ast
from dataclasses import replace
from pathlib import Path

from rolecall import CompiledCatalog, load_catalog
from services.team.domain.catalog_texts import author_words, own_title, translations
from shared.contracts.policy_objects import RoleObject
from shared.contracts.registry import FACT_TYPES

STANDARD = load_catalog("standard")
TRANSLATED = {fact.__name__ for fact in FACT_TYPES.values() if "translations" in fact.model_fields}


def test_the_words_of_the_catalog_come_before_those_of_the_product():
    shipped = CompiledCatalog(STANDARD)
    assert translations(shipped, role_title="Admin") == {"de": {"role_title": "Verwaltung"}}
    own = replace(STANDARD, translations={"de": {"Admin": "Leitung"}, "fr": {"Admin": "Chef"}})
    told = translations(CompiledCatalog(own), role_title="Admin", project_word="project")
    assert told == {"de": {"role_title": "Leitung", "project_word": "Projekt"}}
    written_in_german = replace(STANDARD, translations={"en": {"Leitung": "Admin"}})
    told = translations(CompiledCatalog(written_in_german), role_title="Leitung")
    assert told == {"en": {"role_title": "Admin"}}


def test_answers_have_the_words_that_the_author_of_a_catalog_wrote():
    assert author_words(CompiledCatalog(STANDARD), "Admin") == {}
    own = replace(STANDARD, translations={"de": {"Admin": "Leitung"}, "fr": {"Owner": "Chef"}})
    catalog = CompiledCatalog(own)
    assert author_words(catalog, "Admin", None) == {"de": {"Admin": "Leitung"}}
    assert author_words(catalog, "Admin", "Owner") == dict(own.translations)
    named = RoleObject(name="Admin", description="", grants={})
    with_role = catalog.with_roles({"rol_1": named})
    assert author_words(with_role, own_title(with_role, "rol_1")) == {}


def test_the_name_of_an_own_role_is_never_translated():
    named = RoleObject(name="Admin", description="", grants={})
    catalog = CompiledCatalog(STANDARD).with_roles({"rol_1": named})
    assert translations(catalog, role_title=own_title(catalog, "rol_1")) == {}
    assert own_title(catalog, "rol_gone") is None
    assert own_title(catalog, "admin") == "Admin"


def test_each_fact_with_a_text_of_a_catalog_is_made_with_its_translations():
    made = {}
    for path in Path("services/team/domain").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in TRANSLATED:
                    made[name] = {keyword.arg for keyword in node.keywords}
    assert made.keys() == TRANSLATED
    fields_of_a_helper = {"InvitationCreated", "InvitationResent", "OverrideSet", "OverrideRemoved"}
    for name, members in made.items():
        assert "translations" in members or name in fields_of_a_helper, name
