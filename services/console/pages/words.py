"""The words of the pages that speak each language of the product: one table, one row for each text.

A text may name parts in braces, which the template gives.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from markupsafe import Markup

from services.console.adapters.api import UNAVAILABLE
from services.console.pages import texts
from shared.locales import Locale, known_locale


class PageText(NamedTuple):
    """One text in each language; the fields are the codes of `Locale`."""

    en: str
    de: str

    def of(self, locale: Locale) -> str:
        """The text in a language."""
        text: str = getattr(self, locale)
        return text


LANGUAGES: Mapping[Locale, str] = {Locale.EN: "English", Locale.DE: "Deutsch"}
"""Each language, in itself."""

WORDS: Mapping[str, PageText] = {
    # --- the head of every page
    "notifications": PageText("Notifications", "Mitteilungen"),
    "unread_word": PageText("unread", "ungelesen"),
    "sign_out": PageText("Sign out", "Abmelden"),
    "error": PageText("Error:", "Fehler:"),
    "correct": PageText(
        "Correct what is marked below, then press the button again.",
        "Berichtigen Sie, was unten markiert ist, und drücken Sie die Schaltfläche noch einmal.",
    ),
    # --- the list of notifications
    "mark_all_read": PageText("Mark all as read", "Alle als gelesen markieren"),
    "mark_read": PageText("Mark as read", "Als gelesen markieren"),
    "unread": PageText("Unread", "Ungelesen"),
    "nothing": PageText(
        "There is nothing to show. Messages of the last 90 days stand here.",
        "Es gibt nichts anzuzeigen. Hier stehen die Nachrichten der letzten 90 Tage.",
    ),
    "newer": PageText("There are new notifications.", "Es gibt neue Mitteilungen."),
    "show_newer": PageText("Show them", "Anzeigen"),
    "older": PageText("Older notifications", "Ältere Mitteilungen"),
    "newest": PageText("The newest", "Die neuesten"),
    "choose_mails": PageText("Choose your e-mails", "E-Mails auswählen"),
    "back": PageText("Back to your accounts", "Zurück zu Ihren Konten"),
    # --- which mails come
    "your_mails": PageText("Your e-mails", "Ihre E-Mails"),
    "list_has_all": PageText(
        "Your list of {list} has every message. Choose here which of them are mailed to {email}.",
        "Ihre Liste der {list} enthält jede Nachricht. Wählen Sie hier, welche davon auch per"
        " E-Mail an {email} kommen.",
    ),
    "list": PageText("notifications", "Mitteilungen"),
    "account": PageText("Account", "Konto"),
    "all_accounts": PageText("All accounts", "Alle Konten"),
    "more_accounts": PageText("More accounts", "Weitere Konten"),
    "first_accounts": PageText("The first accounts", "Die ersten Konten"),
    "on": PageText("On", "Ein"),
    "off": PageText("Off", "Aus"),
    "off_in_all": PageText("Off for all accounts", "Aus für alle Konten"),
    "off_kinds": PageText("Off: {kinds}", "Aus: {kinds}"),
    "partly_off_in": PageText(
        "All or partly off in {accounts}", "Ganz oder teilweise aus in {accounts}"
    ),
    "one_more": PageText("one more account", "einem weiteren Konto"),
    "more": PageText("{count} more accounts", "{count} weiteren Konten"),
    "one_account": PageText("one account", "einem Konto"),
    "accounts": PageText("{count} accounts", "{count} Konten"),
    "switch_on": PageText("Switch on", "Einschalten"),
    "switch_on_in_all": PageText("Switch on in all", "In allen einschalten"),
    "switch_off": PageText("Switch off", "Ausschalten"),
    "always_on": PageText("Always on", "Immer ein"),
    "language_and_zone": PageText("Language and time zone", "Sprache und Zeitzone"),
    "language": PageText(
        "Language of mails and notifications", "Sprache der E-Mails und Mitteilungen"
    ),
    "time_zone": PageText("Time zone", "Zeitzone"),
    "save": PageText("Save", "Speichern"),
    # --- the link of a mail's foot
    "unsubscribe": PageText("Switch off e-mails of this kind", "E-Mails dieser Art abbestellen"),
    "unsubscribed": PageText("These e-mails are switched off", "Diese E-Mails sind abbestellt"),
    "mails": PageText("E-mails", "E-Mails"),
    "to": PageText("To", "An"),
    "unsubscribed_in_all": PageText(
        "They are switched off in all accounts. Switch them on in your preferences.",
        "Sie sind für alle Konten abbestellt. In Ihren Einstellungen können Sie sie wieder"
        " bestellen.",
    ),
    "unsubscribe_now": PageText("Switch them off", "Abbestellen"),
    "subscribe_again": PageText("Switch them on again", "Wieder bestellen"),
    "nothing_changes": PageText(
        "Nothing changes until you press the button. E-mails about the security of your sign-in"
        " always come.",
        "Es ändert sich nichts, bis Sie die Schaltfläche drücken. E-Mails zur Sicherheit Ihrer"
        " Anmeldung kommen immer.",
    ),
    "list_shows": PageText(
        "Your list of notifications still shows what happens. E-mails about the security of your"
        " sign-in always come.",
        "Ihre Liste der Mitteilungen zeigt weiterhin, was geschieht. E-Mails zur Sicherheit Ihrer"
        " Anmeldung kommen immer.",
    ),
    "link_not_valid": PageText("This link is not valid", "Dieser Link ist nicht gültig"),
    "copy_link": PageText(
        "Copy the whole address from the e-mail, or sign in and choose your e-mails there.",
        "Kopieren Sie die ganze Adresse aus der E-Mail, oder melden Sie sich an und wählen Sie Ihre"
        " E-Mails dort aus.",
    ),
}

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
"""What a page says of a fault, in German: by the English text."""


def say(language: str) -> Callable[..., Markup]:
    """What writes a text of the table in a language; its parts are escaped unless they are HTML."""
    locale = known_locale(language)

    def text(name: str, **parts: object) -> Markup:
        return Markup(WORDS[name].of(locale)).format(**parts)  # noqa: S704 - our own texts

    return text


def fault_in(language: str, problem: str) -> str:
    """A fault in the language of its page; in English where the table does not have it."""
    return FAULTS.get(problem, problem) if known_locale(language) is Locale.DE else problem
