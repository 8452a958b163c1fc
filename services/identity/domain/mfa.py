"""Second factors of a user: codes of an app (RFC 6238) and recovery codes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.identity.domain import passkeys as passkey_rules
from services.identity.domain.passkeys import Passkey, PasskeyProof
from shared.ids import UserId
from shared.problems import Refusal, RefusalKind

ENROLMENT_LIFETIME = timedelta(minutes=15)
"""How long the secret of an app waits for its first code."""
RECOVERY_CODES = 10
CODE_NAME_LENGTH = 2
"""The first characters of a recovery code say which one it is: one hash decides about a code."""
CODE_LENGTH = 12
TOTP: Final = "totp"

_TOTP = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY = re.compile(rf"[A-Z2-7]{{{CODE_LENGTH}}}", re.ASCII)


class OtpRequired(Refusal):
    """The password is right, and the user has a second factor that was not given."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "otp-required"
    detail = (
        "A second factor is needed. Send the same again with `otp`: the code of the app, or a"
        " recovery code. A passkey signs you in instead."
    )


class WrongOtp(Refusal):
    """The code is not valid now, or was used before."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "wrong-otp"
    detail = (
        "The code is wrong, too old or was used before. Each code counts once: wait for the next"
        " one of the app, or use another recovery code."
    )


class EnrolmentMissing(Refusal):
    """There is no app that waits for its first code."""

    kind = RefusalKind.CONFLICT
    code = "enrolment-missing"
    detail = "No app waits for its first code. Begin again with POST /v1/me/mfa/totp."


class NoSecondFactor(Refusal):
    """Recovery codes stand for a second factor, and the user has none."""

    kind = RefusalKind.CONFLICT
    code = "no-second-factor"
    detail = "Recovery codes need a second factor. Add one first."


@dataclass(frozen=True, kw_only=True)
class Totp:
    """An app that makes codes; `sealed` is its secret, `last_step` the newest step that counted."""

    sealed: bytes
    added_at: datetime
    last_step: int


@dataclass(frozen=True, kw_only=True)
class PendingTotp:
    """An app that has not given its first code yet."""

    sealed: bytes
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class RecoveryCode:
    """A code that was not used yet: its first characters, and the hash of the others."""

    name: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class SecondFactors:
    """All second factors of a user, in one document: each change expects its `version`.

    Recovery codes of an earlier version have no date.
    """

    user_id: UserId
    version: int = 0
    totp: Totp | None = None
    pending: PendingTotp | None = None
    codes: tuple[RecoveryCode, ...] = ()
    codes_made_at: datetime | None = None
    passkeys: tuple[Passkey, ...] = ()
    rev: int = 0
    """The sequence of the change with which they began or ceased to exist."""
    began_at: datetime | None = None
    """When they began to exist; without it, before this was noted."""
    beginnings: int = 0
    """How often they began to exist."""
    taken_back: int = 0
    """The beginning that was taken back last; see `factor_take_back`."""

    @property
    def exist(self) -> bool:
        """Whether a sign-in needs one of them; recovery codes alone are none."""
        return self.totp is not None or bool(self.passkeys)

    @property
    def kinds(self) -> list[str]:
        """The kind of each of them."""
        apps = [] if self.totp is None else [TOTP]
        return apps + [passkey_rules.PASSKEY for _ in self.passkeys]


@dataclass(frozen=True, slots=True)
class TypedTotp:
    """Six digits."""

    digits: str


@dataclass(frozen=True, slots=True)
class TypedRecoveryCode:
    """A recovery code as it is compared: the name of the code, and its secret."""

    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class TotpProof:
    """A code of the app with this sealed secret, for this step of time."""

    sealed: bytes
    step: int


@dataclass(frozen=True, slots=True)
class RecoveryProof:
    """A recovery code that fits."""

    code: RecoveryCode


Proof = TotpProof | RecoveryProof | PasskeyProof


def parse_otp(text: str) -> TypedTotp | TypedRecoveryCode | None:
    """Read what was typed; case, blanks and hyphens do not count."""
    typed = re.sub(r"[\s-]", "", text).upper()
    if _TOTP.fullmatch(typed):
        return TypedTotp(typed)
    if _RECOVERY.fullmatch(typed):
        return TypedRecoveryCode(typed[:CODE_NAME_LENGTH], typed[CODE_NAME_LENGTH:])
    return None


def code_named(factors: SecondFactors, name: str) -> RecoveryCode | None:
    """Return the unused recovery code with this name."""
    return next((code for code in factors.codes if code.name == name), None)


def begin_totp(factors: SecondFactors, sealed: bytes, *, now: datetime) -> SecondFactors:
    """Let an app wait for its first code; an app that waited before is forgotten."""
    return replace(factors, pending=PendingTotp(sealed=sealed, expires_at=now + ENROLMENT_LIFETIME))


def pending_totp(factors: SecondFactors, *, now: datetime) -> PendingTotp:
    """Return the app that waits for its first code.

    Raises:
        EnrolmentMissing: there is none, or it has waited too long.
    """
    if factors.pending is None or factors.pending.expires_at <= now:
        raise EnrolmentMissing
    return factors.pending


def confirm_totp(
    factors: SecondFactors, proof: TotpProof, codes: Sequence[RecoveryCode], *, now: datetime
) -> SecondFactors:
    """Take the app that waits, by its first code, which thereby counts as used.

    It replaces an earlier app, and its recovery codes replace earlier ones.

    Raises:
        WrongOtp: the code belongs to another app than the one that waits now.
    """
    if factors.pending is None or factors.pending.sealed != proof.sealed:
        raise WrongOtp
    totp = Totp(sealed=proof.sealed, added_at=now, last_step=proof.step)
    left = replace(factors, totp=totp, pending=None)
    return _begun(factors, _with_codes(left, codes, now=now), now=now)


def use(factors: SecondFactors, proof: Proof) -> SecondFactors:
    """Use up a code: no step of time and no recovery code counts twice.

    Raises:
        WrongOtp: it was used meanwhile, or its app or code was replaced.
        PasskeyRefused: the passkey was removed or counted as far meanwhile.
    """
    match proof:
        case TotpProof(sealed=sealed, step=step):
            totp = factors.totp
            if totp is None or totp.sealed != sealed or step <= totp.last_step:
                raise WrongOtp
            return replace(factors, totp=replace(totp, last_step=step))
        case RecoveryProof(code=used):
            if used not in factors.codes:
                raise WrongOtp
            return replace(factors, codes=tuple(code for code in factors.codes if code != used))
        case PasskeyProof():
            return replace(factors, passkeys=passkey_rules.use(factors.passkeys, proof))


def replace_codes(
    factors: SecondFactors, codes: Sequence[RecoveryCode], *, now: datetime
) -> SecondFactors:
    """Replace the recovery codes.

    Raises:
        NoSecondFactor: there is nothing that they stand for.
    """
    if not factors.exist:
        raise NoSecondFactor
    return _with_codes(factors, codes, now=now)


def _with_codes(
    factors: SecondFactors, codes: Sequence[RecoveryCode], *, now: datetime
) -> SecondFactors:
    return replace(factors, codes=tuple(codes), codes_made_at=now)


def add_passkey(
    factors: SecondFactors, passkey: Passkey, codes: Sequence[RecoveryCode]
) -> SecondFactors:
    """Add a passkey, with recovery codes if it is the first factor.

    Raises:
        TooManyPasskeys, PasskeyKnown.
    """
    grown = replace(factors, passkeys=passkey_rules.with_new(factors.passkeys, passkey))
    grown = _begun(factors, grown, now=passkey.added_at)
    return _with_codes(grown, codes, now=passkey.added_at) if codes else grown


def _begun(before: SecondFactors, after: SecondFactors, *, now: datetime) -> SecondFactors:
    """Note the beginning of second factors, if there was none before."""
    if before.exist:
        return after
    return replace(after, began_at=now, beginnings=before.beginnings + 1)


def remove_passkey(factors: SecondFactors, passkey_id: str) -> SecondFactors:
    """Remove a passkey; without another factor the recovery codes go, too.

    Raises:
        NotFound: the user has no such passkey.
    """
    left = replace(factors, passkeys=passkey_rules.without(factors.passkeys, passkey_id))
    return left if left.exist else replace(left, codes=())


def remove_totp(factors: SecondFactors) -> SecondFactors:
    """Remove the app; without another factor the recovery codes go, too."""
    left = replace(factors, totp=None, pending=None)
    return left if left.exist else replace(left, codes=())


def remove_all(factors: SecondFactors) -> SecondFactors:
    """Remove every factor and what belongs to it."""
    return SecondFactors(
        user_id=factors.user_id,
        version=factors.version,
        rev=factors.rev,
        beginnings=factors.beginnings,
        taken_back=factors.taken_back,
    )
