"""The words of the pages of notifications, and of the link in a mail's foot."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

NOTIFICATIONS: Mapping[str, PageText] = {
    # --- the list of notifications
    "mark_all_read": PageText("Mark all as read", "Alle als gelesen markieren"),
    "mark_read": PageText("Mark as read", "Als gelesen markieren"),
    "unread": PageText("Unread", "Ungelesen"),
    "nothing": PageText(
        "There is nothing to show. Messages of the last 90 days stand here.",
        "Es gibt nichts anzuzeigen. Hier stehen die Mitteilungen der letzten 90 Tage.",
    ),
    "newer": PageText("There are new notifications.", "Es gibt neue Mitteilungen."),
    "show_newer": PageText("Show them", "Anzeigen"),
    "older": PageText("Older notifications", "Ältere Mitteilungen"),
    "newest": PageText("The newest", "Die neuesten"),
    "choose_mails": PageText("Choose your e-mails", "E-Mails auswählen"),
    # --- which mails come
    "your_mails": PageText("Your e-mails", "Ihre E-Mails"),
    "list_has_all": PageText(
        "Your list of {list} has every message. Choose here which of them are mailed to {email}.",
        "Ihre Liste der {list} enthält jede Mitteilung. Wählen Sie hier, welche davon auch per"
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
