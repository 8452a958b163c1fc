"""The page of a user's passkeys: added by a script, named and removed by forms."""

import json
from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import path_step
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.pages.texts import NO_NEW_PASSKEY
from services.console.routes.outcomes import Outcome, SeeOther, Shown, with_error, with_query
from services.console.routes.person_frame import PersonFrame, open_person, together
from services.console.routes.proofs import ProvedPage, recovery_codes
from services.console.routes.visits import Visit

SECTION = "your_passkeys"


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the passkeys of the user; each has a field for its name, so a fault stands above."""
    frame: PersonFrame
    frame, passkeys = await together(open_person(visit), visit.call("GET", "/v1/me/passkeys"))
    for fault in form.errors.values():
        form = Form(problem=fault, status=form.status)
    return frame.shown("passkeys", section=SECTION, form=form, passkeys=passkeys["items"])


async def begin(visit: Visit) -> Outcome:
    """Ask for a name; a script then has the browser make a passkey."""
    if not visit.ctx.passkeys_work:
        return await show(visit, Form())
    begun = await visit.call("POST", "/v1/me/passkey-challenges")
    words = {
        "section": SECTION,
        "challenge": begun["challenge"],
        "options": begun["options"],
        "not_used": NO_NEW_PASSKEY.of(visit.language),
    }
    return Shown(template="passkey_add", words=words, scripted=True)


async def add(visit: Visit) -> Outcome:
    """Add what the browser has made; with the first factor there are recovery codes."""
    try:
        credential = json.loads(visit.typed.get("credential", ""))
    except (ValueError, RecursionError):
        return await show(visit, with_error(Form(), problem=NO_NEW_PASSKEY, status=403))
    body = {
        "challenge": visit.typed.get("challenge", ""),
        "credential": credential,
        "name": visit.typed.get("name", "").strip() or "-",
    }
    added = await visit.call("POST", "/v1/me/passkeys", body)
    if added["recovery_codes"]:
        codes = added["recovery_codes"]
        return recovery_codes(codes, path=places.PASSKEYS, section=SECTION, added="passkey")
    return SeeOther(with_query(places.PASSKEYS, done="passkey-added"))


async def rename(visit: Visit) -> Outcome:
    """Give a passkey another name."""
    name = visit.typed.get("name", "").strip() or "-"
    await visit.call("PATCH", f"/v1/me/passkeys/{_passkey_id(visit)}", {"name": name})
    return SeeOther(with_query(places.PASSKEYS, done="passkey-renamed"))


async def ask_remove(visit: Visit) -> Outcome:
    """Say what the removal of a passkey ends."""
    listed = await visit.call("GET", "/v1/me/passkeys")
    factors = await visit.call("GET", "/v1/me/mfa")
    passkey = _of_id(listed["items"], visit.typed.get("passkey_id", ""))
    if passkey is None:
        return SeeOther(places.PASSKEYS)
    others = factors["totp"] is not None or factors["passkeys"] > 1
    words = {"section": SECTION, "passkey": passkey, "others": others}
    return Shown(template="passkey_remove", words=words)


async def remove(visit: Visit) -> Outcome:
    """Remove a passkey."""
    await visit.call("DELETE", f"/v1/me/passkeys/{_passkey_id(visit)}")
    return SeeOther(with_query(places.PASSKEYS, done="passkey-removed"))


def _passkey_id(visit: Visit) -> str:
    return path_step(visit.typed.get("passkey_id", ""))


def _of_id(passkeys: list[Mapping[str, Any]], passkey_id: str) -> Mapping[str, Any] | None:
    return next((one for one in passkeys if one["id"] == passkey_id), None)


PAGE = ProvedPage(
    path=places.PASSKEYS,
    section=SECTION,
    show=show,
    presses={
        "begin": begin,
        "add": add,
        "rename": rename,
        "ask-remove": ask_remove,
        "remove": remove,
    },
    proved={"begin": "begin", "add": "begin", "remove": "remove"},
    carried=("passkey_id",),
)
PAGES = (PAGE.route,)
