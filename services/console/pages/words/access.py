"""The words of the pages that say who may do what, and why."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

ACCESS: Mapping[str, PageText] = {
    "access_title": PageText("Who may do what", "Wer darf was"),
    "access_intro": PageText(
        "Choose a member and a permission to see whether it is allowed, and why. Without a member"
        " you see everyone who may do it.",
        "Wählen Sie ein Mitglied und eine Berechtigung, um zu sehen, ob es erlaubt ist und warum."
        " Ohne Mitglied sehen Sie alle, die es dürfen.",
    ),
    "what_you_may_do": PageText("What you may do", "Was Sie dürfen"),
    "every_member": PageText("Everyone", "Alle"),
    "choose_permission": PageText("Choose a permission", "Berechtigung wählen"),
    "outside_projects": PageText("Outside of all {projects}", "Außerhalb aller {projects}"),
    "one_resource": PageText("A certain resource", "Eine bestimmte Ressource"),
    "resource_id": PageText("Its id (optional)", "Ihre ID (optional)"),
    "resource_owner": PageText("It belongs to", "Sie gehört"),
    "owner_unknown": PageText("not said", "nicht angegeben"),
    "ask": PageText("Show", "Anzeigen"),
    "answer_yes": PageText("Allowed", "Erlaubt"),
    "answer_no": PageText("Not allowed", "Nicht erlaubt"),
    "step_by_step": PageText("Step by step", "Schritt für Schritt"),
    "step_holds": PageText("holds", "trifft zu"),
    "step_fails": PageText("does not hold", "trifft nicht zu"),
    "steps_not_reached": PageText(
        "What comes after this was not looked at.", "Was danach kommt, wurde nicht geprüft."
    ),
    "would_allow": PageText("What would allow it", "Was es erlauben würde"),
    "would_role": PageText("One of the roles {roles}", "Eine der Rollen {roles}"),
    "would_one_role": PageText("The role {roles}", "Die Rolle {roles}"),
    "change_the_role": PageText("Change the role", "Rolle ändern"),
    "would_override": PageText(
        "Own permissions in {project} that include it", "Eigene Berechtigungen dafür in {project}"
    ),
    "give_here": PageText("Give it in {project}", "In {project} geben"),
    "would_nothing": PageText(
        "No role and no permission inside one of the {projects} would allow it.",
        "Keine Rolle würde es erlauben, auch keine eigenen Berechtigungen für {projects}.",
    ),
    "could_grant": PageText("Who could give it", "Wer es geben könnte"),
    "could_by_roles": PageText("by the roles {roles}", "durch die Rollen {roles}"),
    "could_by_override": PageText("inside {project}", "in {project}"),
    "could_more": PageText("and {count} more", "und {count} weitere"),
    "could_none": PageText("No member could give it.", "Kein Mitglied könnte es geben."),
    "could_incomplete": PageText(
        "Not all members were looked at.", "Es wurden nicht alle Mitglieder betrachtet."
    ),
    "who_may": PageText("Who may: {permission}", "Wer darf: {permission}"),
    "who_may_in": PageText("In {project}", "In {project}"),
    "who_through": PageText("Through", "Durch"),
    "who_limited": PageText("Limited to", "Beschränkt auf"),
    "who_none": PageText("No member may do it there.", "Dort darf es kein Mitglied."),
    "who_own": PageText("own resources", "eigene Ressourcen"),
    "who_hidden": PageText(
        "You see your own access only: your role does not show you the members.",
        "Sie sehen nur Ihren eigenen Zugang: Ihre Rolle zeigt Ihnen die Mitglieder nicht.",
    ),
    "who_conflict": PageText(
        "This resource is known with another owner or elsewhere, so no one is listed.",
        "Diese Ressource ist mit anderem Besitz oder an anderer Stelle bekannt. Deshalb ist niemand"
        " aufgeführt.",
    ),
    # --- one member
    "access_of": PageText("Access of {member}", "Zugang von {member}"),
    "everywhere_else": PageText(
        "In the account, and in {projects} without own permissions",
        "Konto und {projects} ohne eigene Berechtigungen",
    ),
    "in_project": PageText("In {project}", "In {project}"),
    "same_as_role": PageText(
        "As everywhere: the role {role} counts.", "Wie überall: Es gilt die Rolle {role}."
    ),
    "what_differs": PageText(
        "Other permissions count here. Listed is what differs.",
        "Hier gelten andere Berechtigungen. Aufgeführt ist, was sich unterscheidet.",
    ),
    "differs_in_nothing": PageText(
        "Other permissions count here. They give the same as everywhere.",
        "Hier gelten andere Berechtigungen. Sie geben dasselbe wie überall.",
    ),
    "ask_about": PageText("Ask about one permission", "Nach einer Berechtigung fragen"),
    "ask_by_level": PageText(
        "Choose a permission to see why it is allowed or not.",
        "Wählen Sie eine Berechtigung, um zu sehen, warum sie erlaubt ist oder nicht.",
    ),
    "level_why": PageText("{entry}: {level}. Why?", "{entry}: {level}. Warum?"),
}

WHY: Mapping[str, PageText] = {
    "allowed-role": PageText(
        "{member} has the role {role}, which includes “{permission}”.",
        "{member} hat die Rolle {role}, und diese enthält „{permission}“.",
    ),
    "allowed-override": PageText(
        "{member} has own permissions in {project}, which include “{permission}”.",
        "{member} hat in {project} eigene Berechtigungen, und diese enthalten „{permission}“.",
    ),
    "permission-missing-role": PageText(
        "{member} has the role {role}, which does not include “{permission}”.",
        "{member} hat die Rolle {role}, und diese enthält „{permission}“ nicht.",
    ),
    "permission-missing-override": PageText(
        "{member} has own permissions in {project}, which replace the role there. They do not"
        " include “{permission}”.",
        "{member} hat in {project} eigene Berechtigungen, die dort die Rolle ersetzen. Sie"
        " enthalten „{permission}“ nicht.",
    ),
    "owner-unknown": PageText(
        "{member} may do this with own resources only. Say to whom the resource belongs.",
        "{member} darf das nur mit eigenen Ressourcen. Geben Sie an, wem die Ressource gehört.",
    ),
    "not-owner": PageText(
        "{member} may do this with own resources only, and this one belongs to someone else.",
        "{member} darf das nur mit eigenen Ressourcen, und diese gehört jemand anderem.",
    ),
    "condition-failed": PageText(
        "{member} may do this under a condition only, and it does not hold.",
        "{member} darf das nur unter einer Bedingung, und sie trifft nicht zu.",
    ),
    "not-a-member": PageText(
        "{member} is not a member of the account any more.",
        "{member} ist kein Mitglied des Kontos mehr.",
    ),
    "membership-suspended": PageText(
        "The membership of {member} is suspended. A member who may change members can resume it.",
        "Die Mitgliedschaft von {member} ist gesperrt. Wer Mitglieder ändern darf, kann die Sperre"
        " aufheben.",
    ),
    "membership-expired": PageText(
        "The membership of {member} has ended. A member who may change members can give it a later"
        " end.",
        "Die Mitgliedschaft von {member} ist abgelaufen. Wer Mitglieder ändern darf, kann sie"
        " verlängern.",
    ),
    "second-factor-required": PageText(
        "The account requires a second factor, and {member} has none.",
        "Das Konto verlangt einen zweiten Faktor, und {member} hat keinen.",
    ),
    "user-disabled": PageText(
        "The platform has disabled the sign-in of {member}.",
        "Die Plattform hat die Anmeldung von {member} gesperrt.",
    ),
    "session-ended": PageText(
        "The session of {member} has ended.", "Die Sitzung von {member} ist zu Ende."
    ),
    "account-suspended": PageText(
        "The platform has suspended the account.", "Die Plattform hat das Konto gesperrt."
    ),
    "account-deleting": PageText("The account is being deleted.", "Das Konto wird gelöscht."),
    "resource-conflict": PageText(
        "The resource is known with another owner or elsewhere than you said.",
        "Die Ressource ist mit anderem Besitz oder an anderer Stelle bekannt, als Sie angaben.",
    ),
    "project-unknown": PageText(
        "The place that you named does not exist any more.",
        "Den Ort, den Sie nannten, gibt es nicht mehr.",
    ),
}
"""Why something is allowed or not: by the reason of the decision, and by what decided."""
OTHERWISE = PageText("The steps below say why.", "Die Schritte unten sagen, warum.")
NEEDS_LEVEL = PageText(
    "Every role needs “{level}”. Choose it as well.",
    "Jede Rolle braucht „{level}“. Wählen Sie es auch.",
)
LEVELS_DO_NOT_FIT = PageText(
    "These choices do not fit each other. Choose at least as much for a lower one as for a higher"
    " one that brings it along.",
    "Diese Auswahl passt nicht zusammen. Wählen Sie für eine niedrigere mindestens so viel wie für"
    " eine höhere, die sie mitbringt.",
)
COMES_WITH = PageText(
    "“{chosen}” brings “{refused}” along. Deny both, or allow both.",
    "„{chosen}“ bringt „{refused}“ mit. Verweigern Sie beides, oder erlauben Sie beides.",
)
NOT_A_DAY = PageText("This is not a date.", "Das ist kein Datum.")
