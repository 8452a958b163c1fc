"""The words of the page that asks for a sign-in while it keeps what was typed."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

KEPT: Mapping[str, PageText] = {
    "again_title": PageText("Sign in again", "Noch einmal anmelden"),
    "again_text": PageText(
        "Your session has ended. What you entered is kept: sign in, and it is in the form again.",
        "Ihre Sitzung ist zu Ende. Ihre Eingaben bleiben erhalten: Melden Sie sich an, dann stehen"
        " sie wieder im Formular.",
    ),
    "again_secrets": PageText(
        "Secrets are not kept. Enter them again afterwards.",
        "Geheimnisse bleiben nicht erhalten. Geben Sie sie danach noch einmal ein.",
    ),
    "again_gone": PageText(
        "Your session has ended. What you entered could not be kept: it is too long, or an hour has"
        " passed. Sign in, and enter it again.",
        "Ihre Sitzung ist zu Ende. Ihre Eingaben konnten nicht erhalten werden: Sie sind zu lang,"
        " oder es ist eine Stunde vergangen. Melden Sie sich an, und geben Sie sie noch einmal"
        " ein.",
    ),
    "again_press": PageText("Sign in and go on", "Anmelden und weitermachen"),
    "again_as": PageText("You are signing in as {email}.", "Sie melden sich als {email} an."),
    "again_email": PageText("E-mail address", "E-Mail-Adresse"),
    "again_password": PageText("Password", "Passwort"),
    "again_code": PageText("Code", "Code"),
    "again_code_hint": PageText(
        "The six digits of your authenticator app, or a recovery code.",
        "Die sechs Ziffern Ihrer Authenticator-App oder ein Wiederherstellungscode.",
    ),
    "again_other": PageText(
        "With a passkey or your company: sign in in a new tab, then come back to this one.",
        "Mit einem Passkey oder über Ihr Unternehmen: Melden Sie sich in einem neuen Tab an, und"
        " kommen Sie dann in diesen zurück.",
    ),
    "again_open": PageText("Sign in in a new tab", "In einem neuen Tab anmelden"),
    "again_done": PageText("I have signed in", "Ich habe mich angemeldet"),
}
SIGNED_IN_AGAIN = PageText(
    "You have signed in again. Nothing was changed yet: look at what you entered, then press the"
    " button again.",
    "Sie haben sich wieder angemeldet. Noch ist nichts geändert: Sehen Sie sich Ihre Eingaben an,"
    " und drücken Sie die Schaltfläche noch einmal.",
)
TEXT_GONE = PageText(
    "You have signed in again. What you entered before could not be kept: enter it again.",
    "Sie haben sich wieder angemeldet. Ihre Eingaben konnten nicht erhalten werden: Geben Sie sie"
    " noch einmal ein.",
)
