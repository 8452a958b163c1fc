"""The page that turns a personal account into a team."""

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import read_catalog
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import catalogs_for, chosen_catalog
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.receipts import after_change
from services.console.routes.visits import Visit

REVERSIBLE = "reversible"


async def show(visit: Visit, form: Form) -> Outcome:
    """Say what becomes of the account, and ask for the team's name."""
    frame: AccountFrame
    frame, table = await together(open_account(visit), read_catalog(visit))
    back = table.policies["conversion"] == REVERSIBLE
    catalogs = await catalogs_for(visit, frame.account)
    return frame.shown(
        "account/convert", section="members", form=form, reversible=back, catalogs=catalogs
    )


async def submit(visit: Visit) -> Outcome:
    """Turn the account into a team."""
    answer = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/convert",
        {"name": visit.typed.get("name", ""), **chosen_catalog(visit)},
        key=visit.typed.get("once"),
    )
    return after_change(visit, "members", done="converted", revision=answer.revision)


PAGES = (PageRoute(path=f"{places.ACCOUNT}/convert", show=show, submit=submit),)
