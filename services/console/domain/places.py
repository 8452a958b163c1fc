"""The paths of the pages, and where a visitor goes after signing in."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

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
IDENTITIES = "/security/identities"
OWN_TOKENS = "/security/tokens"
STATIC = "/console/static"
ACCOUNTS = "/console/accounts"
PROFILE = "/console/profile"
DELETE_PERSON = "/console/profile/delete"
NEW_TEAM = "/console/new-team"
DESIGN = "/console/design"
ACCOUNT = "/console/accounts/{account_id}"
"""Below it are the pages of one account, which the address names."""
TOKENS = f"{ACCOUNT}/tokens"
TOKEN_NEW = f"{TOKENS}/new"
TOKEN = f"{TOKENS}/{{token_id}}"
TOKEN_REVOKE = f"{TOKEN}/revoke"
USAGE = f"{ACCOUNT}/usage"
USAGE_FILE = f"{USAGE}/file"
SETTINGS = f"{ACCOUNT}/settings"
SECOND_FACTOR = f"{SETTINGS}/second-factor"
CATALOG = f"{SETTINGS}/catalog"
COMPANY = f"{SETTINGS}/sign-in"
COMPANY_NEW = f"{COMPANY}/new"
COMPANY_ONE = f"{COMPANY}/{{connection_id}}"
COMPANY_DELETE = f"{COMPANY_ONE}/delete"
LOG_KEEPING = f"{SETTINGS}/log"
OWNERSHIP = f"{SETTINGS}/ownership"
REVERT = f"{SETTINGS}/revert"
DELETE_ACCOUNT = f"{SETTINGS}/delete"
GUARDRAILS = f"{SETTINGS}/guardrails"
GUARDRAIL_NEW = f"{GUARDRAILS}/new"
GUARDRAIL = f"{GUARDRAILS}/{{guardrail_id}}"
WEBHOOKS = f"{SETTINGS}/webhooks"
WEBHOOK_NEW = f"{WEBHOOKS}/new"
WEBHOOK = f"{WEBHOOKS}/{{webhook_id}}"
WEBHOOK_DELETE = f"{WEBHOOK}/delete"
STREAMS = f"{SETTINGS}/streams"
STREAM_NEW = f"{STREAMS}/new"
STREAM = f"{STREAMS}/{{stream_id}}"
STREAM_DELETE = f"{STREAM}/delete"
MEMBERS_LIVE = f"{ACCOUNT}/members/live"
LOG = f"{ACCOUNT}/log"
LOG_LIVE = f"{LOG}/live"
"""What a script of ours follows: no page."""
LOG_RECORD = f"{LOG}/records/{{event_id}}"
LOG_PROOF = f"{LOG_RECORD}/proof"
LOG_SEARCHES = f"{LOG}/searches"
LOG_SEARCH = f"{LOG_SEARCHES}/{{search_id}}"
LOG_SEARCH_DELETE = f"{LOG_SEARCH}/delete"
LOG_EXPORT = f"{LOG}/export"
LOG_FILE = f"{LOG_EXPORT}/file"
LOG_SEAL = f"{LOG}/seal"

SAID_ONCE = frozenset({"done", "revision"})
"""What an address says of the press before it."""
DESTINATIONS = frozenset(
    {
        HOME,
        PROFILE,
        DELETE_PERSON,
        SECURITY,
        PASSKEYS,
        SESSIONS,
        IDENTITIES,
        OWN_TOKENS,
        INVITATION,
        CONFIRM_EMAIL,
        NOTIFICATIONS,
        PREFERENCES,
        ACCOUNTS,
        NEW_TEAM,
        DESIGN,
    }
)
NOT_PAGES = (USAGE_FILE, LOG_FILE, LIVE, LOG_LIVE, MEMBERS_LIVE)
"""Files, and what scripts follow: each is a step below the page that offers it."""
MAX_PATH = 1_000
"""Of an address to which a sign-in leads back; a sealed cookie carries it to an issuer."""
_STEP = "[A-Za-z0-9_-]+"
_NOT_A_PAGE = re.compile("|".join(re.sub(r"{\w+}", _STEP, path) for path in NOT_PAGES), re.ASCII)
_OF_ACCOUNTS = re.compile(rf"/console/accounts(/{_STEP})+(\?[A-Za-z0-9_.~%=&-]*)?", re.ASCII)


def destination(asked: str) -> str:
    """Return a page of ours: no link can send a visitor elsewhere.

    Of a file, and of what a script follows, it is the page that offers it: an issuer's answer leads
    on, and a file is given to a press here alone.
    """
    path, mark, query = asked.partition("?")
    if _NOT_A_PAGE.fullmatch(path):
        asked = path.rpartition("/")[0] + mark + query
    known = asked in DESTINATIONS or (len(asked) <= MAX_PATH and _OF_ACCOUNTS.fullmatch(asked))
    return asked if known else HOME


def account_path(account_id: str, *steps: str) -> str:
    """The address of a page of an account; without steps it leads to the first section."""
    return "/".join([ACCOUNTS, *(quote(step, safe="") for step in (account_id, *steps))])


def changed_address(path: str, query: Mapping[str, str], **changes: str | None) -> str:
    """The address with a changed query; None takes a field away, and `done` is said once."""
    fields = {name: text for name, text in query.items() if name not in SAID_ONCE}
    fields |= {name: text or "" for name, text in changes.items()}
    kept = {name: text for name, text in fields.items() if text}
    return f"{path}?{urlencode(kept, quote_via=quote)}" if kept else path
