"""The paths of the pages, and where a visitor goes after signing in."""

SIGN_IN = "/sign-in"
SIGN_IN_WITH = "/sign-in/company"
SIGN_IN_PASSKEY = "/sign-in/passkey"
CALLBACK = "/sign-in/callback/{connection}"
SIGN_UP = "/sign-up"
SIGN_UP_SENT = "/sign-up/sent"
SIGN_OUT = "/sign-out"
VERIFY = "/verify"
FORGOT = "/forgot-password"
FORGOT_SENT = "/forgot-password/sent"
RESET = "/reset-password"
CONFIRM_EMAIL = "/confirm-email"
UNDO_EMAIL = "/undo-email"
INVITATION = "/invitations"
REMOVE_FACTOR = "/remove-factor"
UNSUBSCRIBE = "/unsubscribe"
NOTIFICATIONS = "/notifications"
PREFERENCES = "/notifications/settings"
LIVE = "/notifications/live"
"""What a script of ours follows: no page."""
HOME = "/console"
SECURITY = "/security"
PASSKEYS = "/security/passkeys"
SESSIONS = "/security/sessions"
STATIC = "/console/static"

DESTINATIONS = frozenset(
    {
        HOME,
        SECURITY,
        PASSKEYS,
        SESSIONS,
        INVITATION,
        CONFIRM_EMAIL,
        NOTIFICATIONS,
        PREFERENCES,
    }
)


def destination(asked: str) -> str:
    """Return a page of ours: no link can send a visitor elsewhere."""
    return asked if asked in DESTINATIONS else HOME
