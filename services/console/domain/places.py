"""The paths of the pages, and where a visitor goes after signing in."""

import re

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
ACCOUNT = "/console/accounts/{account_id}"
"""Below it are the pages of one account, which the address names."""

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
MAX_PATH = 1_000
"""Of an address to which a sign-in leads back; a sealed cookie carries it to an issuer."""
_OF_ACCOUNTS = re.compile(r"/console/accounts(/[A-Za-z0-9_-]+)+(\?[A-Za-z0-9_.~%=&-]*)?", re.ASCII)


def destination(asked: str) -> str:
    """Return a page of ours: no link can send a visitor elsewhere."""
    known = asked in DESTINATIONS or (len(asked) <= MAX_PATH and _OF_ACCOUNTS.fullmatch(asked))
    return asked if known else HOME
