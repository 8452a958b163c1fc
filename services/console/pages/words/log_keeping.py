"""The words of the page of how long the audit log is kept."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

LOG_KEEPING: Mapping[str, PageText] = {
    "settings_log": PageText("Audit log", "Audit-Protokoll"),
    "keep_title": PageText("How long records are kept", "Wie lange Einträge bleiben"),
    "keep_all": PageText("Every record is kept.", "Alle Einträge bleiben."),
    "keep_days": PageText(
        "Records are kept for {count} days.", "Einträge bleiben {count} Tage lang."
    ),
    "keep_until": PageText(
        "Until {moment} the former choice counts: {before}.",
        "Bis {moment} gilt noch die frühere Wahl: {before}.",
    ),
    "keep_before_days": PageText("{count} days", "{count} Tage"),
    "keep_before_all": PageText("without a limit", "ohne Grenze"),
    "keep_ended": PageText(
        "{count} records have ended. The seal of the log still covers them.",
        "{count} Einträge sind nicht mehr da. Das Siegel des Protokolls umfasst sie weiter.",
    ),
    "keep_field": PageText("Days", "Tage"),
    "keep_hint": PageText(
        "From 30 to 3650. Leave it empty to keep every record.",
        "Von 30 bis 3650. Leer heißt: Alle Einträge bleiben.",
    ),
    "keep_shorter_title": PageText(
        "Keep records for {count} days alone?", "Einträge nur {count} Tage lang behalten?"
    ),
    "keep_shorter_text": PageText(
        "A week from now, records that are older than {count} days are deleted for good. Until then"
        " you can choose a longer time again.",
        "In einer Woche werden Einträge, die älter als {count} Tage sind, endgültig gelöscht. Bis"
        " dahin können Sie wieder eine längere Zeit wählen.",
    ),
    "keep_shorter_press": PageText("Keep them for {count} days", "Nur {count} Tage lang behalten"),
    "seal_mail_title": PageText("Seal by e-mail", "Siegel per E-Mail"),
    "seal_mail_text": PageText(
        "Once a day the seal of the log is mailed to those who manage members, and sent to"
        " webhooks. With it they can prove later that nothing was changed.",
        "Einmal am Tag geht das Siegel des Protokolls per E-Mail an die, die Mitglieder verwalten,"
        " und an Webhooks. Damit lässt sich später beweisen, dass nichts geändert wurde.",
    ),
    "seal_mailed_on": PageText("Last sent on {day}.", "Zuletzt gesendet am {day}."),
}
