"""Requests while the database gives the answers of a changing replica set."""

from __future__ import annotations

from tests.services.team.running import running
from tests.support.wire_shim import Fault, How, WireShim

CODES = (91, 134, 189, 262, 10107, 11600, 11602, 13435)


async def test_a_read_that_the_database_refuses_is_answered_with_503(
    mongo_url: str, database_name: str
) -> None:
    with WireShim(mongo_url) as shim:
        async with running(shim.url, database_name) as team:
            account = await team.account()
            for code in CODES:
                shim.plant(Fault(how=How.REFUSED, command="find", collection="members", code=code))
                refused = await account.owner.send("GET", f"{account.path}/members")
                assert (code, refused.status, refused.code) == (code, 503, "unavailable")
                assert refused.headers["Retry-After"] == "1"
                await account.owner.get(f"{account.path}/members")


async def test_a_write_whose_commit_is_not_confirmed_is_made_once(
    mongo_url: str, database_name: str
) -> None:
    names = []
    with WireShim(mongo_url) as shim:
        async with running(shim.url, database_name) as team:
            account = await team.account()
            for how in (How.DONE, How.NOT_MAJORITY, How.UNANSWERED):
                for code in (64, 100, 11602):
                    shim.plant(Fault(how=how, command="commitTransaction", code=code))
                    body = {"name": f"Project {how.name} {code}"}
                    made = await account.owner.send("POST", f"{account.path}/projects", body)
                    names.append(made.expect(201)["name"])
            created = await team.rows("project.created")
            assert [row.resource.name for row in created] == names
