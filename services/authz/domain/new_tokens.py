"""Whether a member may make an API token with certain limits."""

from collections import defaultdict

from rolecall import AccountState, Member, Restriction, TokenSubject
from rolecall.core.restrictions import exceeding, within
from shared.contracts.calls.authz import CheckResult, NewTokenAnswer, TokenLimits


def limits_of(restriction: Restriction | None) -> TokenLimits:
    """The limits of a token as services tell each other."""
    if restriction is None:
        return TokenLimits()
    grants: dict[str, list[str]] = defaultdict(list)
    for entry, level in sorted(restriction.levels or ()):
        grants[entry].append(level)
    return TokenLimits(
        projects=None if restriction.projects is None else tuple(sorted(restriction.projects)),
        grants=None
        if restriction.levels is None
        else {entry: tuple(levels) for entry, levels in grants.items()},
        read_only=restriction.read_only,
    )


def answer_new_token(
    result: CheckResult,
    account: AccountState,
    member: Member,
    *,
    asked: Restriction | None,
    by: TokenSubject | None,
    now: int,
) -> NewTokenAnswer:
    """Say what speaks against a token with the restriction `asked`, made by the API token `by`."""
    unknown: list[str] = []
    missing: tuple[str, ...] = ()
    if asked is not None:
        unknown += sorted((asked.projects or frozenset()) - set(account.projects))
        unknown += (
            f"{entry}:{level}"
            for entry, level in sorted(asked.levels or ())
            if not account.catalog.has_level(entry, level)
        )
        missing = () if unknown else exceeding(account, member, asked, now=now)
    outer = None if by is None else by.restriction
    return NewTokenAnswer(
        **result.model_dump(),
        membership_id=member.membership_id,
        unknown=tuple(unknown),
        missing=missing,
        wider=outer is not None and not within(account.catalog, asked, outer),
    )
