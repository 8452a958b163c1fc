"""What the members of records are called that few kinds of records have."""

from collections.abc import Mapping

from services.console.pages.action_words import MEMBERS
from services.console.pages.page_text import PageText

SELDOM: Mapping[str, PageText] = {
    "after": PageText("Continued after record", "Fortgesetzt nach Eintrag"),
    "changed": PageText("Changed", "Geändert"),
    "connection_id": PageText("Company sign-in", "Unternehmensanmeldung"),
    "cost": PageText("Cost", "Kosten"),
    "currency": PageText("Currency", "Währung"),
    "daily": PageText("Each day", "Täglich"),
    "deliveries": PageText("Deliveries", "Zustellungen"),
    "digest": PageText("Version", "Fassung"),
    "email_verified": PageText("E-mail address verified", "E-Mail-Adresse bestätigt"),
    "external_id": PageText("Id at the platform", "ID bei der Plattform"),
    "how": PageText("How", "Wie"),
    "in_force_at": PageText("Counts from", "Gilt ab"),
    "invitations": PageText("Invitations", "Einladungen"),
    "inviter_user_id": PageText("Inviter", "Eingeladen von"),
    "issuer": PageText("Sign-in service", "Anmeldedienst"),
    "members": PageText("Members", "Mitglieder"),
    "membership_id": PageText("Membership", "Mitgliedschaft"),
    "new_email": PageText("New e-mail address", "Neue E-Mail-Adresse"),
    "off": PageText("Mails switched off", "Ausgeschaltete E-Mails"),
    "offered_to": PageText("Offered to", "Angeboten an"),
    "old_secret_until": PageText("Old secret counts until", "Altes Geheimnis gilt bis"),
    "overridden": PageText("Members with own permissions", "Mitglieder mit eigenen Berechtigungen"),
    "overridden_in": PageText("Own permissions in", "Eigene Berechtigungen in"),
    "overrides": PageText("Own permissions", "Eigene Berechtigungen"),
    "owner_role": PageText("Role of the owner", "Rolle mit dem Eigentum"),
    "password": PageText("Password", "Passwort"),
    "previous_until": PageText("Old secret counts until", "Altes Geheimnis gilt bis"),
    "quantity": PageText("Quantity", "Menge"),
    "recipient": PageText("Recipient", "Empfangen von"),
    "records": PageText("Records", "Einträge"),
    "replacement": PageText("Role in its place", "Rolle an ihrer Stelle"),
    "resources": PageText("Resources", "Ressourcen"),
    "roles": PageText("Roles", "Rollen"),
    "rule_set_by": PageText("Rule set by", "Regel festgelegt von"),
    "scopes": PageText("Rights", "Rechte"),
    "title": PageText("Title", "Titel"),
    "unit": PageText("Unit", "Einheit"),
    "until": PageText("Until", "Bis"),
}
"""By their names in the API."""
MEMBER_WORDS: Mapping[str, PageText] = {**MEMBERS, **SELDOM}
"""What every member of what changed is called."""
