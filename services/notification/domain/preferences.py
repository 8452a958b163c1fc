"""Preferences: which mails a person wants, for each account.

Messages about security, about the end of an access, and those that ask for an answer always go out.
The others can be switched off, in one account or in all. The list in the product has every message.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from urllib.parse import quote

from services.notification.domain.messages import Message, MessageKind
from shared import context
from shared.ids import UserId
from shared.metrics import FORMER_KEY_USES
from shared.problems import Invalid, Refusal, RefusalKind

OPTIONAL_KINDS = frozenset(
    {
        MessageKind.TOKEN_EXPIRY,
        MessageKind.JOIN_REFUSED,
        MessageKind.AUDIT_CHECKPOINT,
        MessageKind.INVITATION_ACCEPTED,
        MessageKind.INVITATION_DECLINED,
        MessageKind.INVITATION_PASSED,
        MessageKind.INVITATION_BOUNCED,
        MessageKind.MEMBER_LEFT,
        MessageKind.ADDED,
        MessageKind.ROLE_CHANGED,
        MessageKind.MEMBERSHIP_END,
        MessageKind.RESUMED,
        MessageKind.OVERRIDE_SET,
        MessageKind.OVERRIDE_REMOVED,
        MessageKind.RESOURCES_GIVEN,
        MessageKind.ACCOUNT_MOVED,
        MessageKind.OWNERSHIP_DECLINED,
        MessageKind.OWNERSHIP_CANCELLED,
        MessageKind.OWNERSHIP_OFFER_ENDED,
        MessageKind.ACCOUNT_RESUMED,
        MessageKind.ACCOUNT_RESTORED,
        MessageKind.ACCESS_RESTORED,
    }
)
"""The kinds whose mails can be switched off. A new kind is not among them until it is listed."""
MAX_ACCOUNTS = 200
"""The most accounts for which a person has preferences."""
SWITCHED_OFF = "switched off"
"""Why a mail is withheld that its recipient does not want."""
_TOKEN = re.compile(
    r"(usr_[0-9a-f]{32})\.(acc_[0-9a-f]{32})\.([a-z_]{1,40})\.([A-Za-z0-9_-]{43})", re.ASCII
)
FORMER_LINK = "unsubscribe"
"""The use by which a link of a former key is counted."""
_OTHERS = "other accounts"
_PURPOSE = b"rolecall unsubscribe link v1"


class UnsubscribeLinkInvalid(Refusal):
    """The link is not one that this service made."""

    kind = RefusalKind.GONE
    code = "unsubscribe-link-invalid"
    detail = (
        "This link is not valid. Copy the whole address from the mail, or sign in and change your"
        " notification preferences."
    )


class MailsOffInAll(Refusal):
    """The link of a mail is about one account, and its kind is switched off for all."""

    kind = RefusalKind.CONFLICT
    code = "mails-off-in-all"
    detail = (
        "These mails are switched off for all accounts, which this link does not change. Sign in"
        " and switch them on in your notification preferences."
    )


@dataclass(frozen=True, kw_only=True)
class SwitchedOff:
    """The mails that a person does not want from one account, or from all (`None`)."""

    account_id: str | None
    kinds: tuple[MessageKind, ...]


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """The preferences of one person; `changes` counts the writes."""

    id: UserId
    off: tuple[SwitchedOff, ...] = ()
    changes: int = 0


def check_off(chosen: Sequence[tuple[str | None, Sequence[str]]]) -> tuple[SwitchedOff, ...]:
    """Check what a person switches off: accounts, each with its kinds.

    Raises:
        Invalid: it names each kind that is not known or cannot be switched off, and each account
            that is there twice.
    """
    faults: list[tuple[str, str]] = []
    seen: set[str | None] = set()
    for place, (account_id, kinds) in enumerate(chosen):
        if account_id in seen:
            faults.append((f"/off/{place}/account_id", "This account is there twice. Merge both."))
        seen.add(account_id)
        for number, kind in enumerate(kinds):
            if fault := _fault(kind):
                faults.append((f"/off/{place}/kinds/{number}", fault))
    if faults:
        raise Invalid(errors=faults)
    return tuple(
        SwitchedOff(
            account_id=account_id, kinds=tuple(sorted({MessageKind(kind) for kind in kinds}))
        )
        for account_id, kinds in chosen
        if kinds
    )


def is_switched_off(off: Sequence[SwitchedOff], message: Message) -> bool:
    """Whether the recipient does not want the mail; one of another kind always goes out."""
    return message.kind in OPTIONAL_KINDS and any(
        message.kind in one.kinds and one.account_id in {None, message.account_id} for one in off
    )


def recorded_texts(off: Sequence[SwitchedOff], *, own_account: str | None) -> list[str]:
    """Preferences as the log of the person's own account has them.

    Others may read it, once it is the log of a team. So it names no other account, but counts them.
    """
    names = {None: "all accounts", own_account or "": "this account"}
    places = Counter(
        (kind, names.get(one.account_id, _OTHERS)) for one in off for kind in one.kinds
    )
    return sorted(
        f"{kind} in {place}" if place != _OTHERS else f"{kind} in {place} ({count})"
        for (kind, place), count in places.items()
    )


def switch_off(
    off: Sequence[SwitchedOff], kind: MessageKind, account_id: str
) -> tuple[SwitchedOff, ...]:
    """Switch the mails of a kind off in one account."""
    kinds = next((one.kinds for one in off if one.account_id == account_id), ())
    others = [one for one in off if one.account_id != account_id]
    changed = SwitchedOff(account_id=account_id, kinds=tuple(sorted({*kinds, kind})))
    return (*others, changed)


def switch_on(
    off: Sequence[SwitchedOff], kind: MessageKind, account_id: str
) -> tuple[SwitchedOff, ...]:
    """Switch the mails of a kind on again in one account.

    Raises:
        MailsOffInAll: they are off in all accounts, which the link of one account leaves.
    """
    if state_of(off, kind, account_id) is KindState.OFF_IN_ALL:
        raise MailsOffInAll
    kept = []
    for one in off:
        kinds = tuple(each for each in one.kinds if each != kind or one.account_id != account_id)
        if kinds:
            kept.append(replace(one, kinds=kinds))
    return tuple(kept)


class KindState(StrEnum):
    """Whether the mails of a kind go out in one account."""

    ON = "on"
    OFF = "off"
    OFF_IN_ALL = "off-in-all"
    """Switched off in all accounts at once."""


def state_of(off: Sequence[SwitchedOff], kind: MessageKind, account_id: str) -> KindState:
    """The state of a kind in one account."""
    places = {one.account_id for one in off if kind in one.kinds}
    if None in places:
        return KindState.OFF_IN_ALL
    return KindState.OFF if account_id in places else KindState.ON


@dataclass(frozen=True, slots=True)
class UnsubscribeTarget:
    """What one link switches off: the mails of a kind, from one account, to one person."""

    user_id: UserId
    account_id: str
    kind: MessageKind


class UnsubscribeLinks:
    """Makes and reads the links by which a mail is switched off without a sign-in (RFC 8058)."""

    def __init__(self, key: bytes, public_url: str, *, former: Sequence[bytes] = ()) -> None:
        """The key of the service serves other secrets, too; another one is derived from it.

        `former` keys make no more links; what they made is read, and counted.
        """
        self._keys = [hmac.digest(each, _PURPOSE, sha256) for each in (key, *former)]
        self._public_url = public_url

    def url(self, message: Message) -> str | None:
        """The address that switches off mails like this one; `None` if they always go out."""
        token = self._token_of(message)
        return token and f"{self._public_url}/v1/notifications/unsubscribe?token={token}"

    def page(self, message: Message) -> str | None:
        """The page that does so; `None` if they always go out."""
        token = self._token_of(message)
        return token and self.page_of(token)

    def page_of(self, token: str) -> str:
        """The page of a token, which the page checks."""
        return f"{self._public_url}/unsubscribe?token={quote(token, safe='')}"

    def _token_of(self, message: Message) -> str | None:
        user_id, account_id = message.user_id, message.account_id
        if message.kind not in OPTIONAL_KINDS or user_id is None or account_id is None:
            return None
        return self.token(UnsubscribeTarget(UserId(user_id), account_id, message.kind))

    def token(self, target: UnsubscribeTarget) -> str:
        """The token of a link."""
        return _token(target, self._keys[0])

    def read(self, token: str) -> UnsubscribeTarget:
        """Return what the token names.

        Raises:
            UnsubscribeLinkInvalid: this service did not make it.
        """
        parts = _TOKEN.fullmatch(token)
        if parts is None or parts[3] not in OPTIONAL_KINDS:
            raise UnsubscribeLinkInvalid
        target = UnsubscribeTarget(UserId(parts[1]), parts[2], MessageKind(parts[3]))
        made = [hmac.compare_digest(_token(target, key), token) for key in self._keys]
        if not any(made):
            raise UnsubscribeLinkInvalid
        if not made[0]:
            FORMER_KEY_USES.labels(context.service.get(), FORMER_LINK).inc()
        return target


def _token(target: UnsubscribeTarget, key: bytes) -> str:
    """No part of the token can hold the separator."""
    named = f"{target.user_id}.{target.account_id}.{target.kind}"
    mac = urlsafe_b64encode(hmac.digest(key, named.encode(), sha256))
    return f"{named}.{mac.rstrip(b'=').decode()}"


def _fault(kind: str) -> str | None:
    if kind in OPTIONAL_KINDS:
        return None
    known = ", ".join(sorted(OPTIONAL_KINDS))
    if kind in set(MessageKind):
        return f"Mails of the kind `{kind}` cannot be switched off. Choose among: {known}."
    return f"This kind of mail is not known. Choose among: {known}."
