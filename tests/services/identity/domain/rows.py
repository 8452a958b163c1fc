"""A user, a pending sign-up, a session and a client for the tables of rules."""

from datetime import UTC, datetime, timedelta

from services.identity.domain.devices import Origin
from services.identity.domain.service_clients import ServiceClient, hash_secret
from services.identity.domain.sessions import SessionLifetime, UserSession
from services.identity.domain.sign_up import PendingSignUp
from services.identity.domain.sso_sign_in import SsoSignIn
from services.identity.domain.users import User
from shared.ids import AccountId, ClientId, SessionId, SignUpId, UserId

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER = User(
    id=UserId("usr_1"),
    email="ana@example.com",
    email_key="ana@example.com",
    name="Ana",
    password_hash="h",
    account_id=AccountId("acc_1"),
    created_at=NOON,
    verified_at=NOON,
)
PENDING = PendingSignUp(
    id=SignUpId("sup_1"),
    email="ana@example.com",
    email_key="ana@example.com",
    name="Ana",
    generation=2,
    link_made_at=NOON,
)
SESSION = UserSession(
    id=SessionId("ses_1"),
    user_id=USER.id,
    account_id=USER.account_id,
    started_at=NOON,
    expires_at=NOON + timedelta(days=30),
    generation=3,
    rotated_at=NOON,
)
LIFETIME = SessionLifetime(idle=timedelta(days=30), longest=timedelta(days=90))
ORIGIN = Origin(device="Firefox on Linux", network="203.0.113.7")
SSO_SIGN_IN = SsoSignIn(
    state="s" * 43,
    nonce="n" * 43,
    verifier="v" * 43,
    connection_id="corp",
    issuer="https://issuer.example",
    redirect_uri="https://rolecall.example/sign-in/callback/corp",
    begun_at=NOON,
)
CLIENT = ServiceClient(
    id=ClientId("cli_" + "1" * 32),
    name="billing",
    secret_hash=hash_secret("rcs_right"),
    scopes=("authz:check", "audit:write"),
    account_ids=("acc_1",),
    resource_types=None,
)
