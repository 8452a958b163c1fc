"""The page of one member inside one project: what counts there, and the choices of others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain.explanations import title_of
from services.console.domain.grant_texts import of_cells
from services.console.domain.grant_unions import ALL
from services.console.domain.impacts import read_impact
from services.console.domain.moments import end_of_day
from services.console.domain.override_choices import LevelChoice, chosen_grants, shown_choices
from services.console.domain.permission_tables import (
    PermissionTable,
    TableLevel,
    held_levels,
    levels_of,
)
from services.console.pages.page_text import Fault
from services.console.pages.reasons import choice_text
from services.console.pages.rendering import Form
from services.console.pages.words.access import COMES_WITH, LEVELS_DO_NOT_FIT, NOT_A_DAY
from services.console.routes.access_explorer import WHY, question_about
from services.console.routes.account_catalogs import (
    shown_state,
)
from services.console.routes.member_in_project import (
    OF_MEMBER,
    MemberInProject,
    back_to_member,
    named,
    open_member,
)
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    kept_values,
    page_status,
)
from services.console.routes.person_frame import together
from services.console.routes.projects import SECTION
from services.console.routes.receipts import read_receipt
from services.console.routes.role_editor import MAX_FIELDS
from services.console.routes.visits import Visit

ENDS = "expires_at"
GIVE = "give"
"""In an address: a permission that the form shall allow."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Show what the member may do in the project, where each of it comes from, and the choices.

    Of one permission, lead to why it is allowed or not.
    """
    if permission := visit.query.get(WHY):
        asked = {"member": visit.place["user_id"], "project": visit.place["project_id"]}
        return SeeOther(question_about(visit, permission=permission, **asked))
    here, receipt = await together(open_member(visit), read_receipt(visit))
    return _shown(here, form, receipt, wanted=visit.query.get(GIVE, ""))


def _shown(
    here: MemberInProject,
    form: Form,
    receipt: Mapping[str, Any] | None = None,
    *,
    wanted: str = "",
) -> Outcome:
    inside = here.table.inside_projects()
    given = _wanted_level(here, wanted) if not form.values else None
    values = form.values or {
        **shown_choices(here.table, inside, role=here.role, override=here.given),
        **({given.field: LevelChoice.ALLOW} if given else {}),
        ENDS: here.last_day,
    }
    [place] = here.access["items"]
    by_role, language = held_levels(here.table, here.role), here.frame.user["locale"]
    return here.frame.shown(
        "account/override",
        section=SECTION,
        form=replace(form, values=values),
        **here.words,
        parts=inside,
        receipt=receipt,
        given=title_of(here.table, given.names[0]) if given else "",
        rows=of_cells(here.table, place["cells"]),
        role_texts={
            level.place: choice_text(by_role.get(level.place), language=language)
            for level in levels_of(inside)
        },
        own=here.inside,
        editable=_may_change(here),
    )


def _wanted_level(here: MemberInProject, permission: str) -> TableLevel | None:
    """The level that an address asks to allow, if the visitor may give it."""
    level = here.table.by_permission.get(permission)
    if level is None or here.inside.get(level.names[0]) != ALL or not _may_change(here):
        return None
    return level if here.table.entries[level.entry].project_scoped else None


def _may_change(here: MemberInProject) -> bool:
    """Whether the page offers the choices; the API refuses a press all the same."""
    allowed = "member:update" in here.frame.permissions and "project:manage" in here.inside
    known = here.table.role(here.access["role"]) is not None  # it is what is copied
    return allowed and known and here.table.offers("overrides") and not here.access["owner"]


async def submit(visit: Visit) -> Outcome:
    """Show what the choices would do, go back to them, or make them count."""
    press = visit.typed.get("press")
    here = await open_member(visit)
    typed = kept_values(visit)
    if press == "again":
        return _shown(here, Form(values=typed, state=typed.get("state", "")))
    body, form = _body(here, typed)
    if form is not None:
        return _shown(here, form)
    try:
        if press == "save":
            return await _save(visit, body)
        return await _preview(visit, here, body, typed)
    except ApiRefusal as refusal:
        if not (errors := _faults(here.table, refusal)):
            raise
        form = Form(values=typed, errors=errors, status=page_status(refusal))
        return _shown(here, form)


def _body(here: MemberInProject, typed: Mapping[str, str]) -> tuple[dict[str, Any], Form | None]:
    """What the form says, or the form with what contradicts itself in it."""
    inside = here.table.inside_projects()
    grants, contradictions = chosen_grants(
        here.table, inside, typed, role=here.role, override=here.given
    )
    errors: dict[str, Fault] = {
        f"grant.{one.refused.entry}": COMES_WITH.filled(
            refused=one.refused.title, chosen=one.chosen.title
        )
        for one in contradictions
    }
    ends, text = None, typed.get(ENDS, "")
    if text and text == here.last_day:
        ends = here.ends  # not a second later than it was
    elif text:
        ends = end_of_day(text, time_zone=here.frame.user["time_zone"])
        if ends is None:
            errors[ENDS] = NOT_A_DAY
    body = {"grants": grants, "expires_at": ends}
    return body, Form(values=typed, errors=errors, status=422) if errors else None


def _faults(table: PermissionTable, refusal: ApiRefusal) -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for pointer, text in refusal.errors.items():
        parts = pointer.removeprefix("/change").split("/")[1:]
        if len(parts) > 1 and parts[0] == "grants" and parts[1] in table.entries:
            found[f"grant.{parts[1]}"] = LEVELS_DO_NOT_FIT
        elif parts == [ENDS]:
            found[ENDS] = text
    return found


async def _save(visit: Visit, body: Mapping[str, Any]) -> Outcome:
    project_id, user_id = visit.place["project_id"], visit.place["user_id"]
    answer = await visit.answer(
        "PUT",
        f"/v1/accounts/{visit.account_id}/projects/{project_id}/overrides/{user_id}",
        body,
        if_match=shown_state(visit),
    )
    return back_to_member(visit, done="override-set", revision=answer.revision)


async def _preview(
    visit: Visit, here: MemberInProject, body: Mapping[str, Any], typed: Mapping[str, str]
) -> Outcome:
    preview = await visit.call(
        "POST",
        f"/v1/accounts/{visit.account_id}/changes/preview",
        {"change": {"type": "override_set", **named(visit), **body}},
    )
    return here.frame.shown(
        "account/override_preview",
        section=SECTION,
        form=Form(values=typed),
        **{**here.words, "state": visit.typed.get("state", "")},
        impact=read_impact(preview, here.table, projects=here.project_names),
        ends=body["expires_at"],
    )


PAGES = (
    PageRoute(
        path=OF_MEMBER,
        show=show,
        submit=submit,
        fields=frozenset({ENDS}),
        max_fields=MAX_FIELDS,
    ),
)
