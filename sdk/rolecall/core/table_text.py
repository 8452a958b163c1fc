"""A catalog's permission table as text for a terminal."""

from collections.abc import Iterable, Iterator, Mapping

from rolecall.core.catalog import Catalog
from rolecall.core.matrix import CompiledCatalog


def table_lines(catalog: Catalog) -> Iterator[str]:
    """The lines of the table: a row for each level, a column for each role.

    A grant with conditions is a number there, and its words stand below the table.
    """
    compiled = CompiledCatalog(catalog)
    held = {role.id: compiled.table(compiled.roles[role.id]) for role in catalog.roles}
    conditional = {
        text: f"({number})" for number, text in enumerate(_conditional_texts(held.values()), 1)
    }
    name_width = max(
        4 + len(f"{entry.id}:{level.id}")
        for entry in catalog.entries.values()
        for level in entry.levels
    )
    widths = {role_id: max(len(role_id), 4) for role_id in held}
    scoped = f"  ({catalog.policies.words.project}-scoped)"
    yield f"{catalog.title}  {catalog.id}"
    yield " " * name_width + "".join(f"  {role:<{width}}" for role, width in widths.items())
    for section in catalog.sections:
        yield section.title
        for entry in section.entries:
            yield f"  {entry.title}" + (scoped if entry.project_scoped else "")
            for level in entry.levels:
                name, *also = entry.permission_names(level)
                cells = ""
                for role, width in widths.items():
                    text = held[role][entry.id][level.id] or "-"
                    cells += f"  {conditional.get(text, text):<{width}}"
                carried = "  also " + " ".join(also) if also else ""
                yield f"    {name:<{name_width - 4}}{cells}{carried}".rstrip()
    yield "all: all resources   self: own resources   -: no permission"
    yield from (f"{number}: {text}" for text, number in conditional.items())


def _conditional_texts(tables: Iterable[Mapping[str, Mapping[str, str | None]]]) -> Iterator[str]:
    """Each text of a grant with conditions, once."""
    texts = (text for table in tables for cells in table.values() for text in cells.values())
    yield from dict.fromkeys(text for text in texts if text is not None and " when " in text)
