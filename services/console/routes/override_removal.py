"""The page that gives a member the role's permissions inside a project again."""

from services.console.domain.impacts import read_impact
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import shown_state
from services.console.routes.member_in_project import (
    OF_MEMBER,
    back_to_member,
    named,
    open_member,
)
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.projects import SECTION
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """Say what the member gains and loses when the role counts in the project again."""
    here = await open_member(visit)
    impact = None
    if here.override is not None:
        preview = await visit.call(
            "POST",
            f"/v1/accounts/{visit.account_id}/changes/preview",
            {"change": {"type": "override_removal", **named(visit)}},
        )
        impact = read_impact(preview, here.table, projects=here.project_names)
    return here.frame.shown(
        "account/override_remove", section=SECTION, form=form, **here.words, impact=impact
    )


async def submit(visit: Visit) -> Outcome:
    """Remove the override."""
    project_id, user_id = visit.place["project_id"], visit.place["user_id"]
    answer = await visit.answer(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/projects/{project_id}/overrides/{user_id}",
        if_match=shown_state(visit),
    )
    return back_to_member(visit, done="override-removed", revision=answer.revision)


PAGES = (PageRoute(path=f"{OF_MEMBER}/remove", show=show, submit=submit),)
