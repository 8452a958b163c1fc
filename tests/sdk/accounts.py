"""The account that the tests of decisions ask about."""

from rolecall import (
    AccountKind,
    AccountState,
    AccountStatus,
    CompiledCatalog,
    Member,
    load_catalog,
)

NOW = 1_800_000_000_000
STANDARD = CompiledCatalog(load_catalog("standard"))


def member(role="developer", catalog=STANDARD, **facts):
    return Member(
        user_id=facts.pop("user_id", "usr_b"),
        role=catalog.roles[role],
        **facts,
    )


def account(*members, catalog=STANDARD, **facts):
    return AccountState(
        id="acc_1",
        kind=AccountKind.TEAM,
        status=facts.pop("status", AccountStatus.ACTIVE),
        owner_user_id="usr_a",
        catalog=catalog,
        members={m.user_id: m for m in members},
        **facts,
    )
