"""Recipients of mails about second factors: always their user."""

from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice
from services.notification.domain.wording import stored_moment
from shared.contracts import identity
from shared.contracts.calls.identity import FactorLinkRequest
from shared.contracts.facts import Row
from shared.contracts.identity_passkeys import PasskeyCopySuspected


def _added(fact: identity.SecondFactorAdded, row: Row) -> Notice:
    link = None
    if fact.beginning is not None:
        link = FactorLinkRequest(
            kind="factor-take-back", id=fact.user_id, generation=fact.beginning
        )
    return Notice(
        kind=MessageKind.SECOND_FACTOR_ADDED,
        to=fact.email,
        user_id=fact.user_id,
        words=_change_words(fact, row),
        expires_at=fact.take_back_until,
        link=link,
    )


def _removed(fact: identity.SecondFactorRemoved, row: Row) -> Notice:
    who = {
        "by_platform": "yes" if row.actor.type == "operator" else "",
        "taken_back": "yes" if fact.taken_back else "",
    }
    return Notice(
        kind=MessageKind.SECOND_FACTOR_REMOVED,
        to=fact.email,
        user_id=fact.user_id,
        words=_change_words(fact, row) | who,
    )


def _codes_replaced(fact: identity.RecoveryCodesReplaced, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.RECOVERY_CODES_REPLACED,
        to=fact.email,
        user_id=fact.user_id,
        words={"name": fact.name, "changed_at": stored_moment(row.occurred_at)},
    )


def _code_used(fact: identity.RecoveryCodeUsed, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.RECOVERY_CODE_USED,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "changed_at": stored_moment(row.occurred_at),
            "codes_left": str(fact.left),
        },
    )


def _copy_suspected(fact: PasskeyCopySuspected, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.PASSKEY_COPY_SUSPECTED,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "changed_at": stored_moment(row.occurred_at),
            "passkey_name": fact.passkey,
        },
    )


def _change_words(
    fact: identity.SecondFactorAdded | identity.SecondFactorRemoved, row: Row
) -> dict[str, str]:
    passkey = "yes" if fact.kind == "passkey" else ""
    return {"name": fact.name, "changed_at": stored_moment(row.occurred_at), "passkey": passkey}


ROWS = (
    (identity.SecondFactorAdded, _added),
    (identity.SecondFactorRemoved, _removed),
    (identity.RecoveryCodesReplaced, _codes_replaced),
    (identity.RecoveryCodeUsed, _code_used),
    (PasskeyCopySuspected, _copy_suspected),
)
