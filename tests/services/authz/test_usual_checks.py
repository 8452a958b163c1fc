"""The compiled module decides what Python decides, or leaves it to Python."""

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from rolecall.core.state import NOTHING, ORDINARY
from services.authz.adapters.check_counter import CheckCounter
from services.authz.domain.allow_samples import NO_SAMPLES, AllowSamples
from services.authz.routes.answer_texts import answer_text
from services.authz.routes.evaluations import answers_text
from services.authz.routes.hot_bodies import read_batch_quickly, read_quickly
from services.authz.routes.usual_answers import MOST_AT_ONCE, UsualAnswers
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluation import evaluate_at_once
from services.authz.use_cases.evaluations import evaluate_each_at_once
from shared.auth.api_tokens import new_api_token
from shared.auth.principals import ClientPrincipal
from shared.contracts.policy_objects import PolicyObject
from shared.http.problem_responses import END_OF_LINE
from shared.ids import ClientId
from tests.lengths import SEED, length
from tests.services.authz.compiled import compiled
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    CLIENT,
    CY,
    DI,
    OTHER_ACCOUNT,
    PROD,
    account,
    member,
    override,
    project,
    resource,
)
from tests.services.authz.noting import noted, replica
from tests.services.authz.offline import PRINCIPAL
from tests.services.authz.test_hot_path import USUAL_BATCHES, bodies, many

pytestmark = pytest.mark.usefixtures("unmeasured")

MUTATIONS = length("USUAL_MUTATIONS", short=2_000, soak=200_000)
EVE, FAY, GUS, HAL, IVY = ("usr_" + letter * 32 for letter in "ef012")
SHUT, NAMING, STRICT = ("acc_" + letter * 32 for letter in "cde")
CONDITIONAL = "rol_" + "1" * 32
GRANTS = {
    "account": {"view": "all"},
    "instance": {
        "view": {"scope": "all", "when": {"path": "resource.properties.owner_id", "equals": CY}},
        "write": "self",
    },
}
LATER, EARLIER = "2026-03-02T00:00:00Z", "2026-02-02T00:00:00Z"
ROLES = account(roles={CONDITIONAL: {"name": "Depends", "grants": GRANTS}})
STATE: tuple[PolicyObject, ...] = (
    member(BO, "developer"),
    member(CY, "viewer", attributes={"team": "a"}),
    member(DI, "developer"),
    override(DI, {"instance": {"write": "all"}}),
    member(EVE, "viewer"),
    override(EVE, {"instance": {"write": "all", "view": "all"}}, expires_at=LATER),
    member(FAY, "developer", expires_at=EARLIER),
    member(GUS, CONDITIONAL),
    member(HAL, "developer"),
    member(IVY, "developer", expires_at=LATER),
    resource("i-reg", owner_user_id=CY),
    *(
        each
        for account_id, fields in (
            (OTHER_ACCOUNT, {}),
            (SHUT, {"status": "suspended"}),
            (STRICT, {"require_second_factor": True}),
            (NAMING, {}),
        )
        for each in (
            account(account_id, **fields),
            project("prj_" + "2" * 32, account_id),
            member(BO, "viewer", account_id),
        )
    ),
    member(CY, "owner", NAMING, external_id="cy@platform"),
)
SUBJECTS = (*(BO, CY, DI, GUS) * 5, ANA, EVE, FAY, HAL, IVY, "usr_" + "9" * 32, "cy@platform")
ACCOUNTS = (ACCOUNT,) * 30 + (OTHER_ACCOUNT, SHUT, NAMING, STRICT, "acc_" + "9" * 32)
PERMISSIONS = (
    "instance:view",
    "instance:write",
    "instance:write",
    "volume:delete",
    "project:view",
    "team:fly",
)
DISABLED = frozenset({HAL})


def fresh(**more: Any) -> Ctx:
    ctx = replica(*STATE, over=DISABLED, **more)
    ctx.policy.put([ROLES.model_copy(update={"rev": 2})])
    return replace(ctx, allows=NO_SAMPLES)


class Twins:
    """Two replicas with one state: one is asked with the compiled module, one without."""

    def __init__(self) -> None:
        self.quick, self.plain = fresh(), fresh()
        self.usual = UsualAnswers(self.quick, compiled())

    def one(self, body: bytes) -> bytes | None:
        """The answer of the compiled module, compared; `None`: it is left to Python."""
        said = self.usual.one(PRINCIPAL, body)
        if said is not None:
            check = read_quickly(body)
            assert check is not None, body
            result = evaluate_at_once(self.plain, PRINCIPAL, check)
            assert said == answer_text(result) + END_OF_LINE, body
        return said

    def several(self, body: bytes) -> bytes | None:
        """The same for a batch."""
        said = self.usual.several(PRINCIPAL, body)
        if said is not None:
            batch = read_batch_quickly(body)
            assert batch is not None, body
            results = evaluate_each_at_once(
                self.plain, PRINCIPAL, batch.requests(None), semantic=batch.semantic
            )
            assert results is not None, body
            assert said == answers_text(results), body
        return said


@pytest.fixture
def twins() -> Iterator[Twins]:
    made = Twins()
    yield made
    assert noted(made.quick) == noted(made.plain)


def asked(
    user: str = BO,
    permission: str = "instance:write",
    *,
    account_id: str | None = ACCOUNT,
    rid: str = "i-1",
    subject: dict[str, str] | None = None,
    **properties: str,
) -> dict[str, Any]:
    kind, _, action = permission.partition(":")
    found = properties if account_id is None else {"account_id": account_id, **properties}
    return {
        "subject": {"type": "user", "id": user, **({"properties": subject} if subject else {})},
        "action": {"name": action},
        "resource": {"type": kind, "id": rid, "properties": found},
    }


def text(body: object) -> bytes:
    return json.dumps(body).encode()


USUAL = {
    "allowed": (asked(), "allowed"),
    "denied by the role": (asked(CY), "permission-missing"),
    "one's own": (asked(GUS, owner_id=GUS), "allowed"),
    "another's": (asked(CY, "instance:view", owner_id=BO), "allowed"),
    "in a project": (asked(project_id=PROD), "allowed"),
    "by an override": (asked(DI, project_id=PROD), "allowed"),
    "not by an override of another level": (asked(DI, "instance:delete", project_id=PROD), None),
    "beside an override": (asked(DI), "allowed"),
    "with attributes": (asked(CY, "instance:view"), "allowed"),
    "with other properties": (asked(state="off", size="L", subject={"device": "d-1"}), "allowed"),
    "in another account": (asked(account_id=OTHER_ACCOUNT), "permission-missing"),
    "of no resource": (asked(rid="-"), "allowed"),
}
UNUSUAL = {
    "a suspended member": asked(ANA),
    "a stranger": asked("usr_" + "9" * 32),
    "a member whose time is over": asked(FAY),
    "a member whose time will be over": asked(IVY),
    "an override that will be over": asked(EVE, project_id=PROD),
    "a disabled user": asked(HAL),
    "a condition": asked(GUS, "instance:view", owner_id=CY),
    "a registered resource": asked(rid="i-reg"),
    "an unknown project": asked(project_id="prj_unknown"),
    "a project of another account": asked(project_id="prj_" + "2" * 32),
    "an unknown permission": asked(BO, "instance:fly"),
    "a right on a project": asked(BO, "project:view", rid=PROD),
    "no account": asked(account_id=None),
    "an unknown account": asked(account_id="acc_" + "9" * 32),
    "a suspended account": asked(account_id=SHUT),
    "an account that demands a second factor": asked(account_id=STRICT),
    "an account with external ids": asked(account_id=NAMING),
    "a session": asked(subject={"session_id": "ses_1"}),
    "another type of subject": asked() | {"subject": {"type": "robot", "id": BO}},
    "an API token": asked(new_api_token(1)),
    "an API token as a resource": asked(rid=new_api_token(1)),
    "a context": asked() | {"context": {}},
    "an escape": asked(rid='i"1'),
    "other letters": asked(rid="Ω"),
    "an empty text": asked(owner_id=""),
    "a long text": asked(rid="i" * 1025),
    "a number": asked() | {"action": {"name": 7}},
    "nothing": {},
    "many properties": asked(subject={f"p{at}": "x" for at in range(20)}),
}


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_check_is_decided_as_python_decides_it(twins: Twins, name: str):
    body, reason = USUAL[name]
    for said in (twins.one(text(body)), twins.several(text({"evaluations": [body, body]}))):
        assert said is not None
        assert reason is None or b'"reason":"%s"' % reason.encode() in said


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_not_usual_is_left_to_python(twins: Twins, name: str):
    body, usual = UNUSUAL[name], asked()
    assert twins.one(text(body)) is None
    for items in ([body], [usual, body], [body, usual]):
        assert twins.several(text({"evaluations": items})) is None


def doubled(body: bytes) -> Iterator[bytes]:
    """The body with each of its members twice in turn."""
    for name in (b"subject", b"action", b"resource", b"type", b"id", b"name", b"properties"):
        member_name = b'"%s": ' % name
        at = body.find(member_name)
        while at >= 0:
            value, _ = json.JSONDecoder().raw_decode(body[at + len(member_name) :].decode())
            yield body[:at] + member_name + json.dumps(value).encode() + b", " + body[at:]
            at = body.find(member_name, at + 1)


@pytest.mark.rule("T22")
def test_a_member_that_comes_twice_is_left_to_python(twins: Twins):
    body = text(asked(owner_id=BO, note="x", subject={"device": "d"}))
    found = list(doubled(body))
    assert len(found) == 10
    found += [
        body.replace(b'"%s": ' % name, b'"%s": "z", "%s": ' % (name, name))
        for name in (b"owner_id", b"account_id", b"note", b"device")
    ]
    batch = text({"evaluations": [asked()]})
    for each in found:
        assert twins.one(each) is None, each
        assert twins.several(batch.replace(text(asked()), each)) is None, each
    assert twins.several(batch[:-1] + b", " + batch[1:]) is None


@pytest.mark.rule("T22")
def test_each_body_of_the_path_is_decided_the_same_or_left(twins: Twins):
    for body in bodies().values():
        twins.one(body)
        twins.several(b'{"evaluations": [%s]}' % body)
    found = [twins.several(body) for body in many(*USUAL_BATCHES)]
    assert sum(each is not None for each in found) >= 1


def test_an_evaluation_has_its_own_entity_or_the_default_as_a_whole(twins: Twins):
    said = twins.several(text(asked(GUS, owner_id=GUS) | {"evaluations": [{}]}))
    assert said is not None
    assert b'"reason":"allowed"' in said
    for defaults in (asked(), asked(CY)):
        for own in ({}, *({name: asked(DI, project_id=PROD)[name]} for name in defaults)):
            first, second = ({"evaluations": [own, asked(DI)]}, defaults)
            for body in (first | second, second | first):
                said = twins.several(text(body))
                properties = {**defaults, **own}["resource"]["properties"]
                assert (said is not None) is ("account_id" in properties)
    bare = {"resource": {"type": "instance", "id": "i-1"}}
    assert twins.several(text(asked() | {"evaluations": [bare]})) is None
    for name in asked():
        lacking = {key: value for key, value in asked().items() if key != name}
        assert twins.several(text(lacking | {"evaluations": [{}]})) is None


def test_a_batch_has_as_many_evaluations_as_a_turn_of_the_loop(twins: Twins):
    for number in (1, MOST_AT_ONCE, MOST_AT_ONCE + 1):
        said = twins.several(text(asked() | {"evaluations": [{}] * number}))
        assert (said is not None) is (number <= MOST_AT_ONCE)
    assert twins.several(text(asked() | {"evaluations": []})) is None


def drawn(rng: random.Random) -> dict[str, Any]:
    found = asked(
        rng.choice(SUBJECTS),
        rng.choice(PERMISSIONS),
        account_id=rng.choice(ACCOUNTS),
        rid=rng.choice(("i-1", "i-2", "i-reg", "-", PROD)),
    )
    properties = found["resource"]["properties"]
    for name, values in (("owner_id", SUBJECTS), ("project_id", (PROD, PROD, "prj_unknown"))):
        if rng.random() < 0.4:
            properties[name] = rng.choice(values)
    return found


def changed(rng: random.Random, body: bytes) -> bytes:
    """The body with a few bytes changed, left out, doubled or put in."""
    for _ in range(rng.randint(0, 2)):
        at, end = sorted(rng.randrange(len(body) + 1) for _ in range(2))
        end = min(end, at + rng.choice((0, 1, 1, 9, 60)))
        put = rng.choice((b"", bytes([rng.choice(b'"{}[],: \\\n\x00\x7f\xc3a')]), body[at:end] * 2))
        body = body[:at] + put + body[end:]
    return body


@pytest.mark.rule("T22")
def test_random_bodies_are_decided_the_same_or_left(twins: Twins):
    rng, decided = random.Random(SEED), 0
    for _ in range(MUTATIONS):
        body = changed(rng, text(drawn(rng)))
        decided += twins.one(body) is not None
        items = [drawn(rng) for _ in range(rng.randint(1, 3))]
        defaults = {key: value for key, value in drawn(rng).items() if rng.random() < 0.5}
        for item in items:
            for name in defaults:
                if rng.random() < 0.5:
                    del item[name]
        twins.several(changed(rng, text(defaults | {"evaluations": items})))
    assert decided > MUTATIONS / 20


@pytest.mark.parametrize(
    "bounds",
    [{"account_ids": (ACCOUNT,)}, {"resource_types": ("instance",)}, {"scopes": ()}],
    ids=lambda bounds: next(iter(bounds)),
)
def test_the_checks_of_a_bound_client_are_left_to_python(bounds: dict[str, Any]):
    ctx = fresh(bounds=bounds)
    usual = UsualAnswers(ctx, compiled())
    assert usual.one(PRINCIPAL, text(asked())) is None
    assert usual.several(PRINCIPAL, text({"evaluations": [asked()]})) is None


def test_a_client_that_is_gone_is_left_to_python():
    usual = UsualAnswers(fresh(), compiled())
    other = ClientPrincipal(client_id=ClientId("cli_" + "9" * 32), scopes=PRINCIPAL.scopes)
    assert PRINCIPAL.client_id == CLIENT
    assert usual.one(other, text(asked())) is None
    assert usual.one(PRINCIPAL, text(asked())) is not None


def test_allows_that_may_be_counted_are_left_to_python():
    usual = UsualAnswers(replace(fresh(), allows=AllowSamples({"*": 1})), compiled())
    assert usual.one(PRINCIPAL, text(asked())) is None


def test_without_the_leases_nothing_is_said_and_nothing_noted():
    ctx = fresh(holds=lambda: False)
    usual = UsualAnswers(ctx, compiled())
    assert usual.one(PRINCIPAL, text(asked(CY))) is None
    assert usual.several(PRINCIPAL, text({"evaluations": [asked(CY)]})) is None
    assert noted(ctx) == noted(fresh())


def test_one_of_a_sample_is_logged_with_what_was_asked(caplog):
    caplog.set_level("INFO")
    usual = UsualAnswers(replace(fresh(), counter=CheckCounter(sample=2)), compiled())
    for _ in range(2):
        usual.one(PRINCIPAL, text(asked(CY, project_id=PROD)))
    usual.several(PRINCIPAL, text({"evaluations": [asked()] * 2}))
    told = [
        tuple(getattr(line, name) for name in ("subject", "permission", "of_account", "resource"))
        for line in caplog.records
    ]
    write = "instance:write", ACCOUNT, "i-1"
    assert told == [(CY, *write), (BO, *write)]


CALLS: dict[str, Callable[[Any], object]] = {
    "no body": lambda module: module.one("{}", {}, {}, set()),
    "no accounts": lambda module: module.one(b"{}", None, {}, set()),
    "no disabled users": lambda module: module.one(b"{}", {}, {}, ()),
    "less": lambda module: module.one(b"{}", {}, {}),
    "more": lambda module: module.one(b"{}", {}, {}, set(), 7),
    "no number": lambda module: module.several(b"{}", {}, {}, set(), "7"),
    "a large number": lambda module: module.several(b"{}", {}, {}, set(), 1 << 40),
    "a negative number": lambda module: module.several(b"{}", {}, {}, set(), -1),
    "a long beginning": lambda module: module.set_up(1, 2, 3, 4, b"x" * 17),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_wrong_call_is_an_error(call: Callable[[Any], object]):
    with pytest.raises((TypeError, ValueError)):
        call(compiled())


def test_a_state_of_another_kind_is_an_error_and_no_decision():
    module = compiled()
    for state in (object(), None, 7):
        with pytest.raises(AttributeError):
            module.one(text(asked()), {ACCOUNT: state}, {}, set())


def test_it_keeps_no_object_and_loses_none():
    ctx = fresh()
    usual, state = UsualAnswers(ctx, compiled()), ctx.policy.account(ACCOUNT)
    assert state is not None
    watched = [
        *(state, state.catalog, state.members, state.projects, state.resources, NOTHING, ORDINARY),
        *(state.members[user] for user in (BO, CY, DI, EVE, GUS)),
        *(state.members[DI].overrides, state.catalog.permissions["instance:write"]),
        *(None, True, False, state.members[BO].role, state.members[BO].role.allowed),
    ]
    every = [text(body) for body in (*(one for one, _ in USUAL.values()), *UNUSUAL.values())]

    def ask() -> None:
        for body in every:
            usual.one(PRINCIPAL, body)
            usual.several(PRINCIPAL, b'{"evaluations": [%s, %s]}' % (every[0], body))

    ask()
    before = [sys.getrefcount(each) for each in watched]
    for _ in range(50):
        ask()
    lost = [now - then for now, then in zip(map(sys.getrefcount, watched), before, strict=True)]
    assert max(map(abs, lost)) < 25, lost
