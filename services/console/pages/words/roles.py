"""The words of the pages of roles, and of tables of permissions."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

ROLES: Mapping[str, PageText] = {
    # --- tables of permissions
    "entry": PageText("Permission", "Berechtigung"),
    "nothing_held": PageText("nothing", "nichts"),
    "allowed": PageText("Allowed", "Erlaubt"),
    "not_allowed": PageText("Not allowed", "Nicht erlaubt"),
    "inside_project": PageText("per {project}", "je {project}"),
    "inside_project_hint": PageText(
        "Rows marked “per {project}” can be different for a member in one {project}.",
        "Zeilen mit „je {project}“ können für ein Mitglied je {project} anders sein.",
    ),
    # --- the list
    "roles_title": PageText("Roles", "Rollen"),
    "roles_kind": PageText("Kind", "Art"),
    "roles_description": PageText("Description", "Beschreibung"),
    "role_built_in": PageText("built in", "vorgegeben"),
    "role_own": PageText("your own", "eigene"),
    "role_owner_only": PageText("for the owner only", "nur mit dem Eigentum"),
    "roles_compared": PageText("What each role allows", "Was jede Rolle erlaubt"),
    "roles_fixed": PageText(
        "Accounts of this kind have the built-in roles only.",
        "Konten dieser Art haben nur die vorgegebenen Rollen.",
    ),
    "role_new": PageText("New role", "Neue Rolle"),
    "role_copy": PageText("Copy as a new role", "Als neue Rolle kopieren"),
    "role_edit": PageText("Edit", "Bearbeiten"),
    "role_delete": PageText("Delete", "Löschen"),
    "role_not_editable": PageText(
        "Built-in roles cannot be changed. Copy this one to begin a role of your own.",
        "Vorgegebene Rollen kann man nicht ändern. Kopieren Sie diese, um eine eigene zu beginnen.",
    ),
    "role_read_only": PageText(
        "You can look at roles, but not change them: your role does not allow it.",
        "Sie können Rollen ansehen, aber nicht ändern: Ihre Rolle erlaubt es nicht.",
    ),
    # --- the editor
    "role_edit_title": PageText("Edit {name}", "{name} bearbeiten"),
    "role_copied": PageText(
        "The choices below are those of {name}.", "Die Auswahl unten stammt von {name}."
    ),
    "role_name": PageText("Name", "Name"),
    "role_description_hint": PageText(
        "What the role is for. Optional.", "Wofür die Rolle da ist. Optional."
    ),
    "choose_permissions": PageText("Permissions", "Berechtigungen"),
    "choose_permissions_hint": PageText(
        "A higher choice brings lower ones along, as its name says. What you do not hold yourself"
        " cannot be given.",
        "Eine höhere Auswahl bringt niedrigere mit, wie ihr Name sagt. Was Sie selbst nicht haben,"
        " können Sie nicht geben.",
    ),
    "level_includes": PageText("with {levels}", "mit {levels}"),
    "choice_none": PageText("No", "Nein"),
    "choice_all": PageText("All", "Alle"),
    "choice_own": PageText("Own only", "Nur eigene"),
    "choice_keep": PageText("As it is, under conditions", "Wie bisher, unter Bedingungen"),
    "not_held_by_you": PageText("you do not have it", "haben Sie selbst nicht"),
    "role_create": PageText("Create the role", "Rolle anlegen"),
    "show_changes": PageText("Show what changes", "Zeigen, was sich ändert"),
    # --- the preview
    "role_preview_title": PageText("What changes with {name}", "Was sich mit {name} ändert"),
    "preview_not_saved": PageText(
        "Nothing is saved yet. Below is what the change does.",
        "Noch ist nichts gespeichert. Unten steht, was die Änderung bewirkt.",
    ),
    "save_change": PageText("Save", "Speichern"),
    "change_again": PageText("Go back and change it", "Zurück und ändern"),
    "role_result": PageText("The role afterwards", "Die Rolle danach"),
    "impact_none": PageText(
        "No one gains or loses anything by it.", "Niemand gewinnt oder verliert dadurch etwas."
    ),
    "impact_gains": PageText("Gains", "Gewinnt"),
    "impact_loses": PageText("Loses", "Verliert"),
    "impact_others": PageText("and {count} more", "und {count} weitere"),
    "impact_some": PageText("{count} members", "{count} Mitglieder"),
    "impact_role": PageText("{before} → {after}", "{before} → {after}"),
    "impact_leaves": PageText("the membership ends", "die Mitgliedschaft endet"),
    "impact_before": PageText("before: {text}", "vorher: {text}"),
    "impact_everywhere": PageText("everywhere", "überall"),
    "impact_more": PageText(
        "{count} more members are concerned.", "{count} weitere Mitglieder sind betroffen."
    ),
    "impact_invitations": PageText("Open invitations", "Offene Einladungen"),
    "impact_invitation_ends": PageText("ends", "endet"),
    "impact_invitation_stays": PageText("stays open", "bleibt offen"),
    "role_members": PageText("Who has this role", "Wer diese Rolle hat"),
    "impact_violations": PageText(
        "A rule of the account does not allow this change: {count} members would hold what they"
        " must not, or too few would be left.",
        "Eine Regel des Kontos erlaubt diese Änderung nicht: {count} Mitglieder hätten, was sie"
        " nicht haben dürfen, oder es blieben zu wenige übrig.",
    ),
    # --- the deletion
    "role_delete_title": PageText("Delete {name}?", "{name} löschen?"),
    "role_delete_free": PageText(
        "No member and no open invitation has this role. It is gone at once.",
        "Kein Mitglied und keine offene Einladung hat diese Rolle. Sie ist sofort weg.",
    ),
    "role_delete_used": PageText(
        "Members who have this role: {members}. Open invitations: {invitations}. Choose the role"
        " that takes its place.",
        "Mitglieder mit dieser Rolle: {members}. Offene Einladungen: {invitations}. Wählen Sie die"
        " Rolle, die an ihre Stelle tritt.",
    ),
    "role_holders": PageText("They are: {names}.", "Es sind: {names}."),
    "role_replacement": PageText("Role in its place", "Rolle an ihrer Stelle"),
    "role_replaced": PageText(
        "Members and invitations with this role get {role} instead:",
        "Mitglieder und Einladungen mit dieser Rolle bekommen stattdessen {role}:",
    ),
    "role_delete_now": PageText("Delete the role", "Rolle löschen"),
}
