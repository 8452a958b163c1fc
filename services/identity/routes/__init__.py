"""The routes of identity: the tables of its public and its internal port."""

from services.identity.routes import (
    account_connections,
    address_change,
    api_tokens,
    disabled_users,
    erasure,
    identities,
    internal,
    introspection,
    mfa,
    oidc,
    own_sessions,
    passkeys,
    password_reset,
    passwords,
    personal_data,
    provisioning,
    revocation,
    service_clients,
    sessions,
    sign_up,
    signing_keys,
    sso_sign_in,
    users,
    verification,
)

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (
    *sign_up.ROUTES,
    *verification.ROUTES,
    *sessions.ROUTES,
    *own_sessions.ROUTES,
    *personal_data.ROUTES,
    *address_change.ROUTES,
    *erasure.ROUTES,
    *password_reset.ROUTES,
    *passwords.ROUTES,
    *users.ROUTES,
    *mfa.ROUTES,
    *passkeys.ROUTES,
    *provisioning.ROUTES,
    *api_tokens.ROUTES,
    *oidc.ROUTES,
    *sso_sign_in.ROUTES,
    *identities.ROUTES,
    *introspection.ROUTES,
    *revocation.ROUTES,
    *account_connections.ROUTES,
)
INTERNAL_ROUTES = (
    *internal.ROUTES,
    *service_clients.ROUTES,
    *disabled_users.ROUTES,
    *signing_keys.ROUTES,
)
