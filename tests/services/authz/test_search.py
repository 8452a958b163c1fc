"""Tests of the searches: they find what an evaluation allows, and pages leave nothing out."""

import base64
import json
from typing import Any

import pytest
import pytest_asyncio

from rolecall.client.jwk import decode, encode
from services.authz.use_cases.search import MOST_DECISIONS, SearchPage, Sought, search
from shared.problems import Stale
from tests.services.authz.conftest import evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CY,
    OTHER_ACCOUNT,
    PROD,
    SESSION,
    account,
    ended,
    member,
    no_member,
    override,
    resource,
    service_client,
)
from tests.services.authz.offline import PRINCIPAL, StoppedPolicy, context, request

SUBJECTS, RESOURCES, ACTIONS = (
    f"/access/v1/search/{sought}" for sought in ("subject", "resource", "action")
)


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world):
    world.team.write(member(CY, "basic", external_id="cy@platform"))
    world.team.write(override(CY, {"instance": {"write": "all"}}))
    world.team.write(
        *(resource(f"i-{number}", owner_id=CY if number % 2 else BO) for number in range(6)),
        resource("i-p", project_id=PROD, owner_id=ANA),
    )
    world.team.write(account(OTHER_ACCOUNT), member(CY, "owner", OTHER_ACCOUNT))
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[ACCOUNT], resource_types=["instance"])
    )
    async with world.replica() as running:
        yield running


def asked(user: str, permission: str, *, page: dict[str, Any] | None = None, **properties: Any):
    request = evaluation(user, permission, **properties)
    return request if page is None else request | {"page": page}


def names(said) -> list[str]:
    assert said.status == 200, said.body
    assert said.body["page"]["count"] == len(said.body["results"])
    return [one.get("id", one.get("name")) for one in said.body["results"]]


async def all_pages(world, authz, path, body, *, limit=None, token=None) -> list[str]:
    """Every result, page after page; the limit is sent with the first request only."""
    page: dict[str, Any] = {} if limit is None else {"limit": limit}
    found: list[str] = []
    while True:
        said = await world.post(authz, body | {"page": page}, path=path, token=token)
        some = names(said)
        assert limit is None or len(some) <= limit
        found += some
        page = {"token": said.body["page"]["next_token"]}
        if not page["token"]:
            return found


async def test_members_who_may_do_it_are_found_by_their_external_ids(world, authz):
    said = await world.post(authz, asked("-", "instance:write", owner_id=CY), path=SUBJECTS)
    assert said.body["results"] == [
        {"type": "user", "id": ANA, "properties": {"user_id": ANA}},
        {"type": "user", "id": BO, "properties": {"user_id": BO}},
        {"type": "user", "id": "cy@platform", "properties": {"user_id": CY}},
    ]
    body = asked(CY, "instance:write", owner_id=BO)
    body["resource"]["id"] = "not registered"
    assert names(await world.post(authz, body, path=SUBJECTS)) == [ANA, BO]
    await world.team.change(no_member(BO))
    said = await world.post(authz, body, path=SUBJECTS)
    assert names(said) == [ANA]


@pytest.mark.parametrize(
    ("user", "permission", "properties", "found"),
    [
        (CY, "instance:write", {}, ["i-1", "i-3", "i-5", "i-p"]),
        ("cy@platform", "instance:write", {}, ["i-1", "i-3", "i-5", "i-p"]),
        (CY, "instance:write", {"project_id": PROD}, ["i-p"]),
        (BO, "instance:write", {"owner_id": CY}, ["i-1", "i-3", "i-5"]),
        (BO, "instance:write", {"account_id": OTHER_ACCOUNT}, []),
        (BO, "instance:write", {"account_id": "acc_x"}, []),
        (BO, "instance:write", {"account_id": None}, []),
        (BO, "instance:fly", {}, []),
        (BO, "spaceship:write", {}, []),
        ("usr_unknown", "instance:write", {}, []),
        (ANA, "project:view", {}, [PROD]),
    ],
)
async def test_registered_resources_are_found_and_no_other_ones(
    world, authz, user, permission, properties, found
):
    body = asked(user, permission, **properties)
    del body["resource"]["id"]
    assert names(await world.post(authz, body, path=RESOURCES)) == found


@pytest.mark.parametrize(
    ("path", "permission", "properties", "reason"),
    [
        (RESOURCES, "instance:write", {"account_id": None}, "no-account"),
        (SUBJECTS, "instance:write", {"account_id": "acc_x"}, "no-account"),
        (SUBJECTS, "instance:fly", {}, "permission-unknown"),
        (RESOURCES, "instances:write", {}, "permission-unknown"),
        (ACTIONS, "instances:-", {}, "permission-unknown"),
        (SUBJECTS, "instance:write", {"project_id": "prod"}, "project-unknown"),
        (RESOURCES, "instance:write", {"account_id": OTHER_ACCOUNT}, "not-a-member"),
        (RESOURCES, "instance:write", {"owner_id": ANA, "project_id": PROD}, None),
    ],
)
async def test_a_search_that_can_find_nothing_says_why(
    world, authz, path, permission, properties, reason
):
    said = await world.post(authz, asked(BO, permission, **properties), path=path)
    assert said.body["context"] == {"reason": reason}
    assert (names(said) == []) is (reason is not None)


async def test_a_token_tells_no_name_and_is_of_one_search_and_caller(world, authz):
    body = asked(CY, "instance:write")
    said = await world.post(authz, body | {"page": {"limit": 1}}, path=RESOURCES)
    assert names(said) == ["i-1"]
    token = said.body["page"]["next_token"]
    assert b"i-1" not in decode(token)
    own = world.user_token(CY, SESSION)
    made_up = encode(json.dumps(["", 1, "i-3"]).encode())
    last = "A" if token[20] != "A" else "B"
    for sent, by in ((made_up, None), (token[:20] + last + token[21:], None), (token, own)):
        page = body | {"page": {"token": sent}}
        said = await world.post(authz, page, path=RESOURCES, token=by)
        assert (said.status, said.body["errors"][0]["pointer"]) == (400, "/page/token")
    async with world.replica("b") as other:
        said = await world.post(other, body | {"page": {"token": token}}, path=RESOURCES)
    assert names(said) == ["i-3"]


@pytest.mark.parametrize("user", [CY, "cy@platform", "usr_unknown", BO, ANA])
async def test_what_is_found_is_what_an_evaluation_allows(world, authz, user):
    actions = names(await world.post(authz, asked(user, "instance:-"), path=ACTIONS))
    for action in ("view", "connect", "manage", "create", "delete", "write", "fly"):
        alone = await world.check(authz, user, f"instance:{action}")
        assert (action in actions) is alone.body["decision"]
    found = names(await world.post(authz, asked(user, "instance:write"), path=RESOURCES))
    for number in range(6):
        body = evaluation(user, "instance:write")
        body["resource"]["id"] = f"i-{number}"
        alone = await world.post(authz, body)
        assert (f"i-{number}" in found) is alone.body["decision"]


@pytest.mark.parametrize("kind", ["spaceship", "api_token", "service"])
async def test_subjects_of_other_types_are_none(world, authz, kind):
    body = asked("-", "instance:write")
    body["subject"] = {"type": kind}
    assert names(await world.post(authz, body, path=SUBJECTS)) == []
    body["subject"] = {"type": kind, "id": "x"}
    assert names(await world.post(authz, body, path=RESOURCES)) == []
    assert names(await world.post(authz, body, path=ACTIONS)) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
async def test_pages_have_every_result_once_and_in_order(world, authz, limit):
    body = asked(CY, "instance:view", owner_id=CY)
    whole = {path: names(await world.post(authz, body, path=path)) for path in (SUBJECTS, ACTIONS)}
    body = asked(CY, "instance:write")
    whole[RESOURCES] = names(await world.post(authz, body, path=RESOURCES))
    assert all(len(found) > 2 for found in whole.values())
    for path, found in whole.items():
        sent = body if path == RESOURCES else asked(CY, "instance:view", owner_id=CY)
        assert await all_pages(world, authz, path, sent, limit=limit) == found


async def test_a_page_ends_after_its_decisions_and_says_that_more_may_follow():
    many = MOST_DECISIONS + 20
    mine = {0, MOST_DECISIONS - 1, MOST_DECISIONS, many - 1}
    owners = [CY if number in mine else BO for number in range(many)]
    registered = [resource(f"m-{at:04}", owner_id=owner) for at, owner in enumerate(owners)]
    ctx = context([member(CY, "basic"), *registered])

    async def page(after: str) -> SearchPage:
        asked_for = request(CY)
        return await search(
            ctx, PRINCIPAL, asked_for, sought=Sought.RESOURCE, after=after, limit=100
        )

    first = await page("")
    assert first.names == ("m-0000", f"m-{MOST_DECISIONS - 1:04}")
    assert first.next_after is not None
    rest = await page(first.next_after)
    assert rest.names == (f"m-{MOST_DECISIONS:04}", f"m-{many - 1:04}")
    assert rest.next_after is None


@pytest.mark.parametrize(("looks", "decided"), [(2, False), (3, False), (4, False), (5, True)])
async def test_a_replica_that_stops_during_a_search_gives_no_result(looks, decided):
    policy = StoppedPolicy(looks)
    objects = [member(BO, "developer"), *(resource(f"i-{number}") for number in range(3))]
    ctx = context(objects, policy=policy, holds=policy.holds)

    async def page() -> SearchPage:
        asked_for = request(BO)
        return await search(ctx, PRINCIPAL, asked_for, sought=Sought.RESOURCE, after="", limit=100)

    if decided:
        assert (await page()).names == ("i-0", "i-1", "i-2")
        return
    with pytest.raises(Stale):
        await page()


async def test_pages_stay_stable_while_members_and_resources_change(world, authz):
    body = asked(CY, "instance:write") | {"page": {"limit": 1}}
    said = await world.post(authz, body, path=RESOURCES)
    assert names(said) == ["i-1"]
    await world.team.change(resource("i-0a", owner_id=CY))
    await world.team.change(resource("i-1", gone=True))
    await world.team.change(resource("i-2", owner_id=CY))
    body["page"] = {"token": said.body["page"]["next_token"], "limit": 1}
    said = await world.post(authz, body, path=RESOURCES)
    assert names(said) == ["i-2"]


async def test_a_limit_of_zero_gives_no_result_and_the_beginning(world, authz):
    body = asked(CY, "instance:write") | {"page": {"limit": 0}}
    said = await world.post(authz, body, path=RESOURCES)
    assert names(said) == []
    body["page"] = {"token": said.body["page"]["next_token"]}
    assert names(await world.post(authz, body, path=RESOURCES)) == ["i-1", "i-3", "i-5", "i-p"]


async def test_a_token_of_another_search_is_refused(world, authz):
    body = asked(CY, "instance:write", page={"limit": 1})
    said = await world.post(authz, body, path=RESOURCES)
    token = said.body["page"]["next_token"]
    other_limit = body | {"page": {"token": token, "limit": 2}}
    other_user = asked(BO, "instance:write", page={"token": token})
    junk = base64.urlsafe_b64encode(b'["x", 1]').decode()
    cases = [
        (RESOURCES, other_limit),
        (RESOURCES, other_user),
        (SUBJECTS, asked(CY, "instance:write", page={"token": token})),
        (f"/accounts/{ACCOUNT}{RESOURCES}", asked(CY, "instance:write", page={"token": token})),
        *(
            (RESOURCES, asked(CY, "instance:write", page={"token": broken}))
            for broken in (token[:-2], "x", "é", junk, "A" * 9_000)
        ),
        (RESOURCES, asked(CY, "instance:write", page={"limit": -1})),
        (RESOURCES, asked(CY, "instance:write", page={"limit": "1"})),
    ]
    for path, sent in cases:
        said = await world.post(authz, sent, path=path)
        assert (said.status, said.body["code"]) == (400, "bad-request"), sent
    assert names(await world.post(authz, body | {"page": {"token": token}}, path=RESOURCES))


MISSING = (
    (SUBJECTS, ("action",)),
    (SUBJECTS, ("resource",)),
    (SUBJECTS, ("resource", "id")),
    (SUBJECTS, ("subject", "type")),
    (RESOURCES, ("subject",)),
    (RESOURCES, ("subject", "id")),
    (RESOURCES, ("action",)),
    (RESOURCES, ("resource", "type")),
    (ACTIONS, ("subject", "id")),
    (ACTIONS, ("resource",)),
    (ACTIONS, ("resource", "id")),
)


async def test_a_search_without_a_required_field_is_400(world, authz):
    for path, missing in MISSING:
        body = asked(CY, "instance:write")
        inner: Any = body
        for name in missing[:-1]:
            inner = inner[name]
        del inner[missing[-1]]
        said = await world.post(authz, body, path=path, headers={"X-Request-ID": "r-4"})
        assert (said.status, said.body["code"]) == (400, "bad-request")
        assert said.body["errors"][0]["pointer"] == "/" + "/".join(missing)
        assert said.headers["X-Request-ID"] == "r-4"


async def test_a_user_searches_for_their_own_rights_only(world, authz):
    token = world.user_token(BO, SESSION)
    body = asked(BO, "instance:write")
    assert len(names(await world.post(authz, body, path=RESOURCES, token=token))) == 7
    assert "write" in names(await world.post(authz, body, path=ACTIONS, token=token))
    for path, sent in (
        (SUBJECTS, body),
        (RESOURCES, asked(CY, "instance:write")),
        (ACTIONS, asked(CY, "instance:write")),
    ):
        said = await world.post(authz, sent, path=path, token=token)
        assert (said.status, said.body["code"]) == (403, "other-subject")
    foreign = asked(BO, "instance:write", account_id=OTHER_ACCOUNT)
    unknown = asked(BO, "instance:write", account_id="acc_" + "e" * 32)
    for path in (RESOURCES, ACTIONS):
        found, missing = [
            (await world.post(authz, sent, path=path, token=token)).body
            for sent in (foreign, unknown)
        ]
        assert found == missing
        assert found == {
            "page": {"next_token": "", "count": 0},
            "context": {"reason": "not-a-member"},
            "results": [],
        }
    await world.identity.change(ended())
    assert (await world.post(authz, body, path=RESOURCES, token=token)).status == 401


async def test_a_bound_client_searches_its_account_and_types_only(world, authz):
    token = world.client_token(BOUND_CLIENT)
    body = asked(CY, "instance:write", account_id=None)
    assert len(names(await world.post(authz, body, path=RESOURCES, token=token))) == 4
    for path in (SUBJECTS, RESOURCES, ACTIONS):
        sent = asked(CY, "instance:write", account_id=OTHER_ACCOUNT)
        said = await world.post(authz, sent, path=path, token=token)
        assert (said.status, said.body["code"]) == (403, "account-not-bound")
        said = await world.post(authz, asked(CY, "balance:view"), path=path, token=token)
        assert (said.status, said.body["code"]) == (403, "type-not-bound")


async def test_a_search_at_the_point_of_an_account_stays_in_it(world, authz):
    body = asked(CY, "instance:write", account_id=None)
    path = f"/accounts/{ACCOUNT}{RESOURCES}"
    assert names(await world.post(authz, body, path=path)) == ["i-1", "i-3", "i-5", "i-p"]
    body = asked(CY, "instance:write", account_id=OTHER_ACCOUNT)
    for sought in (SUBJECTS, RESOURCES, ACTIONS):
        assert names(await world.post(authz, body, path=f"/accounts/{ACCOUNT}{sought}")) == []


async def test_a_stale_replica_answers_no_search(world, authz):
    world.team.away = world.identity.away = True
    world.clock.skip(5)
    for path in (SUBJECTS, RESOURCES, ACTIONS):
        said = await world.post(authz, asked(CY, "instance:write"), path=path)
        assert (said.status, said.body["code"]) == (503, "stale")


async def test_the_session_of_a_sought_subject_counts_for_no_member(world, authz):
    """It is of one of them at most."""
    await world.identity.change(ended())
    body = asked(BO, "instance:write")
    plain = names(await world.post(authz, body, path=SUBJECTS))
    body["subject"]["properties"] = {"session_id": SESSION}
    assert names(await world.post(authz, body, path=SUBJECTS)) == plain
    assert BO in plain
