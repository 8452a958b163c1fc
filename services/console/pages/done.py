"""What a page of an account says about the press before it, by the word in its address."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

DONE_IN_ACCOUNTS: Mapping[str, PageText] = {
    "invited": PageText("The invitation was sent.", "Die Einladung wurde gesendet."),
    "invited-all": PageText("The invitations were sent.", "Die Einladungen wurden gesendet."),
    "resent": PageText(
        "The invitation was sent again. Earlier links no longer work.",
        "Die Einladung wurde noch einmal gesendet. Frühere Links gelten nicht mehr.",
    ),
    "invitation-cancelled": PageText(
        "The invitation was cancelled. Its link no longer works.",
        "Die Einladung wurde zurückgezogen. Ihr Link gilt nicht mehr.",
    ),
    "token-revoked": PageText(
        "The token was revoked. No service accepts it any more.",
        "Das Token wurde widerrufen. Kein Dienst nimmt es mehr an.",
    ),
    "account-renamed": PageText("The account has another name.", "Das Konto heißt jetzt anders."),
    "catalog-moved": PageText(
        "The account has other roles and permissions now.",
        "Das Konto hat jetzt andere Rollen und Berechtigungen.",
    ),
    "factor-demanded": PageText(
        "A second factor is required from now on.", "Ein zweiter Faktor wird jetzt verlangt."
    ),
    "factor-not-demanded": PageText(
        "A second factor is not required any more.", "Ein zweiter Faktor wird nicht mehr verlangt."
    ),
    "ownership-offered": PageText(
        "The account was offered. A mail tells the member.",
        "Das Konto wurde angeboten. Das Mitglied erhält eine E-Mail.",
    ),
    "offer-taken-back": PageText("The offer was taken back.", "Das Angebot wurde zurückgenommen."),
    "ownership-accepted": PageText("The account is yours now.", "Das Konto gehört jetzt Ihnen."),
    "ownership-declined": PageText("You declined the account.", "Sie haben das Konto abgelehnt."),
    "reverted": PageText(
        "This is a personal account again.", "Das ist wieder ein persönliches Konto."
    ),
    "account-deleted": PageText("The account was deleted.", "Das Konto wurde gelöscht."),
    "account-restored": PageText("The account was restored.", "Das Konto ist wiederhergestellt."),
    "guardrail-created": PageText("The guardrail counts now.", "Die Leitplanke gilt jetzt."),
    "guardrail-deleted": PageText("The guardrail was deleted.", "Die Leitplanke wurde gelöscht."),
    "webhook-changed": PageText("The webhook was changed.", "Der Webhook wurde geändert."),
    "webhook-enabled": PageText("The webhook is on.", "Der Webhook ist eingeschaltet."),
    "webhook-disabled": PageText("The webhook is off.", "Der Webhook ist ausgeschaltet."),
    "webhook-deleted": PageText("The webhook was deleted.", "Der Webhook wurde gelöscht."),
    "test-sent": PageText(
        "The test is on its way. Reload the page to see the answer.",
        "Der Test ist unterwegs. Laden Sie die Seite neu, um die Antwort zu sehen.",
    ),
    "redelivered": PageText(
        "The delivery is on its way again.", "Die Zustellung ist wieder unterwegs."
    ),
    "failed-redelivered": PageText(
        "What has failed is on its way again.", "Was fehlgeschlagen ist, ist wieder unterwegs."
    ),
    "failed-redelivered-partly": PageText(
        "A first part is on its way again. Press the button again for the rest.",
        "Ein erster Teil ist wieder unterwegs. Drücken Sie für den Rest noch einmal.",
    ),
    "none-failed": PageText("Nothing has failed since.", "Seitdem ist nichts fehlgeschlagen."),
    "retention-changed": PageText(
        "It is chosen how long the log is kept.",
        "Es ist festgelegt, wie lange das Protokoll bleibt.",
    ),
    "seals-mailed": PageText("Seals are mailed daily.", "Siegel kommen täglich per E-Mail."),
    "seals-not-mailed": PageText(
        "Seals are not mailed any more.", "Siegel kommen nicht mehr per E-Mail."
    ),
    "company-connected": PageText(
        "The service is connected. Prove the domain next.",
        "Der Dienst ist verbunden. Weisen Sie als Nächstes die Domain nach.",
    ),
    "company-changed": PageText("The connection was changed.", "Die Verbindung ist geändert."),
    "domain-proved": PageText("The domain is proved.", "Die Domain ist nachgewiesen."),
    "company-on": PageText("The connection is on.", "Die Verbindung ist eingeschaltet."),
    "company-off": PageText("The connection is off.", "Die Verbindung ist ausgeschaltet."),
    "company-deleted": PageText("The connection was deleted.", "Die Verbindung ist gelöscht."),
    "stream-created": PageText("The log stream was created.", "Der Protokollstrom ist angelegt."),
    "stream-changed": PageText("The log stream was changed.", "Der Protokollstrom ist geändert."),
    "stream-enabled": PageText("The log stream goes on.", "Der Protokollstrom läuft weiter."),
    "stream-disabled": PageText("The log stream is paused.", "Der Protokollstrom ist angehalten."),
    "stream-deleted": PageText("The log stream was deleted.", "Der Protokollstrom ist gelöscht."),
    "search-saved": PageText("The search was saved.", "Die Suche wurde gespeichert."),
    "search-changed": PageText("The search was changed.", "Die Suche wurde geändert."),
    "search-deleted": PageText("The search was deleted.", "Die Suche wurde gelöscht."),
    "role-changed": PageText("The role was changed.", "Die Rolle wurde geändert."),
    "end-changed": PageText(
        "The end of the membership was changed.", "Das Ende der Mitgliedschaft wurde geändert."
    ),
    "suspended": PageText(
        "The member is suspended and can do nothing in this account.",
        "Das Mitglied ist gesperrt und kann in diesem Konto nichts tun.",
    ),
    "resumed": PageText("The member has their role again.", "Das Mitglied hat seine Rolle wieder."),
    "removed": PageText("The member was removed.", "Das Mitglied wurde entfernt."),
    "joined": PageText("You have joined this account.", "Sie gehören jetzt zu diesem Konto."),
    "left": PageText("You have left the account.", "Sie haben das Konto verlassen."),
    "converted": PageText(
        "The account is a team now. Invite the first people.",
        "Das Konto ist jetzt ein Team. Laden Sie die ersten Personen ein.",
    ),
    "team-created": PageText(
        "The team was created. Invite the first people.",
        "Das Team wurde angelegt. Laden Sie die ersten Personen ein.",
    ),
    "role-made": PageText("The role was created.", "Die Rolle wurde angelegt."),
    "role-edited": PageText(
        "The role was changed.",
        "Die Rolle wurde geändert.",
    ),
    "role-deleted": PageText("The role was deleted.", "Die Rolle wurde gelöscht."),
    "project-made": PageText("It was created.", "Es wurde angelegt."),
    "project-renamed": PageText("It has another name.", "Es hat einen anderen Namen."),
    "project-deleted": PageText("It was deleted.", "Es wurde gelöscht."),
    "override-set": PageText(
        "The permissions were changed.",
        "Die Berechtigungen wurden geändert.",
    ),
    "override-removed": PageText("The role counts here again.", "Hier gilt wieder die Rolle."),
}
