"""Only calls that a service signed for this one are accepted."""

import pytest
from pydantic import SecretStr

from rolecall.client import jwt
from rolecall.client.jwt import BadToken
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalSigner, InternalVerifier
from shared.auth.keys import generate_service_keys, read_private
from shared.auth.principals import ServicePrincipal, actor_of
from shared.contracts.facts import Actor
from shared.problems import Unauthenticated
from tests.clocks import SetClock

KEYS = generate_service_keys(("team", "authz", "audit"))
CLOCK = SetClock()
SECOND = int(CLOCK.now().timestamp())
USER = Actor(type="user", id="usr_" + "0a" * 16, session_id="ses_" + "0b" * 16, name="Ann")


def signer(service: str = "authz", *, key: str | None = None) -> InternalSigner:
    secret = SecretStr(KEYS.private[key or service])
    return InternalSigner(service=service, key=secret, clock=CLOCK)


@pytest.fixture
def verifier() -> InternalVerifier:
    return InternalVerifier(service="team", keys=KEYS.public, clock=CLOCK)


def token(*, kid="authz", typ="internal+jwt", key="authz", **changes) -> str:
    claims = {"iss": "authz", "aud": "team", "jti": "1", "iat": SECOND, "exp": SECOND + 60}
    return jwt.sign(read_private(KEYS.private[key]), kid=kid, typ=typ, claims=claims | changes)


def test_a_call_names_its_service_and_the_principal_it_acts_for(verifier: InternalVerifier):
    principal = verifier.verify(signer().token("team", act=USER))
    assert principal == ServicePrincipal(
        service="authz", act=Actor(type="user", id=USER.id, session_id=USER.session_id)
    )
    assert actor_of(principal).id == USER.id


def test_a_call_without_a_principal_is_the_services_own(verifier: InternalVerifier):
    assert actor_of(verifier.verify(signer().token("team"))).type == "service"


BAD = {
    "made for another service": signer().token("audit"),
    "signed with another service's key": signer("authz", key="audit").token("team"),
    "an unknown service": token(kid="console"),
    "a key id of another service than the issuer": token(iss="audit"),
    "an access token": token(typ="at+jwt"),
    "a minute too long": token(exp=SECOND + 61),
    "expired": token(iat=SECOND - 60, exp=SECOND - 10),
    "from the future": token(iat=SECOND + 11, exp=SECOND + 60),
    "acting for a word": token(act="usr_1"),
    "acting for a kind that is none": token(act={"type": "root", "id": "1"}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_call_is_refused(verifier: InternalVerifier, text: str):
    with pytest.raises(BadToken):
        verifier.verify(text)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic eA==", "Bearer é", "x"])
async def test_a_header_without_a_bearer_token_is_unauthenticated(header: str | None):
    authenticator = Authenticator(admin_key=SecretStr("k" * 32))
    with pytest.raises(Unauthenticated):
        await authenticator.bearer(header)
    with pytest.raises(Unauthenticated):
        authenticator.service(header)
    with pytest.raises(Unauthenticated):
        authenticator.admin(header)


@pytest.mark.parametrize("key", [None, SecretStr("another key than the one that is sent")])
def test_only_the_operator_key_authenticates_the_operator(key: SecretStr | None):
    with pytest.raises(Unauthenticated):
        Authenticator(admin_key=key).admin("Bearer " + "k" * 32)
    right = Authenticator(admin_key=SecretStr("k" * 32)).admin("bearer " + "k" * 32)
    assert actor_of(right).type == "operator"
