"""Refusals of the routes of webhooks and of streams of the audit log."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

SETTINGS: Mapping[str, PageText] = {
    "guardrail-limit": PageText(
        "There are {limit} guardrails, the most that an account can have. Delete one first.",
        "Es gibt schon {limit} Leitplanken, mehr kann ein Konto nicht haben. Löschen Sie zuerst"
        " eine.",
    ),
    "receiver-unfit": PageText(
        "The account cannot be offered to this person. Choose an active member.",
        "Dieser Person lässt sich das Konto nicht anbieten. Wählen Sie ein aktives Mitglied.",
    ),
    "transfer-pending": PageText(
        "The account is offered to a member already. Take that offer back first.",
        "Das Konto ist schon einem Mitglied angeboten. Nehmen Sie dieses Angebot zuerst zurück.",
    ),
    "transfer-expired": PageText(
        "The offer has ended. Ask the owner for a new one.",
        "Das Angebot ist abgelaufen. Bitten Sie die Eigentümerin oder den Eigentümer um ein neues.",
    ),
    "deletion-began": PageText(
        "It is too late: the account is being deleted for good.",
        "Es ist zu spät: Das Konto wird gerade endgültig gelöscht.",
    ),
    "webhook-disabled": PageText(
        "The webhook is switched off. Switch it on first.",
        "Der Webhook ist ausgeschaltet. Schalten Sie ihn zuerst ein.",
    ),
    "too-many-webhooks": PageText(
        "There are {limit} webhooks, the most that an account can have. Delete one that you do not"
        " need.",
        "Es gibt schon {limit} Webhooks, mehr kann ein Konto nicht haben. Löschen Sie einen, den"
        " Sie nicht brauchen.",
    ),
    "too-many-tests": PageText(
        "A webhook gets {limit} tests in a minute at most. Try again later.",
        "Ein Webhook bekommt höchstens {limit} Tests in der Minute. Versuchen Sie es später.",
    ),
    "too-many-redeliveries": PageText(
        "Too much was delivered again today. Try again tomorrow.",
        "Heute wurde schon zu viel erneut zugestellt. Versuchen Sie es morgen.",
    ),
    "domain-not-proved": PageText(
        "The TXT record {record} is not there yet, or has another value. It can take some time"
        " until name servers show it. Then check again.",
        "Der TXT-Eintrag {record} ist noch nicht da oder hat einen anderen Wert. Es kann etwas"
        " dauern, bis Nameserver ihn zeigen. Prüfen Sie dann noch einmal.",
    ),
    "domain-taken": PageText(
        "Another connection has proved this domain. Delete that one first, or ask the platform.",
        "Eine andere Verbindung hat diese Domain nachgewiesen. Löschen Sie sie zuerst, oder fragen"
        " Sie die Plattform.",
    ),
    "too-many-issuers": PageText(
        "There are {limit} connections, the most that an account can have. Delete one first.",
        "Es gibt schon {limit} Verbindungen, mehr kann ein Konto nicht haben. Löschen Sie zuerst"
        " eine.",
    ),
    "joins-no-team": PageText(
        "No one can join a personal account. Turn it into a team first.",
        "Einem persönlichen Konto kann niemand beitreten. Machen Sie zuerst ein Team daraus.",
    ),
    "dns-unavailable": PageText(
        "The name servers of the domain do not answer at the moment. Try again in a few seconds.",
        "Die Nameserver der Domain antworten gerade nicht. Versuchen Sie es in einigen Sekunden"
        " noch einmal.",
    ),
    "too-many-streams": PageText(
        "There are {limit} log streams, the most that an account can have. Delete one that you do"
        " not need.",
        "Es gibt schon {limit} Protokollströme, mehr kann ein Konto nicht haben. Löschen Sie einen,"
        " den Sie nicht brauchen.",
    ),
}
