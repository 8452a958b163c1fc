"""The pages of the console."""

from services.console.routes import (
    address_change,
    factor_take_back,
    home,
    invitations,
    notifications,
    own_sessions,
    passkey_sign_in,
    passkeys,
    password_reset,
    security,
    sign_in,
    sign_up,
    sso_sign_in,
    unsubscribe,
    verification,
)

PAGES = (
    *sign_in.PAGES,
    *passkey_sign_in.PAGES,
    *sso_sign_in.PAGES,
    *sign_up.PAGES,
    *verification.PAGES,
    *password_reset.PAGES,
    *address_change.PAGES,
    *factor_take_back.PAGES,
    *invitations.PAGES,
    *unsubscribe.PAGES,
    *home.PAGES,
    *notifications.PAGES,
    *security.PAGES,
    *passkeys.PAGES,
    *own_sessions.PAGES,
)
