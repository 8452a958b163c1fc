"""Things of an account, such as webhooks: their list, one of them, and its end, the same way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.console.adapters.api import path_step
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

Ask = Callable[[Visit], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class AccountThings:
    """One kind of things of an account.

    `one` and `many` are what the templates call them. The list is at `path`, in the template
    `listing`. The page that asks whether one shall be deleted is `deletion`, and `deleted` is what
    the list says afterwards. `read_all`, `read_one` and `delete` ask the API.
    """

    one: str
    many: str
    section: str
    path: str
    listing: str
    deletion: str
    deleted: str
    read_all: Ask
    read_one: Ask
    delete: Ask

    @property
    def list_page(self) -> PageRoute:
        """The row of the list."""
        return PageRoute(path=self.path, show=self.show_all)

    async def show_all(self, visit: Visit, form: Form) -> Outcome:
        """List what there is."""
        frame: AccountFrame
        frame, listed = await together(open_account(visit), self.read_all(visit))
        words = {self.many: listed["items"]}
        return frame.shown(self.listing, section=self.section, form=form, **words)

    async def ask_delete(self, visit: Visit, form: Form) -> Outcome:
        """Ask whether the thing shall be deleted."""
        frame: AccountFrame
        frame, thing = await together(open_account(visit), self.read_one(visit))
        return frame.shown(self.deletion, section=self.section, form=form, **{self.one: thing})

    async def submit_delete(self, visit: Visit) -> Outcome:
        """Delete the thing, and show the list without it."""
        await self.delete(visit)
        return self.to_list(visit, self.deleted)

    def to_list(self, visit: Visit, done: str) -> SeeOther:
        """The list after a press, which says what was done."""
        return SeeOther(places.changed_address(self.path.format_map(visit.place), {}, done=done))


def same_page(visit: Visit, done: str) -> SeeOther:
    """The page of a press again, which says what was done."""
    return SeeOther(places.changed_address(visit.path, {}, done=done))


def state_of(visit: Visit) -> str:
    """The state that the page of the form has shown: a press counts for it alone."""
    return f'"{path_step(visit.typed.get("state", "").strip(chr(34)))}"'
