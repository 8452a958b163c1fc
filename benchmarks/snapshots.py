"""Snapshots of random accounts, and a replica's state that is loaded from their pages."""

import gc
import json
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any

from rolecall import load_catalog
from services.authz.domain.policy_state import PolicyState
from shared.contracts.calls.leases import SnapshotPage

PAGE_SIZE = 2_000
CATALOG = load_catalog("standard")
ROLES = [role.id for role in CATALOG.roles]
RNG = random.Random(1)


def new_id(prefix: str) -> str:
    """A random id with the length of those of the product."""
    return f"{prefix}_{RNG.getrandbits(128):032x}"


def account_id_of(number: int) -> str:
    return f"acc_{uuid.UUID(int=number).hex}"


def account(account_id: str, **fields: Any) -> dict[str, Any]:
    state = {"kind": "team", "status": "active", "owner_user_id": new_id("usr")}
    return row("account", account_id, account_id, 0, **state, catalog=CATALOG.id, **fields)


def member(account_id: str, user_id: str, role: str, rev: int = 0) -> dict[str, Any]:
    fields = {"membership_id": new_id("mem"), "role": role, "status": "active"}
    return row("member", user_id, account_id, rev, **fields, expires_at=None, attributes={})


def row(
    kind: str, object_id: str, account_id: str | None, rev: int = 0, /, **state: Any
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": object_id,
        "account_id": account_id,
        "rev": rev or RNG.randrange(1, 2**40),
        "state": state,
    }


def snapshot(accounts: int, size: int) -> Iterator[bytes]:
    """The pages of a snapshot as they come off the wire: accounts first, then their members."""
    ids = [account_id_of(number) for number in range(accounts)]
    rows = [row("catalog", CATALOG.id, None, content=CATALOG.to_mapping())]
    for account_id in ids:
        rows += [account(account_id), row("project", new_id("prj"), account_id, name="prod")]
    for account_id in ids:
        for user_id in sorted(new_id("usr") for _ in range(size)):
            rows.append(member(account_id, user_id, RNG.choice(ROLES)))
            if len(rows) >= PAGE_SIZE:
                yield page(rows)
                rows = []
    yield page(rows)


def page(rows: list[dict[str, Any]]) -> bytes:
    content: dict[str, Any] = {
        "source": "team",
        "epoch": "e",
        "heads": {},
        "items": rows,
        "next_cursor": None,
    }
    return json.dumps(content).encode()


def load(state: PolicyState, text: bytes) -> None:
    """What a follower does with a page."""
    state.put(SnapshotPage.model_validate(json.loads(text)).items)


def loaded(accounts: int, size: int) -> tuple[PolicyState, float]:
    """A state with these accounts, and the seconds of loading them."""
    state, seconds = PolicyState(), 0.0
    gc.disable()
    for text in snapshot(accounts, size):
        start = time.thread_time()
        load(state, text)
        seconds += time.thread_time() - start
    gc.enable()
    return state, seconds
