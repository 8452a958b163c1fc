"""The words of the pages that speak each language of the product: one row for each text.

A text may name parts in braces, which the template gives. Each group of pages has its module.
"""

from collections.abc import Callable, Mapping

from markupsafe import Markup

from services.console.pages.field_faults import in_english, in_german
from services.console.pages.page_text import Fault, PageText
from services.console.pages.words.access import ACCESS
from services.console.pages.words.catalog_moves import CATALOG_MOVES
from services.console.pages.words.company_sign_in import COMPANY_SIGN_IN
from services.console.pages.words.frame import FRAME
from services.console.pages.words.guardrails import GUARDRAILS
from services.console.pages.words.kept import KEPT
from services.console.pages.words.log import LOG
from services.console.pages.words.log_keeping import LOG_KEEPING
from services.console.pages.words.mailed_links import MAILED_LINKS
from services.console.pages.words.notifications import NOTIFICATIONS
from services.console.pages.words.person import PERSON
from services.console.pages.words.profile import PROFILE
from services.console.pages.words.projects import PROJECTS
from services.console.pages.words.roles import ROLES
from services.console.pages.words.settings import SETTINGS
from services.console.pages.words.sign_in import SIGN_IN
from services.console.pages.words.team import TEAM
from services.console.pages.words.tokens import TOKENS
from services.console.pages.words.usage import USAGE
from shared.locales import Locale, known_locale

LANGUAGES: Mapping[Locale, str] = {Locale.EN: "English", Locale.DE: "Deutsch"}
"""Each language, in itself."""

GROUPS = (
    FRAME,
    KEPT,
    NOTIFICATIONS,
    SIGN_IN,
    MAILED_LINKS,
    PERSON,
    PROFILE,
    TEAM,
    ROLES,
    PROJECTS,
    ACCESS,
    LOG,
    LOG_KEEPING,
    TOKENS,
    USAGE,
    SETTINGS,
    CATALOG_MOVES,
    COMPANY_SIGN_IN,
    GUARDRAILS,
)
WORDS: Mapping[str, PageText] = {name: text for group in GROUPS for name, text in group.items()}


def say(language: str) -> Callable[..., Markup]:
    """What writes a text of the table in a language; its parts are escaped unless they are HTML."""

    def text(name: str, /, **parts: object) -> Markup:
        return Markup(WORDS[name].of(language)).format(**parts)  # noqa: S704 - our own texts

    return text


def fault_in(language: str, problem: Fault) -> str:
    """A fault in the language of its page; a text of the API that has no other one is English."""
    if isinstance(problem, PageText):
        return problem.of(language)
    if not problem or known_locale(language) is not Locale.DE:
        return in_english(problem)
    german = in_german(problem)
    return german if german is not None else Markup('<span lang="en">{}</span>').format(problem)
