"""Idempotency keys: one effect, and the first answer for every repeat."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, Field

from shared.clock import SystemClock
from shared.http.access import Permission, Public, Session
from shared.http.api import Api
from shared.http.idempotency import (
    INDEXES,
    Idempotency,
    IdempotencyKeyReused,
    RepeatedRequest,
    form_of,
)
from shared.http.routes import Answer, Body, Call, Route
from shared.indexes import build_indexes
from shared.mongo import DbClient, DbSession, connect, transact
from shared.problems import NotFound, PermissionMissing, Refusal, Unavailable
from tests.patience import PATIENT
from tests.shared.http.sample import (
    ACCOUNT,
    UNUSED_KEYS,
    Site,
    authenticator,
    bearer,
    row,
    user_token,
)
from tests.shared.journal.conftest import CALLER


class Order(Body):
    name: str


class Ordered(Answer):
    ordered: str


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


class Shop:
    """Does something once for each key."""

    def __init__(self, client: DbClient, name: str) -> None:
        self.client = client
        self.database = client[name]
        self.idempotency = Idempotency(self.database, clock=SystemClock())

    async def order(
        self,
        name: str,
        *,
        key: str = "key-1",
        path: str = "",
        operation: str = "order",
        fails: bool = False,
    ) -> dict[str, Any]:
        guard = self.idempotency.guard(
            CALLER, operation=operation, key=key, body=Order(name=name), path=path
        )

        async def attempt(session: DbSession) -> dict[str, Any]:
            await guard.take_key(session)
            await self.database["orders"].insert_one({"name": name}, session=session)
            if fails:
                raise LookupError("out of stock")
            answer = Ordered(ordered=name)
            await guard.keep_answer(session, answer)
            return answer.model_dump()

        try:
            return await transact(self.client, attempt)
        except RepeatedRequest:
            return (await guard.kept_answer(Ordered)).model_dump()

    async def orders(self) -> int:
        return await self.database["orders"].count_documents({})


@pytest.fixture
async def shop(client: DbClient, database_name: str) -> Shop:
    shop = Shop(client, database_name)
    await build_indexes(shop.database, *INDEXES)
    return shop


async def test_a_repeated_key_gets_the_first_answer_and_no_second_effect(shop: Shop) -> None:
    assert await shop.order("tea") == await shop.order("tea") == {"ordered": "tea"}
    assert await shop.orders() == 1


async def test_ten_requests_at_once_have_one_effect(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.order("tea") for _ in range(10)))

    assert answers == [{"ordered": "tea"}] * 10
    assert await shop.orders() == 1


async def test_the_same_key_with_another_body_is_refused(shop: Shop) -> None:
    await shop.order("tea")

    with pytest.raises(IdempotencyKeyReused):
        await shop.order("coffee")

    assert await shop.orders() == 1


async def test_the_same_key_on_another_path_is_another_key(shop: Shop) -> None:
    await shop.order("tea", path="/accounts/1")
    await shop.order("tea", path="/accounts/2")

    assert await shop.orders() == 2


async def test_the_same_key_of_another_operation_is_another_key(shop: Shop) -> None:
    await shop.order("tea", path="/accounts/1")
    await shop.order("tea", path="/accounts/1", operation="reserve")

    assert await shop.orders() == 2


async def test_the_database_deletes_a_key_at_its_end(shop: Shop) -> None:
    indexes = await shop.database["idempotency"].index_information()
    [expiry] = [index for index in indexes.values() if "expireAfterSeconds" in index]

    assert (expiry["key"], expiry["expireAfterSeconds"]) == ([("expires_at", 1)], 0)


async def test_a_request_that_failed_leaves_its_key_free(shop: Shop) -> None:
    with pytest.raises(LookupError):
        await shop.order("tea", fails=True)

    assert await shop.order("tea") == {"ordered": "tea"}
    assert await shop.orders() == 1


class Tomorrow(SystemClock):
    """A day later than the database knows, which deletes expired keys by its own clock."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=1)


async def test_an_expired_key_is_free_before_it_is_deleted(shop: Shop) -> None:
    await shop.order("tea")
    shop.idempotency = Idempotency(shop.database, clock=Tomorrow())

    with pytest.raises(Unavailable):
        await shop.order("coffee")

    assert await shop.order("coffee") == {"ordered": "coffee"}
    assert await shop.orders() == 2


async def test_an_expired_key_that_is_renewed_meanwhile_stays(shop: Shop) -> None:
    await shop.order("tea")
    late = Idempotency(shop.database, clock=Tomorrow())
    guard = late.guard(CALLER, operation="order", key="key-1", body=Order(name="tea"))
    with pytest.raises(RepeatedRequest):
        await transact(shop.client, guard.take_key)
    renewed = {"expires_at": datetime.now(UTC) + timedelta(days=2)}
    await shop.database["idempotency"].update_one({}, {"$set": renewed})

    with pytest.raises(Unavailable):
        await guard.kept_answer(Ordered)

    assert await shop.database["idempotency"].count_documents({}) == 1


async def place(shop: Shop, call: Call[Order, None], prepared: str = "") -> Ordered:
    """A handler as a service writes it: it hands the guard on and knows no repeats."""
    assert prepared == (f"prepared for {ACCOUNT}" if "account_id" in call.path else "")

    async def attempt(session: DbSession) -> Ordered:
        if call.guard is not None:
            await call.guard.take_key(session)
        await shop.database["orders"].insert_one({"name": call.body.name}, session=session)
        answer = Ordered(ordered=call.body.name)
        if call.guard is not None:
            await call.guard.keep_answer(session, answer)
        return answer

    return await transact(shop.client, attempt)


@dataclass
class Hook:
    """What a service adds to its account routes, and what it saw."""

    denies: Refusal | None = None
    appears: bool = False
    asked: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def prepare(self, call: Call[Any, Any]) -> str:
        return f"prepared for {call.account_id}"

    async def authorize(self, call: Call[Any, Any]) -> None:
        self.asked.append("authorize")
        if self.denies is not None:
            raise self.denies

    async def create_missing(self, call: Call[Any, Any]) -> bool:
        self.asked.append("create_missing")
        return self.appears

    async def refused(self, call: Call[Any, Any], refusal: Refusal) -> None:
        self.refusals.append(refusal.code)


def order_route(path: str, handler: Any = place, **more: Any) -> Route:
    return row("POST", path, handler=handler, takes=Order, gives=Ordered, idempotent=True, **more)


def ordered(name: str) -> Ordered:
    return Ordered(ordered=name)


ACCOUNT_ORDERS = f"/v1/accounts/{ACCOUNT}/orders"
Serve = Callable[..., Any]


async def site_of(serve: Serve, shop: Shop, hook: Hook, **more: Any) -> Site:
    routes = [
        order_route("/v1/orders", access=Session(), **more),
        order_route(
            "/v1/accounts/{account_id}/orders",
            access=Permission("order:place"),
            repeat_answer=ordered,
            **more,
        ),
    ]
    started: Site = await serve(
        Api(
            "shop",
            routes,
            shop,
            authenticator=authenticator(),
            idempotency=shop.idempotency,
            account_routes=hook,
        )
    )
    return started


async def ask(
    site: Site, path: str, name: str, key: str | None = "key-1", **more: str
) -> tuple[int, Any]:
    headers = bearer("user") | ({} if key is None else {"Idempotency-Key": key}) | more
    request: aiohttp.client._RequestContextManager = site.ask(
        "POST", path, json={"name": name}, headers=headers
    )
    async with request as answer:
        return answer.status, await answer.json()


async def test_the_api_answers_a_repeat_with_the_kept_answer(shop: Shop, serve: Serve) -> None:
    site = await site_of(serve, shop, Hook())

    first, second = [await ask(site, "/v1/orders", "tea") for _ in range(2)]

    assert first == second == (200, {"ordered": "tea"})
    assert await shop.orders() == 1
    status, problem = await ask(site, "/v1/orders", "coffee")
    assert (status, problem["code"]) == (422, "idempotency-key-reused")


async def test_a_key_belongs_to_its_caller_and_its_route(shop: Shop, serve: Serve) -> None:
    site = await site_of(serve, shop, Hook())
    other = {"Authorization": f"Bearer {user_token(sub='usr_' + '1' * 32)}"}
    await ask(site, "/v1/orders", "tea")

    assert await ask(site, "/v1/orders", "coffee", **other) == (200, {"ordered": "coffee"})
    assert await ask(site, ACCOUNT_ORDERS, "water") == (200, {"ordered": "water"})
    assert await shop.orders() == 3


class OrderedLater(Answer):
    """The answer of a later version."""

    ordered: str
    at: str | None = None


KEPT_BY_ANOTHER_VERSION = {
    "a later form that fits": {"answer": {"ordered": "tea"}, "form": form_of(OrderedLater)},
    "a later form that does not fit": {"answer": {"order": "tea"}, "form": form_of(OrderedLater)},
    "a form that no version names": {"answer": {"ordered": "tea"}, "form": "0"},
    "an answer from before forms that does not fit": {"answer": {"name": "tea"}},
    "an answer that is not an object": {"answer": None},
}


@pytest.mark.parametrize(
    "kept", KEPT_BY_ANOTHER_VERSION.values(), ids=list(KEPT_BY_ANOTHER_VERSION)
)
async def test_an_answer_in_the_form_of_another_version_is_a_conflict(
    shop: Shop, serve: Serve, kept: dict[str, Any]
) -> None:
    site = await site_of(serve, shop, Hook())
    await ask(site, "/v1/orders", "tea")
    await shop.database["idempotency"].update_one({}, {"$unset": {"form": ""}})
    await shop.database["idempotency"].update_one({}, {"$set": kept})

    status, problem = await ask(site, "/v1/orders", "tea")

    assert (status, problem["code"]) == (409, "idempotency-answer-lost")
    assert problem["detail"] == (
        "This request was carried out by another version. Read the result instead of repeating it."
    )
    assert await shop.orders() == 1


async def test_an_answer_that_was_kept_before_forms_were_is_repeated(
    shop: Shop, serve: Serve
) -> None:
    site = await site_of(serve, shop, Hook())
    await ask(site, "/v1/orders", "tea")
    await shop.database["idempotency"].update_one({}, {"$unset": {"form": ""}})

    assert await ask(site, "/v1/orders", "tea") == (200, {"ordered": "tea"})


def test_the_form_changes_with_the_members_of_a_class_but_not_its_texts() -> None:
    class Reworded(Answer):
        """Another sentence."""

        ordered: str = Field(description="What was ordered", title="Name")

    class Longer(Answer):
        ordered: str
        title: str

    class OfNumbers(Answer):
        ordered: int

    assert form_of(Reworded) == form_of(Ordered)
    assert len({form_of(each) for each in (Ordered, OrderedLater, Longer, OfNumbers)}) == 4


def test_an_idempotent_row_documents_both_refusals_of_a_repeat() -> None:
    codes = {refusal.code for refusal in order_route("/v1/orders", access=Session()).all_refusals()}
    assert codes >= {"idempotency-key-reused", "idempotency-answer-lost"}


async def test_without_a_key_every_request_has_its_effect(shop: Shop, serve: Serve) -> None:
    site = await site_of(serve, shop, Hook())

    for _ in range(2):
        await ask(site, "/v1/orders", "tea", key=None)

    assert await shop.orders() == 2


async def test_a_repeat_on_an_account_route_is_authorized_again(shop: Shop, serve: Serve) -> None:
    hook = Hook()
    site = await site_of(serve, shop, hook)
    await ask(site, ACCOUNT_ORDERS, "tea")
    assert hook.asked == []

    assert await ask(site, ACCOUNT_ORDERS, "tea") == (200, {"ordered": "tea"})
    assert hook.asked == ["authorize"]

    hook.denies = PermissionMissing("order:place")
    status, problem = await ask(site, ACCOUNT_ORDERS, "tea")
    assert (status, problem["code"]) == (403, "permission-missing")
    assert hook.refusals == ["permission-missing"]


@pytest.mark.parametrize("appears", [True, False])
async def test_a_handler_that_found_nothing_may_look_once_more(
    shop: Shop, serve: Serve, *, appears: bool
) -> None:
    looks = 0

    async def look(shop: Shop, call: Call[Order, None], prepared: str = "") -> Ordered:
        nonlocal looks
        looks += 1
        raise NotFound

    hook = Hook(appears=appears)
    site = await site_of(serve, shop, hook, handler=look)

    status, _ = await ask(site, ACCOUNT_ORDERS, "tea")
    assert (status, looks) == (404, 2 if appears else 1)
    assert (hook.asked, hook.refusals) == (["create_missing"], ["not-found"])

    await ask(site, "/v1/orders", "tea")
    assert (hook.asked, hook.refusals) == (["create_missing"], ["not-found"])


@pytest.mark.parametrize(("keys", "gives"), [(None, Ordered), (UNUSED_KEYS, None)])
def test_an_idempotent_row_without_keys_or_answer_stops_the_start(
    keys: Idempotency | None, gives: type[BaseModel] | None
) -> None:
    route = row("POST", "/v1/orders", Public(), takes=Order, gives=gives, idempotent=True)
    with pytest.raises(ValueError, match="idempotent"):
        Api("shop", [route], None, authenticator=authenticator(), idempotency=keys)


CONTRADICTIONS = {
    "a route of an account without a permission": row(
        "GET", "/v1/accounts/{account_id}", Session()
    ),
    "an account's permission below a project": row(
        "GET", "/v1/accounts/{account_id}/{project_id}", Permission("member:view")
    ),
    "the creation of projects below a project": row(
        "PUT", "/v1/accounts/{account_id}/{project_id}", Permission("project:create")
    ),
    "a list of projects below one of them": row(
        "GET",
        "/v1/accounts/{account_id}/{project_id}",
        Permission("project:view", in_each_project=True),
    ),
    "no answer for a repeat": row(
        "POST", "/v1/accounts/{account_id}", Permission("order:place"), idempotent=True
    ),
    "an answer for a repeat that cannot come": row(
        "POST", "/v1/accounts/{account_id}", Permission("order:place"), repeat_answer=ordered
    ),
}


@pytest.mark.parametrize("route", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_an_account_row_that_contradicts_itself_stops_the_start(route: Route) -> None:
    with pytest.raises(ValueError, match=route.operation_id):
        Api("shop", [route], None, idempotency=UNUSED_KEYS, account_routes=Hook())
