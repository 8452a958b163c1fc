"""What a member may give to others: what they hold, for as long as they hold it (`B5`)."""

from collections.abc import Iterable, Iterator

from rolecall.core.effective import effective_matrix
from rolecall.core.masks import Matrix
from rolecall.core.state import AccountState, Member


def grants_not_held(
    account: AccountState, giver: Member, given: Matrix, *, now: int
) -> tuple[str, ...]:
    """Those of a role's grants that the giver does not hold; `now` is in epoch milliseconds.

    A role counts in every project. An override that lowers the giver in one project therefore
    bounds what they may give anywhere.
    """
    return _exceeding(account, _held_anywhere(account, giver, now=now), given)


def may_give(account: AccountState, giver: Member, given: Matrix, *, now: int) -> bool:
    """Whether the giver holds all grants of a role: `grants_not_held` has none, found sooner."""
    held = _held_anywhere(account, giver, now=now)
    return all(given.beyond(matrix).empty for matrix in held)


def _held_anywhere(account: AccountState, giver: Member, *, now: int) -> Iterator[Matrix]:
    yield giver.role
    for project_id in giver.overrides:
        yield effective_matrix(account, giver, project_id, now=now)


def grants_not_held_inside(
    account: AccountState,
    giver: Member,
    project_id: str | None,
    given: Matrix,
    *,
    now: int,
    until: int | None,
) -> tuple[str, ...]:
    """Those grants of an override that the giver does not hold in its project, until it ends.

    When the giver's own override ends before `until`, the giver falls back to their role, so the
    role has to cover the grants too. `now` and `until` are in epoch milliseconds; `None` is without
    an end.
    """
    held = [effective_matrix(account, giver, project_id, now=now)]
    own = None if project_id is None else giver.overrides.get(project_id)
    end = None if own is None else own.expires_at
    if end is not None and (until is None or end < until):
        held.append(giver.role)
    return _exceeding(account, held, given)


def lasts_until(giver: Member, until: int | None) -> bool:
    """Whether the giver's membership lasts until then; `None` is without an end."""
    return giver.expires_at is None or (until is not None and until <= giver.expires_at)


def _exceeding(account: AccountState, held: Iterable[Matrix], given: Matrix) -> tuple[str, ...]:
    missing = [
        str(grant) for matrix in held for grant in account.catalog.grants_exceeding(matrix, given)
    ]
    return tuple(dict.fromkeys(missing))
