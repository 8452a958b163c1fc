"""A local issuer of OpenID Connect, which can misbehave. As a program it serves one for a trial.

python -m tests.support.issuer 18151 ana@example.com
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.identity.domain.id_tokens import half_hash
from shared.clock import SystemClock
from shared.runtime.listeners import listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from shared.clock import Clock

CLIENT_ID = "rolecall"
CLIENT_SECRET = "the-secret-of-rolecall-at-the-issuer"
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
"""One of each kind for all issuers of a run: an RSA key takes long to make."""


def public_row(algorithm: str, *, kid: str, key: Any = None) -> dict[str, Any]:
    """The public half of a key as a member of a key set."""
    public = (key or KEYS[algorithm]).public_key()
    row = jwt.get_algorithm_by_name(algorithm).to_jwk(public, as_dict=True)
    return {**row, "kid": kid, "use": "sig", "alg": algorithm}


@dataclass
class LocalIssuer:
    """The issuer: whom it signs in, how it signs, and what it does wrong.

    `claims` replace those of each token; `None` leaves one out. `sign` makes another token of the
    claims. `token` answers the exchange of a code in its place. `names_itself` tells whether it
    puts `iss` into each answer (RFC 9207). With `refuses` the browser brings back this error.
    """

    clock: Clock
    url: str = ""
    algorithm: str = "RS256"
    kid: str = "k1"
    keys: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    token: Callable[[web.Request], Any] | None = None
    names_itself: bool = True
    refuses: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """The paths of the requests so far."""

    def forget(self) -> None:
        """Be as at the start."""
        self.__init__(self.clock, self.url)  # type: ignore[misc]

    def key_set(self) -> list[dict[str, Any]]:
        return self.keys or [public_row(name, kid=self.kid) for name in KEYS]

    def browse(self, authorization_url: str) -> dict[str, str]:
        """What the browser brings back: the page of the issuer signs the person in at once."""
        query = {name: one for name, [one] in parse_qs(urlsplit(authorization_url).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"state": query["state"], "code": code, "redirect_uri": query["redirect_uri"]}
        if self.refuses:
            answer["error"] = self.refuses
            del answer["code"]
        return answer | ({"iss": self.url} if self.names_itself else {})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._metadata)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        return app

    async def _metadata(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "HS256"],
                "authorization_response_iss_parameter_supported": self.names_itself,
                **self.metadata,
            }
        )

    async def _keys(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response({"keys": self.key_set()})

    async def _authorize(self, request: web.Request) -> web.Response:
        answer = self.browse(str(request.url))
        place = answer.pop("redirect_uri")
        raise web.HTTPFound(f"{place}?{urlencode(answer)}")

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.token is not None:
            answered: web.StreamResponse = await self.token(request)
            return answered
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if (
            asked is None
            or request.headers.get("Authorization") != f"Basic {pair}"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access_token = secrets.token_urlsafe(16)
        token = self.id_token(nonce=asked["nonce"], access_token=access_token)
        return web.json_response({"access_token": access_token, "id_token": token})

    def id_token(self, *, nonce: str, access_token: str) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            "at_hash": half_hash(access_token, self.algorithm),
            **self.person,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return (self.sign or self.signed)(claims)

    def signed(
        self, claims: dict[str, Any], *, key: Any = None, algorithm: str = "", kid: str | None = ""
    ) -> str:
        """A token of these claims, signed as the issuer does it."""
        algorithm = algorithm or self.algorithm
        kid = self.kid if kid == "" else kid
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(claims, key or KEYS[algorithm], algorithm, headers=headers)

    def with_public_key_as_secret(self, claims: dict[str, Any]) -> str:
        """A token signed with HS256, with the issuer's public key as the secret."""
        public = KEYS["RS256"].public_key()
        secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return by_hand({"alg": "HS256", "kid": self.kid}, claims, secret=secret)


def by_hand(header: dict[str, Any], claims: dict[str, Any], *, secret: bytes | None = None) -> str:
    """A token that no library makes."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header, claims)
    ]
    message = ".".join(parts)
    mac = b"" if secret is None else hmac.new(secret, message.encode(), sha256).digest()
    return f"{message}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@asynccontextmanager
async def local_issuer(
    clock: Clock, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[LocalIssuer]:
    """An issuer on this machine."""
    issuer = LocalIssuer(clock)
    runner = web.AppRunner(issuer.app())
    await runner.setup()
    socket = listen(host, port)
    await web.SockSite(runner, socket).start()
    issuer.url = f"http://{host}:{socket.getsockname()[1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()


@contextmanager
def issuer_in_thread(host: str) -> Iterator[LocalIssuer]:
    """An issuer for a test that has no event loop of its own."""
    ready, over = threading.Event(), asyncio.Event()
    made: list[LocalIssuer] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with local_issuer(SystemClock(), host=host) as issuer:
            made.append(issuer)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield made[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _serve(port: int, email: str) -> None:
    async with local_issuer(SystemClock(), port=port) as issuer:
        issuer.person = {"sub": email, "email": email, "email_verified": True, "name": "Ana Diaz"}
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))
