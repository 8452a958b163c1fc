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
    "left": PageText("You have left the account.", "Sie haben das Konto verlassen."),
    "converted": PageText(
        "The account is a team now. Invite the first people.",
        "Das Konto ist jetzt ein Team. Laden Sie die ersten Leute ein.",
    ),
    "team-created": PageText(
        "The team was created. Invite the first people.",
        "Das Team wurde angelegt. Laden Sie die ersten Leute ein.",
    ),
    "role-made": PageText("The role was created.", "Die Rolle wurde angelegt."),
    "role-edited": PageText(
        "The role was changed. The change counts now.",
        "Die Rolle wurde geändert. Die Änderung gilt jetzt.",
    ),
    "role-deleted": PageText("The role was deleted.", "Die Rolle wurde gelöscht."),
    "project-made": PageText("It was created.", "Es wurde angelegt."),
    "project-renamed": PageText("It has another name.", "Es hat einen anderen Namen."),
    "project-deleted": PageText("It was deleted.", "Es wurde gelöscht."),
    "override-set": PageText(
        "The permissions were changed. They count now.",
        "Die Berechtigungen wurden geändert. Sie gelten jetzt.",
    ),
    "override-removed": PageText("The role counts here again.", "Hier gilt wieder die Rolle."),
}
