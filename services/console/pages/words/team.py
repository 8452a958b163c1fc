"""The words of the pages of members, invitations and accounts."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

ACCOUNTS: Mapping[str, PageText] = {
    "no_account_found": PageText(
        "No account of yours has this name.", "Keines Ihrer Konten heißt so."
    ),
    "not_all_accounts": PageText(
        "You have more accounts than one page can search. Enter more of the name.",
        "Sie haben mehr Konten, als eine Seite durchsuchen kann. Geben Sie mehr vom Namen ein.",
    ),
    "back_home": PageText("Back to the start page", "Zurück zur Startseite"),
    "new_team_hint": PageText(
        "You own the new team. Your other accounts stay as they are.",
        "Das neue Team gehört Ihnen. Ihre anderen Konten bleiben, wie sie sind.",
    ),
    "team_name": PageText("Name of the team", "Name des Teams"),
    "create_team": PageText("Create the team", "Team anlegen"),
    "your_role_is": PageText("Your role here: {role}", "Ihre Rolle hier: {role}"),
    "sees_no_members": PageText(
        "Your role does not let you see the members or the settings of this account.",
        "Ihre Rolle lässt Sie die Mitglieder und Einstellungen dieses Kontos nicht sehen.",
    ),
    "leave": PageText("Leave the account", "Konto verlassen"),
}
MEMBERS: Mapping[str, PageText] = {
    "invite": PageText("Invite people", "Leute einladen"),
    "search_members": PageText("Search by name or e-mail", "Nach Name oder E-Mail suchen"),
    "status": PageText("Status", "Status"),
    "member": PageText("Member", "Mitglied"),
    "role": PageText("Role", "Rolle"),
    "joined": PageText("Joined", "Seit"),
    "last_active": PageText("Last active", "Zuletzt aktiv"),
    "expires": PageText("Ends", "Endet"),
    "manage": PageText("Manage", "Verwalten"),
    "manage_name": PageText("Manage {name}", "{name} verwalten"),
    "active": PageText("Active", "Aktiv"),
    "suspended": PageText("Suspended", "Gesperrt"),
    "invited": PageText("Invited", "Eingeladen"),
    "expired": PageText("Expired", "Abgelaufen"),
    "owner": PageText("Owner", "Eigentum"),
    "you": PageText("You", "Sie"),
    "not_mailed": PageText("Mail not delivered", "E-Mail nicht zugestellt"),
    "locked": PageText("Link locked", "Link gesperrt"),
    "no_member_found": PageText("No member or invitation matches", "Nichts gefunden"),
    "no_member_hint": PageText(
        "Change the search, or show every status.",
        "Ändern Sie die Suche, oder lassen Sie jeden Status anzeigen.",
    ),
}
TEAM: Mapping[str, PageText] = {**ACCOUNTS, **MEMBERS}
