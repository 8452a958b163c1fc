"""Refusals that every route of an account can give."""

from collections.abc import Mapping

from services.console.adapters.api import UNAVAILABLE
from services.console.pages.page_text import PageText

BUSY = PageText(
    "The server is busy at the moment. Try again in a second.",
    "Der Server ist gerade ausgelastet. Versuchen Sie es in einer Sekunde noch einmal.",
)
SESSION_OVER = PageText(
    "Your session has ended. Sign in again to go on.",
    "Ihre Sitzung ist zu Ende. Melden Sie sich wieder an, um weiterzumachen.",
)
INCOMPLETE = PageText(
    "What arrived was not complete or not valid. Check what you entered, and try again.",
    "Die Angaben sind nicht vollständig oder nicht gültig. Prüfen Sie sie, und versuchen Sie es"
    " noch einmal.",
)
GONE = PageText(
    "You have no access to this account any more, or it does not exist. If you were removed or"
    " suspended, ask an admin of the account.",
    "Sie haben keinen Zugang mehr zu diesem Konto, oder es gibt dieses Konto nicht. Wurden Sie"
    " entfernt oder gesperrt, fragen Sie die Verwaltung des Kontos.",
)
"""Of an account of which the visitor is not a member."""
SUSPENDED = PageText(
    "Your membership of this account is suspended. Your role and your own permissions are kept. An"
    " admin of the account can end the suspension.",
    "Ihre Mitgliedschaft in diesem Konto ist gesperrt. Ihre Rolle und Ihre eigenen Berechtigungen"
    " bleiben erhalten. Die Verwaltung des Kontos kann die Sperre aufheben.",
)
"""The same, of a membership that is suspended."""
EVERY: Mapping[str, PageText] = {
    "permission-missing": PageText(
        "Your role in this account does not allow this. Ask an admin of the account.",
        "Ihre Rolle in diesem Konto erlaubt das nicht. Fragen Sie die Verwaltung des Kontos.",
    ),
    "not-found": PageText(
        "This does not exist any more, or you have no access to it. Go back to the page that led"
        " here, and choose again.",
        "Das gibt es nicht mehr, oder Sie haben keinen Zugang dazu. Gehen Sie zurück zu der Seite,"
        " die hierher führte, und wählen Sie neu.",
    ),
    "account-suspended": PageText(
        "The platform has suspended this account. Nothing in it is lost. Its owner can ask the"
        " platform.",
        "Die Plattform hat dieses Konto gesperrt. Es ist nichts verloren. Die Eigentümerin oder der"
        " Eigentümer kann die Plattform fragen.",
    ),
    "account-deleting": PageText(
        "This account is being deleted. Only its owner can restore it.",
        "Dieses Konto wird gelöscht. Nur die Eigentümerin oder der Eigentümer kann es"
        " wiederherstellen.",
    ),
    "second-factor-required": PageText(
        "This account asks its members for a second factor. Add one on the page “Sign-in"
        " security”, then try again.",
        "Dieses Konto verlangt von seinen Mitgliedern einen zweiten Faktor. Fügen Sie auf der Seite"
        " „Sicherheit“ einen hinzu, und versuchen Sie es noch einmal.",
    ),
    "step-up-required": PageText(
        "To change this, prove again who you are: enter a code or your password.",
        "Weisen Sie sich noch einmal aus, um das zu ändern: mit einem Code oder Ihrem Passwort.",
    ),
    "precondition-failed": PageText(
        "Someone has changed this meanwhile. The page shows what counts now, and what you entered"
        " is still there. Press the button again if you still want this.",
        "Das wurde inzwischen geändert. Die Seite zeigt, was jetzt gilt, und Ihre Eingaben sind"
        " noch da. Drücken Sie die Schaltfläche noch einmal, wenn Sie das noch wollen.",
    ),
    "idempotency-key-reused": PageText(
        "This form was sent already, with other entries. Open the page again to see what counts.",
        "Dieses Formular wurde schon mit anderen Angaben gesendet. Öffnen Sie die Seite neu, um zu"
        " sehen, was gilt.",
    ),
    "idempotency-answer-lost": PageText(
        "This form was sent already. Open the page again to see what counts.",
        "Dieses Formular wurde schon gesendet. Öffnen Sie die Seite neu, um zu sehen, was gilt.",
    ),
    "token-restricted": PageText(
        "This sign-in does not allow this. Sign out, then sign in again.",
        "Diese Anmeldung erlaubt das nicht. Melden Sie sich ab und wieder an.",
    ),
    "deadline-exceeded": PageText(
        "The server took too long. Something may have been changed. Reload the page, look, then try"
        " again.",
        "Der Server hat zu lange gebraucht. Vielleicht wurde etwas geändert. Laden Sie die Seite"
        " neu, sehen Sie nach, und versuchen Sie es noch einmal.",
    ),
    "internal-error": PageText(
        "Something went wrong on our side. Try again; if it goes on, tell the operator.",
        "Auf unserer Seite ging etwas schief. Versuchen Sie es noch einmal. Bleibt es dabei, wenden"
        " Sie sich an den Betreiber.",
    ),
    UNAVAILABLE: PageText(
        "The server does not answer at the moment. Nothing was changed as far as we know. Try again"
        " in a few seconds.",
        "Der Server antwortet gerade nicht. Soweit wir wissen, wurde nichts geändert. Versuchen Sie"
        " es in einigen Sekunden noch einmal.",
    ),
    **dict.fromkeys(("busy", "overloaded"), BUSY),
    **dict.fromkeys(
        ("unauthenticated", "token-invalid", "token-expired", "token-revoked", "wrong-principal"),
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
}
