"""The words of every page: the head, the navigation of an account, and the parts of the design."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

FRAME: Mapping[str, PageText] = {
    "notifications": PageText("Notifications", "Mitteilungen"),
    "unread_word": PageText("unread", "ungelesen"),
    "sign_out": PageText("Sign out", "Abmelden"),
    "signed_out_meanwhile": PageText(
        "Your session has ended meanwhile: what this page shows is not kept up to date.",
        "Ihre Sitzung ist inzwischen beendet: Was diese Seite zeigt, wird nicht aktualisiert.",
    ),
    "sign_in_anew": PageText("Sign in again", "Neu anmelden"),
    "access_over": PageText(
        "You have no access to this page any more: what it shows is not kept up to date.",
        "Sie haben keinen Zugang mehr zu dieser Seite: Was sie zeigt, wird nicht aktualisiert.",
    ),
    "error": PageText("Error:", "Fehler:"),
    "correct": PageText(
        "Correct what is marked below, then press the button again.",
        "Berichtigen Sie, was unten markiert ist, und drücken Sie die Schaltfläche noch einmal.",
    ),
    # --- the head of an account's pages
    "to_content": PageText("To the content", "Zum Inhalt"),
    "switch_account": PageText("Account: {name}. Switch account", "Konto: {name}. Konto wechseln"),
    "find_account": PageText("Find an account", "Konto suchen"),
    "find": PageText("Search", "Suchen"),
    "every_account": PageText("All accounts", "Alle Konten"),
    "new_team": PageText("New team", "Neues Team"),
    "team": PageText("Team", "Team"),
    "personal": PageText("Personal account", "Persönliches Konto"),
    "your_menu": PageText("{name}: your settings", "{name}: Ihre Einstellungen"),
    "your_security": PageText("Sign-in security", "Sicherheit"),
    "your_sessions": PageText("Signed-in devices", "Angemeldete Geräte"),
    "your_language": PageText("E-mails and language", "E-Mails und Sprache"),
    "your_accounts": PageText("Your accounts", "Ihre Konten"),
    "to_account": PageText("To the account", "Zum Konto"),
    "row_actions": PageText("Actions", "Aktionen"),
    "of_account": PageText("Pages of the account", "Seiten des Kontos"),
    "whole_list": PageText("Show this page from its beginning", "Diese Seite von vorn zeigen"),
    "not_done": PageText("This did not work", "Das hat nicht funktioniert"),
    "missing": PageText("There is no such page", "Diese Seite gibt es nicht"),
    "no_access": PageText("No access", "Kein Zugang"),
    "times_in": PageText("Times are those of {zone}.", "Zeiten in der Zeitzone {zone}."),
    "change_zone": PageText("Change", "Ändern"),
    # --- sections
    "section_members": PageText("Members", "Mitglieder"),
    "section_roles": PageText("Roles", "Rollen"),
    "section_access": PageText("Access", "Zugang"),
    # --- parts
    "next_page": PageText("Next page", "Nächste Seite"),
    "first_page": PageText("First page", "Erste Seite"),
    "pages": PageText("Pages", "Seiten"),
    "sort_by": PageText("Sort by {column}", "Nach {column} sortieren"),
    "cancel": PageText("Cancel", "Abbrechen"),
    "type_name": PageText("Type “{name}” to confirm", "Geben Sie zur Bestätigung „{name}“ ein"),
    "copy": PageText("Copy", "Kopieren"),
    "copied": PageText("Copied", "Kopiert"),
    "all": PageText("All", "Alle"),
}
