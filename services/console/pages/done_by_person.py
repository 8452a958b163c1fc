"""What a page of one person says about the press before it, by the word in its address."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText
from services.console.pages.refusals.every import SESSION_OVER

DONE_BY_PERSON: Mapping[str, PageText] = {
    "password-reset": PageText(
        "Your password was changed. Sign in with the new one.",
        "Ihr Passwort wurde geändert. Melden Sie sich mit dem neuen an.",
    ),
    "verified": PageText(
        "Your address is verified already. Sign in with the password that you chose.",
        "Ihre Adresse ist schon bestätigt. Melden Sie sich mit dem Passwort an, das Sie gewählt"
        " haben.",
    ),
    "address-changed": PageText(
        "Your new address counts from now on. Your other sessions have ended.",
        "Ihre neue Adresse gilt ab jetzt. Ihre anderen Sitzungen sind beendet.",
    ),
    "address-restored": PageText(
        "Your former address counts again, and every session has ended. Have a link mailed to it,"
        " and choose a new password.",
        "Ihre frühere Adresse gilt wieder, und alle Sitzungen sind beendet. Lassen Sie sich einen"
        " Link dorthin schicken, und wählen Sie ein neues Passwort.",
    ),
    "factor-removed": PageText(
        "The second factor was removed, and every session has ended. Have a link mailed to you, and"
        " choose a new password.",
        "Der zweite Faktor wurde entfernt, und alle Sitzungen sind beendet. Lassen Sie sich einen"
        " Link schicken, und wählen Sie ein neues Passwort.",
    ),
    "signed-out": PageText("You are signed out.", "Sie sind abgemeldet."),
    "sent-again": PageText(
        "If a sign-up waits for this address, its mail was sent again.",
        "Wenn für diese Adresse eine Registrierung wartet, wurde ihre E-Mail noch einmal gesendet.",
    ),
    "sign-in": PageText("Sign in to go on.", "Melden Sie sich an, um weiterzumachen."),
    "expired": SESSION_OVER,
    "passkey-added": PageText(
        "The passkey was added. You can sign in with it alone.",
        "Der Passkey wurde hinzugefügt. Sie können sich mit ihm allein anmelden.",
    ),
    "passkey-renamed": PageText(
        "The passkey has another name.", "Der Passkey hat einen anderen Namen."
    ),
    "passkey-removed": PageText(
        "The passkey was removed. Also delete it in the device that has it.",
        "Der Passkey wurde entfernt. Löschen Sie ihn auch auf dem Gerät, das ihn hat.",
    ),
    "session-ended": PageText(
        "The session has ended. That device has to sign in again.",
        "Die Sitzung ist beendet. Dieses Gerät muss sich neu anmelden.",
    ),
    "sessions-ended": PageText(
        "Your other sessions have ended. Those devices have to sign in again.",
        "Ihre anderen Sitzungen sind beendet. Diese Geräte müssen sich neu anmelden.",
    ),
    "identity-linked": PageText(
        "The service was linked. You can sign in with it.",
        "Der Dienst ist verknüpft. Sie können sich mit ihm anmelden.",
    ),
    "identity-unlinked": PageText(
        "The service was unlinked. Your other sessions have ended.",
        "Die Verknüpfung ist gelöst. Ihre anderen Sitzungen sind beendet.",
    ),
    "app-removed": PageText(
        "The authenticator app was removed.", "Die Authenticator-App wurde entfernt."
    ),
    "second-factor-required": PageText(
        "This account lets members in only with a second factor. Add one here, then go back and"
        " switch to the account.",
        "Dieses Konto lässt Mitglieder nur mit einem zweiten Faktor ein. Fügen Sie hier einen"
        " hinzu, gehen Sie dann zurück, und wechseln Sie zum Konto.",
    ),
    "language-saved": PageText(
        "Your language and time zone are saved.", "Ihre Sprache und Zeitzone sind gespeichert."
    ),
    "renamed": PageText("Your name was changed.", "Ihr Name wurde geändert."),
    "address-asked": PageText(
        "A link was mailed to the new address. Open it there within a day.",
        "Eine E-Mail mit einem Link ging an die neue Adresse. Öffnen Sie ihn dort innerhalb eines"
        " Tages.",
    ),
    "password-changed": PageText(
        "Your password was changed. Your other sessions have ended.",
        "Ihr Passwort wurde geändert. Ihre anderen Sitzungen sind beendet.",
    ),
    "person-deleted": PageText(
        "You were deleted from this platform.", "Sie wurden von dieser Plattform gelöscht."
    ),
    "deleted-or-expired": PageText(
        "Your session has ended. If you have pressed the button that deletes you before, you were"
        " deleted. Else nothing was changed: sign in again to go on.",
        "Ihre Sitzung ist zu Ende. Wenn Sie die Schaltfläche zum Löschen schon vorher gedrückt"
        " haben, wurden Sie gelöscht. Sonst ist nichts geändert: Melden Sie sich wieder an, um"
        " weiterzumachen.",
    ),
    "declined": PageText(
        "You declined the invitation. The team was told.",
        "Sie haben die Einladung abgelehnt. Das Team wurde benachrichtigt.",
    ),
}
