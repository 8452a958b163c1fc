"""Users whom the operator disables and enables, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.identity.domain.disabled_users import disable, enable
from tests.services.identity.domain.rows import NOON, USER

LATER = NOON + timedelta(days=1)
OFF, _ = disable(USER, explanation="Abuse", now=NOON, rev=5)


@pytest.mark.rule("T5")
@pytest.mark.parametrize(("explanation", "told"), [("Abuse", False), ("Fraud", True)])
def test_a_disabled_user_takes_another_explanation_and_keeps_the_date(
    explanation: str,
    told: bool,  # noqa: FBT001
) -> None:
    again, fact = disable(OFF, explanation=explanation, now=LATER, rev=6)
    assert (again.disabled_at, again.disabled_because) == (NOON, explanation)
    assert (fact is not None, again.disabled_rev) == (told, 6 if told else 5)


@pytest.mark.rule("T5")
def test_each_change_is_told_with_its_revision() -> None:
    enabled, fact = enable(OFF, rev=7)
    assert fact is not None
    assert (enabled.disabled_at, enabled.disabled_because, enabled.disabled_rev) == (None, None, 7)
    assert [(one.rev, one.state) for one in fact.policy_objects] == [(7, None)]
    assert enable(replace(enabled, disabled_rev=7), rev=8) == (enabled, None)
