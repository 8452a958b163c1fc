"""The rule of a connection: when it is in force, and who gives what it gives, as tables."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from services.identity.domain.account_connections import (
    AccountConnection,
    ConnectionChange,
    ConnectionManagers,
    change,
)
from services.identity.domain.id_tokens import IssuedIdentity
from services.identity.domain.sso_connections import JoinRule
from services.identity.use_cases import account_connections, connection_domains
from services.identity.use_cases.joining import with_membership
from services.identity.use_cases.sessions import SignedIn
from shared.contracts.calls.connections import RuleAnswer, RuleRequest
from shared.contracts.facts import service_caller
from shared.contracts.topology import Service
from shared.ids import AccountId, ConnectionId, UserId
from shared.mongo import AlreadyThere
from shared.problems import Invalid, Unavailable
from tests.services.identity.domain.rows import NOON, SESSION, USER

if TYPE_CHECKING:
    from services.identity.use_cases.context import Ctx

SETTER, OTHER = (UserId("usr_" + sign * 32) for sign in "12")
ROW = AccountConnection(
    id=ConnectionId("sso_1"),
    account_id=AccountId("acc_" + "1" * 32),
    label="Corp",
    issuer="https://issuer.example",
    client_id="client",
    sealed_secret=b"sealed",
    domain="team.example",
    challenge="published",
    created_by=SETTER,
    created_at=NOON,
    proved_at=NOON,
    join_role="viewer",
    rule_set_by=SETTER,
)
OTHER_ISSUER = "https://other.example"
OFF, NO_RULE = replace(ROW, enabled=False), replace(ROW, join_role=None, rule_set_by=None)


@pytest.mark.rule("B16")
@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (ROW, JoinRule(role="viewer", set_by=SETTER)),
        (OFF, None),
        (NO_RULE, None),
        (replace(ROW, rule_set_by=None), None),
    ],
)
def test_a_rule_is_in_force_while_its_connection_is_on(
    row: AccountConnection, rule: JoinRule | None
) -> None:
    assert row.rule == rule


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("row", "wanted", "giver"),
    [
        (ROW, ConnectionChange(label="Team"), SETTER),
        (ROW, ConnectionChange(enabled=False), SETTER),
        (ROW, ConnectionChange(enabled=True), SETTER),
        (ROW, ConnectionChange(sealed_secret=b"other"), SETTER),
        (ROW, ConnectionChange(issuer=ROW.issuer, client_id=ROW.client_id), SETTER),
        (ROW, ConnectionChange(join_role="viewer"), OTHER),
        (ROW, ConnectionChange(issuer=OTHER_ISSUER, sealed_secret=b"other"), OTHER),
        (ROW, ConnectionChange(client_id="other"), OTHER),
        (OFF, ConnectionChange(enabled=True), OTHER),
        (OFF, ConnectionChange(label="Team"), SETTER),
        (ROW, ConnectionChange(drops_rule=True), None),
        (NO_RULE, ConnectionChange(client_id="other"), None),
    ],
)
def test_who_changes_what_a_rule_gives_is_the_giver_from_then_on(
    row: AccountConnection, wanted: ConnectionChange, giver: UserId | None
) -> None:
    changed, _ = change(row, wanted, by=OTHER, told=ConnectionManagers())
    assert changed.rule_set_by == giver


@pytest.mark.parametrize(
    ("wanted", "sealed"),
    [
        (ConnectionChange(label="Team"), b"sealed"),
        (ConnectionChange(issuer=ROW.issuer), b"sealed"),
        (ConnectionChange(sealed_secret=b"other"), b"other"),
        (ConnectionChange(drops_secret=True), None),
        (ConnectionChange(issuer=OTHER_ISSUER, sealed_secret=b"other"), b"other"),
        (ConnectionChange(issuer=OTHER_ISSUER, drops_secret=True), None),
    ],
)
def test_a_secret_stays_until_it_is_replaced_or_dropped(
    wanted: ConnectionChange, sealed: bytes | None
) -> None:
    changed, _ = change(ROW, wanted, by=OTHER, told=ConnectionManagers())
    assert changed.sealed_secret == sealed


@pytest.mark.rule("B16")
def test_another_issuer_does_not_get_the_secret_of_the_former_one() -> None:
    wanted = ConnectionChange(issuer=OTHER_ISSUER)
    with pytest.raises(Invalid) as refused:
        change(ROW, wanted, by=OTHER, told=ConnectionManagers())
    assert [pointer for pointer, _ in refused.value.errors] == ["/client_secret"]
    public = replace(ROW, sealed_secret=None)
    changed, _ = change(public, wanted, by=OTHER, told=ConnectionManagers())
    assert (changed.issuer, changed.sealed_secret) == (OTHER_ISSUER, None)


class BetweenCheckAndWrite:
    """The store, the journal and team; another admin sets a rule before each write."""

    def __init__(self) -> None:
        self.roles: list[str | None] = []
        self.facts: list[object] = []

    async def account_connection(self, _: str, session: object = None) -> AccountConnection:
        return NO_RULE if session is None else ROW

    async def call(self, _: object, __: object, asked: object) -> RuleAnswer:
        if isinstance(asked, RuleRequest):
            self.roles.append(asked.role)
        return RuleAnswer(account_name="Acme", manager_emails=())

    async def write(self, _: str, change: Any, **__: object) -> None:
        await change(SimpleNamespace(session=self, now=NOON, record=self.record))

    def record(self, *facts: object) -> None:
        self.facts += facts


@pytest.mark.rule("B5")
async def test_a_role_that_was_not_checked_is_not_given() -> None:
    between = BetweenCheckAndWrite()
    parts = {"store": between, "journal": between, "internal": between}
    ctx = cast("Ctx", SimpleNamespace(**parts, settings=SimpleNamespace(sso_networks=())))
    with pytest.raises(Unavailable):
        await account_connections.change(
            ctx,
            service_caller(Service.IDENTITY),
            ROW.account_id,
            user_id=OTHER,
            connection_id=ROW.id,
            wanted=ConnectionChange(client_id="other"),
            client_secret=None,
            precondition=None,
        )
    assert set(between.roles) == {None}


class LostMeanwhile(BetweenCheckAndWrite):
    """Another request has taken the domain from its holder, who is told of it once."""

    holder = replace(ROW, id=ConnectionId("sso_2"), challenge="former")
    saved = 0

    async def account_connection(
        self, connection_id: str, session: object = None
    ) -> AccountConnection:
        wanted = ROW if connection_id == ROW.id else self.holder
        return wanted if session is None else replace(wanted, proved_at=None)

    async def connection_of_domain(self, _: str) -> AccountConnection:
        return self.holder

    async def save_proof(self, *_: object) -> None:
        self.saved += 1
        if self.saved == 1:
            raise AlreadyThere("sso_domains")

    async def of(self, _: str) -> frozenset[str]:
        return frozenset({ROW.challenge})


@pytest.mark.rule("B16")
async def test_a_domain_that_is_lost_already_is_not_lost_again() -> None:
    between = LostMeanwhile()
    parts = {"store": between, "journal": between, "internal": between, "texts": between}
    settings = SimpleNamespace(connections=(), sign_in_pages=())
    await connection_domains.prove(
        cast("Ctx", SimpleNamespace(**parts, settings=settings)),
        service_caller(Service.IDENTITY),
        ROW.account_id,
        user_id=OTHER,
        connection_id=ROW.id,
    )
    assert (between.saved, len(between.facts)) == (2, 1)


@pytest.mark.rule("B16")
@pytest.mark.parametrize("row", [None, OFF, NO_RULE, replace(ROW, issuer="https://other.example")])
async def test_a_rule_that_is_over_at_the_end_of_a_sign_in_is_not_applied(
    row: AccountConnection | None,
) -> None:
    async def account_connection(_: str) -> AccountConnection | None:
        return row

    store = SimpleNamespace(account_connection=account_connection)
    ctx = cast("Ctx", SimpleNamespace(store=store))
    issued = IssuedIdentity(
        issuer=ROW.issuer,
        subject="1",
        email="ana@team.example",
        email_verified=True,
        name="Ana",
        claims={},
    )
    signed_in = SignedIn(user=USER, session=SESSION)
    assert await with_membership(ctx, signed_in, issued, ROW.connection(None)) is signed_in
