"""What the pages say about a refusal of the API, in the words of a person at a form."""

from collections.abc import Mapping

from services.console.adapters.api import UNAVAILABLE, ApiRefusal

NO_PASSKEY = "No passkey was used. Try again, or sign in another way."
SIGN_IN_OVER = (
    "This sign-in took too long, or it was begun in another tab or browser. Begin it again."
)
ISSUER_FAILED = "The other service did not sign you in. Try again, or sign in another way."
ISSUER_REFUSED = "You did not allow the sign-in at the other service. Nothing was changed."
FOR_PEOPLE: Mapping[str, str] = {
    "wrong-credentials": "The e-mail address or the password is wrong.",
    "otp-required": "Enter the code of your authenticator app, or a recovery code.",
    "wrong-otp": "This code is wrong or was used already. Enter the next one.",
    "link-invalid": "This link is not valid any more. It may have been used already."
    " Ask for a new one.",
    "invitation-not-valid": "This invitation is not valid any more, or it is for another address."
    " Ask the sender for a new one.",
    "account-exists": "A user with this address exists already. Sign in, then accept the"
    " invitation.",
    "already-member": "You are a member of this team already.",
    "passkey-challenge-over": "This took too long. Use your passkey again.",
    "passkey-refused": "This passkey is not known here, or it did not check that it is you. Use"
    " another one, or sign in another way.",
    "no-connection": "This address has no sign-in with a company. Sign in with your password.",
    "sso-sign-in-over": SIGN_IN_OVER,
    "issuer-answer-invalid": ISSUER_FAILED,
    "issuer-unavailable": "The other service does not answer at the moment. Try again in a few"
    " seconds, or sign in another way.",
    "identity-not-linked": "This sign-in does not belong to a user here yet. Sign in another way,"
    " or create an account.",
    "wrong-password": "The password is wrong. Enter the one that you sign in with.",
    "sign-in-again": "You have no password and no second factor here. Sign in again, then go on"
    " within five minutes.",
    "enrolment-missing": "This took too long, or the app was added already. Look at the list below"
    " before you begin again.",
    "no-second-factor": "Recovery codes need a second factor. Add an app first.",
    "busy": "The server is busy at the moment. Try again in a second.",
    UNAVAILABLE: "The server does not answer at the moment. Nothing was changed as far as we know."
    " Try again in a few seconds.",
}
"""By the code of the refusal; others are shown with the detail that the API gives."""

FORMER_LIVES = (
    "You were not signed in, because your earlier session in this browser could not be ended. Sign"
    " in again in a few seconds."
)
DONE: Mapping[str, str] = {
    "password-reset": "Your password was changed. Sign in with the new one.",
    "address-changed": "Your new address counts from now on. Your other sessions have ended.",
    "address-restored": "Your former address counts again, and every session has ended. Have a link"
    " mailed to it, and choose a new password.",
    "signed-out": "You are signed out.",
    "sent-again": "If a sign-up waits for this address, its mail was sent again.",
    "sign-in": "Sign in to go on.",
    "expired": "Your session has ended. Sign in again to go on.",
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
NO_COOKIES = (
    "Your browser sent no cookie. Allow cookies for this site, and open it with https://. Then"
    " press the button again."
)


def sentence(refusal: ApiRefusal) -> str:
    """Return what went wrong, and what to do."""
    if refusal.status == 429:
        return f"Too many attempts. Wait {_wait(refusal.retry_after)}, then try again."
    return FOR_PEOPLE.get(refusal.code) or refusal.detail or FOR_PEOPLE[UNAVAILABLE]


def _wait(seconds: int | None) -> str:
    if seconds is None or seconds <= 1:
        return "a moment"
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{round(seconds / 60)} minutes"
