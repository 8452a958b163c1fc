"""The words of the pages of projects; what a project is called, the catalog of the account says."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

PROJECTS: Mapping[str, PageText] = {
    "project_name": PageText("Name", "Name"),
    "project_since": PageText("Created", "Angelegt"),
    "project_new": PageText("New {project}", "{project} anlegen"),
    "project_create": PageText("Create", "Anlegen"),
    "projects_none": PageText("There are no {projects} yet", "Es gibt noch keine {projects}"),
    "projects_none_hint": PageText(
        "Members can have other permissions in one of the {projects} than elsewhere.",
        "Für {projects} können Mitglieder andere Berechtigungen haben als sonst.",
    ),
    "project_rename": PageText("Rename", "Umbenennen"),
    "project_delete": PageText("Delete", "Löschen"),
    "project_members": PageText("Who may do what here", "Wer hier was darf"),
    "project_who": PageText("Who may do what in {project}?", "Wer darf was in {project}?"),
    "project_members_hidden": PageText(
        "Your role does not show you the members.", "Ihre Rolle zeigt Ihnen die Mitglieder nicht."
    ),
    "find_member": PageText("Find a member", "Mitglied suchen"),
    "find_member_none": PageText("No member found", "Kein Mitglied gefunden"),
    "member_role": PageText("Role", "Rolle"),
    "here_from": PageText("Counts here", "Hier gilt"),
    "from_role": PageText("the role", "die Rolle"),
    "from_override": PageText("own permissions here", "eigene Berechtigungen hier"),
    "from_owner": PageText("owner", "Eigentum"),
    "from_nothing": PageText("not in the role", "nicht in der Rolle"),
    "until": PageText("until {moment}", "bis {moment}"),
    "override_over": PageText("ended {moment}", "endete {moment}"),
    "here_may": PageText("May do here", "Darf hier"),
    "held_of": PageText("{count} of {all} permissions", "{count} von {all} Berechtigungen"),
    "held_everything": PageText("everything here", "alles hier"),
    "why": PageText("Why?", "Warum?"),
    # --- the deletion
    "project_delete_title": PageText("Delete {name}?", "{name} löschen?"),
    "project_delete_text": PageText(
        "{name} is gone at once, with all permissions that members have only there.",
        "{name} ist sofort weg, samt den Berechtigungen, die Mitglieder nur dort haben.",
    ),
    "project_resources": PageText(
        "{name} still has {count} resources. Move them elsewhere or delete them first.",
        "{name} hat noch {count} Ressourcen. Verschieben oder löschen Sie diese zuerst.",
    ),
    "project_delete_now": PageText("Delete {name}", "{name} löschen"),
    # --- one member inside a project
    "override_title": PageText("{member} in {project}", "{member} in {project}"),
    "override_here": PageText("What counts now", "Was jetzt gilt"),
    "comes_from": PageText("Comes from", "Kommt von"),
    "counts_override": PageText(
        "{member} has own permissions here. They replace what the role {role} gives in this place.",
        "{member} hat hier eigene Berechtigungen. Sie ersetzen, was die Rolle {role} hier gibt.",
    ),
    "counts_role": PageText(
        "What the role {role} gives counts here.", "Hier gilt, was die Rolle {role} gibt."
    ),
    "counts_owner": PageText(
        "The owner may do everything that the role {role} gives, everywhere.",
        "Wem das Konto gehört, darf überall, was die Rolle {role} gibt.",
    ),
    "counts_denied": PageText(
        "At the moment everything is refused to {member}: {reason}",
        "Im Moment wird {member} alles verweigert: {reason}",
    ),
    "override_ends": PageText("These permissions end on {moment}.", "Sie enden {moment}."),
    "override_choose": PageText("Other permissions here", "Andere Berechtigungen hier"),
    "override_choose_hint": PageText(
        "Choices left at “Role” are copied from the role as it is today. Later changes of the"
        " role do not reach this place until you remove these permissions.",
        "Was bei „Rolle“ bleibt, wird von der Rolle kopiert, wie sie heute ist. Spätere"
        " Änderungen der Rolle gelten hier erst wieder, wenn Sie diese Berechtigungen entfernen.",
    ),
    "override_given": PageText(
        "“{permission}” is set to “Allow” below. Nothing is changed yet.",
        "„{permission}“ steht unten auf „Erlauben“. Noch ist nichts geändert.",
    ),
    "choice_role": PageText("Role: {text}", "Rolle: {text}"),
    "choice_allow": PageText("Allow", "Erlauben"),
    "choice_allow_own": PageText("Own only", "Nur eigene"),
    "choice_deny": PageText("Deny", "Verweigern"),
    "override_end": PageText("Last day", "Letzter Tag"),
    "override_end_hint": PageText(
        "Afterwards the role counts again. Empty: no end. Your time zone: {zone}.",
        "Danach gilt wieder die Rolle. Leer: kein Ende. Ihre Zeitzone: {zone}.",
    ),
    "override_remove": PageText("Back to the role", "Zurück zur Rolle"),
    "override_not_owner": PageText(
        "The owner cannot have other permissions here.",
        "Wem das Konto gehört, kann hier keine anderen Berechtigungen haben.",
    ),
    "override_read_only": PageText(
        "You can look at this, but not change it: your permissions do not allow it.",
        "Sie können das ansehen, aber nicht ändern: Ihre Berechtigungen erlauben es nicht.",
    ),
    "override_not_offered": PageText(
        "In accounts of this kind the role counts everywhere.",
        "In Konten dieser Art gilt die Rolle überall.",
    ),
    "override_preview_title": PageText(
        "What changes for {member} in {project}", "Was sich für {member} in {project} ändert"
    ),
    "override_remove_title": PageText(
        "Back to the role of {member}?", "Zurück zur Rolle von {member}?"
    ),
    "override_remove_text": PageText(
        "In {project} counts again what the role {role} gives. This is what changes:",
        "In {project} gilt wieder, was die Rolle {role} gibt. Das ändert sich:",
    ),
    "override_gone": PageText(
        "{member} has no own permissions in {project} any more.",
        "{member} hat in {project} keine eigenen Berechtigungen mehr.",
    ),
}
