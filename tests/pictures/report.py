"""The page that shows all pictures, and the report of what is wrong with them."""

from collections.abc import Iterator, Sequence
from html import escape

from tests.e2e.looks import RULES, WIDTHS
from tests.pictures.walk import FULL, Finding

STYLE = """
body { margin: 24px; background: #f3f5f8; font: 14px/1.5 sans-serif; }
section { margin: 0 0 32px; }
ul { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 12px; padding: 0; }
li { list-style: none; }
img { height: 320px; border: 1px solid #7d8794; }
.bad { color: #b3261e; }
"""


def index(findings: Sequence[Finding]) -> str:
    """All pictures on one page."""
    parts = "".join(_section(one) for one in findings)
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>The pages</title>'
        f"<style>{STYLE}</style><h1>The pages</h1>{parts}</html>\n"
    )


def _section(finding: Finding) -> str:
    about = f"{finding.picture.name}, {finding.language}: {finding.title}"
    images = "".join(
        f'<li><a href="{escape(file)}"><img loading="lazy" src="{escape(file)}"'
        f' alt="{escape(file)}"></a></li>'
        for file in finding.files
    )
    faults = "".join(f'<p class="bad">{escape(one)}</p>' for one in finding.faults)
    return f"<section><h2>{escape(about)}</h2>{faults}<ul>{images}</ul></section>"


def report(findings: Sequence[Finding]) -> str:
    """What was examined, and what is wrong: a row for each page, a column for each look."""
    return "\n".join(_lines(findings)) + "\n"


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    full = [one for one in findings if one.language == FULL]
    columns = [(scheme, width) for width in WIDTHS for scheme in RULES]
    taken = sum(len(one.files) for one in findings)
    faults = [f"- {one.picture.name}, {one.language}: {f}" for one in findings for f in one.faults]
    yield "# The pages"
    yield ""
    yield f"{len(full)} pages and states, {taken} pictures, {len(faults)} faults."
    yield ""
    yield from faults or ["axe finds nothing, each page fits, and none asks another host."]
    yield ""
    heads = [f"axe, {scheme}, {width}" for scheme, width in columns]
    yield f"| page | {' | '.join(heads)} | first load, bytes |"
    yield f"| --- |{' --- |' * (len(columns) + 1)}"
    for one in full:
        cells = [str(one.violations.get(column, "-")) for column in columns]
        yield f"| {one.picture.name} | {' | '.join(cells)} | {one.bytes:,} |"
