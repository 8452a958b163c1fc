"""What becomes of roles and levels in another catalog, as the form of a move says it."""

import pytest

from services.console.domain.catalog_mappings import (
    level_choices,
    mapping_of,
    needed_fields,
    read_form,
)
from services.console.domain.permission_tables import read_table
from tests.services.console.account_api import CATALOGS, catalog_answer

PRESENT = read_table(catalog_answer(CATALOGS["standard"]))
NOVITA = read_table(catalog_answer(CATALOGS["novita"]))
TEXT, NAME = "Identity Verification: View", "identity_verification:view"


def test_the_places_of_a_refusal_become_fields():
    pointers = ["roles/developer", "levels/instance:view", "overrides", "roles/"]
    asked = [f"/change/mapping/{pointer}" for pointer in pointers]
    assert needed_fields([*asked, "/change/catalog", "/mapping/roles/rol_1"]) == [
        "role.developer",
        "level.instance:view",
        "overrides",
        "role.rol_1",
    ]


def test_a_form_suggests_what_has_the_same_id_and_keeps_what_was_typed():
    form = read_form({}, ["role.admin", "role.rol_1", "level.a:b"], present=PRESENT, target=PRESENT)
    assert [(one.title, one.value) for one in form.roles] == [("Admin", "admin"), ("rol_1", "")]
    assert [(one.title, one.value) for one in form.levels] == [("a:b", "")]
    typed = {"role.admin": "viewer"}
    again = read_form(typed, ["role.admin"], present=PRESENT, target=PRESENT)
    assert [one.value for one in again.roles] == ["viewer"]


@pytest.mark.parametrize(
    ("text", "sent"), [("", None), (f" {TEXT} ", NAME), (NAME, NAME), ("Other", "Other")]
)
def test_a_level_is_named_by_its_words_or_its_id_and_ends_without(text, sent):
    assert mapping_of({"level.a:b": text}, NOVITA)["levels"] == {"a:b": sent}
    assert mapping_of({"role.a": ""}, NOVITA) == {"roles": {}, "levels": {}, "overrides": "keep"}


def test_levels_with_equal_words_are_told_apart_by_their_ids():
    answer = catalog_answer(CATALOGS["standard"])
    for section in answer["sections"]:
        for entry in section["entries"]:
            for level in entry["levels"]:
                entry["title"] = level["title"] = "Same"
    target = read_table(answer)
    texts = level_choices(target)
    names = [text.removeprefix("Same: Same (").removesuffix(")") for text in texts]
    assert len(set(texts)) == len(texts) > 2
    sent = mapping_of(
        {f"level.{name}": text for name, text in zip(names, texts, strict=True)}, target
    )
    assert sent["levels"] == {name: name for name in names}
    [suggested] = read_form({}, [f"level.{names[0]}"], present=PRESENT, target=target).levels
    assert suggested.value == texts[0]
