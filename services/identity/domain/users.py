"""Users: their row and the facts about them."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.contracts.facts import Actor, Caller, Fact, Payload, ResourceRef
from shared.contracts.identity import UserLocaleChanged, UserRenamed
from shared.contracts.policy_objects import PolicyObject
from shared.ids import AccountId, ClientId, SessionId, UserId
from shared.locales import DEFAULT_LOCALE, DEFAULT_TIME_ZONE, Locale


@dataclass(frozen=True, kw_only=True)
class FormerAddress:
    """An address that the user had, which the link of this generation restores until then.

    The session that left it began at `session_began`; earlier versions did not save that.
    """

    email: str
    email_key: str
    generation: int
    until: datetime
    session_began: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class User:
    """A person with a sign-in; `account_id` is the personal account, created with the user.

    Team tells another personal account when the user deletes the first one, or gives its ownership
    away; `account_number` orders that news. `account_left` is set when the user deleted
    `account_id`, or stopped being a member of it, before it came.
    A user signs up when the address is proved, and an address has at most one user. A service
    client makes users too: `provisioned_by` is the client. Without `verified_at` its user has not
    proved the address, and without `password_hash` cannot sign in. A reset of the password does
    both. `password_imported` tells that another system made the hash. `password_taken` tells that
    the user lost the password to an undo or an issuer: no system gives them one again.

    The operator may disable a user, at `disabled_at`, and tells them why.

    `reset_generation` counts the links that reset the password. `reset_link_made_at` is `None`
    while none of them works. `reset_used_at` is when the newest one set the password that is valid.
    `known_devices` has the fingerprints of the devices that signed in, the newest last.

    `new_email` waits for its proof. `former_addresses` can be restored, the oldest first.
    `undo_generation` counts their links. `restored` is the newest one that its link has restored.

    Mails have the language `locale`, and name moments in `time_zone`.
    """

    id: UserId
    email: str
    email_key: str
    name: str
    password_hash: str | None
    account_id: AccountId
    created_at: datetime
    verified_at: datetime | None
    password_imported: bool = False
    password_taken: bool = False
    provisioned_by: ClientId | None = None
    reset_generation: int = 0
    reset_link_made_at: datetime | None = None
    reset_used_at: datetime | None = None
    account_left: bool = False
    account_number: int = 0
    known_devices: tuple[str, ...] = ()
    new_email: str | None = None
    new_email_key: str | None = None
    new_email_made_at: datetime | None = None
    undo_generation: int = 0
    former_addresses: tuple[FormerAddress, ...] = ()
    restored: FormerAddress | None = None
    disabled_at: datetime | None = None
    disabled_because: str | None = None
    disabled_rev: int = 0
    locale: Locale = DEFAULT_LOCALE
    time_zone: str = DEFAULT_TIME_ZONE


def with_personal_account(user: User, account_id: AccountId, *, number: int) -> User | None:
    """The user with the personal account that team told; `None` if it is not later news.

    Team's facts may come in any order. Of two personal accounts the later one has a greater number.
    """
    if number <= user.account_number:
        return None
    return replace(user, account_id=account_id, account_number=number, account_left=False)


def rename(user: User, name: str) -> tuple[User, tuple[Fact, ...]]:
    """Change the name of a user; without a change there is no fact."""
    if name == user.name:
        return user, ()
    renamed = replace(user, name=name)
    payload = UserRenamed(**payload_fields(renamed))
    return renamed, (user_fact(renamed, payload, before={"name": user.name}, after={"name": name}),)


def localize(
    user: User, *, locale: Locale | None, time_zone: str | None
) -> tuple[User, tuple[Fact, ...]]:
    """Change what is given of the language and the time zone; without a change there is no fact."""
    localized = replace(user, locale=locale or user.locale, time_zone=time_zone or user.time_zone)
    if localized == user:
        return user, ()
    fields = localized_fields(localized)
    fact = user_fact(
        localized,
        UserLocaleChanged(**fields),
        before={"locale": user.locale, "time_zone": user.time_zone},
        after={"locale": localized.locale, "time_zone": localized.time_zone},
    )
    return localized, (fact,)


def caller_as(caller: Caller, user: User, *, session_id: SessionId | None = None) -> Caller:
    """Return the caller with this user as its actor, once the request has proved who it is."""
    actor = Actor(
        type="user",
        id=user.id,
        name=user.name,
        email=user.email,
        session_id=session_id or caller.actor.session_id,
        token_id=caller.actor.token_id,
    )
    return Caller(actor=actor, request=caller.request)


def payload_fields(user: User) -> dict[str, str]:
    """Return the fields that every fact about a user has."""
    return {
        "user_id": user.id,
        "email": user.email,
        "name": user.name,
        "account_id": user.account_id,
    }


def localized_fields(user: User) -> dict[str, str]:
    """Return the fields of a fact from which notification knows whom it writes to, and how."""
    return {**payload_fields(user), "locale": user.locale, "time_zone": user.time_zone}


def user_fact(
    user: User,
    payload: Payload,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
    policy_object: PolicyObject | None = None,
) -> Fact:
    """Make a fact about a user, in the user's personal account."""
    return Fact(
        payload=payload,
        resource=ResourceRef(type="user", id=user.id, name=user.name),
        account_id=user.account_id,
        before=before,
        after=after,
        policy_objects=() if policy_object is None else (policy_object,),
    )
