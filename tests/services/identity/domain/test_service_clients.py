"""Secrets of service clients, and what becomes of them, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from services.identity.domain.service_clients import (
    ClientStatus,
    end_old_secret,
    hash_secret,
    rotate_secret,
    set_status,
)
from tests.services.identity.domain.rows import CLIENT, NOON

if TYPE_CHECKING:
    from services.identity.domain.service_clients import ServiceClient

HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)
OVER = NOON + HOUR
KEPT, _ = rotate_secret(CLIENT, hash_secret("rcs_next"), keep_old=HOUR, now=NOON)
AT_ONCE, _ = rotate_secret(CLIENT, hash_secret("rcs_next"), keep_old=timedelta(0), now=NOON)


@pytest.mark.rule("T5")
@pytest.mark.parametrize(
    ("client", "secret", "now", "valid"),
    [
        (KEPT, "rcs_right", OVER - MOMENT, True),
        (KEPT, "rcs_right", OVER, False),
        (KEPT, "rcs_next", OVER, True),
        (KEPT, "rcs_wrong", NOON, False),
        (KEPT, "", NOON, False),
        (AT_ONCE, "rcs_right", NOON, False),
        (AT_ONCE, "rcs_next", NOON, True),
        (replace(KEPT, status=ClientStatus.DISABLED), "rcs_next", NOON, False),
        (replace(KEPT, status=ClientStatus.DISABLED), "rcs_right", NOON, False),
    ],
)
def test_a_secret_is_valid_until_its_time_while_its_client_may_act(
    client: ServiceClient,
    secret: str,
    now: datetime,
    valid: bool,  # noqa: FBT001
) -> None:
    assert client.has_secret(secret, now=now) is valid


@pytest.mark.parametrize(("client", "until"), [(KEPT, OVER), (AT_ONCE, None)])
def test_a_rotation_keeps_the_former_secret_as_long_as_asked(
    client: ServiceClient, until: datetime | None
) -> None:
    assert (client.secret_set_at, client.old_secret_until) == (NOON, until)
    assert (client.old_secret_hash is None) == (until is None)


def test_a_deleted_client_keeps_no_secret() -> None:
    gone, _ = set_status(KEPT, ClientStatus.DELETED, rev=2)
    assert (gone.secret_hash, gone.old_secret_hash, gone.old_secret_until) == ("", None, None)


@pytest.mark.parametrize(("now", "told"), [(OVER - MOMENT, 1), (OVER, 0)])
def test_the_end_of_a_secret_is_told_if_it_was_valid(now: datetime, told: int) -> None:
    ended, facts = end_old_secret(KEPT, now=now)
    assert (ended.old_secret_hash, ended.old_secret_until, len(facts)) == (None, None, told)
