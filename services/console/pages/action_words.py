"""What the records of an audit log say, in words: actions, types of resources, members of records.

Services of the platform record actions of their own; their names are shown as they are. What
is about projects has the provider's word for them.
"""

from collections.abc import Mapping

from services.console.pages.page_text import PageText
from services.console.pages.project_words import ProjectWords

ACTIONS: Mapping[str, PageText] = {
    "access.allowed": PageText("Access allowed", "Zugriff erlaubt"),
    "access.allows_not_detailed": PageText("Further access allowed", "Weitere Zugriffe erlaubt"),
    "access.denials_not_detailed": PageText("Further access denied", "Weitere Zugriffe verweigert"),
    "access.denied": PageText("Access denied", "Zugriff verweigert"),
    "account.converted": PageText("Account turned into a team", "Konto in ein Team umgewandelt"),
    "account.created": PageText("Account created", "Konto angelegt"),
    "account.deleted": PageText("Account deleted for good", "Konto endgültig gelöscht"),
    "account.deletion_requested": PageText("Account deleted", "Konto gelöscht"),
    "account.members_informed": PageText("Members informed", "Mitglieder benachrichtigt"),
    "account.members_shut_out": PageText(
        "Members without a second factor shut out", "Mitglieder ohne zweiten Faktor ausgeschlossen"
    ),
    "account.moved": PageText(
        "Permission model of the account changed", "Berechtigungsmodell des Kontos geändert"
    ),
    "account.renamed": PageText("Account renamed", "Konto umbenannt"),
    "account.restored": PageText("Account restored", "Konto wiederhergestellt"),
    "account.resumed": PageText("Suspension of the account ended", "Sperre des Kontos aufgehoben"),
    "account.reverted": PageText(
        "Team turned into a personal account", "Team in ein persönliches Konto umgewandelt"
    ),
    "account.second_factor_demanded": PageText(
        "Second factor requirement changed", "Pflicht zum zweiten Faktor geändert"
    ),
    "account.suspended": PageText("Account suspended", "Konto gesperrt"),
    "api_token.created": PageText("API token created", "API-Token angelegt"),
    "api_token.expiry_announced": PageText(
        "End of an API token announced", "Ende eines API-Tokens angekündigt"
    ),
    "api_token.revoked": PageText("API token revoked", "API-Token widerrufen"),
    "checkpoint.published": PageText("Checkpoint delivered", "Prüfpunkt zugestellt"),
    "checkpoint_delivery.changed": PageText(
        "Delivery of checkpoints changed", "Zustellung der Prüfpunkte geändert"
    ),
    "export.started": PageText("Audit log exported", "Protokoll exportiert"),
    "guardrail.created": PageText("Guardrail created", "Leitplanke angelegt"),
    "guardrail.deleted": PageText("Guardrail deleted", "Leitplanke gelöscht"),
    "invitation.accepted": PageText("Invitation accepted", "Einladung angenommen"),
    "invitation.bounced": PageText(
        "Mail of an invitation came back", "E-Mail einer Einladung kam zurück"
    ),
    "invitation.created": PageText("Member invited", "Mitglied eingeladen"),
    "invitation.declined": PageText("Invitation declined", "Einladung abgelehnt"),
    "invitation.passed": PageText(
        "Invitation passed to another inviter", "Einladung einem anderen Mitglied übertragen"
    ),
    "invitation.resent": PageText("Invitation sent again", "Einladung erneut gesendet"),
    "invitation.revoked": PageText("Invitation cancelled", "Einladung zurückgezogen"),
    "log_stream.changed": PageText("Log stream changed", "Protokollstrom geändert"),
    "log_stream.created": PageText("Log stream created", "Protokollstrom angelegt"),
    "log_stream.deleted": PageText("Log stream deleted", "Protokollstrom gelöscht"),
    "log_stream.paused": PageText("Log stream paused", "Protokollstrom angehalten"),
    "log_stream.tested": PageText("Log stream tested", "Protokollstrom geprüft"),
    "member.attributes_set": PageText(
        "Attributes of a member changed", "Merkmale eines Mitglieds geändert"
    ),
    "member.end_set": PageText("End of a membership changed", "Ende einer Mitgliedschaft geändert"),
    "member.join_refused": PageText(
        "Member could not join by company sign-in",
        "Mitglied konnte über die Unternehmensanmeldung nicht beitreten",
    ),
    "member.joined": PageText("Member joined", "Mitglied beigetreten"),
    "member.joined_by_connection": PageText(
        "Member joined by company sign-in", "Mitglied über die Unternehmensanmeldung beigetreten"
    ),
    "member.left": PageText("Member left", "Mitglied ausgetreten"),
    "member.linked": PageText("Member linked", "Mitglied verknüpft"),
    "member.provisioned": PageText(
        "Member added by the platform", "Mitglied durch die Plattform hinzugefügt"
    ),
    "member.removed": PageText("Member removed", "Mitglied entfernt"),
    "member.resumed": PageText("Suspension of a member ended", "Sperre eines Mitglieds aufgehoben"),
    "member.role_changed": PageText("Member got another role", "Mitglied bekam andere Rolle"),
    "member.suspended": PageText("Member suspended", "Mitglied gesperrt"),
    "message.bounced": PageText("Mail came back", "E-Mail kam zurück"),
    "message.sent": PageText("Mail sent", "E-Mail gesendet"),
    "override.moved": PageText(
        "Own permissions changed with the roles", "Eigene Berechtigungen mit den Rollen geändert"
    ),
    "override.removed": PageText("Own permissions removed", "Eigene Berechtigungen entfernt"),
    "override.set": PageText("Own permissions given", "Eigene Berechtigungen gegeben"),
    "ownership.cancelled": PageText(
        "Offer of the ownership taken back", "Angebot des Eigentums zurückgenommen"
    ),
    "ownership.declined": PageText("Ownership declined", "Eigentum abgelehnt"),
    "ownership.offer_ended": PageText(
        "Offer of the ownership ended", "Angebot des Eigentums beendet"
    ),
    "ownership.offered": PageText("Ownership offered", "Eigentum angeboten"),
    "ownership.transferred": PageText("Ownership transferred", "Eigentum übertragen"),
    "project.created": PageText("{project} created", "{project} angelegt"),
    "project.deleted": PageText("{project} deleted", "{project} gelöscht"),
    "project.renamed": PageText("{project} renamed", "{project} umbenannt"),
    "records.ended": PageText("Old records deleted", "Alte Einträge gelöscht"),
    "records.erased": PageText("Records of a person erased", "Angaben zu einer Person gelöscht"),
    "request.refused": PageText("Request refused", "Anfrage abgelehnt"),
    "resource.deleted": PageText("Resource deleted", "Ressource gelöscht"),
    "resource.reassigned": PageText("Resources reassigned", "Ressourcen übertragen"),
    "resource.registered": PageText("Resources registered", "Ressourcen angemeldet"),
    "restore.accepted": PageText(
        "Restored audit log accepted", "Wiederhergestelltes Protokoll bestätigt"
    ),
    "retention.changed": PageText(
        "Retention of the audit log changed", "Aufbewahrung des Protokolls geändert"
    ),
    "role.changed": PageText("Role edited: what it allows", "Rolle bearbeitet: was sie erlaubt"),
    "role.created": PageText("Role created", "Rolle angelegt"),
    "role.deleted": PageText("Role deleted", "Rolle gelöscht"),
    "saved_search.changed": PageText("Saved search changed", "Gespeicherte Suche geändert"),
    "saved_search.created": PageText("Search saved", "Suche gespeichert"),
    "saved_search.deleted": PageText("Saved search deleted", "Gespeicherte Suche gelöscht"),
    "search.performed": PageText("Audit log read", "Protokoll gelesen"),
    "session.ended": PageText("Session ended", "Sitzung beendet"),
    "session.refused": PageText("Sign-in refused", "Anmeldung abgelehnt"),
    "session.reuse_detected": PageText("Session misused", "Sitzung missbraucht"),
    "session.started": PageText("Signed in", "Angemeldet"),
    "sso_connection.changed": PageText("Company sign-in changed", "Unternehmensanmeldung geändert"),
    "sso_connection.created": PageText("Company sign-in created", "Unternehmensanmeldung angelegt"),
    "sso_connection.deleted": PageText("Company sign-in deleted", "Unternehmensanmeldung gelöscht"),
    "sso_connection.domain_lost": PageText(
        "Domain of the company sign-in lost", "Domain der Unternehmensanmeldung verloren"
    ),
    "sso_connection.domain_proved": PageText(
        "Domain of the company sign-in proved", "Domain der Unternehmensanmeldung nachgewiesen"
    ),
    "usage.recorded": PageText("Usage recorded", "Nutzung erfasst"),
    "user.address_link_requested": PageText(
        "Link to a new e-mail address sent", "Link an eine neue E-Mail-Adresse gesendet"
    ),
    "user.address_wanted": PageText(
        "E-mail address wanted by another person", "E-Mail-Adresse von anderer Person gewünscht"
    ),
    "user.disabled": PageText("Sign-in disabled", "Anmeldung gesperrt"),
    "user.email_change_requested": PageText(
        "New e-mail address asked for", "Neue E-Mail-Adresse gewünscht"
    ),
    "user.email_changed": PageText("E-mail address changed", "E-Mail-Adresse geändert"),
    "user.email_restored": PageText(
        "Former e-mail address restored", "Frühere E-Mail-Adresse wiederhergestellt"
    ),
    "user.enabled": PageText("Sign-in enabled again", "Anmeldung wieder freigegeben"),
    "user.erased": PageText("Person deleted", "Person gelöscht"),
    "user.identity_linked": PageText("Other sign-in added", "Weitere Anmeldung hinzugefügt"),
    "user.identity_unlinked": PageText("Other sign-in removed", "Weitere Anmeldung entfernt"),
    "user.linked": PageText("Person linked by the platform", "Person von der Plattform verknüpft"),
    "user.locale_changed": PageText(
        "Language or time zone changed", "Sprache oder Zeitzone geändert"
    ),
    "user.passkey_copy_suspected": PageText("Passkey refused", "Passkey abgelehnt"),
    "user.password_changed": PageText("Password changed", "Passwort geändert"),
    "user.password_imported": PageText("Password imported", "Passwort übernommen"),
    "user.password_reset_requested": PageText(
        "New password asked for", "Neues Passwort angefordert"
    ),
    "user.provisioned": PageText(
        "Person added by the platform", "Person von der Plattform angelegt"
    ),
    "user.recovery_code_used": PageText("Recovery code used", "Wiederherstellungscode benutzt"),
    "user.recovery_codes_replaced": PageText(
        "Recovery codes replaced", "Wiederherstellungscodes ersetzt"
    ),
    "user.renamed": PageText("Name changed", "Name geändert"),
    "user.second_factor_added": PageText("Second factor added", "Zweiter Faktor hinzugefügt"),
    "user.second_factor_removed": PageText("Second factor removed", "Zweiter Faktor entfernt"),
    "user.sign_up_refused": PageText("Sign-up refused", "Registrierung abgelehnt"),
    "user.signed_up": PageText("Signed up", "Registriert"),
    "user.unlocked": PageText("Sign-in unlocked", "Anmeldung entsperrt"),
    "user.verification_resent": PageText(
        "Link of the sign-up sent again", "Link der Registrierung erneut gesendet"
    ),
    "user.verified": PageText("E-mail address verified", "E-Mail-Adresse bestätigt"),
    "preferences.changed": PageText("E-mail preferences changed", "E-Mail-Einstellungen geändert"),
    "webhook.changed": PageText("Webhook changed", "Webhook geändert"),
    "webhook.created": PageText("Webhook created", "Webhook angelegt"),
    "webhook.deleted": PageText("Webhook deleted", "Webhook gelöscht"),
    "webhook.disabled": PageText("Webhook switched off", "Webhook ausgeschaltet"),
    "webhook.redelivered": PageText("Webhook delivered again", "Webhook erneut zugestellt"),
    "webhook.secret_rotated": PageText(
        "Secret of a webhook replaced", "Geheimnis eines Webhooks ersetzt"
    ),
    "webhook.tested": PageText("Webhook tested", "Webhook geprüft"),
}
"""Each action that a team's log can have, without its service and version."""

SUBJECTS: Mapping[str, PageText] = {
    "access": PageText("Access", "Zugriff"),
    "account": PageText("Account", "Konto"),
    "api_token": PageText("API tokens", "API-Tokens"),
    "checkpoint": PageText("Seals of the log", "Siegel des Protokolls"),
    "retention": PageText("How long the log is kept", "Aufbewahrung des Protokolls"),
    "guardrail": PageText("Guardrails", "Leitplanken"),
    "invitation": PageText("Invitations", "Einladungen"),
    "log_stream": PageText("Log streams", "Protokollströme"),
    "member": PageText("Members", "Mitglieder"),
    "override": PageText("Own permissions", "Eigene Berechtigungen"),
    "ownership": PageText("Ownership", "Eigentum"),
    "project": PageText("{projects}", "{projects}"),
    "resource": PageText("Resources", "Ressourcen"),
    "role": PageText("Roles", "Rollen"),
    "saved_search": PageText("Saved searches", "Gespeicherte Suchen"),
    "session": PageText("Sessions", "Sitzungen"),
    "sso_connection": PageText("Company sign-in", "Unternehmensanmeldung"),
    "user": PageText("People", "Personen"),
    "webhook": PageText("Webhooks", "Webhooks"),
}
"""What several actions are about, as a filter offers it."""

RESOURCE_TYPES: Mapping[str, PageText] = {
    "account": PageText("Account", "Konto"),
    "api_token": PageText("API token", "API-Token"),
    "audit_log": PageText("Audit log", "Audit-Protokoll"),
    "guardrail": PageText("Guardrail", "Leitplanke"),
    "invitation": PageText("Invitation", "Einladung"),
    "log_stream": PageText("Log stream", "Protokollstrom"),
    "member": PageText("Member", "Mitglied"),
    "message": PageText("Mail", "E-Mail"),
    "override": PageText("Own permissions", "Eigene Berechtigungen"),
    "project": PageText("{project}", "{project}"),
    "role": PageText("Role", "Rolle"),
    "saved_search": PageText("Saved search", "Gespeicherte Suche"),
    "sso_connection": PageText("Company sign-in", "Unternehmensanmeldung"),
    "session": PageText("Session", "Sitzung"),
    "user": PageText("Person", "Person"),
    "webhook": PageText("Webhook", "Webhook"),
}
"""The types of resources that Rolecall records itself."""


MEMBERS: Mapping[str, PageText] = {
    "address": PageText("Address", "Adresse"),
    "attributes": PageText("Attributes", "Merkmale"),
    "catalog": PageText("Permission model", "Berechtigungsmodell"),
    "code": PageText("Reason", "Grund"),
    "days": PageText("Days", "Tage"),
    "deletes_at": PageText("Deleted for good on", "Endgültig gelöscht am"),
    "change": PageText("Change", "Änderung"),
    "delivery": PageText("Delivery", "Zustellung"),
    "description": PageText("Description", "Beschreibung"),
    "email": PageText("E-mail address", "E-Mail-Adresse"),
    "enabled": PageText("Switched on", "Eingeschaltet"),
    "event_types": PageText("Events", "Ereignisse"),
    "expires_at": PageText("Ends", "Endet"),
    "explanation": PageText("Reason", "Grund"),
    "filters": PageText("Filters", "Filter"),
    "format": PageText("Format", "Format"),
    "grants": PageText("Permissions", "Berechtigungen"),
    "kind": PageText("Kind", "Art"),
    "locale": PageText("Language", "Sprache"),
    "name": PageText("Name", "Name"),
    "number": PageText("Number", "Anzahl"),
    "operation": PageText("Request", "Anfrage"),
    "owner": PageText("Owner", "Eigentum"),
    "owner_user_id": PageText("Owner", "Eigentum"),
    "permission": PageText("Permission", "Berechtigung"),
    "project_id": PageText("{project}", "{project}"),
    "read_only": PageText("Only reads", "Nur lesend"),
    "require_second_factor": PageText("Second factor required", "Zweiter Faktor verlangt"),
    "restriction": PageText("Restriction", "Einschränkung"),
    "role": PageText("Role", "Rolle"),
    "role_id": PageText("Role", "Rolle"),
    "shared": PageText("Shared", "Geteilt"),
    "status": PageText("Status", "Status"),
    "time_zone": PageText("Time zone", "Zeitzone"),
    "url": PageText("Address", "Adresse"),
    "user_id": PageText("Person", "Person"),
}
"""The members of what changed that have a word of their own."""


def in_words(table: Mapping[str, PageText], name: str, language: str) -> str:
    """The words for a name; one that the table does not have is shown as it is."""
    text = table.get(name)
    return name if text is None else text.of(language)


def event_words(events: str, language: str, projects: ProjectWords) -> str:
    """The words for a type of events: all of a noun have its word, a single one its action's."""
    noun, _, rest = events.partition(".")
    words = SUBJECTS.get(noun) if rest == "*" else ACTIONS.get(events)
    return events if words is None else projects.fill(words, language)


def plainly(name: str) -> str:
    """A name of a program as a phrase: `due_at` is shown as `Due at`."""
    words = name.replace("_", " ").replace(".", " ").strip()
    return words[:1].upper() + words[1:] or name
