"""The budgets of mails to one mailbox as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.identity.domain import address_change, password_reset, sign_up
from services.identity.domain.mail_budgets import WINDOWS, MailKind, mail_budget

ANA = "ana@gmail.com"


def counters(address: str, network: str, kind: MailKind = MailKind.SIGN_UP) -> list[str]:
    return [limit.counter_id for limit in mail_budget(kind, address, network, per_mailbox=5)]


@pytest.mark.rule("T14")
def test_a_mailbox_has_one_budget_for_all_of_its_aliases() -> None:
    assert counters("a.na+1@googlemail.com", "1.2.3.4") == counters(ANA, "1.2.3.4")
    assert not set(counters("bo@gmail.com", "1.2.3.4")) & set(counters(ANA, "1.2.3.4"))


@pytest.mark.rule("T14")
def test_senders_have_shares_of_a_mailbox_and_kinds_have_budgets() -> None:
    (here, mailbox), (elsewhere, same) = counters(ANA, "1.2.3.4"), counters(ANA, "5.6.7.8")
    assert here != elsewhere
    assert mailbox == same
    assert not {here, mailbox} & set(counters(ANA, "1.2.3.4", MailKind.PASSWORD_RESET))


@pytest.mark.parametrize(("per_mailbox", "share"), [(1, 1), (2, 1), (5, 3), (10, 6)])
def test_one_sender_has_three_fifths_of_a_mailbox(per_mailbox: int, share: int) -> None:
    limits = mail_budget(MailKind.SIGN_UP, ANA, "1.2.3.4", per_mailbox=per_mailbox)
    assert [limit.limit for limit in limits] == [share, per_mailbox]


@pytest.mark.parametrize(
    ("kind", "lifetime", "young_for"),
    [
        (MailKind.SIGN_UP, sign_up.SIGN_UP_LIFETIME, sign_up.YOUNG_LINK),
        (MailKind.PASSWORD_RESET, password_reset.RESET_LIFETIME, password_reset.YOUNG_LINK),
        (MailKind.ADDRESS, address_change.CHANGE_LIFETIME, timedelta(minutes=1)),
    ],
)
def test_the_newest_mailed_link_works_until_its_budget_is_renewed(
    kind: MailKind, lifetime: timedelta, young_for: timedelta
) -> None:
    """The oldest link that a mail may have was made `young_for` before the window began."""
    assert timedelta(0) < WINDOWS[kind] <= lifetime - young_for
