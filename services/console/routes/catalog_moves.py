"""The page by which the owner moves an account to another catalog, after a preview."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.catalog_mappings import (
    LEVEL,
    OVERRIDES,
    ROLE,
    level_choices,
    mapping_of,
    needed_fields,
    read_form,
)
from services.console.domain.impacts import read_impact
from services.console.domain.permission_tables import PermissionTable, read_table
from services.console.pages.page_text import Fault
from services.console.pages.refusals.team import TEAM
from services.console.pages.rendering import Form
from services.console.pages.texts import sentence
from services.console.pages.words.catalog_moves import NOT_OFFERED, OVERRIDES_END, SAY_WHICH
from services.console.routes.account_catalogs import (
    project_names,
    read_catalog,
    shown_state,
    state_to_show,
)
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY
from services.console.routes.outcomes import Outcome, PageRoute, kept_values, page_status
from services.console.routes.person_frame import together
from services.console.routes.receipts import after_change
from services.console.routes.visits import Visit

SECTION = "settings"
MAX_FIELDS = 1_000
CONFLICT, INVALID = 409, 422
"""What the API answers while the mapping is not complete, or does not fit."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Offer the catalogs; of the one that the address names, ask what is open, or say what changes.

    A button goes back to the questions with `again`.
    """
    frame: AccountFrame
    frame, present, listed = await together(
        open_account(visit), read_catalog(visit), _choices(visit)
    )
    chosen = next((one for one in listed if one["id"] == visit.query.get("catalog")), None)
    if chosen is None:
        return frame.shown("account/catalogs", section=SECTION, form=form, choices=listed)
    target, typed = read_table(chosen), _mapped(form.values or visit.typed)
    if visit.typed.get("press") == "again":
        return _questions(frame, form, chosen, present, target, typed=typed)
    try:
        preview, names = await together(
            _preview(visit, chosen["id"], mapping_of(typed, target)), project_names(visit)
        )
    except ApiRefusal as refusal:
        if refusal.status not in {CONFLICT, INVALID}:
            raise
        needed = needed_fields(refusal.errors)
        asked = _refused(form, refusal, needed, typed)
        return _questions(frame, asked, chosen, present, target, typed=typed, needed=needed)
    return frame.shown(
        "account/catalog_preview",
        section=SECTION,
        form=form,
        chosen=chosen,
        typed=typed,
        asked=read_form(typed, (), present=present, target=target),
        impact=read_impact(preview, present, projects=names, after=target),
        lost=preview["resource_types_lost"],
        state=state_to_show(preview["etag"]),
    )


async def submit(visit: Visit) -> Outcome:
    """Move the account, or show the page that the button leads to."""
    if visit.typed.get("press") != "move":
        return await show(visit, Form())
    frame, listed = await together(open_account(visit), _choices(visit))
    chosen = next((one for one in listed if one["id"] == visit.query.get("catalog")), None)
    if chosen is None:
        return await show(visit, Form(problem=NOT_OFFERED, status=CONFLICT))
    if visit.typed.get("confirm", "").strip() != frame.account["name"].strip():
        errors = {"confirm": TEAM["confirmation-wrong"]}
        return await show(visit, Form(values=kept_values(visit), errors=errors, status=INVALID))
    moved = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/catalog",
        {"catalog": chosen["id"], "mapping": mapping_of(_mapped(visit.typed), read_table(chosen))},
        key=visit.typed.get("once"),
        if_match=shown_state(visit),
    )
    return after_change(visit, "members", done="catalog-moved", revision=moved.revision)


async def _choices(visit: Visit) -> Sequence[Mapping[str, Any]]:
    listed = await visit.call("GET", f"/v1/accounts/{visit.account_id}/catalogs", query=MANY)
    items: Sequence[Mapping[str, Any]] = listed["items"]
    return items


async def _preview(visit: Visit, catalog_id: str, mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    change = {"type": "catalog_move", "catalog": catalog_id, "mapping": mapping}
    found: Mapping[str, Any] = await visit.call(
        "POST", f"/v1/accounts/{visit.account_id}/changes/preview", {"change": change}
    )
    return found


def _questions(
    frame: AccountFrame,
    form: Form,
    chosen: Mapping[str, Any],
    present: PermissionTable,
    target: PermissionTable,
    *,
    typed: Mapping[str, str],
    needed: Sequence[str] = (),
) -> Outcome:
    return frame.shown(
        "account/catalog_mapping",
        section=SECTION,
        form=form,
        chosen=chosen,
        asked=read_form(typed, needed, present=present, target=target),
        roles=[role for role in target.roles if role["assignable"]],
        levels=level_choices(target),
    )


def _refused(
    form: Form, refusal: ApiRefusal, needed: Sequence[str], typed: Mapping[str, str]
) -> Form:
    """The form with what is wrong: a field that is new on it is a question, and no fault."""
    if not needed:
        return form if form.refused else Form(problem=_said(refusal), status=page_status(refusal))
    errors: dict[str, Fault] = {
        name: OVERRIDES_END if name == OVERRIDES else SAY_WHICH for name in needed if name in typed
    }
    return replace(form, errors={**form.errors, **errors}, status=CONFLICT if errors else 200)


def _said(refusal: ApiRefusal) -> Fault:
    return sentence(refusal, in_account=True)


def _mapped(typed: Mapping[str, str]) -> Mapping[str, str]:
    """The fields of the form about roles and levels."""
    return {
        name: text
        for name, text in typed.items()
        if name.startswith((ROLE, LEVEL)) or name == OVERRIDES
    }


PAGES = (
    PageRoute(
        path=places.CATALOG,
        needs="account:update",
        show=show,
        submit=submit,
        fields=frozenset({"confirm"}),
        max_fields=MAX_FIELDS,
    ),
)
