"""Each kind of caller on each route, with each id of its path: the catalog says what comes back."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pytest

from rolecall import load_catalog
from shared.http.access import (
    Client,
    Permission,
    PermissionOrClient,
    Public,
    SessionOrClient,
    takes_delegated,
)
from shared.http.routes import Route
from shared.ids import PREFIXES, new_id
from tests.contracts.acting import acting_client, exchanged
from tests.contracts.allowed import ALLOWED
from tests.contracts.asking import Asking, Case
from tests.contracts.identities import Identity, identities
from tests.contracts.people import CATALOG, People, gather
from tests.contracts.rows import (
    OF_POINTS,
    ROWS,
    WITH_ACCOUNT,
    WITH_CREDENTIAL,
    body_of,
    path_of,
    request,
)
from tests.contracts.running import KnownKey
from tests.contracts.test_other_accounts import everything
from tests.lengths import SEED, length

CELLS = length("CELLS", short=600, soak=1_000_000)
"""The most cells with another id than the team's own; `make soak` asks all of them."""
DEAD = length("DEAD_CREDENTIALS", short=4, soak=1_000)
"""How many of the credentials that are not live are tried on each route, chosen anew for each:
`test_unauthenticated.py` tries most of their kinds on all of them."""
SENT_TOGETHER = 300
OWN = "its own ids"
NOT_AN_ID = "%20"

Outcome = tuple[frozenset[int], str | None]
"""The statuses that may come back, and the code."""


@pytest.fixture(scope="module")
def gathered(product: KnownKey) -> People:
    """People of these tests alone: members of each role leave in others."""
    return asyncio.run(gather(product.deployment()))


def refusal(code: str, *statuses: int) -> Outcome:
    return frozenset(statuses), code


NOT_FOUND = refusal("not-found", 404)
DENIED = refusal("permission-missing", 403)
RESTRICTED = refusal("token-restricted", 403)
OWNER_ONLY = refusal("owner-only", 403)
EITHER: Outcome = frozenset({403, 404}), None
"""Refused either way: the right or the id is looked at first."""
READ: Outcome = frozenset({200}), None
TRIED_ELSEWHERE: Outcome = frozenset(), None
"""The caller may do it: `test_other_accounts_roles.py` does it, on a target of its own."""


@dataclass(frozen=True)
class Slot:
    """The ids of a path: the team's own but for one."""

    name: str
    kind: str
    ids: dict[str, str]


def slots(row: Route, people: People) -> Iterator[Slot]:
    """Own ids, and each of them replaced by another account's, by an unknown one and by none."""
    own, foreign = people.team.ids, people.other.ids
    yield Slot("", OWN, own)
    for name in row.parameters:
        yield Slot(name, "not an id", own | {name: NOT_AN_ID})
        if name in {"type", "revision"}:
            continue  # a type is no secret, and a receipt is one of a shard
        yield Slot(name, "another account's", own | {name: foreign[name]})
        prefix = PREFIXES.get(name, "xyz")
        yield Slot(name, "unknown", own | {name: new_id(prefix)})


def expected(who: Identity, row: Route, slot: Slot, people: People) -> Outcome:
    """What comes back, from the row's access and the catalog: the first rule that applies."""
    access = row.access
    if who.refused is not None:
        return refusal(who.refused, 401)
    if isinstance(access, Client) or (who.client and isinstance(access, PermissionOrClient)):
        return _first(_for_client(who, row, access.scope, slot))
    assert isinstance(access, Permission)
    return _first(_for_user(who, row, access, slot, people))


def _first(rules: Iterable[tuple[bool, Outcome]]) -> Outcome:
    return next(outcome for applies, outcome in rules if applies)


def _for_user(
    who: Identity, row: Route, access: Permission, slot: Slot, people: People
) -> Iterator[tuple[bool, Outcome]]:
    needed = [name for name in (access.name, access.in_project) if name is not None]
    lacking = [name for name in needed if name not in (who.permissions or ())]
    denied = RESTRICTED if lacking and lacking[0] in who.creator else DENIED
    other_kind = who.client or who.acts_for_user or (who.api_token and access.in_session)
    yield other_kind, refusal("wrong-principal", 403)
    yield slot.kind == "not an id", NOT_FOUND
    yield slot.name == "account_id" and slot.kind == "unknown", NOT_FOUND
    yield slot.name == "account_id", _in_other(who, people)
    yield who.permissions is None, NOT_FOUND
    yield bool(lacking), denied if slot.kind == OWN else EITHER
    yield slot.kind != OWN, NOT_FOUND
    yield row.operation_id == "getApiToken" and not who.sees_tokens, NOT_FOUND
    yield row.method != "GET", TRIED_ELSEWHERE
    of_owner = ALLOWED[row.operation_id] == (403, "owner-only")
    yield of_owner and not who.owner, OWNER_ONLY
    yield True, READ


def _for_client(
    who: Identity, row: Route, scope: str, slot: Slot
) -> Iterator[tuple[bool, Outcome]]:
    absent = slot.kind != OWN and slot.name in {"account_id", "rid"}
    bound = who.bound is None or slot.ids["account_id"] in who.bound
    yield not who.client, refusal("wrong-principal", 403)
    yield scope not in who.scopes, refusal("scope-missing", 403)
    yield slot.kind == "not an id", NOT_FOUND
    yield not bound, refusal("account-not-bound", 403)
    yield slot.name == "account_id" and slot.kind == "unknown", NOT_FOUND
    yield row.method != "GET", TRIED_ELSEWHERE
    yield True, NOT_FOUND if absent and "rid" in row.parameters else READ


def _in_other(who: Identity, people: People) -> Outcome:
    """The account's id is the other account's: two of the callers are members there."""
    return TRIED_ELSEWHERE if who.name in {"owner", people.other.owner.name} else NOT_FOUND


@dataclass(frozen=True)
class Cell:
    """A caller, a route and ids."""

    who: Identity
    row: Route
    slot: Slot
    outcome: Outcome

    @property
    def label(self) -> str:
        """What is expected, in a word."""
        statuses, code = self.outcome
        if not statuses:
            return "allowed, tried elsewhere"
        return code or ("read" if self.outcome == READ else "refused for the right or the id")

    def case(self, people: People) -> Case:
        """The request."""
        statuses, code = self.outcome
        return request(
            self.row,
            people,
            f"{self.who.name}, {self.slot.name} {self.slot.kind}",
            body_of(self.row, people),
            path=path_of(self.row, self.slot.ids),
            token=self.who.token,
            statuses=statuses,
            code=code,
        )


def cells(callers: list[Identity], people: People) -> Iterator[Cell]:
    """Every caller on every route that needs a credential, with every id."""
    for row in ROWS:
        if row not in WITH_ACCOUNT:
            continue
        for slot in slots(row, people):
            for who in callers:
                yield Cell(who, row, slot, expected(who, row, slot, people))


def with_own_ids(every: list[Cell]) -> list[Cell]:
    """The cells with the team's own ids: of dead credentials some for each route."""
    chosen: list[Cell] = []
    own = [cell for cell in every if cell.slot.kind == OWN]
    chance = random.Random(SEED)
    for row in {cell.row.operation_id: cell.row for cell in own}.values():
        of_row = [cell for cell in own if cell.row is row]
        dead = [cell for cell in of_row if cell.who.refused is not None]
        chosen += [cell for cell in of_row if cell.who.refused is None]
        chosen += chance.sample(dead, min(DEAD, len(dead)))
    return chosen


def test_every_route_is_in_the_matrix_or_concerns_no_account():
    for row in ROWS:
        if row in WITH_ACCOUNT:
            assert isinstance(row.access, Permission | Client), row.operation_id
        else:
            assert not isinstance(row.access, Permission), row.operation_id
    allowed = {row.operation_id for row in ROWS if isinstance(row.access, Permission)}
    assert allowed == set(ALLOWED)
    unguarded = [row for row in ROWS if isinstance(row.access, Public | SessionOrClient)]
    assert {row for row in unguarded if row.parameters} == set(OF_POINTS)


@pytest.mark.rule("T1", "B4", "Ci12", "Ro2")
async def test_each_caller_gets_what_the_catalog_says_on_each_route(
    asking: Asking, people: People, report: Callable[[str], None]
):
    callers = await identities(people)
    roles = {role.id for role in load_catalog(CATALOG).roles}
    assert roles <= {who.name for who in callers}
    before = await everything(people.team), await everything(people.other)

    every = list(cells(callers, people))
    own = with_own_ids(every)
    others = [cell for cell in every if cell.slot.kind != OWN]
    chosen = random.Random(SEED).sample(others, min(CELLS, len(others)))
    asked = [cell for cell in (*own, *chosen) if cell.outcome != TRIED_ELSEWHERE]
    for begin in range(0, len(asked), SENT_TOGETHER):
        await asking.check(cell.case(people) for cell in asked[begin : begin + SENT_TOGETHER])

    assert (await everything(people.team), await everything(people.other)) == before
    all_of, sent = Counter(cell.label for cell in every), Counter(cell.label for cell in asked)
    lines = [f"{label:<36}{count:>7}{sent[label]:>7}" for label, count in all_of.most_common()]
    report("\n".join([f"{'expected':<36}{'cells':>7}{'sent':>7}", *lines]))


@pytest.mark.rule("T1")
async def test_only_decisions_take_a_client_that_acts_for_a_user(asking: Asking, people: People):
    owner = people.team.owner
    token = await exchanged(people, owner.token, await acting_client(people))
    rows = [row for row in WITH_CREDENTIAL if row not in WITH_ACCOUNT]
    takes = {row.operation_id for row in rows if takes_delegated(row.access)}
    assert takes == {
        *("evaluate", "evaluateInAccount"),
        *("evaluateEach", "evaluateEachInAccount"),
    }
    await asking.check(
        request(
            row,
            people,
            "a client for the owner",
            body_of(row, people),
            token=token,
            statuses={200} if row.operation_id in takes else {403},
            code=None if row.operation_id in takes else "wrong-principal",
        )
        for row in rows
    )
    assert (await owner.get("/v1/me"))["id"] == owner.user_id
