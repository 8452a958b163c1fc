"""The pages before a change of a membership: what it gives and takes, then the press."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.console.adapters.api import ApiAnswer, path_step
from services.console.domain import places
from services.console.domain.impacts import read_impact
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import (
    project_names,
    read_catalog,
    shown_state,
    state_to_show,
)
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY, listed
from services.console.routes.member import MEMBER
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, with_query
from services.console.routes.person_frame import together
from services.console.routes.receipts import after_change
from services.console.routes.visits import Visit


@dataclass(frozen=True, kw_only=True)
class MemberPress:
    """A change of a membership: its preview, and how it is made.

    `stays` says whether the member's own page is there afterwards.
    """

    id: str
    preview: str
    done: str
    make: Callable[[Visit], Awaitable[ApiAnswer]]
    takes_role: bool = False
    hands_over: bool = False
    """Whether the member's resources can be given to another one by it."""
    stays: bool = True

    @property
    def route(self) -> PageRoute:
        """The row of the page."""
        return PageRoute(path=f"{MEMBER}/{self.id}", show=self.show, submit=self.submit)

    async def show(self, visit: Visit, form: Form) -> Outcome:
        """Say exactly what will happen."""
        user_id = visit.place["user_id"]
        change = {"type": self.preview, "user_id": user_id}
        if self.takes_role:
            change["role"] = asked_role(visit)
        frame: AccountFrame
        frame, table, member, preview, names, receivers = await together(
            open_account(visit),
            read_catalog(visit),
            visit.call("GET", f"/v1/accounts/{visit.account_id}/members/{user_id}"),
            visit.call(
                "POST", f"/v1/accounts/{visit.account_id}/changes/preview", {"change": change}
            ),
            project_names(visit),
            _receivers(visit) if self.hands_over else nothing(),
        )
        return frame.shown(
            f"account/member_{self.id}",
            section="members",
            form=form,
            member=member,
            role=asked_role(visit),
            role_title=table.role_title(asked_role(visit)),
            impact=read_impact(preview, table, projects=names),
            state=state_to_show(preview["etag"]),
            receivers=receivers,
        )

    async def submit(self, visit: Visit) -> Outcome:
        """Make the change, and say since when it is effective."""
        answer = await self.make(visit)
        steps = ("members", visit.place["user_id"]) if self.stays else ("members",)
        return after_change(visit, *steps, done=self.done, revision=answer.revision)


def asked_role(visit: Visit) -> str:
    """The role that the address names, or the form that it led to."""
    return visit.typed.get("role") or visit.query.get("role") or ""


async def _change_role(visit: Visit) -> ApiAnswer:
    return await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}/members/{visit.place['user_id']}",
        {"role": asked_role(visit)},
        if_match=shown_state(visit),
    )


async def _suspend(visit: Visit) -> ApiAnswer:
    return await visit.answer(
        "POST", f"/v1/accounts/{visit.account_id}/members/{visit.place['user_id']}/suspend"
    )


async def _resume(visit: Visit) -> ApiAnswer:
    return await visit.answer(
        "POST", f"/v1/accounts/{visit.account_id}/members/{visit.place['user_id']}/resume"
    )


async def nothing() -> Sequence[tuple[str, str]]:
    """No members."""
    return ()


async def _receivers(visit: Visit) -> Sequence[tuple[str, str]]:
    """Those who can get what the member owns; none if the member owns nothing."""
    user_id = visit.place["user_id"]
    owned, members = await together(
        listed(
            visit.call(
                "GET",
                f"/v1/accounts/{visit.account_id}/resources",
                query={"owner": path_step(user_id), "limit": "1"},
            )
        ),
        listed(
            visit.call(
                "GET",
                f"/v1/accounts/{visit.account_id}/members",
                query={**MANY, "status": "active"},
            )
        ),
    )
    others = [one for one in members if one["user_id"] not in {None, user_id}]
    return [(one["user_id"], one["name"] or one["email"]) for one in others] if owned else ()


async def _remove(visit: Visit) -> ApiAnswer:
    receiver = visit.typed.get("reassign_to")
    return await visit.answer(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/members/{visit.place['user_id']}",
        query={"reassign_to": receiver} if receiver else None,
        if_match=shown_state(visit),
    )


PRESSES = (
    MemberPress(
        id="role",
        preview="member_change",
        done="role-changed",
        make=_change_role,
        takes_role=True,
    ),
    MemberPress(id="suspend", preview="member_suspension", done="suspended", make=_suspend),
    MemberPress(id="resume", preview="member_resumption", done="resumed", make=_resume),
    MemberPress(
        id="remove",
        preview="member_removal",
        done="removed",
        make=_remove,
        hands_over=True,
        stays=False,
    ),
)


async def show_leaving(visit: Visit, form: Form) -> Outcome:
    """Say what the visitor loses."""
    frame: AccountFrame
    frame, table, preview, names = await together(
        open_account(visit),
        read_catalog(visit),
        visit.call(
            "POST",
            f"/v1/accounts/{visit.account_id}/changes/preview",
            {"change": {"type": "leave"}},
        ),
        project_names(visit),
    )
    impact = read_impact(preview, table, projects=names)
    return frame.shown("account/leave", section="members", form=form, impact=impact)


async def leave(visit: Visit) -> Outcome:
    """End the visitor's own membership."""
    await visit.call("POST", f"/v1/accounts/{visit.account_id}/leave")
    return SeeOther(with_query(places.HOME, done="left"))


PAGES = (
    *(press.route for press in PRESSES),
    PageRoute(path=f"{places.ACCOUNT}/leave", show=show_leaving, submit=leave),
)
