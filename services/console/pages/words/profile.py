"""The words of the pages of the visitor's name, address, password and data."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

PROFILE: Mapping[str, PageText] = {
    "your_profile": PageText("Your profile", "Ihr Profil"),
    "your_name": PageText("Your name", "Ihr Name"),
    "your_name_hint": PageText(
        "The members of your teams see it.", "Die Mitglieder Ihrer Teams sehen ihn."
    ),
    "new_address": PageText("New e-mail address", "Neue E-Mail-Adresse"),
    "new_address_hint": PageText(
        "A link is mailed to it. Until you use that link, the present address counts.",
        "Dorthin geht eine E-Mail mit einem Link. Bis Sie ihn benutzen, gilt die bisherige"
        " Adresse.",
    ),
    "mail_link": PageText("Mail the link", "Link senden"),
    "current_password": PageText("Current password", "Bisheriges Passwort"),
    "next_password": PageText("New password", "Neues Passwort"),
    "next_password_hint": PageText(
        "At least 10 characters. A few words that do not belong together are best. Your other"
        " sessions end.",
        "Mindestens 10 Zeichen. Am besten einige Wörter, die nicht zusammengehören. Ihre anderen"
        " Sitzungen enden.",
    ),
    "change_password": PageText("Change the password", "Passwort ändern"),
    "forgot_password": PageText(
        "No password yet, or forgotten it? Get a link by e-mail.",
        "Noch kein Passwort, oder vergessen? Link per E-Mail anfordern.",
    ),
    "zone_is": PageText(
        "Pages and mails show times in the time zone {zone}.",
        "Seiten und E-Mails zeigen Zeiten in der Zeitzone {zone}.",
    ),
    "your_data": PageText("Your data", "Ihre Daten"),
    "your_data_text": PageText(
        "All that the platform has about you, as a file.",
        "Alles, was die Plattform über Sie hat, als Datei.",
    ),
    "get_data": PageText("Download your data", "Daten herunterladen"),
    "delete_person": PageText("Delete your sign-in for good", "Zugang endgültig löschen"),
    "delete_person_title": PageText(
        "Delete your sign-in for good?", "Ihren Zugang endgültig löschen?"
    ),
    "delete_person_text": PageText(
        "Your sessions, API tokens and memberships end at once. Your personal account, your name"
        " and your address are deleted for good. Nothing of it can be restored.",
        "Ihre Sitzungen, API-Tokens und Mitgliedschaften enden sofort. Ihr persönliches Konto, Ihr"
        " Name und Ihre Adresse werden endgültig gelöscht. Nichts davon lässt sich"
        " wiederherstellen.",
    ),
    "delete_person_teams": PageText(
        "Teams that you own and that have other members need another owner first.",
        "Teams, die Ihnen gehören und andere Mitglieder haben, brauchen zuerst eine andere Person,"
        " der sie gehören.",
    ),
}
