"""The words of the pages of API tokens."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

TOKENS: Mapping[str, PageText] = {
    "section_tokens": PageText("API tokens", "API-Tokens"),
    "token_new": PageText("New API token", "Neues API-Token"),
    "token_name": PageText("Name", "Name"),
    "token_name_hint": PageText(
        "Say which program uses it, for example “Backup of the database”.",
        "Sagen Sie, welches Programm es benutzt, zum Beispiel „Sicherung der Datenbank“.",
    ),
    "token_of": PageText("Made by", "Angelegt von"),
    "token_you": PageText("You", "Sie"),
    "token_limits": PageText("Restrictions", "Grenzen"),
    "token_limits_hint": PageText(
        "A token can do what you can do in this account, and never more. Restrict it to what its"
        " program needs.",
        "Ein Token kann in diesem Konto, was Sie können, und nie mehr. Beschränken Sie es auf das,"
        " was sein Programm braucht.",
    ),
    "token_unlimited": PageText("None", "Keine"),
    "token_read_only": PageText("Only reads", "Nur lesend"),
    "token_read_only_hint": PageText(
        "The token can look at things and change nothing.",
        "Das Token kann sich alles ansehen und nichts ändern.",
    ),
    "token_some_projects": PageText("Some projects", "Einige Projekte"),
    "token_some_grants": PageText("Some permissions", "Einige Berechtigungen"),
    "token_only_projects": PageText("Only these {projects}", "Nur diese {projects}"),
    "token_only_grants": PageText("Only these permissions", "Nur diese Berechtigungen"),
    "token_last_used": PageText("Last used", "Zuletzt benutzt"),
    "token_never": PageText("Never", "Nie"),
    "token_ends": PageText("Ends", "Endet"),
    "token_ends_hint": PageText(
        "At the end of this day, within a year.", "Am Ende dieses Tages, innerhalb eines Jahres."
    ),
    "token_status": PageText("Status", "Status"),
    "token_active": PageText("Active", "Aktiv"),
    "token_expired": PageText("Expired", "Abgelaufen"),
    "token_revoked": PageText("Revoked", "Widerrufen"),
    "token_none": PageText("There is no API token", "Es gibt kein API-Token"),
    "token_none_hint": PageText(
        "Programs use a token to act for you, without your password.",
        "Mit einem Token handeln Programme für Sie, ohne Ihr Passwort.",
    ),
    "token_make": PageText("Make the token", "Token anlegen"),
    "token_made": PageText("The token was made", "Das Token wurde angelegt"),
    "token_once": PageText(
        "Copy the token now and keep it in a safe place. It is not shown again.",
        "Kopieren Sie das Token jetzt, und bewahren Sie es sicher auf. Es wird nicht noch einmal"
        " gezeigt.",
    ),
    "token_shown_before": PageText(
        "This token was shown once before. If you have lost it, revoke it and make another one.",
        "Dieses Token wurde schon einmal gezeigt. Haben Sie es verloren, widerrufen Sie es, und"
        " legen Sie ein anderes an.",
    ),
    "token_until": PageText("It works until {moment}.", "Es gilt bis {moment}."),
    "token_look": PageText("Look at the token", "Token ansehen"),
    "token_made_at": PageText("Made", "Angelegt"),
    "token_log": PageText("What was done with this token", "Was mit diesem Token getan wurde"),
    "token_revoke": PageText("Revoke", "Widerrufen"),
    "token_revoke_name": PageText("Revoke: {name}", "Widerrufen: {name}"),
    "token_revoke_title": PageText("Revoke “{name}”?", "„{name}“ widerrufen?"),
    "token_revoke_text": PageText(
        "Programs that use this token are refused from then on, everywhere. This cannot be undone.",
        "Programme, die dieses Token benutzen, werden von da an überall abgewiesen. Das lässt sich"
        " nicht rückgängig machen.",
    ),
    "token_was_used": PageText("It was last used on {moment}.", "Zuletzt benutzt: {moment}."),
    "token_not_used": PageText("It was never used.", "Es wurde nie benutzt."),
    "token_of_other": PageText("{name} made it.", "{name} hat es angelegt."),
}
