"""The pages of API tokens: the list, a new one, one of them, and its end."""

from services.console.domain import places
from services.console.domain.token_forms import boxes, days, grant_titles, new_token
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY, listed, names_of
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

SHOWN_TOKENS = 50
MANAGE = "api_token:manage"
ALL = "all"
"""The scope in which a member sees and ends the tokens of others, too."""
SHOWN_ONCE = "shown-once"


async def show(visit: Visit, form: Form) -> Outcome:
    """List the tokens that the visitor sees, the newest first."""
    query = {"limit": str(SHOWN_TOKENS)}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    frame: AccountFrame
    frame, tokens, members = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/api-tokens", query=query),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/members", query=MANY)),
    )
    return frame.shown(
        "account/tokens",
        section="tokens",
        form=form,
        tokens=tokens["items"],
        following=tokens["next_cursor"],
        newest="cursor" not in visit.query,
        names=names_of(members, "user_id"),
    )


async def show_new(visit: Visit, form: Form) -> Outcome:
    """Ask for the name, the end and the restriction of a new token."""
    frame: AccountFrame
    frame, catalog, own, projects = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/me/permissions"),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
    )
    return frame.shown(
        "account/token_new",
        section="tokens",
        form=form,
        entries=boxes(catalog, own["table"]),
        projects=projects,
        words_of=catalog["policies"]["words"],
        days=days(visit.now, visit.time_zone),
    )


async def create(visit: Visit) -> Outcome:
    """Make a token, and show its secret in the answer to this press alone."""
    frame = await open_account(visit)
    made = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/api-tokens",
        new_token(visit.typed, visit.time_zone),
        key=visit.typed.get("once"),
    )
    return frame.shown("account/token_made", section="tokens", token=made.body)


async def show_one(visit: Visit, form: Form) -> Outcome:
    """Show what a token may do, and when it was used."""
    return await _of_one(visit, form, "account/token")


async def ask_revoke(visit: Visit, form: Form) -> Outcome:
    """Ask whether the token shall end."""
    return await _of_one(visit, form, "account/token_revoke")


async def _of_one(visit: Visit, form: Form, template: str) -> Outcome:
    frame: AccountFrame
    frame, token, catalog, members, projects = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/api-tokens/{visit.place['token_id']}"),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/members", query=MANY)),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
    )
    own = token["user_id"] == frame.user["id"]
    limits, project_names = token["restriction"], names_of(projects)
    return frame.shown(
        template,
        section="tokens",
        form=form,
        token=token,
        maker=names_of(members, "user_id").get(token["user_id"], ""),
        own=own,
        ends=own or frame.permissions.get(MANAGE) == ALL,
        words_of=catalog["policies"]["words"],
        grants=grant_titles(catalog, limits["grants"] or {}),
        projects=[project_names.get(one, one) for one in limits["projects"] or ()],
    )


async def revoke(visit: Visit) -> Outcome:
    """End the token: no service accepts it from the answer on."""
    await visit.answer(
        "DELETE", f"/v1/accounts/{visit.account_id}/api-tokens/{visit.place['token_id']}"
    )
    path = places.TOKENS.format_map(visit.place)
    return SeeOther(places.changed_address(path, {}, done="token-revoked"))


PAGES = (
    PageRoute(path=places.TOKENS, show=show),
    PageRoute(
        path=places.TOKEN_NEW,
        needs=MANAGE,
        show=show_new,
        submit=create,
        fields=frozenset({"name", "expires_at"}),
        max_fields=1_000,
    ),
    PageRoute(path=places.TOKEN, show=show_one),
    PageRoute(path=places.TOKEN_REVOKE, show=ask_revoke, submit=revoke, needs=MANAGE),
)
