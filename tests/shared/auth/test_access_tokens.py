"""Only access tokens exactly as the product signs them are accepted."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rolecall.client.access_tokens import verify_user
from rolecall.client.jwt import BadToken, key_id
from shared.auth.access_tokens import TokenVerifier, client_claims, sign_access_token, user_claims
from shared.auth.authenticator import Authenticator, Credential
from shared.auth.key_sources import StaticKeys
from shared.auth.principals import (
    AccessTokenRef,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.ids import AccountId, ClientId, KeyId, SessionId, TokenId, UserId
from shared.problems import Unauthenticated
from tests.clocks import SetClock

ISSUER = "https://rolecall.test"
NOW = SetClock().now()
SECOND = int(NOW.timestamp())
KID = "key_1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
USER = UserId("usr_" + "0a" * 16)
SESSION = SessionId("ses_" + "0b" * 16)
ACCOUNT = AccountId("acc_" + "0c" * 16)
CLIENT = ClientPrincipal(
    client_id=ClientId("cli_" + "0d" * 16),
    scopes=frozenset({"authz:check"}),
    account_ids=frozenset({ACCOUNT}),
    resource_types=frozenset({"instance"}),
)
HEADER = {"alg": "EdDSA", "typ": "at+jwt", "kid": KID}


def claims(**changes):
    made = user_claims(issuer=ISSUER, user_id=USER, session_id=SESSION, account_id=ACCOUNT, now=NOW)
    return {name: value for name, value in (made | changes).items() if value is not ...}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(head, body, *, key=KEY) -> str:
    """A token whose header and payload are exactly these texts (or these objects as JSON)."""
    parts = [
        part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head, body)
    ]
    text = ".".join(map(b64, parts))
    return f"{text}.{b64(key.sign(text.encode()))}"


def hs256(secret: bytes) -> str:
    text = ".".join(
        b64(json.dumps(part).encode()) for part in (HEADER | {"alg": "HS256"}, claims())
    )
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def with_other_library_key(key, algorithm: str) -> str:
    return pyjwt.encode(claims(), key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": KID})


def good() -> str:
    return signed(HEADER, claims())


def swapped_last_bits() -> str:
    """The same signature bytes, written with unused bits set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = good()
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def spliced() -> str:
    head, _, signature = good().split(".")
    return f"{head}.{b64(json.dumps(claims(sub='usr_' + 'ff' * 16)).encode())}.{signature}"


def doubled(name: str, value: str) -> bytes:
    return json.dumps(claims())[:-1].encode() + f', "{name}": {value}}}'.encode()


RAW_PUBLIC = KEY.public_key().public_bytes_raw()
PEM_PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
JWK = {"kty": "OKP", "crv": "Ed25519", "x": b64(OTHER.public_key().public_bytes_raw())}

BAD = {
    "nothing": "",
    "one word": "x",
    "two parts": ".".join(good().split(".")[:2]),
    "four parts": good() + ".x",
    "an empty signature": good().rsplit(".", 1)[0] + ".",
    "alg none without a signature": ".".join(
        [b64(json.dumps(HEADER | {"alg": "none"}).encode()), b64(json.dumps(claims()).encode()), ""]
    ),
    "alg none with a signature": signed(HEADER | {"alg": "none"}, claims()),
    "alg None in mixed case": signed(HEADER | {"alg": "nOnE"}, claims()),
    "HS256 with the public key's bytes": hs256(RAW_PUBLIC),
    "HS256 with the public key as PEM": hs256(PEM_PUBLIC),
    "HS256 with an empty secret": hs256(b""),
    "ES256": with_other_library_key(ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "RS256": with_other_library_key(rsa.generate_private_key(65537, 2048), "RS256"),
    "alg Ed25519, a name that we do not use": signed(HEADER | {"alg": "Ed25519"}, claims()),
    "no alg": signed({"typ": "at+jwt", "kid": KID}, claims()),
    "no kid": signed({"typ": "at+jwt", "alg": "EdDSA"}, claims()),
    "no typ": signed({"kid": KID, "alg": "EdDSA"}, claims()),
    "typ JWT": signed(HEADER | {"typ": "JWT"}, claims()),
    "typ in capitals": signed(HEADER | {"typ": "AT+JWT"}, claims()),
    "a refresh token as access token": signed(HEADER | {"typ": "rt+jwt"}, claims()),
    "an internal token as access token": signed(HEADER | {"typ": "internal+jwt"}, claims()),
    "an e-mail token as access token": signed(HEADER | {"typ": "verify+jwt"}, claims()),
    "a key in the header (jwk)": signed(HEADER | {"jwk": JWK}, claims(), key=OTHER),
    "a key's address in the header (jku)": signed(HEADER | {"jku": "https://x/jwks"}, claims()),
    "a certificate's address (x5u)": signed(HEADER | {"x5u": "https://x/c.pem"}, claims()),
    "a certificate (x5c)": signed(HEADER | {"x5c": ["MIIB"]}, claims()),
    "a critical extension (crit)": signed(HEADER | {"crit": ["b64"], "b64": False}, claims()),
    "an unencoded payload (b64)": signed(HEADER | {"b64": False}, claims()),
    "a content type (cty)": signed(HEADER | {"cty": "JWT"}, claims()),
    "compression (zip)": signed(HEADER | {"zip": "DEF"}, claims()),
    "a kid that is a path": signed(HEADER | {"kid": "../../dev/null"}, claims()),
    "a kid that is a query": signed(HEADER | {"kid": "1' UNION SELECT 'x"}, claims()),
    "a kid that is an object": signed(HEADER | {"kid": {"$ne": None}}, claims()),
    "a kid that is a list": signed(HEADER | {"kid": [KID]}, claims()),
    "a kid with a line break": signed(HEADER | {"kid": KID + "\n"}, claims()),
    "an unknown kid": signed(HEADER | {"kid": "key_2"}, claims()),
    "another key": signed(HEADER, claims(), key=OTHER),
    "another payload under the signature": spliced(),
    "a signature cut short": good()[:-4],
    "base64 with padding": good() + "=",
    "base64 with a plus sign": good().replace(".", "+.", 1),
    "base64 with a line break": good() + "\n",
    "base64 with unused bits": swapped_last_bits(),
    "a header with a doubled member": signed(
        b'{"alg":"none","typ":"at+jwt","kid":"key_1","alg":"EdDSA"}', claims()
    ),
    "a doubled sub": signed(HEADER, doubled("sub", '"usr_' + "ff" * 16 + '"')),
    "a doubled exp": signed(HEADER, doubled("exp", "99999999999")),
    "a payload that is a list": signed(HEADER, b"[]"),
    "a payload that is not JSON": signed(HEADER, b"hello"),
    "a payload that is not UTF-8": signed(HEADER, b'{"sub":"\xff"}'),
    "a payload nested a thousand times": signed(HEADER, b'{"a":' * 1000 + b"1" + b"}" * 1000),
    "a header that is a list": signed(b"[]", claims()),
    "more than 8 KB": signed(HEADER, claims(pad="x" * 8192)),
    "another issuer": signed(HEADER, claims(iss="https://evil.test")),
    "an issuer with a slash more": signed(HEADER, claims(iss=ISSUER + "/")),
    "a list of issuers": signed(HEADER, claims(iss=[ISSUER])),
    "no issuer": signed(HEADER, claims(iss=...)),
    "another audience": signed(HEADER, claims(aud="console")),
    "a list of audiences": signed(HEADER, claims(aud=["rolecall"])),
    "no audience": signed(HEADER, claims(aud=...)),
    "no sub": signed(HEADER, claims(sub=...)),
    "no jti": signed(HEADER, claims(jti=...)),
    "an empty jti": signed(HEADER, claims(jti="")),
    "a jti that is a number": signed(HEADER, claims(jti=7)),
    "no exp": signed(HEADER, claims(exp=...)),
    "no iat": signed(HEADER, claims(iat=...)),
    "expired": signed(HEADER, claims(iat=SECOND - 300, exp=SECOND - 10)),
    "from the future": signed(HEADER, claims(iat=SECOND + 11, exp=SECOND + 300)),
    "not before a later time": signed(HEADER, claims(nbf=SECOND + 11)),
    "living longer than five minutes": signed(HEADER, claims(exp=SECOND + 301)),
    "ending before it began": signed(HEADER, claims(iat=SECOND + 9, exp=SECOND + 9)),
    "exp as a float": signed(HEADER, claims(exp=SECOND + 299.5)),
    "exp as a string": signed(HEADER, claims(exp=str(SECOND + 300))),
    "exp as true": signed(HEADER, claims(exp=True)),
    "exp as null": signed(HEADER, claims(exp=None)),
    "exp as NaN": signed(HEADER, claims(exp=float("nan"))),
    "exp beyond all clocks": signed(HEADER, claims(exp=10**30, iat=10**30 - 1)),
    "iat as a float": signed(HEADER, claims(iat=float(SECOND))),
    "nbf as a string": signed(HEADER, claims(nbf="0")),
    "a sub that is not a user id": signed(HEADER, claims(sub="root")),
    "a sub that is a number": signed(HEADER, claims(sub=1)),
    "a sub in capitals": signed(HEADER, claims(sub=USER.upper())),
    "a client's sub with a session": signed(HEADER, claims(sub=CLIENT.client_id)),
    "a session that is none": signed(HEADER, claims(sid="1")),
    "an account that is none": signed(HEADER, claims(acct="*")),
    "neither session nor client": signed(HEADER, claims(sid=...)),
    "session and client": signed(HEADER, claims(client_id=CLIENT.client_id, scope="x")),
    "a client that speaks for a user": signed(
        HEADER, claims(sid=..., client_id=CLIENT.client_id, scope="authz:check")
    ),
    "a client with the sub of another one": signed(
        HEADER,
        client_claims(issuer=ISSUER, client=CLIENT, now=NOW) | {"sub": "cli_" + "0e" * 16},
    ),
    "a client whose scope is a list": signed(
        HEADER, client_claims(issuer=ISSUER, client=CLIENT, now=NOW) | {"scope": ["authz:check"]}
    ),
    "a client whose accounts are null": signed(
        HEADER, client_claims(issuer=ISSUER, client=CLIENT, now=NOW) | {"accounts": None}
    ),
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def keys() -> StaticKeys:
    return StaticKeys({KID: KEY.public_key()})


@pytest.fixture
def verifier(clock: SetClock, keys: StaticKeys) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, keys=keys, clock=clock)


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
async def test_a_bad_token_is_refused(verifier: TokenVerifier, token: str):
    with pytest.raises(BadToken):
        await verifier.verify(token)


@pytest.mark.parametrize("name", [name for name in BAD if name.startswith("base64")])
def test_another_encoding_of_the_same_bytes_is_refused_before_key_lookup(name: str):
    assert key_id(good(), typ="at+jwt") == KID
    with pytest.raises(BadToken):
        key_id(BAD[name], typ="at+jwt")


def test_the_table_of_bad_tokens_is_long():
    assert len(BAD) >= 40
    assert len(set(BAD.values())) == len(BAD)


async def test_the_token_that_the_bad_ones_are_made_from_is_good(verifier: TokenVerifier):
    assert await verifier.verify(good()) == UserPrincipal(
        user_id=USER, session_id=SESSION, account_id=ACCOUNT
    )


@pytest.mark.parametrize("types", [None, frozenset(), frozenset({"instance"})])
@pytest.mark.parametrize("accounts", [None, frozenset(), frozenset({ACCOUNT})])
async def test_a_client_keeps_its_scopes_and_bounds(verifier: TokenVerifier, accounts, types):
    client = replace(CLIENT, account_ids=accounts, resource_types=types)
    made = client_claims(issuer=ISSUER, client=client, now=NOW)
    assert await verifier.verify(sign_access_token(KEY, KID, made)) == client


async def test_a_token_without_an_account_is_good(verifier: TokenVerifier):
    principal = await verifier.verify(signed(HEADER, claims(acct=...)))
    assert isinstance(principal, UserPrincipal)
    assert principal.account_id is None


async def test_a_token_that_was_verified_is_refused_once_it_has_expired(
    verifier: TokenVerifier, clock: SetClock
):
    token = sign_access_token(KEY, KID, claims())
    await verifier.verify(token)
    clock.move(309)
    await verifier.verify(token)
    clock.move(1)
    with pytest.raises(BadToken):
        await verifier.verify(token)


async def test_a_token_that_was_verified_is_refused_once_its_key_is_gone(
    verifier: TokenVerifier, keys: StaticKeys
):
    token = good()
    await verifier.verify(token)
    keys.replace({"key_2": OTHER.public_key()})
    with pytest.raises(BadToken):
        await verifier.verify(token)


def test_a_credential_that_comes_again_is_refused_once_it_has_expired(
    verifier: TokenVerifier, clock: SetClock
):
    authenticator = Authenticator(tokens=verifier)
    credential = Credential(f"Bearer {sign_access_token(KEY, KID, claims())}")
    for seconds in (0, 309):
        clock.move(seconds)
        assert authenticator.bearer_now(credential) is not None
    clock.move(1)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            authenticator.bearer_now(credential)


def test_a_credential_that_comes_again_is_unknown_once_its_key_is_gone(
    verifier: TokenVerifier, keys: StaticKeys
):
    authenticator, credential = Authenticator(tokens=verifier), Credential(f"Bearer {good()}")
    assert authenticator.bearer_now(credential) is not None
    keys.replace({"key_2": OTHER.public_key()})
    assert authenticator.bearer_now(credential) is None


async def test_the_cache_of_verified_tokens_is_bounded(keys: StaticKeys, clock: SetClock):
    verifier = TokenVerifier(issuer=ISSUER, keys=keys, clock=clock, max_cached_tokens=3)
    for number in range(5):
        await verifier.verify(signed(HEADER, claims(jti=str(number))))
    assert len(verifier._cached) == 3


DELEGATED = {
    "sid": SESSION,
    "client_id": CLIENT.client_id,
    "scope": "users:act",
    "act": {"sub": CLIENT.client_id},
}
NOT_DELEGATED: list[dict[str, object]] = [
    {"act": {}},
    {"act": "cli_1"},
    {"act": {"sub": USER}},
    {"act": {"sub": "cli_" + "1" * 32}},
    {"act": {"sub": CLIENT.client_id, "act": {"sub": USER}}},
    {"act": {"sub": CLIENT.client_id, "act": []}},
    {
        "act": {
            "sub": CLIENT.client_id,
            "act": {
                "sub": CLIENT.client_id,
                "act": {"sub": CLIENT.client_id, "act": {"sub": CLIENT.client_id}},
            },
        }
    },
    {"sid": None},
    {"sub": CLIENT.client_id},
    {"client_id": None},
    {"made_of": {}},
    {"made_of": ["tok_1"]},
    {"made_of": [["tok_1"]]},
    {"made_of": [["tok_1", 2]]},
    {"made_of": [["tok_1", "key_1"]] * 7},
]


def delegated(**changes: object) -> str:
    claims = user_claims(
        issuer=ISSUER, user_id=USER, session_id=SESSION, account_id=ACCOUNT, now=NOW
    )
    return sign_access_token(KEY, KID, claims | DELEGATED | changes)


async def test_a_client_that_acts_for_a_user_is_neither_of_both() -> None:
    verifier = TokenVerifier(
        issuer=ISSUER, keys=StaticKeys({KID: KEY.public_key()}), clock=SetClock()
    )
    assert await verifier.verify(delegated()) == DelegatedPrincipal(
        user_id=USER, session_id=SESSION, client_ids=(CLIENT.client_id,), account_id=ACCOUNT
    )
    for changes in NOT_DELEGATED:
        with pytest.raises(BadToken):
            await verifier.verify(delegated(**changes))
    chain = await verifier.verify(delegated(made_of=[["tok_1", "key_1"]] * 6))
    assert isinstance(chain, DelegatedPrincipal)
    assert chain.made_of == (AccessTokenRef(TokenId("tok_1"), KeyId("key_1")),) * 6
    with pytest.raises(BadToken):  # a verifier of users alone, as that of the SDK
        verify_user(delegated(), KEY.public_key(), issuer=ISSUER, now=NOW)
