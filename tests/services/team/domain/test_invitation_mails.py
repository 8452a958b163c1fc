"""The allowance of an account and the mails of a mailbox as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rolecall import CompiledCatalog, load_catalog
from services.team.domain.invitation_mails import (
    WINDOW,
    AccountMail,
    MailboxPlace,
    NotMailed,
    accepted_mailboxes,
    allowance,
    not_mailed,
    recent_mails,
    take_place,
)
from tests.services.team.memory import START, memory, user_id

if TYPE_CHECKING:
    from collections.abc import Sequence


def sent(*mailboxes: str) -> list[AccountMail]:
    return [AccountMail(mailbox=mailbox, at=START) for mailbox in mailboxes]


def places(established: Sequence[bool]) -> list[MailboxPlace]:
    return [
        MailboxPlace(link=f"inv_{number}/1", established=one, at=START, account=f"acc_{number}")
        for number, one in enumerate(established)
    ]


@pytest.mark.rule("T14")
@pytest.mark.parametrize(
    ("before", "mailbox", "reason"),
    [
        ((), "a", None),
        (("a",), "a", None),
        (("a", "a"), "a", NotMailed.MAILBOX_SHARE),
        (("a", "a"), "b", None),
        (("a", "a", "b"), "b", None),
        (("a", "b", "c"), "d", NotMailed.ALLOWANCE),
        (("a", "b", "c"), "c", None),
        (("a", "b", "c", "c"), "c", NotMailed.MAILBOX_SHARE),
    ],
)
def test_a_mail_is_withheld_beyond_the_share_or_the_allowance(
    before: Sequence[str], mailbox: str, reason: NotMailed | None
) -> None:
    assert not_mailed(sent(*before), mailbox, allowance=3) is reason


def test_a_mail_counts_for_a_day() -> None:
    mails = sent("a")
    assert recent_mails(mails, now=START + WINDOW - timedelta(seconds=1)) == mails
    assert recent_mails(mails, now=START + WINDOW) == []


@pytest.mark.parametrize(
    ("accepted", "mailboxes"), [(0, 10), (1, 20), (4, 50), (99, 1_000), (5_000, 1_000)]
)
def test_an_allowance_grows_with_accepted_invitations(accepted: int, mailboxes: int) -> None:
    assert allowance(accepted, first=10, most=1_000) == mailboxes


@pytest.mark.rule("T14")
def test_aliases_of_one_mailbox_are_one_accepted_invitation() -> None:
    owner = memory(CompiledCatalog(load_catalog("standard"))).store.memberships[user_id("owner")]
    own = owner.email_key.replace("@", "+2@")
    members = [
        replace(owner, email_key=address, invited_by=owner.user_id)
        for address in ("ana@gmail.com", "a.na+1@gmail.com", "bo@x.example", own)
    ]
    assert accepted_mailboxes([owner, *members]) == 2


@pytest.mark.rule("T14")
@pytest.mark.parametrize(
    ("before", "established", "taken"),
    [
        ((), False, True),
        ((False,), False, True),
        ((False, False), False, True),
        ((False, False, False), False, False),
        ((False, False, False), True, True),
        ((True, True, True), False, True),
        ((True, True, True, True), False, False),
        ((True, True, True, True), True, False),
        ((True, True, True, True, True), True, False),
    ],
)
def test_new_accounts_take_three_of_the_five_mails_of_a_mailbox(
    before: Sequence[bool], *, established: bool, taken: bool
) -> None:
    place = MailboxPlace(link="inv_new/1", established=established, at=START, account="acc_new")
    assert (take_place(places(before), place, limit=5) is not None) is taken


@pytest.mark.rule("T14")
@pytest.mark.parametrize(
    ("senders", "account", "taken"),
    [
        ("a", "a", True),
        ("aa", "b", True),
        ("aa", "a", False),
        ("aab", "b", False),
        ("aabc", "d", False),
        ("abc", "a", True),
        ("abcd", "a", True),
    ],
)
def test_repeats_have_one_of_the_five_mails_of_a_mailbox(
    senders: str, account: str, *, taken: bool
) -> None:
    before = [
        MailboxPlace(link=f"inv_{number}/1", established=sender > "c", at=START, account=sender)
        for number, sender in enumerate(senders)
    ]
    place = MailboxPlace(link="inv_new/2", established=False, at=START, account=account)
    assert (take_place(before, place, limit=5) is not None) is taken


def test_a_place_of_an_earlier_version_counts_for_an_account_of_its_own() -> None:
    before = [MailboxPlace(link=f"inv_{number}/1", established=False, at=START) for number in "ab"]
    place = MailboxPlace(link="inv_c/1", established=False, at=START, account="acc_c")
    assert take_place(before, place, limit=5) == [*before, place]


def test_another_attempt_of_a_mail_takes_no_second_place() -> None:
    full = places([True] * 5)
    assert take_place(full, full[2], limit=5) == full


def test_a_place_is_free_again_after_a_day() -> None:
    later = MailboxPlace(link="inv_new/1", established=False, at=START + WINDOW)
    assert take_place(places([False] * 2), later, limit=5) == [later]


def test_the_smallest_limit_has_a_place_for_a_new_account() -> None:
    place = MailboxPlace(link="inv_new/1", established=False, at=START)
    assert take_place([], place, limit=1) == [place]
