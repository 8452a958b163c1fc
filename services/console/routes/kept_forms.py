"""What was typed into a form whose session has ended: kept while its user signs in again.

The form is in the page that asks for the sign-in, sealed. After it, its own page has the text
again, and nothing is sent: the user looks, and presses the button. Another user does not get it.
Secrets are not kept: the page says at their fields that they are to be entered again. What is too
old or too large is gone, and the page says that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.page_text import Fault
from services.console.pages.rendering import Form
from services.console.pages.texts import (
    ENTER_AGAIN,
    FORMER_LIVES,
    OTHER_READER,
    STALE_FORM,
    sentence,
)
from services.console.pages.words.kept import SIGNED_IN_AGAIN, TEXT_GONE
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    Shown,
    kept_values,
    lost_secrets,
    refused_form,
)
from services.console.routes.session_ends import FormerSessionLives
from services.console.routes.sign_in import FIRST_STEP_OVER, OTP_CODES, first_step, log_in
from services.console.routes.visits import Visit

KEPT = "kept"
"""The field with the sealed form."""
KEPT_SECONDS = 3_600
MAX_KEPT = 30_000
"""The characters of the largest sealed form; what is larger is not kept."""
LINK_FIELDS = frozenset({"token", "code"})
"""The parts of a mailed link: the browser has them in a cookie."""


@dataclass(frozen=True, kw_only=True)
class KeptForm:
    """A form as it was pressed: the mark of its reader, what was typed, and which secrets not."""

    reader: str
    typed: Mapping[str, str]
    secrets: Sequence[str]
    sealed: str


GONE = KeptForm(reader="", typed={}, secrets=(), sealed="")
"""A form that was too large to be kept, or has been kept for too long."""


def keep(row: PageRoute, visit: Visit) -> KeptForm | None:
    """Seal the form of a press, or take the one that the press brings along."""
    if KEPT in visit.typed:
        return _read(visit)
    if not visit.form_reader or row.when_over:
        return None
    typed = {name: text for name, text in kept_values(visit).items() if name not in LINK_FIELDS}
    secrets = sorted(lost_secrets(row, visit))
    content = {
        "path": visit.path,
        "reader": visit.form_reader,
        "typed": typed,
        "secrets": secrets,
    }
    sealed = visit.ctx.sealer.seal(KEPT, content, now=visit.now)
    if len(sealed) > MAX_KEPT:
        return GONE
    return KeptForm(reader=visit.form_reader, typed=typed, secrets=secrets, sealed=sealed)


def _read(visit: Visit) -> KeptForm:
    sealed = visit.typed[KEPT]
    content = visit.ctx.sealer.open(
        KEPT, sealed, now=visit.now, seconds=KEPT_SECONDS, longest=MAX_KEPT
    )
    match content:
        case {
            "path": visit.path,
            "reader": str(reader),
            "typed": dict(typed),
            "secrets": list(secrets),
        }:
            return KeptForm(reader=reader, typed=typed, secrets=secrets, sealed=sealed)
    return GONE


def ask_again(
    visit: Visit, kept: KeptForm, form: Form | None = None, *, email: str = "", first_step: str = ""
) -> Outcome:
    """Ask for the sign-in on the page of the form."""
    words = {
        "kept": kept.sealed,
        "secrets": kept.secrets,
        "email": email,
        "first_step": first_step,
        "to": places.destination(visit.path),
    }
    form = form or Form(status=403)
    return Shown(template="sign_in_again", form=form, words=words, reloads=False)


async def go_on(row: PageRoute, visit: Visit, here: str) -> Outcome:
    """Sign in if the form says with what, then show the form with what was typed before."""
    kept = _read(visit)
    if "email" in visit.typed or "first_step" in visit.typed:
        page = await _sign_in(visit, kept)
        if page is not None:
            return page
    if visit.session is None:
        return ask_again(visit, kept)
    if kept is GONE:
        return await row.show(visit, Form(problem=TEXT_GONE))
    if not visit.is_reader(kept.reader):
        return SeeOther(here)
    errors = dict.fromkeys(kept.secrets, ENTER_AGAIN)
    return await show_again(
        row, visit, kept.typed, problem=SIGNED_IN_AGAIN, errors=errors, status=200
    )


async def _sign_in(visit: Visit, kept: KeptForm) -> Outcome | None:
    """Sign in, or return the page that says why not."""
    if not visit.form_fits():
        return ask_again(visit, kept, Form(problem=STALE_FORM, status=403))
    first = first_step(visit)
    if first is None:
        return ask_again(visit, kept, Form(problem=FIRST_STEP_OVER, status=403))
    try:
        await log_in(visit, *first)
    except FormerSessionLives:
        return ask_again(visit, kept, Form(problem=FORMER_LIVES, status=503))
    except ApiRefusal as refusal:
        if refusal.code not in OTP_CODES:
            return ask_again(visit, kept, refused_form(visit, refusal))
        email, _ = first
        errors = {"otp": sentence(refusal)} if "otp" in visit.typed else {}
        sealed = visit.seal_second_step(*first)
        form = Form(errors=errors, status=403)
        return ask_again(visit, kept, form, email=email, first_step=sealed)
    return None


async def show_stale(row: PageRoute, visit: Visit, problem: Fault) -> Outcome:
    """Show a form again that a press of before the newest sign-in or sign-out has sent."""
    if visit.session is not None and visit.form_reader and not visit.is_reader(visit.form_reader):
        return await row.show(visit, Form(problem=OTHER_READER, status=403))
    return await show_again(row, visit, kept_values(visit), problem=problem)


async def show_again(
    row: PageRoute,
    visit: Visit,
    typed: Mapping[str, str],
    *,
    problem: Fault,
    errors: Mapping[str, Fault] | None = None,
    status: int = 403,
) -> Outcome:
    """Show a form with what was typed, and with what is to be entered again.

    Its press counts for the state that it was made for: what others have changed meanwhile is
    refused then, and not overwritten unseen.
    """
    state = typed.get("state", "")
    errors = lost_secrets(row, visit) if errors is None else errors
    form = Form(values=typed, errors=errors, problem=problem, status=status, state=state)
    return await row.show(visit, form)
