"""The pictures of the README: three pages of the demonstration, as a window first shows them."""

from collections.abc import Mapping

from deploy.documents import ROOT
from services.console.routes import PAGES
from tests.e2e.looks import WIDTHS
from tests.pictures.table import pictures
from tests.pictures.walk import FULL, Walk

FOLDER = ROOT / "docs" / "pictures"
SHOWN: Mapping[str, str] = {
    "members": "team-members",
    "access": "access-denied",
    "audit-log": "log-filtered",
}
"""By the names of the files: the pictures."""
MAX_BYTES, HEIGHT = 150_000, 720


def write_readme_pictures(walk: Walk) -> None:
    """Picture each in a light window."""
    FOLDER.mkdir(exist_ok=True)
    known = {one.name: one for one in pictures(PAGES)}
    walk.demonstration.speak(FULL)
    for file, name in SHOWN.items():
        with walk.visitor(known[name].by, FULL) as visitor:
            visitor.page.emulate_media(color_scheme="light")
            visitor.page.set_viewport_size({"width": WIDTHS[-1], "height": HEIGHT})
            visitor.open(known[name].address(walk.demonstration.ids))
            visitor.page.screenshot(path=FOLDER / f"{file}.png")
