"""The walk through the pages: each is opened, examined and pictured."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Error, Locator

from tests.e2e.looks import RULES, WIDTHS, axe_faults, width_faults
from tests.e2e.visitors import Site, Visitor
from tests.pictures.demonstration import LOCALES, Demonstration
from tests.pictures.table import Picture, Seen

LANGUAGES = tuple(LOCALES)
FULL, NARROW = LANGUAGES[0], WIDTHS[0]
"""The language in every look. In the other one texts are longer: it is shown where they fit least.
"""
FIRST_LOAD_BYTES = 100_000
"""The most that a browser without anything in its cache may get for a page; nothing is compressed.
"""
GOT = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .reduce((sum, one) => sum + one.transferSize, 0)"""


@dataclass(kw_only=True)
class Finding:
    """What was seen of one page in one language: its files by theme and width, and its faults."""

    picture: Picture
    language: str
    title: str = ""
    bytes: int = 0
    """What a browser without a cache got for the page, with headers."""
    violations: dict[tuple[str, int], int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass
class Traffic:
    """What a page sends and gets."""

    site: str
    foreign: list[str] = field(default_factory=list)

    def watch(self, visitor: Visitor) -> None:
        """Have the browser get everything each time, as if it knew nothing."""
        devices = visitor.context.new_cdp_session(visitor.page)
        devices.send("Network.enable")
        devices.send("Network.setCacheDisabled", {"cacheDisabled": True})
        visitor.page.on("request", lambda request: self._sent(request.url))

    def _sent(self, url: str) -> None:
        if not url.startswith((self.site, "data:")):
            self.foreign.append(url)


@dataclass
class Walk:
    """The walk of one demonstration; the files go to `folder`."""

    site: Site
    demonstration: Demonstration
    folder: Path
    findings: list[Finding] = field(default_factory=list)

    def take(self, pictures: Sequence[Picture]) -> None:
        """Take the pictures, in each language by each visitor."""
        for language in LANGUAGES:
            self.demonstration.speak(language)
            for by in Seen:
                chosen = [one for one in pictures if one.by is by]
                if chosen:
                    self._of(by, language, chosen)

    def tell(self, finding: Finding) -> None:
        """Say at once what is wrong with a page."""
        about = f"{len(self.findings)} {finding.picture.name}, {finding.language}"
        sys.stderr.write(f"{about}: {'; '.join(finding.faults) or 'good'}\n")

    def _of(self, by: Seen, language: str, pictures: Sequence[Picture]) -> None:
        with self.visitor(by, language) as visitor:
            traffic = Traffic(self.site.url)
            traffic.watch(visitor)
            for picture in pictures:
                finding = Finding(picture=picture, language=language)
                self.findings.append(finding)
                try:
                    self._open(visitor, finding)
                    finding.bytes = visitor.page.evaluate(GOT)
                    self._look(visitor, finding)
                except (Error, AssertionError, LookupError) as problem:
                    finding.faults.append(f"no picture: {problem!r:.300}")
                finding.faults += [*visitor.faults, *(f"asks {url}" for url in traffic.foreign)]
                visitor.faults.clear()
                traffic.foreign.clear()
                self.tell(finding)

    @contextmanager
    def visitor(self, by: Seen, language: str) -> Iterator[Visitor]:
        """A browser in a language, in which this visitor has signed in."""
        with self.site.visitor(javascript=True, locale=LOCALES[language]) as visitor:
            if by in self.demonstration.people:
                email, password = self.demonstration.people[by]
                visitor.open("/sign-in")
                visitor.fill(email=email, password=password)
                with visitor.page.expect_navigation():
                    visitor.page.locator("main form button").first.click()
            yield visitor

    def _open(self, visitor: Visitor, finding: Finding) -> None:
        """Open the page of a picture, and press its button if it has one."""
        picture, demonstration = finding.picture, self.demonstration
        visitor.resize(WIDTHS[-1])
        address = picture.address(demonstration.ids)
        where = self.site.url + address
        if picture.link is not None:
            where = demonstration.link(picture.link)
        answer = visitor.page.goto(where)
        if moved := visitor.page.evaluate("scrollY"):
            finding.faults.append(f"it opens {moved} pixels below its top")
        for selector, text in picture.fill.items():
            _enter(visitor.page.locator(selector).first, text)
        if picture.press:
            with visitor.page.expect_navigation() as pressed:
                visitor.page.locator(picture.press).first.click()
            answer = pressed.value
        status = answer.status if answer is not None else 0
        finding.title = visitor.title
        if status != picture.status:
            finding.faults.append(f"the status is {status} instead of {picture.status}")
        here = visitor.path.partition("?")[0]
        if here != address.partition("?")[0]:
            finding.faults.append(f"it leads to {here}")

    def _look(self, visitor: Visitor, finding: Finding) -> None:
        """Examine and picture the page in both themes and widths; the second language in one."""
        full = finding.language == FULL
        if full and finding.bytes > FIRST_LOAD_BYTES:
            finding.faults.append(f"a first load is {finding.bytes} bytes")
        for width in WIDTHS if full else (NARROW,):
            finding.faults += width_faults(visitor, width)
            for scheme in RULES if full else ("light",):
                found = axe_faults(visitor, scheme)
                finding.violations[scheme, width] = len(found)
                finding.faults += [f"{scheme}, {width}: {one}" for one in found]
                file = f"{finding.picture.name}.{finding.language}.{width}.{scheme}.png"
                visitor.page.screenshot(path=self.folder / file, full_page=True)
                finding.files.append(file)


def _enter(part: Locator, text: str) -> None:
    """Type into a field, or choose in it."""
    match part.evaluate("part => part.type"):
        case "select-one":
            part.select_option(text)
        case "radio":
            part.check()
        case _:
            part.fill(text)
