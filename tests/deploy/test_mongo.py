"""The users of the database: each service has its own database, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pymongo
import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.doctor.mongo import ask_database
from deploy.doctor.servers import check_database
from deploy.mongo import ADMIN, DATABASES, USERS, create_users
from deploy.passwords import generate
from deploy.programs.mongodb import Mongod, Secantusdb, database
from shared.contracts.topology import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.runtime.settings import ServiceSettings

Client = MongoClient[dict[str, Any]]
UNAUTHORIZED_CODES = {13, 18}
"""Unauthorized, and AuthenticationFailed."""
PAIRS = [(own, other) for own in DATABASES for other in DATABASES if own != other]


class NewServer(NamedTuple):
    """A server, and how it answered to what strangers tried before it had a user."""

    server: Mongod | Secantusdb
    codes: dict[str, int | None]


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewServer]:
    made = database(tmp_path_factory.mktemp("users"))
    made.authenticates = True
    made.start()
    with Client(made.url) as client:
        attempts = {**ADMINISTRATION, **OPERATIONS}  # creates a user of a database, not of admin
        codes = {
            name: refusal(client, attempt, DATABASES[Service.TEAM])
            for name, attempt in attempts.items()
        }
    yield NewServer(made, codes)
    made.stop()


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> Mongod | Secantusdb:
    new_server.server.require_users(generate(USERS))
    return new_server.server


OPERATIONS: dict[str, Callable[[Client, str], object]] = {
    "find": lambda client, name: client[name]["users"].find_one(),
    "insert": lambda client, name: client[name]["users"].insert_one({"_id": 2}),
    "update": lambda client, name: client[name]["users"].update_many({}, {"$set": {"x": 1}}),
    "delete": lambda client, name: client[name]["users"].delete_many({}),
    "drop a collection": lambda client, name: client[name]["users"].drop(),
    "drop the database": lambda client, name: client.drop_database(name),
    "create an index": lambda client, name: client[name]["users"].create_index("x"),
    "copy": lambda client, name: list(client[name]["users"].aggregate([{"$out": "copy"}])),
    "create a user": lambda client, name: client[name].command(
        "createUser", "x", pwd="x", roles=[]
    ),
}
"""What a service tries on the database of another."""
ADMINISTRATION: dict[str, Callable[[Client, str], object]] = {
    "read the users": lambda client, _: client.admin.command("usersInfo", 1),
    "read their credentials": lambda client, _: client.admin["system.users"].find_one(),
    "create a user": lambda client, _: client.admin.command(
        "createUser", "x", pwd="x", roles=["root"]
    ),
    "give itself a role": lambda client, user: client.admin.command(
        "grantRolesToUser", user, roles=["root"]
    ),
    "take over the administrator": lambda client, _: client.admin.command(
        "updateUser", ADMIN, pwd="x"
    ),
    "list the databases": lambda client, _: client.admin.command("listDatabases", nameOnly=False),
    "read the log of changes": lambda client, _: client.local["oplog.rs"].find_one(),
}


def refusal(client: Client, attempt: Callable[[Client, str], object], name: str) -> int | None:
    """The code of the error, or none if the attempt succeeded."""
    try:
        attempt(client, name)
    except OperationFailure as problem:
        return problem.code
    return None


@pytest.mark.parametrize(("own", "other"), PAIRS)
def test_a_service_cannot_touch_the_database_of_another(
    server: Mongod | Secantusdb, own: Service, other: Service
):
    with Client(server.url) as administrator:
        administrator[DATABASES[other]]["users"].update_one(
            {"_id": 1}, {"$set": {"kept": True}}, upsert=True
        )
        with Client(server.url_for(own)) as client:
            codes = {
                name: refusal(client, attempt, DATABASES[other])
                for name, attempt in OPERATIONS.items()
            }
        assert {name: code for name, code in codes.items() if code != 13} == {}
        assert administrator[DATABASES[other]]["users"].find_one() == {"_id": 1, "kept": True}


@pytest.mark.parametrize("service", DATABASES)
def test_a_service_cannot_administer_the_server(server: Mongod | Secantusdb, service: Service):
    with Client(server.url_for(service)) as client:
        codes = {
            name: refusal(client, attempt, str(service)) for name, attempt in ADMINISTRATION.items()
        }
    assert {name: code for name, code in codes.items() if code != 13} == {}


@pytest.mark.parametrize("service", DATABASES)
def test_a_service_may_do_in_its_database_what_stores_and_migrations_do(
    server: Mongod | Secantusdb, service: Service
):
    with Client(server.url_for(service)) as client:
        own = client[DATABASES[service]]
        index = pymongo.IndexModel([("x", 1)], name="x")
        own["things"].create_indexes([index], commitQuorum="majority")
        with client.start_session(causal_consistency=True) as session, session.start_transaction():
            own["things"].insert_one({"_id": 1, "x": 1}, session=session)
            own["others"].insert_one({"_id": 1}, session=session)
        own["things"].update_one({"_id": 1}, {"$set": {"x": 2}})
        assert list(own["things"].aggregate([{"$match": {"x": 2}}])) == [{"_id": 1, "x": 2}]
        own["things"].drop_index("x")
        own["things"].drop()


def test_a_server_without_users_allows_only_the_first_one(new_server: NewServer):
    codes = new_server.codes
    allowed = [name for name, code in codes.items() if code not in UNAUTHORIZED_CODES]
    assert allowed == []


def without_user(server: Mongod | Secantusdb) -> str:
    """The address for a client that does not say who it is."""
    credentials = f"{ADMIN}:{server.passwords[ADMIN]}@"
    return server.url.replace(credentials, "").replace("&authSource=admin", "")


def test_no_one_connects_without_a_password(server: Mongod | Secantusdb):
    with Client(without_user(server)) as client:
        for attempt in (*OPERATIONS.values(), *ADMINISTRATION.values()):
            assert refusal(client, attempt, DATABASES[Service.TEAM]) in UNAUTHORIZED_CODES
    wrong = server.url_for(Service.TEAM).replace(server.passwords[Service.TEAM], "x")
    with Client(wrong) as client:
        assert refusal(client, OPERATIONS["find"], DATABASES[Service.TEAM]) == 18


def test_the_users_get_new_passwords_and_keep_their_roles(server: Mongod | Secantusdb):
    changed = generate(USERS) | {ADMIN: server.passwords[ADMIN]}
    create_users(without_user(server), changed)
    try:
        with Client(server.url_for(Service.TEAM)) as client:
            assert refusal(client, OPERATIONS["find"], DATABASES[Service.TEAM]) == 18
    finally:
        create_users(without_user(server), server.passwords)
    with Client(server.url) as administrator:
        for service, name in DATABASES.items():
            [user] = administrator.admin.command("usersInfo", str(service))["users"]
            assert user["roles"] == [{"role": "readWrite", "db": name}]


def test_an_administrator_with_another_password_is_reported(server: Mongod | Secantusdb):
    with pytest.raises(OperationFailure):
        create_users(without_user(server), generate(USERS))


def settings_of(service: Service, url: str) -> ServiceSettings:
    """What the doctor reads of a service's settings."""
    given = {"mongo_url": SecretStr(url), "mongo_database": DATABASES[service]}
    return cast("ServiceSettings", SimpleNamespace(**given))


@pytest.mark.parametrize("service", DATABASES)
async def test_the_doctor_finds_the_rights_of_a_service_and_no_others(
    server: Mongod | Secantusdb, service: Service
):
    seen = await ask_database(service, settings_of(service, server.url_for(service)))
    assert (seen.fault, seen.user, seen.replica_set) == ("", service, True)
    assert seen.roles == {DATABASES[service]: ["readWrite"]}
    assert (seen.applied, seen.known > 10) == (0, True)
    assert abs(seen.offset) < timedelta(minutes=1)
    assert "warning" not in {one.level for one in check_database(seen) if one.area != "migrations"}


async def test_the_doctor_finds_an_administrator_and_a_wrong_password(
    server: Mongod | Secantusdb,
):
    seen = await ask_database("team", settings_of(Service.TEAM, server.url))
    assert [one.level for one in check_database(seen) if one.area == "permissions"] == ["warning"]
    wrong = server.url_for(Service.TEAM).replace(server.passwords[Service.TEAM], "s3cret")
    seen = await ask_database("team", settings_of(Service.TEAM, wrong))
    assert seen.fault
    assert "s3cret" not in seen.fault


def test_a_second_user_takes_over_without_a_failure(server: Mongod | Secantusdb):
    """As docs/operations/rotation.md says: both may sign in until the first one is removed."""
    name, roles = "rolecall_changed", [{"role": "readWrite", "db": "rolecall_changed"}]
    own = server.url_for(Service.TEAM)
    credentials = f"team:{server.passwords[Service.TEAM]}@"
    with Client(server.url) as administrator:
        administrator.admin.command("createUser", "team-1", pwd="first", roles=roles)
        with Client(own.replace(credentials, "team-1:first@")) as before:
            before[name]["rows"].insert_one({"_id": 1})
            administrator.admin.command("createUser", "team-2", pwd="second", roles=roles)
            with Client(own.replace(credentials, "team-2:second@")) as after:
                before[name]["rows"].insert_one({"_id": 2})
                after[name]["rows"].insert_one({"_id": 3})
                administrator.admin.command("dropUser", "team-1")
                after[name]["rows"].insert_one({"_id": 4})
        with Client(own.replace(credentials, "team-1:first@")) as gone:
            assert refusal(gone, OPERATIONS["insert"], name) == 18
        assert administrator[name]["rows"].count_documents({}) == 4
        administrator.admin.command("dropUser", "team-2")
        administrator.drop_database(name)
