"""The pages of the issuers with which the people of an account sign in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import read_catalog
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.proofs import ProvedPage
from services.console.routes.things import AccountThings, same_page, state_of
from services.console.routes.visits import Visit

FIELDS = ("label", "issuer", "client_id", "domain", "join_role")
SECRET = "client_secret"  # noqa: S105 - the name of a field
MANAGE = "account:update"


async def show_new(visit: Visit, form: Form) -> Outcome:
    """Ask for an issuer and a domain."""
    frame: AccountFrame
    frame, roles = await together(open_account(visit), _roles(visit))
    return frame.shown("account/company_new", section="settings", form=form, roles=roles)


async def create(visit: Visit) -> Outcome:
    """Connect the account with an issuer; its domain is to be proved next."""
    typed = {name: visit.typed.get(name, "").strip() for name in FIELDS}
    made = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/sso-connections",
        {
            **typed,
            "join_role": typed["join_role"] or None,
            "client_secret": visit.typed.get(SECRET) or None,
        },
        key=visit.typed.get("once"),
    )
    path = places.account_path(visit.account_id, "settings", "sign-in", made.body["id"])
    return SeeOther(places.changed_address(path, {}, done="company-connected"))


async def show_one(visit: Visit, form: Form) -> Outcome:
    """Show an issuer, the record that proves its domain, and who joins by it."""
    frame: AccountFrame
    frame, roles, connection = await together(open_account(visit), _roles(visit), _one(visit))
    return frame.shown(
        "account/company", section="settings", form=form, roles=roles, connection=connection
    )


async def prove(visit: Visit) -> Outcome:
    """Look for the record that proves the domain."""
    connection_id = visit.place["connection_id"]
    await visit.call(
        "POST", f"/v1/accounts/{visit.account_id}/sso-connections/{connection_id}/prove-domain"
    )
    return same_page(visit, "domain-proved")


async def change(visit: Visit) -> Outcome:
    """Change the issuer, or who joins by it."""
    typed = {name: visit.typed.get(name, "").strip() for name in FIELDS if name != "domain"}
    secret = visit.typed.get(SECRET)
    return await _change(
        visit,
        {
            **typed,
            "join_role": typed["join_role"] or None,
            **({SECRET: secret} if secret else {}),
        },
        "company-changed",
    )


async def switch_on(visit: Visit) -> Outcome:
    """Let people sign in by it again."""
    return await _change(visit, {"enabled": True}, "company-on")


async def switch_off(visit: Visit) -> Outcome:
    """Let no person sign in by it."""
    return await _change(visit, {"enabled": False}, "company-off")


async def _change(visit: Visit, changed: Mapping[str, Any], done: str) -> Outcome:
    await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}/sso-connections/{visit.place['connection_id']}",
        changed,
        if_match=state_of(visit),
    )
    return same_page(visit, done)


async def _read_all(visit: Visit) -> Any:
    return await visit.call("GET", f"/v1/accounts/{visit.account_id}/sso-connections")


async def _delete(visit: Visit) -> Any:
    connection_id = visit.place["connection_id"]
    return await visit.call(
        "DELETE", f"/v1/accounts/{visit.account_id}/sso-connections/{connection_id}"
    )


async def _one(visit: Visit) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/sso-connections/{visit.place['connection_id']}"
    )
    return found


async def _roles(visit: Visit) -> Sequence[tuple[str, str]]:
    """The roles that can be given, by their ids, with their titles."""
    table = await read_catalog(visit)
    return [(one["id"], one["name"]) for one in table.roles if one["assignable"]]


COMPANIES = AccountThings(
    one="connection",
    many="connections",
    section="settings",
    path=places.COMPANY,
    listing="account/companies",
    deletion="account/company_delete",
    deleted="company-deleted",
    read_all=_read_all,
    read_one=_one,
    delete=_delete,
)
NEW = ProvedPage(
    path=places.COMPANY_NEW,
    section="settings",
    frame=open_account,
    show=show_new,
    presses={"create": create},
    proved={"create": "create"},
    carried=(*FIELDS, "once"),
    secrets=(SECRET,),
    fields=frozenset({*FIELDS, SECRET}),
)
ONE = ProvedPage(
    path=places.COMPANY_ONE,
    section="settings",
    frame=open_account,
    show=show_one,
    presses={"prove": prove, "change": change, "on": switch_on, "off": switch_off},
    proved={name: name for name in ("prove", "change", "on", "off")},
    carried=(*FIELDS, "state"),
    secrets=(SECRET,),
    fields=frozenset({*FIELDS, SECRET}),
)
DELETION = ProvedPage(
    path=places.COMPANY_DELETE,
    section="settings",
    frame=open_account,
    show=COMPANIES.ask_delete,
    presses={"delete": COMPANIES.submit_delete},
    proved={"delete": "delete"},
)
PAGES = (
    COMPANIES.list_page,
    replace(NEW.route, needs=MANAGE),
    ONE.route,
    replace(DELETION.route, needs=MANAGE),
)
