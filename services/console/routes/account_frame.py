"""What every page of an account shows around its content: the account, its visitor, the ways on."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.places import account_path
from services.console.domain.sections import AccountSection, visible_sections
from services.console.pages.action_words import event_words
from services.console.pages.project_words import ProjectWords
from services.console.pages.refusals.every import GONE, SUSPENDED
from services.console.pages.rendering import Form
from services.console.pages.words import WORDS
from services.console.routes.outcomes import Outcome, Shown
from services.console.routes.person_frame import (
    PersonFrame,
    open_person,
    open_user,
    switcher_accounts,
    together,
)
from services.console.routes.session_ends import AccountGone, SignedOut
from services.console.routes.visits import Visit

UNKNOWN_QUERY = frozenset({400, 404, 410, 422})
"""What the API answers to a cursor or a filter of an old address."""

TOLD = "20"
"""The newest notifications that are looked at for why an account is gone."""
SUSPENSION = "suspended"
OF_MEMBERSHIPS = frozenset({SUSPENSION, "resumed", "removed", "added"})
"""The kinds of notifications that tell whether a membership counts."""


@dataclass(frozen=True, kw_only=True)
class AccountFrame(PersonFrame):
    """The account of a page, what its visitor may do there, and their other accounts."""

    account: Mapping[str, Any]
    permissions: Mapping[str, str]

    def may(self, permission: str) -> bool:
        """Whether the visitor's role has a permission in the account; the API decides again."""
        return permission in self.permissions

    @property
    def sections(self) -> Sequence[AccountSection]:
        """The sections that the visitor sees."""
        return visible_sections(self.permissions)

    @property
    def project_words(self) -> ProjectWords:
        """The provider's words for projects."""
        return ProjectWords.of(self.account)

    @property
    def words(self) -> Mapping[str, object]:
        """What the templates of an account's pages need."""
        return {
            **super().words,
            "frame": "account.html",
            "account": self.account,
            "say_event": partial(
                event_words, language=self.visit.language, projects=self.project_words
            ),
            "may": self.may,
            "sections": self.sections,
            "path": partial(account_path, self.visit.account_id),
        }


async def open_account(visit: Visit) -> AccountFrame:
    """Ask for all that the pages of an account have in common.

    A press that makes what is shown once asks before it: its page needs no answer after that.

    Raises:
        AccountGone: the visitor is not a member of the account.
        ApiRefusal: any other refusal.
    """
    user, account, permissions, listed, _ = await together(
        open_user(visit),
        _account(visit),
        _permissions(visit),
        switcher_accounts(visit),
        visit.count_unread(),
    )
    frame = AccountFrame(
        visit=visit,
        account=account,
        user=user,
        permissions=permissions,
        accounts=listed["items"],
        more_accounts=listed["next_cursor"] is not None,
    )
    visit.frame = frame.words
    return frame


async def _account(visit: Visit) -> Mapping[str, Any]:
    try:
        answer = await visit.answer("GET", f"/v1/accounts/{visit.account_id}")
    except ApiRefusal as refusal:
        if refusal.status == 404:
            raise AccountGone from None
        raise
    return {**answer.body, "etag": answer.etag}


async def _permissions(visit: Visit) -> Mapping[str, str]:
    """What the visitor may do; nothing while the account allows nothing."""
    try:
        answer = await visit.call("GET", f"/v1/accounts/{visit.account_id}/me/permissions")
    except ApiRefusal as refusal:
        if refusal.status in {403, 404}:
            return {}
        raise
    permissions: Mapping[str, str] = answer["permissions"]
    return permissions


async def refused_page(visit: Visit, form: Form) -> Outcome:
    """The page of a refusal that no form can show; in the frame as far as it is known."""
    if visit.frame is None and form.status in {403, 404}:
        await _frame_of_person(visit)
    name = "missing" if form.status == 404 else "not_done"
    to = places.destination(visit.path) if visit.query and form.status in UNKNOWN_QUERY else ""
    whole = to if to != places.HOME else ""
    words = {"title": WORDS[name].of(visit.language), "whole_list": whole}
    return Shown(template="problem", form=form, words=words)


async def gone_page(visit: Visit) -> Outcome:
    """The page of an account in which the visitor has no membership that counts."""
    await _frame_of_person(visit)
    problem = SUSPENDED if await _is_suspended(visit) else GONE
    words = {"title": WORDS["no_access"].of(visit.language)}
    return Shown(template="problem", form=Form(problem=problem, status=404), words=words)


async def _is_suspended(visit: Visit) -> bool:
    """Whether the last that the visitor was told of their membership is that it is suspended.

    The account itself says nothing to them.
    """
    query = {"account": visit.account_id, "limit": TOLD}
    with contextlib.suppress(ApiRefusal, SignedOut):
        listed = await visit.call("GET", "/v1/me/notifications", query=query)
        told = (one["kind"] for one in listed["items"])
        return next((kind for kind in told if kind in OF_MEMBERSHIPS), "") == SUSPENSION
    return False


async def _frame_of_person(visit: Visit) -> None:
    """Show the page in the frame of the visitor, if the API says who that is."""
    visit.frame = None
    with contextlib.suppress(ApiRefusal, SignedOut):
        await open_person(visit)
