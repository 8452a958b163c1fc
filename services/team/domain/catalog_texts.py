"""The texts of a catalog in other languages, as facts and answers tell them."""

from rolecall import CompiledCatalog
from shared.catalog_words import other_languages

Translations = dict[str, dict[str, str]]


def translations(catalog: CompiledCatalog, **texts: str | None) -> Translations:
    """Language → member of the fact → what its text of the catalog is in that language."""
    known = {name: text for name, text in texts.items() if text is not None}
    return other_languages(known, catalog.catalog.translations)


def author_words(catalog: CompiledCatalog, *texts: str | None) -> Translations:
    """Language → text → the same in that language, of texts that the catalog has translated."""
    return {
        language: known
        for language, table in catalog.catalog.translations.items()
        if (known := {text: table[text] for text in texts if text is not None and text in table})
    }


def own_title(catalog: CompiledCatalog, role_id: str) -> str | None:
    """The title of a role of the catalog; `None` for a role that people have named."""
    role = catalog.catalog.role(role_id)
    return None if role is None else role.title
