"""The pages of guardrails: the rules of an account about itself, a new one, the end of one."""

from collections.abc import Mapping
from typing import Any

from services.console.domain import places
from services.console.domain.guardrail_forms import KINDS, ROLE, new_rule, permissions
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY, listed, names_of
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """List the rules of the account."""
    frame: AccountFrame
    frame, found, catalog, projects = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/guardrails", query=MANY),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
    )
    return frame.shown(
        "account/guardrails",
        section="settings",
        form=form,
        guardrails=found["items"],
        **_named(catalog),
        project_names=names_of(projects),
    )


async def show_new(visit: Visit, form: Form) -> Outcome:
    """Ask for a rule of the kind that the address names."""
    frame: AccountFrame
    frame, catalog, projects = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
    )
    kind = visit.query.get("kind", "")
    return frame.shown(
        "account/guardrail_new",
        section="settings",
        form=form,
        kind=kind if kind in KINDS else KINDS[0],
        kinds=KINDS,
        role_box=ROLE,
        projects=[("", ""), *((one["id"], one["name"]) for one in projects)],
        **_named(catalog),
    )


async def create(visit: Visit) -> Outcome:
    """Declare a rule."""
    await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/guardrails",
        {"name": visit.typed.get("name", ""), "rule": new_rule(visit.typed)},
        key=visit.typed.get("once"),
    )
    return _list(visit, "guardrail-created")


async def ask_delete(visit: Visit, form: Form) -> Outcome:
    """Ask whether the rule shall end; say what contradicts it now."""
    frame: AccountFrame
    frame, guardrail, catalog = await together(
        open_account(visit),
        visit.call(
            "GET", f"/v1/accounts/{visit.account_id}/guardrails/{visit.place['guardrail_id']}"
        ),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
    )
    return frame.shown(
        "account/guardrail",
        section="settings",
        form=form,
        guardrail=guardrail,
        **_named(catalog),
        project_names={},
    )


async def delete(visit: Visit) -> Outcome:
    """Give the rule up."""
    await visit.answer(
        "DELETE", f"/v1/accounts/{visit.account_id}/guardrails/{visit.place['guardrail_id']}"
    )
    return _list(visit, "guardrail-deleted")


def _named(catalog: Mapping[str, Any]) -> Mapping[str, Any]:
    """The words of the catalog for what rules name."""
    return {
        "role_names": {role["id"]: role["name"] for role in catalog["roles"]},
        "permission_names": dict(permissions(catalog)),
        "words_of": catalog["policies"]["words"],
    }


def _list(visit: Visit, done: str) -> SeeOther:
    path = places.GUARDRAILS.format_map(visit.place)
    return SeeOther(places.changed_address(path, {}, done=done))


PAGES = (
    PageRoute(path=places.GUARDRAILS, show=show),
    PageRoute(
        path=places.GUARDRAIL_NEW,
        needs="guardrail:manage",
        show=show_new,
        submit=create,
        fields=frozenset({"name"}),
        max_fields=1_000,
    ),
    PageRoute(path=places.GUARDRAIL, show=ask_delete, submit=delete, needs="guardrail:manage"),
)
