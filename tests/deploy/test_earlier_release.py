"""This version on the documents that 0.1.0 has written: they are read, listed and changed."""

from pathlib import Path
from typing import Any

import pytest

from deploy.demo.team import MEMBERS, OWNER, PASSWORD, TEAM
from deploy.migrate import SERVICES
from tests.deploy.release_documents import migrations_of, read_documents
from tests.e2e.journey import World
from tests.e2e.one_process import OneProcess
from tests.support.journal_keys import signer
from tests.support.sessions import http_session
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

DOCUMENTS = Path(__file__).parent / "release_0_1_0.json.xz"
REMOVED = MEMBERS[-1]
READ = (
    *("members", "invitations", "roles", "projects", "guardrails", "catalog", "api-tokens"),
    *("resources?type=instance", "usage", "audit-events", "audit-checkpoint", "audit-searches"),
    *("audit-streams", "webhooks"),
)
"""The lists and objects of an account, each a path below it."""
CHANGES: tuple[tuple[Any, ...], ...] = (
    ("allowed", "PATCH", {"role": "admin"}),
    ("not-a-member", "DELETE"),
)
"""The reason of a check after each change of a member."""


async def test_this_version_goes_on_with_the_documents_of_the_release_before(tmp_path):
    product = OneProcess(tmp_path)
    await read_documents(DOCUMENTS, product)
    product.start()
    try:
        assert migrations_of(product) == {
            service: {step.number for step in steps(signer(service))}
            for service, (_, steps) in SERVICES.items()
        }
        async with http_session() as http:
            await go_on(World(product.deployment(), http))
    finally:
        product.stop()


async def go_on(world):
    """Sign the owner in, read everything, change and remove a member."""
    owner = world.person(OWNER.name)
    body = {"email": OWNER.email, "password": PASSWORD}
    owner.signed_in((await owner.send("POST", "/v1/login", body)).expect(200))
    accounts = (await owner.get("/v1/accounts"))["items"]
    here = next(f"/v1/accounts/{one['id']}" for one in accounts if one["name"] == TEAM)
    read = {name: await owner.get(f"{here}/{name}") for name in READ}
    by_name = {one["name"]: one for one in read["members"]["items"] if one["name"]}
    assert set(by_name) == {OWNER.name, *(one.name for one in MEMBERS)} - {REMOVED.name}
    assert all(read.values())

    member = by_name[MEMBERS[3].name]["user_id"]
    account = here.rpartition("/")[2]
    await world.platform.sign_in(world.deployment.client_id, world.deployment.client_secret)
    for reason, method, *change in CHANGES:
        (await owner.send(method, f"{here}/members/{member}", *change)).expect(200, 204)
        said = await world.platform.ask(member, "instance:write", account=account, owner=member)
        assert said.expect(200)["context"]["reason"] == reason

    async def recorded():
        found = await owner.get(f"{here}/audit-events?action=member.removed")
        return any(member in str(one) for one in found["items"])

    await wait_for(recorded, what="the removal in the audit log")
