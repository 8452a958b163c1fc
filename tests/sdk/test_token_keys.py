"""Tests of the verification of callers' tokens: strict, cached, and not blind to new keys."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rolecall.aio import NoAnswerError, TokenExpiredError, TokenRejectedError
from rolecall.aio.keys import MAX_CACHED_TOKENS, TokenKeys, fresh_seconds
from rolecall.aio.transport import Transport
from rolecall.client import jwt
from rolecall.client.access_tokens import ACCESS_SECONDS, ACCESS_TYPE
from shared.auth.access_tokens import client_claims, user_claims
from shared.auth.keys import generate_key, public_jwk
from shared.auth.principals import ClientPrincipal
from shared.ids import AccountId, ClientId, SessionId, UserId
from tests.sdk.faulty import client, faulty_rolecall, stall, write

ISSUER = "https://rolecall.test"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, OTHER = generate_key(), generate_key()
JWKS = "/.well-known/jwks.json"
USER, SESSION, ACCOUNT = "usr_" + "0a" * 16, "ses_" + "0b" * 16, "acc_" + "0c" * 16


def claims(**changes):
    made = user_claims(
        issuer=ISSUER,
        user_id=UserId(USER),
        session_id=SessionId(SESSION),
        account_id=AccountId(ACCOUNT),
        now=NOW,
    )
    return {name: value for name, value in (made | changes).items() if value is not ...}


def token(*, key=KEY, kid="k1", typ=ACCESS_TYPE, **changes):
    return jwt.sign(key, kid=kid, typ=typ, claims=claims(**changes))


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def server():
    async with faulty_rolecall() as running:
        running.answers[JWKS] = 200, {"keys": [public_jwk("k1", KEY.public_key())]}
        yield running


@pytest.fixture
async def keys(server, clock):
    transport = Transport(server.url, allow_http=False)
    await transport.open()
    yield TokenKeys(transport, issuer=ISSUER, timeout=10, now=clock)
    await transport.close()


async def test_a_genuine_token_names_its_user(keys, server):
    for _ in range(3):
        user = await keys.verify(token())
        assert (user.user_id, user.session_id, user.account_id) == (USER, SESSION, ACCOUNT)
    assert (await keys.verify(token(acct=...))).account_id is None
    assert server.paths() == [JWKS]


@pytest.mark.parametrize(
    "made",
    [
        token(key=OTHER),
        token(iss="https://other.test"),
        token(aud="other"),
        token(aud=["rolecall"]),
        token(typ="internal+jwt"),
        token(sub="cli_" + "0a" * 16),
        token(sub=...),
        token(sid=...),
        token(sid="x"),
        token(exp=int(NOW.timestamp()) + 10 * ACCESS_SECONDS),
        token(client_id="cli_" + "0d" * 16),
        token()[:-4] + "AAAA",
        "nonsense",
        "",
        "a.b.c",
    ],
)
async def test_a_token_of_another_kind_is_rejected(keys, made):
    with pytest.raises(TokenRejectedError) as refused:
        await keys.verify(made)
    assert refused.type is TokenRejectedError, "only a genuine token is called expired"


async def test_the_token_of_a_service_client_is_not_of_a_user(keys):
    principal = ClientPrincipal(client_id=ClientId("cli_" + "0d" * 16), scopes=frozenset())
    made = client_claims(issuer=ISSUER, client=principal, now=NOW)
    with pytest.raises(TokenRejectedError):
        await keys.verify(jwt.sign(KEY, kid="k1", typ=ACCESS_TYPE, claims=made))


async def test_a_kept_token_ends_at_its_time(keys, clock):
    made = token()
    await keys.verify(made)
    clock.now += timedelta(seconds=ACCESS_SECONDS + 11)
    for _ in range(2):
        with pytest.raises(TokenExpiredError):
            await keys.verify(made)


async def test_unknown_key_ids_fetch_the_keys_once_in_a_while(keys, server):
    await keys.verify(token())
    for number in range(20):
        with pytest.raises(TokenRejectedError):
            await keys.verify(token(kid=f"x{number}"))
    assert server.paths() == [JWKS], "they were fetched a moment ago"


async def test_a_new_key_is_found_and_a_removed_one_ends_its_tokens(keys, server):
    made = token()
    await keys.verify(made)
    server.answers[JWKS] = 200, {"keys": [public_jwk("k2", OTHER.public_key())]}
    keys._tried_at -= 60
    await keys.verify(token(key=OTHER, kid="k2"))
    with pytest.raises(TokenRejectedError):
        await keys.verify(made)


async def test_another_key_of_the_same_id_ends_the_tokens_of_the_first(keys, server):
    made = token()
    await keys.verify(made)
    server.answers[JWKS] = 200, {"keys": [public_jwk("k1", OTHER.public_key())]}
    keys._tried_at = keys._fetched_at = float("-inf")
    with pytest.raises(TokenRejectedError):
        await keys.verify(made)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"Cache-Control": "no-store"}, 60),
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": "max-age=20, public"}, 20),
        ({"Cache-Control": "MAX-AGE=20"}, 20),
        ({"Cache-Control": "public, max-age=300"}, 60),
        ({"Cache-Control": "public, s-max-age=5, max-age=30"}, 30),
        ({"Cache-Control": "public, max-age=60", "Age": "45"}, 15),
        ({"Cache-Control": "public, max-age=60", "Age": "90"}, 0),
        ({"Cache-Control": "public, max-age=60", "Age": "-1"}, 60),
        ({"Cache-Control": "public, max-age=-1"}, 60),
        ({"Cache-Control": "public, max-age=" + "9" * 400}, 60),
    ],
)
def test_the_headers_say_how_long_keys_are_used_and_a_minute_at_most(headers, seconds):
    assert fresh_seconds(headers) == seconds


@pytest.mark.rule("T5")
@pytest.mark.parametrize(("max_age", "seconds"), [(20, 21), (300, 61)])
async def test_a_key_that_is_gone_counts_no_longer_than_the_answer_says(
    keys, server, max_age, seconds
):
    async def answer(writer):
        jwks = {"keys": [public_jwk("k1", KEY.public_key())]}
        write(writer, 200, jwks, Cache_Control=f"public, max-age={max_age}")

    server.answers[JWKS] = answer
    made = token()
    await keys.verify(made)
    server.answers[JWKS] = 200, {"keys": [public_jwk("k2", OTHER.public_key())]}
    keys._fetched_at -= seconds - 2
    keys._tried_at -= seconds - 2
    await keys.verify(made)
    keys._fetched_at -= 2
    keys._tried_at -= 2
    with pytest.raises(TokenRejectedError):
        await keys.verify(made)


@pytest.mark.rule("T5")
async def test_local_mode_refuses_a_revoked_key_as_soon_as_it_is_told(server, clock):
    async with client(server, mode="local", issuer=ISSUER) as rc:
        known, fresh = token(), token(acct=...)
        keys = rc.token_keys()
        keys._now = clock
        await rc.verify(known)
        assert rc._follower is not None
        rc._follower.revoked_keys.add("k1")
        for made in (known, fresh):
            with pytest.raises(TokenRejectedError):
                await rc.verify(made)
    assert server.paths().count(JWKS) == 1, "the key set still has it"


async def test_a_known_key_does_not_wait_for_a_rolecall_that_hangs(keys, server):
    made = token()
    await keys.verify(made)
    server.answers[JWKS] = stall
    keys._fetched_at -= 100
    keys._tried_at -= 100
    keys._timeout = 60.0
    async with asyncio.timeout(30):  # the whole attempt takes a minute
        assert (await keys.verify(made)).user_id == USER


@pytest.mark.parametrize(
    "answer",
    [
        (503, {}),
        (200, {"keys": 7}),
        (200, {"keys": [5, "a", None]}),
        (200, {"keys": [{"kty": "OKP", "crv": "Ed25519"}]}),
        (200, {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": 5}]}),
        (200, {"keys": [{**public_jwk("k1", KEY.public_key()), "kid": ["k1"]}]}),
        stall,
    ],
)
async def test_without_keys_nothing_is_known_about_a_token(keys, server, answer):
    server.answers[JWKS] = answer
    keys._timeout = 0.2
    with pytest.raises(NoAnswerError):
        await keys.verify(token())


async def test_the_last_keys_are_trusted_for_an_hour_while_rolecall_is_away(keys, server):
    await keys.verify(token())
    server.answers[JWKS] = 503, {}
    keys._fetched_at -= 1000
    keys._tried_at -= 1000
    await keys.verify(token(acct=...))
    keys._fetched_at -= 3600
    with pytest.raises(NoAnswerError):
        await keys.verify(token())


async def test_a_bounded_number_of_tokens_is_kept(keys):
    user = await keys.verify(token())
    keys._verified = {str(number): ("k1", user) for number in range(MAX_CACHED_TOKENS)}
    last = token()
    await keys.verify(last)
    assert len(keys._verified) == MAX_CACHED_TOKENS
    assert last in keys._verified
