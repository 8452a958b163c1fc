"""Tests of the steps that change stored data of team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.team.migrations import migrations, recompute_project_keys
from shared.clock import SystemClock
from shared.migrations import migrate
from shared.mongo import connect
from tests.patience import PATIENT
from tests.support.journal_keys import signer

STEPS = migrations(signer("team"))

if TYPE_CHECKING:
    import pytest

STORED = (
    # id, account, name, key of an earlier version, key afterwards
    ("prj_1", "acc_1", "Alpha", "alpha", "alpha"),
    ("prj_2", "acc_1", "Al\u200dpha", "al\u200dpha", "al\u200dpha"),  # clashes with prj_1
    ("prj_3", "acc_2", "Al\u200dpha", "al\u200dpha", "alpha"),
    ("prj_4", "acc_2", "Heart \u2764\ufe0f", "heart \u2764\ufe0f", "heart \u2764"),
)


async def test_project_keys_are_recomputed_and_a_clash_keeps_the_old_key(
    mongo_url: str, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[database_name]
    await migrate(database, STEPS[:13], clock=SystemClock())
    await database["projects"].insert_many(
        [
            {"_id": key, "account_id": account, "name": name, "name_key": old}
            for key, account, name, old, _ in STORED
        ]
    )
    await migrate(database, STEPS, clock=SystemClock())
    await recompute_project_keys(database)

    found = {project["_id"]: project["name_key"] async for project in database["projects"].find()}
    assert found == {key: new for key, _, _, _, new in STORED}
    assert "project prj_2 keeps its old name key: another has it" in caplog.messages
    client.close()
