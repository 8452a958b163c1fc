"""Mutants of the words in mails and notifications: who reads which of them."""

from tests.mutants.mutant import Kind, Mutant

CATALOG_TESTS = ("tests/services/notification/domain/test_catalog_words.py",)
TEAM_TESTS = ("tests/services/team/domain/test_catalog_texts.py",)

ROWS = (
    Mutant(
        id="mail-translates-the-name-of-an-own-role",
        kind=Kind.DATA,
        file="services/team/domain/catalog_texts.py",
        old="    role = catalog.catalog.role(role_id)\n",
        new="    role = catalog.role(role_id)\n",
        tests=(*TEAM_TESTS, "-k", "never_translated"),
    ),
    Mutant(
        id="fact-prefers-the-words-of-the-product",
        kind=Kind.DATA,
        file="shared/catalog_words.py",
        old="words.get(text, shipped.get(text, text))",
        new="shipped.get(text, words.get(text, text))",
        tests=(*TEAM_TESTS, "-k", "come_before"),
    ),
    Mutant(
        id="fact-of-a-role-has-no-translation",
        kind=Kind.DATA,
        file="services/team/domain/invitation_acceptance.py",
        old="translations=translations(catalog, role_title=own_title(catalog, role.id)),",
        new="",
        tests=(*TEAM_TESTS, "-k", "is_made_with"),
    ),
    Mutant(
        id="mail-has-the-words-of-the-catalog-in-english",
        kind=Kind.DATA,
        file="services/notification/domain/catalog_words.py",
        old="words.get(_word_in(language, word), text)",
        new="text",
        tests=(*CATALOG_TESTS, "-k", "of_their_reader"),
    ),
    Mutant(
        id="mail-of-a-role-forgets-its-translations",
        kind=Kind.DATA,
        file="services/notification/domain/ownership_recipients.py",
        old='catalog_words(fact, role="former_owner_role_title")',
        new='{"role": fact.former_owner_role_title}',
        tests=(*CATALOG_TESTS, "-k", "of_their_reader"),
    ),
    Mutant(
        id="list-of-invitations-forgets-the-words-of-its-catalog",
        kind=Kind.DATA,
        file="services/team/domain/member_list.py",
        old="author_words(access.catalog, own_title(access.catalog, invitation.role)),",
        new="{},",
        tests=("tests/services/team/test_invitations.py", "-k", "other_languages"),
    ),
    Mutant(
        id="page-bends-the-word-of-a-catalog",
        kind=Kind.DATA,
        file="services/console/pages/step_texts.py",
        old="Keine Auswahl: {word}.",
        new="Es ist kein {word} gewählt.",
        tests=("tests/services/console/test_catalog_slots.py", "-k", "bends"),
    ),
)
