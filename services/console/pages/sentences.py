"""Texts of the API in other words, sentence by sentence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

Titles = Mapping[str, Mapping[str, str]]
"""Other words for parts of a sentence, by the name of the part."""


class Sentences:
    """A table of sentences and what is said in their place.

    A sentence may have parts in braces, which stay as they are. A text may have several.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._forms: Sequence[tuple[re.Pattern[str], str]] = [
            (re.compile(_pattern(sentence) + r"(?: |\Z)", re.DOTALL), table[sentence])
            for sentence in sorted(table, key=lambda one: (one.count("{"), -len(one)))
        ]

    def translated(self, text: str, titles: Titles = MappingProxyType({})) -> str | None:
        """The text in the other words; None if a sentence of it has no row.

        `titles` has other words for parts, by the name that the sentence gives to the part.
        """
        parts = list(self._parts(text, titles))
        return None if None in parts else " ".join(part for part in parts if part)

    def _parts(self, text: str, titles: Titles) -> Iterator[str | None]:
        while text:
            for form, said in self._forms:
                if found := form.match(text):
                    yield said.format(
                        **{
                            name: titles.get(name, {}).get(part, part)
                            for name, part in found.groupdict().items()
                        }
                    )
                    text = text[found.end() :]
                    break
            else:
                yield None
                return


def _pattern(sentence: str) -> str:
    steps = re.split(r"\{(\w+)\}", sentence)
    return "".join(
        f"(?P<{text}>.+?)" if at % 2 else re.escape(text) for at, text in enumerate(steps)
    )
