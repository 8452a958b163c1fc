"""What a page says of a fault, in German: by the English text."""

from collections.abc import Mapping

from services.console.adapters.api import UNAVAILABLE
from services.console.pages import texts

FAULTS: Mapping[str, str] = {
    texts.FOR_PEOPLE["precondition-failed"]: "Ihre Auswahl hat sich inzwischen geändert, in einem"
    " anderen Fenster oder durch den Link einer E-Mail. Die Liste zeigt, was jetzt gilt. Drücken"
    " Sie die Schaltfläche noch einmal, wenn Sie das noch wollen.",
    texts.FOR_PEOPLE["unsubscribe-link-invalid"]: "Dieser Link ist nicht gültig. Kopieren Sie die"
    " ganze Adresse aus der E-Mail, oder melden Sie sich an und wählen Sie Ihre E-Mails dort aus.",
    texts.FOR_PEOPLE[
        "not-found"
    ]: "Das gibt es nicht mehr, oder Sie haben keinen Zugang dazu. Laden Sie die Seite neu.",
    texts.FOR_PEOPLE["busy"]: "Der Server ist gerade ausgelastet. Versuchen Sie es in einer Sekunde"
    " noch einmal.",
    texts.FOR_PEOPLE["deadline-exceeded"]: "Der Server hat zu lange gebraucht. Vielleicht wurde"
    " etwas geändert. Laden Sie die Seite neu, sehen Sie nach, und versuchen Sie es noch einmal.",
    texts.FOR_PEOPLE["internal-error"]: "Auf unserer Seite ging etwas schief. Versuchen Sie es noch"
    " einmal. Bleibt es dabei, wenden Sie sich an den Betreiber.",
    texts.FOR_PEOPLE[UNAVAILABLE]: "Der Server antwortet gerade nicht. Soweit wir wissen, wurde"
    " nichts geändert. Versuchen Sie es in einigen Sekunden noch einmal.",
    texts.FOR_PEOPLE[
        "token-restricted"
    ]: "Diese Anmeldung erlaubt das nicht. Melden Sie sich ab und wieder an.",
    texts.SESSION_OVER: "Ihre Sitzung ist zu Ende. Melden Sie sich wieder an, um weiterzumachen.",
    texts.INCOMPLETE: "Die Angaben sind nicht vollständig oder nicht gültig. Prüfen Sie sie, und"
    " versuchen Sie es noch einmal.",
    texts.UNKNOWN: "Das hat nicht funktioniert. Laden Sie die Seite neu, und versuchen Sie es noch"
    " einmal. Bleibt es dabei, wenden Sie sich an den Betreiber.",
    texts.STALE_FORM: "Die Seite war zu lange offen, oder Sie haben sich inzwischen an- oder"
    " abgemeldet. Es wurde nichts geändert. Drücken Sie die Schaltfläche noch einmal.",
    texts.NO_COOKIES: "Ihr Browser hat kein Cookie gesendet. Erlauben Sie Cookies für diese Seite,"
    " und öffnen Sie sie mit https://. Drücken Sie dann die Schaltfläche noch einmal.",
}
