"""What the pages of mailed links have in common."""

from services.console.pages.rendering import Form
from services.console.routes.outcomes import Shown


def show_missing_link(form: Form, path: str) -> Shown:
    """Ask for the link: this browser has not opened it, or its work is done."""
    return Shown(template="link_missing", form=form, words={"action": path})
