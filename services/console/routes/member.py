"""The page of one member: what they are in the account, and what can be changed of it."""

from services.console.domain import places
from services.console.domain.moments import day_of, end_of_day
from services.console.pages.page_text import PageText
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import read_catalog, shown_state, state_to_show
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import listed
from services.console.routes.outcomes import Outcome, PageRoute, kept_values
from services.console.routes.person_frame import open_user, together
from services.console.routes.receipts import after_change, read_receipt
from services.console.routes.visits import Visit

MEMBER = f"{places.ACCOUNT}/members/{{user_id}}"
SHOWN_PROJECTS = "10"
NOT_A_DAY = PageText("Choose a day.", "Wählen Sie einen Tag.")


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the member, and the buttons that the visitor may press."""
    frame: AccountFrame
    path = f"/v1/accounts/{visit.account_id}/members/{visit.place['user_id']}"
    frame, table, answer, receipt, projects = await together(
        open_account(visit),
        read_catalog(visit),
        visit.answer("GET", path),
        read_receipt(visit),
        listed(visit.call("GET", f"{path}/access", query={"limit": SHOWN_PROJECTS})),
    )
    member = answer.body
    ends = member["expires_at"]
    return frame.shown(
        "account/member",
        section="members",
        form=form,
        member=member,
        own=member["user_id"] == frame.user["id"],
        may_change=frame.may("member:update") and not member["owner"],
        roles=[(role["id"], role["name"]) for role in table.roles if role["assignable"]],
        ends_on="" if ends is None else day_of(ends, time_zone=visit.time_zone),
        state=state_to_show(answer.etag),
        receipt=receipt,
        table=table,
        projects=projects,
    )


async def change_end(visit: Visit) -> Outcome:
    """Have the membership end with a day, or not by itself."""
    await open_user(visit)
    typed, end = visit.typed.get("expires_at", "").strip(), None
    if typed and visit.typed.get("press") != "no-end":
        end = end_of_day(typed, time_zone=visit.time_zone)
        if end is None:
            form = Form(values=kept_values(visit), errors={"expires_at": NOT_A_DAY}, status=422)
            return await show(visit, form)
    user_id = visit.place["user_id"]
    answer = await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}/members/{user_id}",
        {"expires_at": end},
        if_match=shown_state(visit),
    )
    return after_change(visit, "members", user_id, done="end-changed", revision=answer.revision)


PAGES = (PageRoute(path=MEMBER, show=show, submit=change_end, fields=frozenset({"expires_at"})),)
