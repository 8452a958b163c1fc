"""What every page of an account shows around its content: the account, its visitor, the ways on."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain.places import account_path
from services.console.domain.sections import AccountSection, visible_sections
from services.console.pages.refusals.every import GONE
from services.console.pages.rendering import Form
from services.console.pages.words import WORDS
from services.console.routes.outcomes import Outcome, Shown
from services.console.routes.visits import AccountGone, Visit

SWITCHER_ACCOUNTS = 10
"""The accounts that the switcher in the head names; the others are found by their names."""


@dataclass(frozen=True, kw_only=True)
class AccountFrame:
    """The account of a page, what its visitor may do there, and their other accounts."""

    visit: Visit
    account: Mapping[str, Any]
    user: Mapping[str, Any]
    permissions: Mapping[str, str]
    accounts: Sequence[Mapping[str, Any]]
    more_accounts: bool

    def may(self, permission: str) -> bool:
        """Whether the visitor's role has a permission in the account; the API decides again."""
        return permission in self.permissions

    @property
    def sections(self) -> Sequence[AccountSection]:
        """The sections that the visitor sees."""
        return visible_sections(self.permissions)

    @property
    def words(self) -> Mapping[str, object]:
        """What the templates of an account's pages need."""
        return {
            "account": self.account,
            "user": self.user,
            "may": self.may,
            "sections": self.sections,
            "accounts": self.accounts,
            "more_accounts": self.more_accounts,
            "path": partial(account_path, self.visit.account_id),
            "path_of": account_path,
        }

    def shown(
        self, template: str, *, section: str, form: Form | None = None, **words: object
    ) -> Shown:
        """A page of the account, in one of its sections."""
        return Shown(
            template=template,
            form=form or Form(),
            words={**self.words, "section": section, **words},
        )


async def together(*asked: Awaitable[Any]) -> Sequence[Any]:
    """Wait for several answers at once; the first refusal in this order is raised."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers


async def open_user(visit: Visit) -> Mapping[str, Any]:
    """Return the visitor; their language and time zone count for the page."""
    user: Mapping[str, Any] = await visit.call("GET", "/v1/me")
    visit.language, visit.time_zone = user["locale"], user["time_zone"]
    return user


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
        visit.call("GET", "/v1/accounts", query={"limit": str(SWITCHER_ACCOUNTS)}),
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


def refused_page(visit: Visit, form: Form) -> Outcome:
    """The page of a refusal that no form can show; inside the account as far as it is known."""
    name = "missing" if form.status == 404 else "not_done"
    title = WORDS[name].of(visit.language)
    if visit.frame is None:
        return Shown(template="problem", form=form, words={"title": title})
    words = {**visit.frame, "section": "", "title": title}
    return Shown(template="account/problem", form=form, words=words)


def gone_page(visit: Visit) -> Outcome:
    """The page of an account of which the visitor is not a member."""
    words = {"title": WORDS["no_access"].of(visit.language)}
    return Shown(template="problem", form=Form(problem=GONE, status=404), words=words)
