"""A test of the step that lists the former addresses of users of an earlier version."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from services.identity.domain.users import FormerAddress
from services.identity.store import Store
from services.identity.store.former_addresses import list_former_addresses
from shared.ids import UserId
from tests.support.service import FAR

if TYPE_CHECKING:
    from tests.services.identity.running import Identity


async def test_the_former_address_of_an_earlier_version_can_still_be_restored(
    identity: Identity,
) -> None:
    store, users = Store(identity.database), identity.database["users"]
    names = ("ana", "bo", "cy")
    ids = [UserId((await identity.person(f"{name}@example.com"))["user"]["id"]) for name in names]
    changed = {
        "undo_email": "ana@old.example",
        "undo_email_key": "ana@old.example",
        "undo_generation": 2,
        "undo_until": FAR + timedelta(days=7),
    }
    restored = dict.fromkeys(changed, None) | {"undo_generation": 1, "password_hash": None}
    for user_id, earlier in zip(ids, (changed, restored, {"undo_email": None}), strict=True):
        change = {"$set": earlier, "$unset": {"former_addresses": "", "password_taken": ""}}
        await users.update_one({"_id": user_id}, change)
    for _ in range(2):
        await list_former_addresses(identity.database)
        ana, bo, cy = [await store.user(user_id) for user_id in ids]
        assert ana is not None and bo is not None and cy is not None  # noqa: PT018
        assert ana.former_addresses == (
            FormerAddress(
                email="ana@old.example",
                email_key="ana@old.example",
                generation=2,
                until=FAR + timedelta(days=7),
            ),
        )
        assert [one.password_taken for one in (ana, bo, cy)] == [False, True, False]
        assert (bo.former_addresses, cy.former_addresses) == ((), ())
