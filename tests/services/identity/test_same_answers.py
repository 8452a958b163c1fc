"""No answer to a stranger shows which addresses have a user: status, body, headers, time (T9).

Many interleaved answers for each kind of address are compared, as a stranger would: what differs
from one answer to the next of the same kind is noise, what differs between the kinds tells.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from services.identity.routes import ROUTES
from shared.http.access import Public
from shared.ids import new_id
from tests.lengths import SEED, SOAK, length
from tests.services.identity.running import PASSWORD, running
from tests.support.ranks import same_place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from tests.services.identity.running import Identity

REQUESTS: dict[str, dict[str, str]] = {
    "/v1/signup": {"name": "Ana"},
    "/v1/email/resend": {},
    "/v1/login": {"password": f"not-{PASSWORD}"},
    "/v1/password/forgot": {},
    "/v1/login/oidc/begin": {},
}
"""The other fields of each request of a stranger that names an address."""
KINDS = ("known", "waiting", "unknown")
ROUNDS = length("SAME_ANSWER_ROUNDS", short=20, soak=300)
CHANCE = 1e-6
"""The p below which two kinds differ. Twenty values that all lie on one side of twenty others have
a p of 7e-8; about 300 comparisons of equal answers fall below it once in 3,000 runs."""
STEP_SECONDS = 0.25 if SOAK else 0.02
SAME_TIME_SECONDS = 0.005
LONG = 8
WORD = re.compile(r"[0-9a-f]{8,}|[0-9]+")
PART = re.compile(r"[0-9a-f]{1,8}")


def numbers_of(text: str) -> Iterator[int]:
    """The numbers in a text; one of eight or more hexadecimal digits in parts of 32 bits."""
    for word in WORD.findall(text):
        if len(word) < LONG:
            yield int(word)
        else:
            yield from (int(part, 16) for part in PART.findall(word))


@dataclass(frozen=True)
class Seen:
    """What a stranger sees of one answer."""

    kind: str
    shape: str
    """The status, the headers in their order and the body, each without its numbers."""
    numbers: dict[str, int]
    """Each number of a header or the body, by its place."""
    seconds: float = 0

    @staticmethod
    def of(
        kind: str, status: int, headers: Iterable[tuple[str, str]], body: str, seconds: float = 0
    ) -> Seen:
        texts = [*headers, ("body", body)]
        shape = [str(status), *(f"{name}: {WORD.sub('0', text)}" for name, text in texts)]
        numbers = {
            f"{name} {place}": number
            for name, text in texts
            for place, number in enumerate(numbers_of(text))
        }
        return Seen(kind, "\n".join(shape), numbers, seconds)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_identity(mongo_url: str) -> AsyncIterator[Identity]:
    """One identity for the tests of this module; where times are compared, with the steps of time
    that the product has.
    """
    async with running(mongo_url, new_id("test"), answer_step_seconds=STEP_SECONDS) as ready:
        yield ready


async def answers(identity: Identity, path: str) -> list[Seen]:
    """Ask for one address of each kind in turn, in an order that changes."""
    order = random.Random(SEED)
    seen = []
    for number in range(ROUNDS):
        for place, kind in enumerate(order.sample(KINDS, k=len(KINDS))):
            sender = f"198.{18 + number // 200}.{number % 200}.{place + 1}"
            body = {"email": f"{kind}@example.com"} | REQUESTS[path]
            began = perf_counter()
            answer = await identity.post(path, body, headers={"X-Forwarded-For": sender})
            seconds = perf_counter() - began
            seen.append(Seen.of(kind, answer.status, answer.headers.items(), answer.text, seconds))
    return seen


def measured(seen: Sequence[Seen]) -> dict[str, dict[str, list[int]]]:
    """Each number, and by how much it grew before and after an answer, for each kind."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one in seen:
        for name, number in one.numbers.items():
            found[name][one.kind].append(number)
    for earlier, later in pairwise(seen):
        for name in earlier.numbers.keys() & later.numbers.keys():
            growth = later.numbers[name] - earlier.numbers[name]
            found[f"growth before {name}"][later.kind].append(growth)
            found[f"growth after {name}"][earlier.kind].append(growth)
    return found


def differences(seen: Sequence[Seen]) -> list[str]:
    """What a stranger could tell a known address from another by."""
    shapes = {kind: {one.shape for one in seen if one.kind == kind} for kind in KINDS}
    told = [f"{kind}: shape" for kind in KINDS if shapes[kind] != shapes["known"]]
    for name, by_kind in measured(seen).items():
        told += [
            f"{kind}: {name}"
            for kind in KINDS[1:]
            if same_place(by_kind["known"], by_kind[kind]) < CHANCE
        ]
    return told


def times_of(seen: Sequence[Seen], kind: str) -> list[float]:
    """The seconds of each answer for a kind."""
    return [one.seconds for one in seen if one.kind == kind]


@pytest.mark.rule("T9")
def test_each_request_of_a_stranger_that_names_an_address_is_compared() -> None:
    fields = {
        route.path: set(route.takes.model_fields)
        for route in ROUTES
        if isinstance(route.access, Public) and route.takes is not None
    }
    assert {path for path, known in fields.items() if "email" in known} == set(REQUESTS)


@pytest.mark.rule("T9")
@pytest.mark.parametrize("path", REQUESTS)
async def test_answers_for_a_known_address_are_like_others(path: str, identity: Identity) -> None:
    await identity.person("known@example.com")
    await identity.sign_up("waiting@example.com")
    seen = await answers(identity, path)
    assert differences(seen) == []
    if SOAK:
        for kind in KINDS[1:]:
            times = times_of(seen, "known"), times_of(seen, kind)
            assert abs(median(times[0]) - median(times[1])) < SAME_TIME_SECONDS, kind
            assert same_place(*times) > CHANCE, kind


TELLING = [
    (lambda kind, _: [("X-Known", "0")] if kind == "known" else [], "shape"),
    (lambda kind, _: [("X-Left", "4" if kind == "known" else "5")], "X-Left 0"),
    (lambda _, count: [("X-Id", f"0000000a{count:08x}")], "growth before X-Id 1"),
]
"""The header of an answer, by its kind and what was counted before it; and what it shows."""


@pytest.mark.parametrize(("header", "told"), TELLING)
def test_a_header_that_tells_is_seen(
    header: Callable[[str, int], list[tuple[str, str]]], told: str
) -> None:
    """A known address counts three, where another counts one."""
    order = random.Random(SEED)
    count, seen = 0, []
    for _ in range(20):
        for kind in order.sample(KINDS, k=len(KINDS)):
            count += 3 if kind == "known" else 1
            seen.append(Seen.of(kind, 202, header(kind, count), "{}"))
    assert set(differences(seen)) >= {f"{kind}: {told}" for kind in KINDS[1:]}
    assert differences([Seen.of(one.kind, 202, [("X", "1")], "") for one in seen]) == []
