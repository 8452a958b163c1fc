"""Recipients of mails about users, their sign-ins and their API tokens."""

from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice
from services.notification.domain.wording import stored_moment
from shared.contracts import identity, identity_erasure, identity_tokens
from shared.contracts.calls.identity import (
    FarewellRequest,
    PasswordResetLinkRequest,
    SignUpLinkRequest,
)
from shared.contracts.facts import Row
from shared.contracts.identity_access import AccessBesidePassword


def _verify_email(fact: identity.SignUpRequested, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.VERIFY_EMAIL,
        to=fact.email,
        locale=fact.locale,
        words={"name": fact.name},
        expires_at=fact.expires_at,
        link=SignUpLinkRequest(kind="sign-up", id=fact.sign_up_id, generation=fact.generation),
    )


def _account_exists(fact: identity.UserSignUpRefused, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.ACCOUNT_EXISTS,
        to=fact.email,
        user_id=fact.user_id,
        words={"name": fact.name},
    )


def _password_reset(fact: identity.UserPasswordResetRequested, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.PASSWORD_RESET,
        to=fact.email,
        user_id=fact.user_id,
        words={"name": fact.name},
        expires_at=fact.expires_at,
        link=PasswordResetLinkRequest(
            kind="password-reset", id=fact.user_id, generation=fact.generation
        ),
    )


def _password_changed(fact: identity.UserPasswordChanged, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.PASSWORD_CHANGED,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "by_reset": "yes" if fact.by_reset else "",
            "changed_at": stored_moment(row.occurred_at),
            "ended_tokens": _tokens(fact.ended),
            "ended_issuers": ", ".join(fact.ended.issuers),
            "left_tokens": _tokens(fact.left),
            "left_issuers": ", ".join(fact.left.issuers),
            "left_app": "yes" if "totp" in fact.left.second_factors else "",
            "left_passkeys": str(fact.left.second_factors.count("passkey") or ""),
        },
    )


def _tokens(access: AccessBesidePassword) -> str:
    """The names of API tokens, and how many there are beside them."""
    more = access.api_tokens - len(access.token_names)
    return ", ".join(access.token_names) + (f" + {more}" if more > 0 else "")


def _token_created(fact: identity_tokens.ApiTokenCreated, row: Row) -> Notice:
    named = {"account": fact.account_name} if fact.account_name else {}
    return Notice(
        kind=MessageKind.TOKEN_CREATED,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "token": fact.token_name,
            "created_at": stored_moment(row.occurred_at),
            "until": stored_moment(fact.expires_at),
            **named,
        },
    )


def _token_expiry(fact: identity_tokens.ApiTokenExpiryAnnounced, row: Row) -> Notice:
    used = fact.last_used_at
    return Notice(
        kind=MessageKind.TOKEN_EXPIRY,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "token": fact.token_name,
            "account": fact.account_name,
            "until": stored_moment(fact.expires_at),
            "used_at": "" if used is None else stored_moment(used),
        },
    )


def _identity_linked(fact: identity.UserIdentityLinked, row: Row) -> Notice | None:
    """A new user knows: they signed up with this identity a moment ago."""
    if fact.how == "sign_up":
        return None
    return _identity(MessageKind.IDENTITY_LINKED, fact, row, how=fact.how)


def _identity_unlinked(fact: identity.UserIdentityUnlinked, row: Row) -> Notice:
    return _identity(MessageKind.IDENTITY_UNLINKED, fact, row)


def _identity(
    kind: MessageKind,
    fact: identity.UserIdentityLinked | identity.UserIdentityUnlinked,
    row: Row,
    **words: str,
) -> Notice:
    words |= {"name": fact.name, "label": fact.label, "changed_at": stored_moment(row.occurred_at)}
    return Notice(kind=kind, to=fact.email, user_id=fact.user_id, words=words)


def _user_disabled(fact: identity.UserDisabled, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.USER_DISABLED,
        to=fact.email,
        user_id=fact.user_id,
        words={"name": fact.name, "explanation": fact.explanation},
    )


def _user_enabled(fact: identity.UserEnabled, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.USER_ENABLED,
        to=fact.email,
        user_id=fact.user_id,
        words={"name": fact.name},
    )


def _signed_out(fact: identity.SessionReuseDetected, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.SIGNED_OUT, to=fact.email, user_id=fact.user_id, words={"name": fact.name}
    )


def _new_device(fact: identity.SessionStarted, row: Row) -> Notice | None:
    if not fact.new_device:
        return None
    return Notice(
        kind=MessageKind.NEW_DEVICE,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "name": fact.name,
            "device": fact.device,
            "network": fact.network,
            "place": fact.place,
            "started_at": stored_moment(row.occurred_at),
        },
    )


def _user_erased(fact: identity_erasure.UserErased, row: Row) -> Notice:
    """The fact names no recipient: identity tells the recipient when the mail is sent."""
    return Notice(
        kind=MessageKind.USER_ERASED,
        to="",
        user_id=fact.user_id,
        words={},
        link=FarewellRequest(kind="farewell", id=fact.user_id),
    )


ROWS = (
    (identity.SignUpRequested, _verify_email),
    (identity.UserSignUpRefused, _account_exists),
    (identity.UserPasswordResetRequested, _password_reset),
    (identity.UserPasswordChanged, _password_changed),
    (identity_tokens.ApiTokenCreated, _token_created),
    (identity_tokens.ApiTokenExpiryAnnounced, _token_expiry),
    (identity.UserIdentityLinked, _identity_linked),
    (identity.UserIdentityUnlinked, _identity_unlinked),
    (identity.UserDisabled, _user_disabled),
    (identity.UserEnabled, _user_enabled),
    (identity_erasure.UserErased, _user_erased),
    (identity.SessionReuseDetected, _signed_out),
    (identity.SessionStarted, _new_device),
)
"""Fact type → the function that names the recipient and the words of the mail."""
