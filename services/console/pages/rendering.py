"""Rendering of the pages, and the files that they load."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from services.console.domain import places
from services.console.pages.grant_words import reach_words
from services.console.pages.page_text import Fault
from services.console.pages.words import say
from shared.locales import DEFAULT_LOCALE, known_locale
from shared.origin_words import origin_words

_PAGES = Path(__file__).parent
_STATIC = _PAGES.parent / "static"
_IN_EMAIL, _IN_URL = re.compile("@"), re.compile(r"(?<=\w)[./]+(?=\w)|://")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(kw_only=True)
class StaticFile:
    """A file that the pages load; its address changes with its content."""

    path: str
    body: bytes
    content_type: str

    @property
    def url(self) -> str:
        """The address that pages name."""
        return f"{self.path}?v={hashlib.sha256(self.body).hexdigest()[:12]}"

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip. Pages are not packed: their size would tell of their secrets."""
        return gzip.compress(self.body, mtime=0)


def _lean(file: Path) -> bytes:
    """A file without what only its authors read: spaces that begin lines, and lines of comments."""
    lines = (line.strip() for line in file.read_text().splitlines())
    kept = (line for line in lines if line and not line.startswith("//"))
    return "\n".join(kept).encode()


def _static_files() -> Mapping[str, StaticFile]:
    return {
        file.name: StaticFile(
            path=f"{places.STATIC}/{file.name}",
            body=_lean(file),
            content_type=_TYPES[file.suffix],
        )
        for file in sorted(_STATIC.iterdir())
    }


STATIC_FILES = _static_files()


@dataclass(kw_only=True)
class Form:
    """What was typed, and what is wrong with it: by field, and with the whole form."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Fault] = field(default_factory=dict)
    problem: Fault = ""
    status: int = 200
    state: str = ""
    """The state that the form was made for, if it comes back later: its press counts for that."""

    @property
    def refused(self) -> bool:
        """Whether something is wrong."""
        return bool(self.errors or self.problem)


def _unindented(template: Path) -> str:
    """The text of a template without the spaces that begin its lines: browsers need none."""
    return "\n".join(line.lstrip() for line in template.read_text().splitlines())


_ENVIRONMENT = Environment(
    loader=DictLoader(
        {str(file.relative_to(_PAGES)): _unindented(file) for file in _PAGES.rglob("*.html")}
    ),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals |= {
    "places": places,
    "static": {name: file.url for name, file in STATIC_FILES.items()},
}


def titled(text: str) -> str:
    """A word that begins a title; the rest of it stays as it is written."""
    return text[:1].upper() + text[1:]


def breakable(address: str) -> Markup:
    """An address for a narrow place: one of e-mail breaks behind its `@`, others between parts."""
    shown = str(escape(address))
    places_to_break = _IN_EMAIL if "@" in shown else _IN_URL
    return Markup(places_to_break.sub(r"\g<0><wbr>", shown))  # noqa: S704 - it is escaped above


def origin(named: str, language: str) -> str:
    """A device or network in the language of the page."""
    return origin_words(named, known_locale(language))


_ENVIRONMENT.filters |= {
    "titled": titled,
    "breakable": breakable,
    "origin": origin,
    "reach": reach_words,
}


def render(template: str, words: Mapping[str, object]) -> str:
    """Return the page, in `language` if it names one; every word is shown as text."""
    language = str(words.get("language", DEFAULT_LOCALE))
    spoken = {"language": language, "say": say(language)}
    shown = {"frame": "layout.html", "section": "", **words, **spoken}
    return _ENVIRONMENT.get_template(f"{template}.html").render(shown)
