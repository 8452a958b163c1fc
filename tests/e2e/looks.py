"""How pages look: what axe finds in both themes, and whether they fit a phone."""

from axe_playwright_python.sync_playwright import Axe

from tests.e2e.visitors import Visitor

RULES: dict[str, dict[str, object]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""What axe checks in a theme: the colours alone are different in another one."""


def looks(visitor: Visitor, *, name: str) -> list[str]:
    """What is wrong with a page in two themes and two widths."""
    faults = []
    for scheme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=scheme)
        found = Axe().run(visitor.page, options=RULES[scheme]).response["violations"]
        faults += [f"{name}, {scheme}: {one['id']} {one['nodes'][0]['html']}" for one in found]
    for width in (360, 1280):
        visitor.resize(width)
        if visitor.page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{name}: {width} pixels are too few")
    return faults
