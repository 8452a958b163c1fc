"""What every page of a signed-in person shows around its content: the person and the ways on."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain.places import account_path
from services.console.domain.sections import PERSON_SECTIONS
from services.console.pages.rendering import Form
from services.console.routes.outcomes import Shown
from services.console.routes.visits import Visit

SWITCHER_ACCOUNTS = 10
"""The accounts that the switcher in the head names; the others are found by their names."""


@dataclass(frozen=True, kw_only=True)
class PersonFrame:
    """The visitor of a page, and their accounts."""

    visit: Visit
    user: Mapping[str, Any]
    accounts: Sequence[Mapping[str, Any]]
    more_accounts: bool

    @property
    def words(self) -> Mapping[str, object]:
        """What the templates of the frame need."""
        return {
            "frame": "person.html",
            "account": None,
            "user": self.user,
            "accounts": self.accounts,
            "more_accounts": self.more_accounts,
            "path_of": account_path,
            "person_sections": PERSON_SECTIONS,
        }

    def shown(
        self, template: str, *, section: str, form: Form | None = None, **words: object
    ) -> Shown:
        """A page in one of the sections."""
        return Shown(template=template, form=form or Form(), words={"section": section, **words})


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
    visit.read_as(user)
    return user


async def open_person(visit: Visit) -> PersonFrame:
    """Ask for all that the pages of a person have in common.

    A press that makes what is shown once asks before it: its page needs no answer after that.
    """
    user, listed, _ = await together(
        open_user(visit), switcher_accounts(visit), visit.count_unread()
    )
    frame = PersonFrame(
        visit=visit,
        user=user,
        accounts=listed["items"],
        more_accounts=listed["next_cursor"] is not None,
    )
    visit.frame = frame.words
    return frame


async def switcher_accounts(visit: Visit) -> Mapping[str, Any]:
    """The first accounts of the visitor; a page about something else does without them."""
    try:
        query = {"limit": str(SWITCHER_ACCOUNTS)}
        found: Mapping[str, Any] = await visit.call("GET", "/v1/accounts", query=query)
    except ApiRefusal:
        return {"items": [], "next_cursor": ""}
    return found
