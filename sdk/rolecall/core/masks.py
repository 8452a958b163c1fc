"""Compiled grants: two integers, and the grants with conditions beside them."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rolecall.core.decision import Decision, Reason
from rolecall.core.level_grants import Alternative, LevelGrant, Scope, granted_by

Conditional = Mapping[int, tuple[Alternative, ...]]
"""Bit -> the alternatives that depend on a condition; most matrices have none."""

NO_CONDITIONS: Conditional = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Matrix:
    """Compiled grants, shared by all members who hold them.

    `all_mask` and `self_mask` have what is held without a condition, and no bit in common.
    `conditional` has what is held under conditions only. Decisions name the `source`: `role:<id>`
    or `override:<project id>`. The possible decisions are made once, here.
    """

    source: str
    all_mask: int
    self_mask: int
    conditional: Conditional = field(default_factory=lambda: NO_CONDITIONS, hash=False)
    allowed: Decision = field(init=False, repr=False, compare=False)
    missing: Decision = field(init=False, repr=False, compare=False)
    owner_unknown: Decision = field(init=False, repr=False, compare=False)
    not_owner: Decision = field(init=False, repr=False, compare=False)
    condition_failed: Decision = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the decisions that these grants can lead to."""
        for name, reason in (
            ("allowed", Reason.ALLOWED),
            ("missing", Reason.PERMISSION_MISSING),
            ("owner_unknown", Reason.OWNER_UNKNOWN),
            ("not_owner", Reason.NOT_OWNER),
            ("condition_failed", Reason.CONDITION_FAILED),
        ):
            decision = Decision(
                allowed=reason is Reason.ALLOWED, reason=reason, decided_by=self.source
            )
            object.__setattr__(self, name, decision)

    @property
    def empty(self) -> bool:
        """Whether nothing is granted, not even under a condition."""
        return not (self.all_mask or self.self_mask or self.conditional)

    @property
    def content(self) -> Hashable:
        """What is granted, to compare and to look up by; equal for two sources of equal grants."""
        return self.all_mask, self.self_mask, frozenset(self.conditional.items())

    def granted(self, bit: int) -> LevelGrant | None:
        """What is held at one bit; `None` for nothing."""
        if self.all_mask & bit:
            return Scope.ALL
        own = (Alternative(Scope.SELF),) if self.self_mask & bit else ()
        return granted_by((*own, *self.conditional.get(bit, ())))

    def within(self, mask: int) -> "Matrix":
        """The grants at these bits."""
        return Matrix(
            source=self.source,
            all_mask=self.all_mask & mask,
            self_mask=self.self_mask & mask,
            conditional=_kept({bit: held for bit, held in self.conditional.items() if bit & mask}),
        )

    def beyond(self, other: "Matrix") -> "Matrix":
        """The grants that `other` does not cover.

        A grant for all resources is covered only by a grant for all, a grant for own resources by
        either. One without a condition covers one with a condition; otherwise the conditions must
        be equal.
        """
        return Matrix(
            source=self.source,
            all_mask=self.all_mask & ~other.all_mask,
            self_mask=self.self_mask & ~(other.all_mask | other.self_mask),
            conditional=_uncovered(self.conditional, other),
        )

    def together_with(self, other: "Matrix") -> "Matrix":
        """What either of the two grants; the source is this one's."""
        return combined(
            self.source,
            self.all_mask | other.all_mask,
            self.self_mask | other.self_mask,
            (
                (bit, one)
                for each in (self, other)
                for bit, held in each.conditional.items()
                for one in held
            ),
        )

    def by_owning(self, *, everyones: bool = False) -> "Matrix":
        """The grants for own resources; with `everyones`, the same grants for all resources."""
        scope = Scope.ALL if everyones else Scope.SELF
        found = {
            bit: tuple(Alternative(scope, one.when) for one in held if one.scope is Scope.SELF)
            for bit, held in self.conditional.items()
        }
        return Matrix(
            source=self.source,
            all_mask=self.self_mask if everyones else 0,
            self_mask=0 if everyones else self.self_mask,
            conditional=_kept(found),
        )


def combined(
    source: str, everyones: int, own: int, conditional: Iterable[tuple[int, Alternative]]
) -> Matrix:
    """A matrix of these masks and conditional alternatives, each part where no other covers it."""
    plain = Matrix(source=source, all_mask=everyones, self_mask=own & ~everyones)
    gathered: dict[int, list[Alternative]] = {}
    for bit, one in conditional:
        gathered.setdefault(bit, []).append(one)
    distinct = {bit: granted_by(found) for bit, found in gathered.items()}
    kept = {bit: found for bit, found in distinct.items() if isinstance(found, tuple)}
    return Matrix(
        source=source,
        all_mask=plain.all_mask,
        self_mask=plain.self_mask,
        conditional=_uncovered(kept, plain),
    )


def _uncovered(held: Conditional, other: Matrix) -> Conditional:
    """The alternatives that the other matrix does not cover."""
    if not held:
        return NO_CONDITIONS
    return _kept(
        {
            bit: tuple(one for one in found if not _covers(other, bit, one))
            for bit, found in held.items()
            if not other.all_mask & bit
        }
    )


def _covers(matrix: Matrix, bit: int, one: Alternative) -> bool:
    if one.scope is Scope.SELF and matrix.self_mask & bit:
        return True
    return any(other.covers(one) for other in matrix.conditional.get(bit, ()))


def _kept(conditional: dict[int, tuple[Alternative, ...]]) -> Conditional:
    found = {bit: held for bit, held in conditional.items() if held}
    return found or NO_CONDITIONS
