"""The words of the pages of guardrails."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

GUARDRAILS: Mapping[str, PageText] = {
    "settings_guardrails": PageText("Guardrails", "Leitplanken"),
    "rail_text": PageText(
        "A guardrail is a rule of this account about itself. No change that breaks it is made.",
        "Eine Leitplanke ist eine Regel des Kontos für sich selbst. Keine Änderung darf sie"
        " brechen.",
    ),
    "rail_new": PageText("New guardrail", "Neue Leitplanke"),
    "rail_none": PageText("There is no guardrail", "Es gibt keine Leitplanke"),
    "rail_name": PageText("Name", "Name"),
    "rail_rule": PageText("Rule", "Regel"),
    "rail_kind": PageText("Kind of the rule", "Art der Regel"),
    "rail_kind_minimum": PageText("A minimum of members", "Mindestzahl von Mitgliedern"),
    "rail_kind_only": PageText("Only some roles", "Nur bestimmte Rollen"),
    "rail_kind_never": PageText("Never a role", "Niemals eine Rolle"),
    "rail_number": PageText("Number of members", "Zahl der Mitglieder"),
    "rail_role": PageText("Role", "Rolle"),
    "rail_roles": PageText("Roles that may", "Rollen, die es dürfen"),
    "rail_permission": PageText("Permission", "Berechtigung"),
    "rail_declare": PageText("Add the guardrail", "Leitplanke festlegen"),
    "rail_minimum_role": PageText(
        "At least {number} active members have the role {role}.",
        "Mindestens {number} aktive Mitglieder haben die Rolle {role}.",
    ),
    "rail_minimum_permission": PageText(
        "At least {number} active members may do “{permission}”.",
        "Mindestens {number} aktive Mitglieder dürfen „{permission}“.",
    ),
    "rail_only": PageText(
        "Only members with these roles may do “{permission}”: {roles}.",
        "Nur Mitglieder mit diesen Rollen dürfen „{permission}“: {roles}.",
    ),
    "rail_never": PageText(
        "Members with the role {role} may never do “{permission}”.",
        "Mitglieder mit der Rolle {role} dürfen niemals „{permission}“.",
    ),
    "rail_delete": PageText("Delete", "Löschen"),
    "rail_delete_of": PageText("Delete: {name}", "Löschen: {name}"),
    "rail_delete_title": PageText("Delete the guardrail “{name}”?", "Leitplanke „{name}“ löschen?"),
    "rail_delete_text": PageText(
        "From then on changes may do what the rule forbids.",
        "Von da an dürfen Änderungen tun, was die Regel verbietet.",
    ),
    "rail_violated": PageText("It is broken at the moment: {count}", "Zurzeit verletzt: {count}"),
}
