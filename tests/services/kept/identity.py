"""Writes of the documents that identity's database deletes by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from services.identity.domain import erasure
from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.rate_limits import RateLimit
from services.identity.domain.revocation import RevokedToken
from services.identity.domain.signing_keys import KeyState, SealedKey
from shared.auth.api_tokens import digest_of, new_api_token, token_id_of
from shared.contracts.facts import shard_of
from shared.ids import ClientId, KeyId, MembershipId, TokenId
from tests.services.identity.domain.rows import PENDING, SESSION, SSO_SIGN_IN, USER
from tests.services.kept.stores import DAY, HOUR, MINUTE
from tests.support.service import FAR

if TYPE_CHECKING:
    from shared.mongo import DbSession
    from tests.services.kept.stores import Stores


async def signed_up(stores: Stores) -> None:
    pending = replace(PENDING, link_made_at=FAR)
    await stores.transact(lambda session: stores.identity.save_sign_up(None, pending, session))


async def signed_up_again(stores: Stores) -> None:
    earlier, later = replace(PENDING, link_made_at=FAR - DAY), replace(PENDING, link_made_at=FAR)
    await stores.transact(lambda session: stores.identity.save_sign_up(None, earlier, session))
    await stores.transact(lambda session: stores.identity.save_sign_up(earlier, later, session))


async def link_used(stores: Stores) -> None:
    await signed_up(stores)
    pending = replace(PENDING, link_made_at=FAR)
    used = replace(pending, used_at=FAR)
    await stores.transact(lambda session: stores.identity.save_sign_up(pending, used, session))


async def verified(stores: Stores) -> None:
    user = replace(USER, created_at=FAR, verified_at=FAR)
    await stores.transact(lambda session: stores.identity.insert_users([user], session))
    renamed = replace(user, name="Ana Diaz")
    await stores.transact(lambda session: stores.identity.update_user(user, renamed, session))


async def provisioned(stores: Stores) -> None:
    user = replace(USER, verified_at=None, password_hash=None, provisioned_by=ClientId("cli_1"))
    await stores.transact(lambda session: stores.identity.insert_users([user], session))


async def erased(stores: Stores) -> None:
    await verified(stores)
    tombstone, _ = erasure.erase(USER, now=FAR, rev=1)
    await stores.transact(
        lambda session: stores.identity.erase_user(USER, tombstone, now=FAR, session=session)
    )


async def farewell_kept(stores: Stores) -> None:
    farewell = erasure.farewell(USER, now=FAR)
    await stores.transact(lambda session: stores.identity.insert_farewell(farewell, session))


STARTED = replace(SESSION, started_at=FAR, expires_at=FAR + 30 * DAY)


async def sign_in_used(stores: Stores) -> None:
    await stores.identity.use_sign_in(replace(SSO_SIGN_IN, begun_at=FAR))


async def signed_in(stores: Stores) -> None:
    await stores.transact(lambda session: stores.identity.insert_session(STARTED, session))


async def refreshed(stores: Stores) -> None:
    before = replace(STARTED, started_at=FAR - 29 * DAY, expires_at=FAR + DAY)
    await stores.transact(lambda session: stores.identity.insert_session(before, session))
    after = replace(before, expires_at=FAR + 30 * DAY, rotated_at=FAR)
    await stores.identity.update_session(before, after)


async def signed_out(stores: Stores) -> None:
    await signed_in(stores)
    await stores.identity.update_session(STARTED, replace(STARTED, ended_at=FAR))


TOKEN = ApiToken(
    id=token_id_of(digest_of(new_api_token(shard_of(USER.id)))),
    user_id=USER.id,
    account_id=USER.account_id,
    membership_id=MembershipId("mem_1"),
    name="CI",
    secret_hash="",
    created_at=FAR,
    expires_at=FAR + 90 * DAY,
)


async def token_made(stores: Stores) -> None:
    await stores.transact(lambda session: stores.identity.insert_token(TOKEN, session))


async def token_revoked(stores: Stores) -> None:
    await token_made(stores)
    revoked = replace(TOKEN, revoked_at=FAR)
    await stores.transact(lambda session: stores.identity.update_token(TOKEN, revoked, session))


def limit(name: str) -> RateLimit:
    return RateLimit(key=(name, "ana"), limit=3, window=15 * MINUTE)


async def attempt_counted(stores: Stores) -> None:
    await stores.identity.count_all([limit("login")], now=FAR)


async def attempt_counted_again(stores: Stores) -> None:
    """In the window of the first one, which had ten minutes left."""
    for now in (FAR - 5 * MINUTE, FAR):
        await stores.identity.count_all([limit("login")], now=now)


async def attempt_counted_in_a_new_window(stores: Stores) -> None:
    for now in (FAR - HOUR, FAR):
        await stores.identity.count_all([limit("login")], now=now)


async def mails_counted(stores: Stores) -> None:
    limits = [limit("mailbox")]
    for now in (FAR - HOUR, FAR):

        async def save(session: DbSession, now: Any = now) -> None:
            windows = await stores.identity.windows(limits, session)
            await stores.identity.save_attempts(limits, windows, now=now, session=session)

        await stores.transact(save)


async def decoy_written(stores: Stores) -> None:
    await stores.transact(lambda session: stores.identity.add_decoys(1, now=FAR, session=session))


async def access_token_revoked(stores: Stores) -> None:
    token = RevokedToken(
        id=TokenId("tok_1"), client_id=ClientId("cli_1"), expires_at=FAR + 5 * MINUTE
    )
    await stores.transact(lambda session: stores.identity.add_revoked_token(token, session))


SIGNING_KEY = SealedKey(
    id=KeyId("key_1"), number=1, public="", sealed=b"", created_at=FAR, state_since=FAR
)


async def signing_key_made(stores: Stores) -> None:
    await stores.transact(lambda session: stores.identity.insert_signing_key(SIGNING_KEY, session))


async def signing_key_retired(stores: Stores) -> None:
    await signing_key_made(stores)
    retired = replace(SIGNING_KEY, state=KeyState.RETIRED)
    await stores.transact(
        lambda session: stores.identity.update_signing_key(SIGNING_KEY, retired, session)
    )
