"""What the pages of an account say about a refusal of the API, in each language.

A text may name parts of the problem document in braces. The other pages say `texts.FOR_PEOPLE`.
"""

from collections import defaultdict
from collections.abc import Mapping

from services.console.adapters.api import ApiRefusal
from services.console.pages.page_text import PageText
from services.console.pages.refusals.access import ACCESS
from services.console.pages.refusals.every import EVERY
from services.console.pages.refusals.log import LOG
from services.console.pages.refusals.settings import SETTINGS
from services.console.pages.refusals.team import TEAM
from services.console.pages.refusals.tokens import TOKENS
from services.console.pages.refusals.usage import USAGE

IN_ACCOUNTS: Mapping[str, PageText] = {
    **EVERY,
    **TEAM,
    **ACCESS,
    **LOG,
    **TOKENS,
    **USAGE,
    **SETTINGS,
}
"""By the code of the refusal."""
FALLBACK = "internal-error"


def in_account(refusal: ApiRefusal) -> PageText | None:
    """Return what went wrong, and what to do; None where the table does not have it."""
    found = IN_ACCOUNTS.get(refusal.code)
    if found is None:
        return None
    parts = defaultdict(lambda: "…", refusal.parts)
    return PageText(*(text.format_map(parts) for text in found))
