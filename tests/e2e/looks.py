"""How pages look: what axe finds in both themes, and whether they fit a phone."""

import json

from axe_playwright_python.base import AXE_SCRIPT

from tests.e2e.visitors import Visitor

VIOLATIONS: dict[str, object] = {"resultTypes": ["violations"]}
"""axe describes what is wrong only: a page has hundreds of things that are right."""
RULES: dict[str, dict[str, object]] = {
    "light": VIOLATIONS,
    "dark": VIOLATIONS | {"runOnly": ["color-contrast"]},
}
"""What axe checks in a theme: the colours alone are different in another one."""
WIDTHS = 360, 1280


def looks(visitor: Visitor, *, name: str) -> list[str]:
    """What is wrong with a page in two themes and two widths."""
    faults = []
    for scheme in RULES:
        faults += [f"{name}, {scheme}: {one}" for one in axe_faults(visitor, scheme)]
    for width in WIDTHS:
        faults += [f"{name}: {one}" for one in width_faults(visitor, width)]
    return faults


def axe_faults(visitor: Visitor, scheme: str) -> list[str]:
    """What axe finds in a theme; the page stays in it."""
    page = visitor.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = json.dumps(RULES[scheme])
    found = page.evaluate(f"axe.run({options}).then(({{violations}}) => violations)")
    return [f"{one['id']} {one['nodes'][0]['html']}" for one in found]


def width_faults(visitor: Visitor, width: int) -> list[str]:
    """Whether a page does not fit a width; it stays in it."""
    visitor.resize(width)
    needed = visitor.page.evaluate("document.documentElement.scrollWidth")
    return [f"{width} pixels are too few, it needs {needed}"] if needed > width else []
