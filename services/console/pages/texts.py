"""What the pages say about a refusal of the API, in the words of a person at a form."""

from collections.abc import Mapping

from services.console.adapters.api import UNAVAILABLE, ApiRefusal
from services.console.pages.done import DONE_IN_ACCOUNTS
from services.console.pages.page_text import Fault, PageText
from services.console.pages.refusals import in_account as in_account_text

NO_PASSKEY = "No passkey was used. Try again, or sign in another way."
NO_NEW_PASSKEY = "No passkey was made. Try again, or use another device."
SIGN_IN_OVER = (
    "This sign-in took too long, or it was begun in another tab or browser. Begin it again."
)
ISSUER_FAILED = "The other service did not sign you in. Try again, or sign in another way."
ISSUER_REFUSED = "You did not allow the sign-in at the other service. Nothing was changed."
SESSION_OVER = "Your session has ended. Sign in again to go on."
INCOMPLETE = "What arrived was not complete or not valid. Check what you entered, and try again."
UNKNOWN = "This did not work. Reload the page, and try again. If it goes on, tell the operator."
"""Of a refusal that no page expects: what the API says to programs is never shown to people."""
FOR_PEOPLE: Mapping[str, str] = {
    "wrong-credentials": "The e-mail address or the password is wrong.",
    "otp-required": "Enter a code of your authenticator app, or a recovery code.",
    "wrong-otp": "This code is wrong or was used already. Enter the next one.",
    "user-disabled": "The platform has disabled your sign-in. Ask the platform for the reason.",
    "link-invalid": "This link is not valid any more. It may have been used already."
    " Ask for a new one.",
    "invitation-not-valid": "This invitation is not valid any more, or it is for another address."
    " Ask the sender for a new one.",
    "account-exists": "A user with this address exists already. Sign in, then accept the"
    " invitation.",
    "already-a-member": "You are a member of this team already.",
    "member-limit": "The team has no free seat at the moment. Ask the person who invited you.",
    "guardrail-violated": "A rule of the team does not allow this. Ask the person who invited you.",
    "second-factor-required": "This team asks its members for a second factor. Add one on"
    " the page “Security of your sign-in”, then try again.",
    "account-suspended": "The platform has suspended this account. Nothing in it is lost. Its"
    " owner can ask the platform.",
    "account-deleting": "This account is being deleted. Only its owner can restore it.",
    "permission-missing": "Your role in this account does not allow this. Ask an admin of the"
    " account.",
    "not-found": "This does not exist any more, or you have no access to it. Reload the page.",
    "passkey-challenge-over": "This took too long. Use your passkey again.",
    "passkey-refused": "This passkey is not known here, or it did not check that it is you. Use"
    " another one, or sign in another way.",
    "unsubscribe-link-invalid": "This link is not valid. Copy the whole address from the e-mail, or"
    " sign in and choose your e-mails there.",
    "token-restricted": "This sign-in does not allow this. Sign out, then sign in again.",
    "precondition-failed": "Your choices have changed meanwhile, in another tab or by the link of a"
    " mail. The list shows what counts now. Press the button again if you still want this.",
    "no-connection": "This address has no sign-in with a company. Sign in with your password.",
    "connection-paused": "The account of this sign-in is suspended or is being deleted. Sign in"
    " another way, or ask the account's owner.",
    "sso-sign-in-over": SIGN_IN_OVER,
    "issuer-answer-invalid": ISSUER_FAILED,
    "issuer-unavailable": "The other service does not answer at the moment. Try again in a few"
    " seconds, or sign in another way.",
    "identity-not-linked": "This sign-in does not belong to a user here yet. Sign in another way,"
    " or create an account.",
    "step-up-required": "To change this, prove again who you are: press the button again, then"
    " enter a code or your password.",
    "wrong-password": "The password is wrong. Enter the one that you sign in with.",
    "sign-in-again": "You have no password and no second factor here. Sign in again, then go on"
    " within five minutes.",
    "enrolment-missing": "This took too long, or the app was added already. Look at the list below"
    " before you begin again.",
    "passkey-known": "This passkey is added already.",
    "too-many-passkeys": "You have as many passkeys as one can have. Remove one that you do not"
    " use.",
    "last-sign-in": "This is your only way to sign in. Choose a password or add another passkey"
    " first.",
    "no-second-factor": "Recovery codes need a second factor. Add an app first.",
    "dns-unavailable": "The domain of your company cannot be checked at the moment. Try again in a"
    " few seconds, or sign in another way.",
    **dict.fromkeys(
        (
            "unauthenticated",
            "token-invalid",
            "token-expired",
            "token-revoked",
            "refresh-token-invalid",
            "wrong-principal",
        ),
        SESSION_OVER,
    ),
    **dict.fromkeys(
        (
            "invalid",
            "bad-request",
            "malformed-json",
            "wrong-content-type",
            "body-missing",
            "body-broken",
            "body-too-large",
            "body-too-slow",
        ),
        INCOMPLETE,
    ),
    **dict.fromkeys(
        ("busy", "overloaded"), "The server is busy at the moment. Try again in a second."
    ),
    "deadline-exceeded": "The server took too long. Something may have been changed. Reload the"
    " page, look, then try again.",
    "internal-error": "Something went wrong on our side. Try again; if it goes on, tell the"
    " operator.",
    UNAVAILABLE: "The server does not answer at the moment. Nothing was changed as far as we know."
    " Try again in a few seconds.",
}
"""By the code of the refusal."""

FORMER_LIVES = (
    "You were not signed in, because your earlier session in this browser could not be ended. Sign"
    " in again in a few seconds."
)
DONE: Mapping[str, Fault] = {
    **DONE_IN_ACCOUNTS,
    "password-reset": "Your password was changed. Sign in with the new one.",
    "verified": "Your address is verified already. Sign in with the password that you chose.",
    "address-changed": "Your new address counts from now on. Your other sessions have ended.",
    "address-restored": "Your former address counts again, and every session has ended. Have a link"
    " mailed to it, and choose a new password.",
    "factor-removed": "The second factor was removed, and every session has ended. Have a link"
    " mailed to you, and choose a new password.",
    "signed-out": "You are signed out.",
    "sent-again": "If a sign-up waits for this address, its mail was sent again.",
    "sign-in": "Sign in to go on.",
    "expired": SESSION_OVER,
    "passkey-added": "The passkey was added. You can sign in with it alone.",
    "passkey-renamed": "The passkey has another name.",
    "passkey-removed": "The passkey was removed. Also delete it in the device that has it.",
    "session-ended": "The session has ended. That device has to sign in again.",
    "sessions-ended": "Your other sessions have ended. Those devices have to sign in again.",
    "app-removed": "The authenticator app was removed.",
    "codes-saved": "Keep your recovery codes in a safe place.",
    "second-factor-required": "This account lets members in only with a second factor. Add one"
    " here, then go back and switch to the account.",
    "declined": "You declined the invitation. The team was told.",
}
"""What a page says about the page before it, by the word in its address."""

STALE_FORM = (
    "This page was open for too long, or you signed in or out meanwhile. Nothing was changed."
    " Press the button again."
)
OTHER_READER = PageText(
    "You are signed in as another person than when this page was opened. Nothing was changed, and"
    " what was entered is not shown to you.",
    "Sie sind als eine andere Person angemeldet als beim Öffnen dieser Seite. Nichts wurde"
    " geändert, und die Eingaben werden Ihnen nicht gezeigt.",
)
NO_COOKIES = (
    "Your browser sent no cookie. Allow cookies for this site, and open it with https://. Then"
    " press the button again."
)


def sentence(refusal: ApiRefusal, *, in_account: bool = False) -> Fault:
    """Return what went wrong, and what to do; the pages of an account have words of their own."""
    if in_account and (text := in_account_text(refusal)) is not None:
        return text
    if refusal.status == 429:
        return _too_many(refusal.retry_after)
    return FOR_PEOPLE.get(refusal.code, UNKNOWN)


def _too_many(seconds: int | None) -> PageText:
    if seconds is None or seconds <= 1:
        en, de = "a moment", "einen Augenblick"
    elif seconds < 90:
        en, de = f"{seconds} seconds", f"{seconds} Sekunden"
    else:
        en, de = f"{round(seconds / 60)} minutes", f"{round(seconds / 60)} Minuten"
    return PageText(
        f"Too many attempts. Wait {en}, then try again.",
        f"Zu viele Versuche. Warten Sie {de}, und versuchen Sie es dann noch einmal.",
    )
