"""What the pages say about a refusal of the API, in the words of a person at a form."""

from collections.abc import Mapping

from services.console.adapters.api import ApiRefusal
from services.console.pages.done import DONE_IN_ACCOUNTS
from services.console.pages.done_by_person import DONE_BY_PERSON
from services.console.pages.page_text import PageText
from services.console.pages.refusals import in_account as in_account_text
from services.console.pages.refusals.every import EVERY
from services.console.pages.refusals.sign_in import SIGN_IN

NO_PASSKEY = PageText(
    "No passkey was used. Try again, or sign in another way.",
    "Es wurde kein Passkey verwendet. Versuchen Sie es noch einmal, oder melden Sie sich anders"
    " an.",
)
NO_NEW_PASSKEY = PageText(
    "No passkey was made. Try again, or use another device.",
    "Es wurde kein Passkey angelegt. Versuchen Sie es noch einmal, oder nehmen Sie ein anderes"
    " Gerät.",
)
ISSUER_REFUSED = PageText(
    "You did not allow the sign-in at the other service. Nothing was changed.",
    "Sie haben die Anmeldung beim anderen Dienst nicht erlaubt. Es wurde nichts geändert.",
)
UNKNOWN = PageText(
    "This did not work. Reload the page, and try again. If it goes on, tell the operator.",
    "Das hat nicht funktioniert. Laden Sie die Seite neu, und versuchen Sie es noch einmal."
    " Bleibt es dabei, wenden Sie sich an den Betreiber.",
)
"""Of a refusal that no page expects: what the API says to programs is never shown to people."""
FOR_PEOPLE: Mapping[str, PageText] = {**EVERY, **SIGN_IN}
"""By the code of the refusal, on the pages of one person."""

FORMER_LIVES = PageText(
    "You were not signed in, because your earlier session in this browser could not be ended. Sign"
    " in again in a few seconds.",
    "Sie wurden nicht angemeldet, weil Ihre frühere Sitzung in diesem Browser nicht beendet werden"
    " konnte. Melden Sie sich in einigen Sekunden noch einmal an.",
)
DONE: Mapping[str, PageText] = {**DONE_IN_ACCOUNTS, **DONE_BY_PERSON}
"""What a page says about the page before it, by the word in its address."""

STALE_FORM = PageText(
    "This page was open for too long, or you signed in or out meanwhile. Nothing was changed."
    " Press the button again.",
    "Die Seite war zu lange offen, oder Sie haben sich inzwischen an- oder abgemeldet. Es wurde"
    " nichts geändert. Drücken Sie die Schaltfläche noch einmal.",
)
PROOF_TOO_LATE = PageText(
    "That took too long. Nothing was changed: look at what you entered, then press the button"
    " again.",
    "Das hat zu lange gedauert. Es wurde nichts geändert: Sehen Sie sich Ihre Eingaben an, und"
    " drücken Sie die Schaltfläche noch einmal.",
)
ENTER_AGAIN = PageText(
    "Enter it again: a secret is not kept.",
    "Geben Sie es noch einmal ein: Ein Geheimnis bleibt nicht erhalten.",
)
OTHER_READER = PageText(
    "You are signed in as another person than when this page was opened. Nothing was changed, and"
    " what was entered is not shown to you.",
    "Sie sind als eine andere Person angemeldet als beim Öffnen dieser Seite. Nichts wurde"
    " geändert, und die Eingaben werden Ihnen nicht gezeigt.",
)
NO_COOKIES = PageText(
    "Your browser sent no cookie. Allow cookies for this site, and open it with https://. Then"
    " press the button again.",
    "Ihr Browser hat kein Cookie gesendet. Erlauben Sie Cookies für diese Seite, und öffnen Sie sie"
    " mit https://. Drücken Sie dann die Schaltfläche noch einmal.",
)
FAILURES: Mapping[int, PageText] = {
    400: PageText(
        "The form was not complete. Go back, reload the page, and try again.",
        "Das Formular war nicht vollständig. Gehen Sie zurück, laden Sie die Seite neu, und"
        " versuchen Sie es noch einmal.",
    ),
    403: PageText(
        "This press came from another site, so nothing was changed. Open the page here, and press"
        " its button.",
        "Das kam von einer fremden Seite, deshalb wurde nichts geändert. Öffnen Sie die Seite hier,"
        " und drücken Sie ihre Schaltfläche.",
    ),
    404: PageText(
        "No page has this address. If you followed the link of a mail, open it there again, or copy"
        " all of it.",
        "Unter dieser Adresse gibt es keine Seite. Sind Sie dem Link einer E-Mail gefolgt, öffnen"
        " Sie ihn dort noch einmal, oder kopieren Sie ihn ganz.",
    ),
    408: PageText(
        "The form took too long to arrive. Go back and try again.",
        "Das Formular kam nicht rechtzeitig an. Gehen Sie zurück, und versuchen Sie es noch"
        " einmal.",
    ),
    413: PageText(
        "The form is too large. Enter shorter texts.",
        "Das Formular ist zu groß. Geben Sie kürzere Texte ein.",
    ),
    415: PageText(
        "The form has an unknown form. Go back, reload the page, and try again.",
        "Das Formular hat eine unbekannte Form. Gehen Sie zurück, laden Sie die Seite neu, und"
        " versuchen Sie es noch einmal.",
    ),
    500: PageText(
        "Something went wrong on our side. Try again; if it goes on, tell the operator.",
        "Auf unserer Seite ging etwas schief. Versuchen Sie es noch einmal. Bleibt es dabei, wenden"
        " Sie sich an den Betreiber.",
    ),
}
"""What a page says of a request that no page took, by its status."""


def sentence(refusal: ApiRefusal, *, in_account: bool = False) -> PageText:
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
