"""The pages about the visitor: name, address, password, their data, and their end."""

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.pages.texts import sentence
from services.console.routes.outcomes import (
    Download,
    Outcome,
    SeeOther,
    kept_values,
    page_status,
    with_query,
)
from services.console.routes.person_frame import open_person
from services.console.routes.proofs import AT_FIELD, ProvedPage
from services.console.routes.visits import Visit

SECTION = "your_profile"
DATA_FILE = "my-data.json"


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the visitor's name and address, and the ways to change them."""
    frame = await open_person(visit)
    return frame.shown("profile", section=SECTION, form=form)


async def rename(visit: Visit) -> Outcome:
    """Give the visitor another name."""
    await visit.call("PATCH", "/v1/me", {"name": visit.typed.get("name", "")})
    return _done("renamed")


async def change_address(visit: Visit) -> Outcome:
    """Have a link mailed to another address; it counts after that link was used."""
    await visit.call("POST", "/v1/me/email", {"email": visit.typed.get("email", "").strip()})
    return _done("address-asked")


async def change_password(visit: Visit) -> Outcome:
    """Choose another password; the other sessions end."""
    body = {name: visit.typed.get(name, "") for name in ("current", "new")}
    try:
        await visit.call("POST", "/v1/me/password", body)
    except ApiRefusal as refusal:
        if AT_FIELD.get(refusal.code) != "password":
            raise
        fault = {"current": sentence(refusal)}
        form = Form(values=kept_values(visit), errors=fault, status=page_status(refusal))
        return await show(visit, form)
    return _done("password-changed")


async def export(visit: Visit) -> Outcome:
    """Give the visitor their data as a file."""
    return Download(await visit.download("GET", "/v1/me/export"), name=DATA_FILE)


async def ask_delete(visit: Visit, form: Form) -> Outcome:
    """Say what ends with the visitor."""
    frame = await open_person(visit)
    return frame.shown("profile_delete", section=SECTION, form=form)


async def delete(visit: Visit) -> Outcome:
    """Delete the visitor for good."""
    await visit.call("DELETE", "/v1/me", query={"confirm": visit.typed.get("confirm", "")})
    visit.forget_session()
    return SeeOther(with_query(places.SIGN_IN, done="person-deleted"))


def _done(done: str) -> SeeOther:
    return SeeOther(with_query(places.PROFILE, done=done))


PROFILE = ProvedPage(
    path=places.PROFILE,
    section=SECTION,
    show=show,
    presses={
        "rename": rename,
        "address": change_address,
        "password": change_password,
        "export": export,
    },
    proved={"address": "address", "export": "export"},
    carried=("email",),
    fields=frozenset({"current", "new"}),
)
DELETION = ProvedPage(
    path=places.DELETE_PERSON,
    section=SECTION,
    show=ask_delete,
    presses={"delete": delete},
    proved={"delete": "delete"},
    carried=("confirm",),
    fields=frozenset({"confirm"}),
    when_over="deleted-or-expired",
)
PAGES = (PROFILE.route, DELETION.route)
