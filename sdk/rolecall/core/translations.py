"""The words of a catalog in other languages: each text, in the place of the one in the table."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from rolecall.core.mixed_alphabets import mixed_word
from rolecall.core.problems import Problem, did_you_mean
from rolecall.core.table import LANGUAGE_PATTERN, Role, visible

Language = Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)]
Translation = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(visible)
]
Translations = Mapping[Language, Mapping[str, Translation]]
"""Language -> text of the catalog -> the same in that language."""


def translation_problems(
    translations: Translations, texts: Collection[str], roles: Sequence[Role]
) -> Iterator[Problem]:
    """Every problem: texts that the catalog does not have, and roles that could be mistaken."""
    for language, table in translations.items():
        place = ("translations", language)
        for text in table:
            if text not in texts:
                yield Problem(
                    (*place, text),
                    f"The catalog has no such text. {did_you_mean(text, texts)}Write a title, a"
                    " description or a word for a project as it stands in the catalog.",
                )
        yield from _titles(language, table, roles)


def _titles(language: str, table: Mapping[str, str], roles: Sequence[Role]) -> Iterator[Problem]:
    """The translated titles that people could take for the title of another role."""
    first: dict[str, str] = {}
    for role in roles:
        title = table.get(role.title, role.title)
        earlier = first.setdefault(title.casefold(), role.title)
        if earlier != role.title:
            yield Problem(
                ("translations", language, role.title),
                f"The role {earlier!r} has this title already. Use each title once.",
            )
        mixed = mixed_word(title) if role.title in table else None
        if mixed is not None:
            yield Problem(("translations", language, role.title), mixed)
