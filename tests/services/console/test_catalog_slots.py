"""Words of catalogs in German sentences: they stand where no article and no case bends them.

The words of a catalog are its author's: their gender and their cases are not known.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.pages.step_texts import STEP_TEXTS
from services.console.pages.words import WORDS

PAGES = Path("services/console/pages")
MAILS = Path("services/notification/templates/de")
GIVEN = re.compile(r'say\(\s*"(\w+)"([^()]*(?:\([^()]*\)[^()]*)*)\)')
OF_CATALOG = re.compile(r"(\w+)=(?:table|words_of)\.projects?\b")
BENDS = re.compile(
    r"\b(?:der|das|des|dem|den|k?ein(?:em|en|er|es)?|eine|jede[mnrs]?|diese[mnrs]|mit|von|zu|bei"
    r"|aus|in|im|am|zum|zur|vom|beim|seit|wegen) $",
    re.IGNORECASE,
)
"""What stands before a bent word; “keine” and “diese” are the same for all words for several."""


def slots() -> Iterator[tuple[str, str, str]]:
    """Each German text with the word of a catalog: its name, the text, and the slot."""
    for page in PAGES.rglob("*.html"):
        for name, parts in GIVEN.findall(page.read_text()):
            yield from ((name, WORDS[name].de, slot) for slot in OF_CATALOG.findall(parts))
    for sentence, said in STEP_TEXTS.items():
        if "{word}" in said.de:
            yield sentence, said.de, "word"


def test_no_article_and_no_preposition_bends_the_word_of_a_catalog():
    found = sorted(set(slots()))
    assert {"projects_none", "inside_project"} <= {name for name, *_ in found}
    for name, text, slot in found:
        for before in text.split(f"{{{slot}}}")[:-1]:
            assert not BENDS.search(before), name


@pytest.mark.parametrize("text", ["Kein {word} gewählt.", "In der {word} {name}", "Zum {word}"])
def test_a_bent_word_is_seen(text):
    assert BENDS.search(text.split("{word}")[0])


def test_german_mails_have_the_words_of_a_catalog_in_marks():
    bare = re.compile(r"(.)\{\{ (?:project_word|(?:role|catalog|new_catalog)\b(?!\|quoted))")
    for mail in MAILS.glob("*.j2"):
        assert set(bare.findall(mail.read_text())) <= {"("}, mail.name
