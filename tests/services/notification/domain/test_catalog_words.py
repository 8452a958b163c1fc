"""The words of catalogs in mails and notices: each reader has those of their language."""

from dataclasses import replace

import pytest

from services.notification.domain.catalog_words import catalog_words, read_words
from services.notification.domain.mails import render, render_entry
from services.notification.domain.recipients import RECIPIENTS, messages_of
from shared.contracts.registry import FACT_TYPES
from shared.contracts.team import MemberRoleChanged
from shared.locales import Locale
from tests.services.notification.domain.test_mails import CALLER, LINK, SENDER
from tests.services.notification.samples import MAILS, ROLE_CHANGED
from tests.services.rows import NOON, row_of

NAMED = ("role_title", "former_owner_role_title", "catalog_title", "project_word")
"""The members of facts that a catalog has named."""
WORDS = {name: f"Wort{number}" for number, name in enumerate(NAMED)}
SAID = [fact for fact, _ in MAILS if "translations" in type(fact).model_fields]


def written(fact, language):
    """The mail and the notice of a fact, for a reader of a language."""
    message = replace(messages_of(row_of(fact), caller=CALLER, now=NOON)[0], locale=language)
    mail = render(message, LINK if message.link else None, sender=SENDER, now=NOON)
    return mail.subject + mail.text + mail.html, render_entry(message, sender=SENDER).text


def test_each_fact_for_a_mail_with_a_text_of_a_catalog_has_translations():
    for name in RECIPIENTS:
        members = FACT_TYPES[name].model_fields
        assert ("translations" in members) == any(one in members for one in NAMED), name
    assert {type(fact) for fact in SAID} == {
        FACT_TYPES[name] for name in RECIPIENTS if "translations" in FACT_TYPES[name].model_fields
    }


@pytest.mark.parametrize("fact", SAID, ids=lambda fact: fact.type)
def test_mails_and_notices_have_the_words_of_their_reader(fact):
    told = fact.model_copy(update={"translations": {"de": WORDS, "fr": {"role_title": "Mot"}}})
    words = [WORDS[name] for name in NAMED if getattr(fact, name, None)]
    originals = [getattr(fact, name) for name in NAMED if getattr(fact, name, None)]
    for text in written(told, Locale.DE):
        assert all(word in text for word in words)
        assert not any(original in text for original in originals)
    for text in written(told, Locale.EN):
        assert not any(word in text for word in (*words, "Mot"))
    assert written(fact, Locale.EN) == written(told, Locale.EN)


def test_the_name_of_an_own_role_is_the_same_in_each_language():
    fact = MemberRoleChanged(**ROLE_CHANGED, ends_sessions=False)
    words = catalog_words(fact, role="role_title")
    assert words == {"role": "Developer"}
    assert all(read_words(words, language) == words for language in Locale)
