"""The pages of sign-up."""

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.visits import Visit

MAX_ADDRESS = 254
"""The characters of the longest address (RFC 5321)."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Ask for a name and an address."""
    return Shown(template="sign_up", form=form)


async def submit(visit: Visit) -> Outcome:
    """Have a link mailed; the answer is the same for every address."""
    typed = visit.typed
    body = {"email": typed.get("email", "").strip(), "name": typed.get("name", "").strip()}
    await visit.ask("/v1/signup", body)
    visit.keep_address(body["email"][:MAX_ADDRESS])
    return SeeOther(places.SIGN_UP_SENT)


async def show_sent(visit: Visit, form: Form) -> Outcome:
    """Say that a mail is on its way, and offer to send it again."""
    return Shown(template="sign_up_sent", form=form, words={"email": visit.kept_address()})


async def send_again(visit: Visit) -> Outcome:
    """Mail the link of a pending sign-up again."""
    email = visit.typed.get("email", "").strip()
    await visit.ask("/v1/email/resend", {"email": email})
    visit.keep_address(email[:MAX_ADDRESS])
    return SeeOther(with_query(places.SIGN_UP_SENT, done="sent-again"))


PAGES = (
    PageRoute(path=places.SIGN_UP, show=show, submit=submit),
    PageRoute(path=places.SIGN_UP_SENT, show=show_sent, submit=send_again),
)
