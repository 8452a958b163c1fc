"""The AuthZEN working group's scenarios, loaded as ordinary data and asked at a running product."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.journey import World
from tests.e2e.people import Answer

VECTORS = Path(__file__).parent.parent / "vectors" / "authzen"


@dataclass(frozen=True)
class Member:
    """A user of the platform with their role."""

    external_id: str
    email: str
    role: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """What is loaded before the requests: a catalog, members, and registered resources."""

    catalog: str
    members: tuple[Member, ...]
    resources: tuple[dict[str, Any], ...] = ()

    @property
    def file(self) -> Path:
        """The catalog."""
        return VECTORS / f"{self.catalog}.yaml"


RECORDS = Scenario(
    catalog="records",
    members=(
        Member("alice", "alice@example.com", "author", {}),
        Member("bob", "bob@example.com", "archivist", {"role": "admin"}),
    ),
    resources=(
        {"type": "record", "id": "record-1", "properties": {"status": "active"}},
        {"type": "record", "id": "record-2", "properties": {"status": "archived"}},
    ),
)
_END = "2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"
_TODOS_USERS = (
    ("A", "rick@the-citadel.com", "admin_and_evil_genius"),
    ("E", "morty@the-citadel.com", "editor"),
    ("I", "summer@the-smiths.com", "editor"),
    ("M", "beth@the-smiths.com", "viewer"),
    ("Q", "jerry@the-smiths.com", "viewer"),
)
"""What is different in their ids, their addresses, and their roles."""
TODOS = Scenario(
    catalog="todo",
    members=tuple(
        Member(
            f"CiRmZD{part}2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs",
            email,
            role,
            {"email": email},
        )
        for part, email, role in _TODOS_USERS
    ),
)


LIBRARY_USERS = (
    ("alice", "manager", "Sales"),
    ("bob", "employee", "Legal"),
    ("carol", "contractor", "Legal"),
    ("dan", "manager", "Finance"),
    ("erin", "employee", "Finance"),
    ("felix", "contractor", "Accounting"),
)
DEPARTMENTS = "LLLALASLASALSAFLLALA"
"""Of the records 101 to 120: Legal, Accounting, Sales, Finance. Their owners take turns."""
LIBRARY_RECORDS = tuple(
    (
        str(101 + number),
        {"L": "Legal", "A": "Accounting", "S": "Sales", "F": "Finance"}[letter],
        LIBRARY_USERS[number % len(LIBRARY_USERS)][0],
    )
    for number, letter in enumerate(DEPARTMENTS)
)
LIBRARY = Scenario(
    catalog="library",
    members=tuple(
        Member(
            name,
            f"{name}@example.com",
            "manager" if role == "manager" else "staff",
            {"department": department},
        )
        for name, role, department in LIBRARY_USERS
    ),
    resources=tuple(
        {
            "type": "record",
            "id": record,
            "owner_id": owner,
            "properties": {"department": department},
        }
        for record, department, owner in LIBRARY_RECORDS
    ),
)


@dataclass(frozen=True)
class Point:
    """The decision point of the account that has a scenario."""

    world: World
    account_id: str

    @property
    def path(self) -> str:
        """What its paths begin with."""
        return f"/accounts/{self.account_id}"

    async def ask(self, vector: dict[str, Any]) -> Answer:
        """Send the request of a vector."""
        path, headers = vector["path"], vector.get("headers")
        platform = self.world.platform
        if vector.get("method") == "GET":
            return await platform.send("GET", path + self.path)
        if "raw" in vector:
            return await self._raw(vector)
        return await platform.send("POST", self.path + path, vector["request"], headers=headers)

    async def _raw(self, vector: dict[str, Any]) -> Answer:
        platform = self.world.platform
        headers = {
            "Authorization": f"Bearer {platform.token}",
            "Content-Type": vector["content_type"],
        }
        url = platform.base + self.path + vector["path"]
        async with platform.http.post(url, data=vector["raw"], headers=headers) as answer:
            return Answer(answer.status, await answer.json(content_type=None), {**answer.headers})


async def load(world: World, scenario: Scenario) -> Point:
    """Publish the catalog, make an account with it, and provision members and resources."""
    operator, platform = world.deployment.operator, world.platform
    assert operator is not None
    operator.publish(scenario.file)
    owner = world.person("Olga Owner")
    await owner.sign_up()
    team = {"name": f"The {scenario.catalog} team", "catalog": scenario.catalog}
    account_id = (await owner.send("POST", "/v1/accounts", team)).expect(201, 202)["id"]
    users = [
        {
            "external_id": one.external_id,
            "email": one.email,
            "name": one.email.partition("@")[0].title(),
            "email_verified": True,
        }
        for one in scenario.members
    ]
    made = await platform.send("POST", "/v1/provisioning/users", {"users": users})
    user_ids = {one["external_id"]: one["user_id"] for one in made.expect(200)["results"]}
    assert None not in user_ids.values(), made.body
    members = [
        {"external_id": one.external_id, "role": one.role, "attributes": one.attributes}
        for one in scenario.members
    ]
    path = f"/v1/accounts/{account_id}"
    done = await platform.send("POST", f"{path}/provisioning/members", {"members": members})
    results = done.expect(200, 202)["results"]
    assert [one["status"] for one in results] == ["added"] * len(members), results
    if scenario.resources:
        body = {
            "resources": [
                one | ({"owner_id": user_ids[one["owner_id"]]} if "owner_id" in one else {})
                for one in scenario.resources
            ]
        }
        registered = await platform.send("POST", f"{path}/resources", body)
        found = registered.expect(200, 202)["results"]
        assert {one["status"] for one in found} == {"registered"}, found
    return Point(world, account_id)


async def certify(point: Point) -> None:
    """Ask the certification's requests and compare what its harness compares."""
    content = json.loads((VECTORS / "certification.json").read_text())
    answers: dict[str, Answer] = {}
    for vector in content["vectors"]:
        if "follow" in vector:
            await _follow(point, vector, answers[vector["follow"]], content)
            continue
        for _ in range(vector.get("repeat", 1)):
            answer = answers[vector["id"]] = await point.ask(vector)
            compare(point, vector, answer)


async def _follow(
    point: Point, vector: dict[str, Any], first: Answer, content: dict[str, Any]
) -> None:
    """Ask for page after page, without a limit, until the token is empty."""
    [asked] = [one["request"] for one in content["vectors"] if one["id"] == vector["follow"]]
    answer, found = first, list(first.body["results"])
    while token := answer.body["page"]["next_token"]:
        answer = await point.ask(vector | {"request": asked | {"page": {"token": token}}})
        compare(point, vector, answer)
        found += answer.body["results"]
    assert {"alice", "bob"} <= {one["id"] for one in found}


def compare(point: Point, vector: dict[str, Any], answer: Answer) -> None:
    """Compare an answer with what its vector expects."""
    said, body = vector["expect"], answer.body
    where = vector["id"], answer.status, body
    assert answer.status == said["status"], where
    if said.get("echo_request_id"):
        assert answer.headers["X-Request-ID"] == vector["headers"]["X-Request-ID"], where
    if "decision" in said:
        assert body["decision"] is said["decision"], where
    if "evaluations" in said:
        found = [one["decision"] for one in body["evaluations"]]
        assert len(found) == len(said["evaluations"]), where
        for decision, expected in zip(found, said["evaluations"], strict=True):
            assert isinstance(decision, bool), where
            assert expected in (None, decision), where
    _compare_results(said, body, where)
    if said.get("metadata"):
        base = body["policy_decision_point"]
        assert base.endswith(point.path), where
        endpoints = {name: url for name, url in body.items() if name.endswith("_endpoint")}
        assert len(endpoints) == 5, where
        assert all(url.startswith(f"{base}/access/v1/") for url in endpoints.values()), where


def _compare_results(said: dict[str, Any], body: Any, where: object) -> None:
    if not {"results_array", "results_include", "results_exact"} & said.keys():
        return
    results = body["results"]
    assert isinstance(results, list), where
    assert isinstance(body["page"]["next_token"], str), where
    if "results_exact" in said:
        assert results == said["results_exact"], where
    for expected in said.get("results_include", ()):
        assert any(expected.items() <= one.items() for one in results), where
    if "results_type" in said:
        assert {one["type"] for one in results} == {said["results_type"]}, where


async def ask_about_todos(point: Point) -> None:
    """Ask the decisions of the Todo application, one by one and in batches."""
    content = json.loads((VECTORS / "todo-decisions.json").read_text())
    for vector in content["evaluation"]:
        path = "/access/v1/evaluation"
        answer = await point.ask({"path": path, "request": vector["request"]})
        assert answer.expect(200)["decision"] is vector["expected"], vector
    for vector in content["evaluations"]:
        path = "/access/v1/evaluations"
        answer = await point.ask({"path": path, "request": vector["request"]})
        found = [{"decision": one["decision"]} for one in answer.expect(200)["evaluations"]]
        assert found == vector["expected"], vector


GATEWAY = (
    ("GET", "/users/{userId}"),
    ("GET", "/todos"),
    ("POST", "/todos"),
    ("PUT", "/todos/{todoId}"),
    ("DELETE", "/todos/{todoId}"),
)


async def ask_about_routes(point: Point) -> None:
    """Ask what the gateway of the Todo application asks: viewers read, others also change."""
    for member in TODOS.members:
        items = [
            {"action": {"name": method}, "resource": {"type": "route", "id": route}}
            for method, route in GATEWAY
        ]
        subject = {"type": "identity", "id": member.external_id}
        body = {"subject": subject, "evaluations": items}
        answer = await point.ask({"path": "/access/v1/evaluations", "request": body})
        found = [one["decision"] for one in answer.expect(200)["evaluations"]]
        expected = [method == "GET" or member.role != "viewer" for method, _ in GATEWAY]
        assert found == expected, member


def may(user: tuple[str, str, str], action: str, record: tuple[str, str, str]) -> bool:
    """The policy of the search demonstration."""
    (name, role, department), (_, of, owner) = user, record
    if name == owner:
        return True
    if action == "view":
        return of == department or role == "manager"
    return action == "edit" and of == department and role == "manager"


async def search_the_library(point: Point) -> None:
    """Search for records, users and actions, and compare with the policy."""

    async def found(sought: str, **request: Any) -> set[str]:
        vector = {"path": f"/access/v1/search/{sought}", "request": request}
        body = (await point.ask(vector)).expect(200)
        assert body["page"]["next_token"] == ""
        return {one.get("id", one.get("name")) for one in body["results"]}

    kinds = {"subject": {"type": "user"}, "resource": {"type": "record"}}
    for action in ("view", "edit", "delete"):
        name = {"name": action}
        for user in LIBRARY_USERS:
            asked = {**kinds, "subject": {"type": "user", "id": user[0]}, "action": name}
            records = {record[0] for record in LIBRARY_RECORDS if may(user, action, record)}
            assert await found("resource", **asked) == records, (user, action)
        for record in LIBRARY_RECORDS[:7]:
            asked = {**kinds, "resource": {"type": "record", "id": record[0]}, "action": name}
            users = {user[0] for user in LIBRARY_USERS if may(user, action, record)}
            assert await found("subject", **asked) == users, (record, action)
    for user in LIBRARY_USERS:
        record = LIBRARY_RECORDS[9]
        actions = {one for one in ("view", "edit", "delete") if may(user, one, record)}
        asked = {
            "subject": {"type": "user", "id": user[0]},
            "resource": {"type": "record", "id": record[0]},
        }
        assert await found("action", **asked) == actions, user
