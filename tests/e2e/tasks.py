"""Tasks of a person who sees the pages alone: each press and each choice is a click."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rolecall.cli.command import main
from tests.e2e.visitors import Visitor

MAX_CLICKS = 5


@dataclass
class Clicks:
    """A visitor who finds everything by its visible name, and counts the clicks. Typing is none.

    A name that the page has twice is refused: a person would not know which one to take.
    """

    visitor: Visitor
    count: int = 0
    file: Path | None = None
    """What was downloaded last."""

    def link(self, name: str) -> None:
        """Follow a link."""
        self._click("link", name)

    def button(self, name: str) -> None:
        """Press a button that leads to another page."""
        self._click("button", name)

    def menu(self, name: str) -> None:
        """Open a menu by the text in it."""
        self.count += 1
        self.visitor.page.locator("summary").filter(has_text=name).click()

    def check(self, name: str) -> None:
        """Choose one of several, or tick a box."""
        self.count += 1
        self.visitor.page.get_by_label(name).check()

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self.count += 1
        where = self.visitor.page.get_by_role("combobox", name=label, exact=True)
        where.select_option(label=option)

    def type(self, label: str, text: str) -> None:
        """Type into a field."""
        self.visitor.page.get_by_label(label, exact=True).fill(text)

    def download(self, link: str) -> None:
        """Follow a link to a file, and read it."""
        self.count += 1
        with self.visitor.page.expect_download() as arriving:
            self.visitor.page.get_by_role("link", name=link, exact=True).click()
        self.file = Path(arriving.value.path())

    def run(self, label: str) -> None:
        """Copy a command of the page, and run it on the file that was downloaded."""
        self.count += 1
        text = self.visitor.page.get_by_label(label, exact=True).input_value()
        _, *arguments = shlex.split(text)
        assert self.file is not None
        named = [str(self.file) if one.endswith(".jsonl") else one for one in arguments]
        assert main(named) == 0, text

    def _click(self, role: Literal["link", "button"], name: str) -> None:
        self.count += 1
        where = self.visitor.page.get_by_role(role, name=name, exact=True)
        with self.visitor.page.expect_navigation():
            where.click()


@dataclass(frozen=True)
class ConsoleTask:
    """What a person wants, the way there from the first page of the account, and what they see."""

    wish: str
    way: Callable[[Clicks], None]
    seen: str


def invite_two(person: Clicks) -> None:
    person.link("Invite people")
    person.type("E-mail addresses", "cleo@example.com\ndan@example.com")
    person.check("Viewer")
    person.button("Send the invitations")


def find_who_deletes(person: Clicks) -> None:
    person.link("Access")
    person.choose("Permission", "Instances: Delete")
    person.choose("Project", "Production")
    person.button("Show")


def find_why_not(person: Clicks) -> None:
    person.link("Bea Lind")
    person.link("What they may do")
    person.link("Instances: Delete. Why?")


def give_in_one_place(person: Clicks) -> None:
    person.link("Bea Lind")
    person.link("Permissions in Staging")
    person.choose("Instances: Delete", "Allow")
    person.button("Show what changes")
    person.button("Save")


def find_who_changed_a_role(person: Clicks) -> None:
    person.link("Audit log")
    person.choose("What happened", "Role edited: what it allows")
    person.button("Last 7 days")


def export_last_month(person: Clicks) -> None:
    person.link("Audit log")
    person.button("Last month")
    person.link("Export")
    person.download("Download JSON Lines")
    person.run("Command")


def make_a_reading_token(person: Clicks) -> None:
    person.link("API tokens")
    person.link("New API token")
    person.type("Name", "Dashboard")
    person.check("Only reads")
    person.button("Make the token")


def switch_team(person: Clicks) -> None:
    person.menu("Northwind")
    person.link("Gears Team · Owner")


def see_usage(person: Clicks) -> None:
    person.link("Usage")


def remove_a_member(person: Clicks) -> None:
    person.link("Bea Lind")
    person.link("Remove")
    person.button("Remove the member")


TASKS = (
    ConsoleTask("invite two people", invite_two, "The invitations were sent."),
    ConsoleTask("see who can delete instances in prod", find_who_deletes, "Ada Moreau"),
    ConsoleTask(
        "find out why a member may not",
        find_why_not,
        "Bea Lind has the role Viewer, which does not include “Instances: Delete”.",
    ),
    ConsoleTask(
        "give that member delete in staging only",
        give_in_one_place,
        "Bea Lind has own permissions here.",
    ),
    ConsoleTask("find who changed a role last week", find_who_changed_a_role, "Ada Moreau"),
    ConsoleTask("export last month's audit log", export_last_month, "rolecall audit verify"),
    ConsoleTask("make a token that only reads", make_a_reading_token, "Copy the token now"),
    ConsoleTask("switch team", switch_team, "Members"),
    ConsoleTask("see who used what this month", see_usage, "Actions of each day of"),
    ConsoleTask(
        "remove a member and see when it was effective",
        remove_a_member,
        "The member was removed. Effective everywhere since",
    ),
)
