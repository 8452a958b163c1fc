"""The page of a sign-in with a passkey, the only one with a script: browsers ask for one by it."""

import json

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.pages.texts import NO_PASSKEY
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    Shown,
    with_error,
    with_query,
)
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """Have a challenge made, which the browser lets a passkey sign."""
    to = places.destination(visit.typed.get("to") or visit.query.get("to", ""))
    if not visit.ctx.passkeys_work:
        return SeeOther(with_query(places.SIGN_IN, to=to))
    begun = await visit.ask("/v1/login/passkey/begin", {})
    words = {
        "to": to,
        "challenge": begun["challenge"],
        "options": begun["options"],
        "not_used": NO_PASSKEY.of(visit.language),
    }
    return Shown(template="sign_in_passkey", form=form, words=words, scripted=True)


async def submit(visit: Visit) -> Outcome:
    """Sign in with what the passkey has signed."""
    try:
        credential = json.loads(visit.typed.get("credential", ""))
    except (ValueError, RecursionError):
        return await show(visit, with_error(Form(), problem=NO_PASSKEY, status=403))
    body = {"challenge": visit.typed.get("challenge", ""), "credential": credential}
    await visit.sign_in(await visit.ask("/v1/login/passkey/finish", body))
    return SeeOther(places.destination(visit.typed.get("to", "")))


PAGES = (PageRoute(path=places.SIGN_IN_PASSKEY, show=show, submit=submit),)
