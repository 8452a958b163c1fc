"""The words of the page that moves an account to another catalog."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

CATALOG_MOVES: Mapping[str, PageText] = {
    "catalog_title": PageText("Roles and permissions", "Rollen und Berechtigungen"),
    "catalog_has": PageText(
        "This account has the roles and permissions of {name}.",
        "Rollen und Berechtigungen dieses Kontos: {name}.",
    ),
    "catalog_move": PageText("Move to another set", "Zu anderen wechseln"),
    "catalog_choose": PageText(
        "Choose another set of roles and permissions. Nothing changes before you have seen who"
        " gains and loses what.",
        "Wählen Sie andere Rollen und Berechtigungen. Es ändert sich nichts, bevor Sie gesehen"
        " haben, wer was gewinnt und verliert.",
    ),
    "catalog_newer": PageText("A newer version of yours", "Eine neuere Version der jetzigen"),
    "catalog_look": PageText("Look at the change", "Änderung ansehen"),
    "catalog_look_at": PageText("Look at the change to {name}", "Änderung ansehen: {name}"),
    "catalog_none": PageText("There is no other set", "Es gibt keine anderen"),
    "catalog_none_hint": PageText(
        "The platform offers this account no other roles and permissions.",
        "Die Plattform bietet diesem Konto keine anderen Rollen und Berechtigungen an.",
    ),
    "catalog_to": PageText("Move to {name}", "Wechseln zu: {name}"),
    "catalog_questions": PageText(
        "Some of what this account uses has no certain counterpart there. Say what becomes of it;"
        " the next page shows what changes.",
        "Einiges, was dieses Konto benutzt, hat dort kein sicheres Gegenstück. Sagen Sie, was"
        " daraus wird. Die nächste Seite zeigt, was sich ändert.",
    ),
    "catalog_roles": PageText("Roles", "Rollen"),
    "catalog_levels": PageText("Permissions", "Berechtigungen"),
    "catalog_levels_hint": PageText(
        "Roles of your own and own permissions of members use these. What is left empty ends.",
        "Eigene Rollen und eigene Berechtigungen von Mitgliedern benutzen sie. Was leer bleibt,"
        " endet.",
    ),
    "catalog_becomes": PageText("{name} becomes", "{name} wird zu"),
    "catalog_choose_role": PageText("Choose a role", "Rolle wählen"),
    "catalog_ends": PageText("Ends", "Endet"),
    "catalog_overrides": PageText("Own permissions end", "Eigene Berechtigungen enden"),
    "catalog_overrides_hint": PageText(
        "There are none there. The role counts everywhere then, which may be more.",
        "Dort gibt es keine. Dann gilt überall die Rolle, und das kann mehr sein.",
    ),
    "catalog_lost": PageText(
        "No one can do anything any more with things of these kinds: {names}",
        "Mit Dingen dieser Art kann niemand mehr etwas tun: {names}",
    ),
    "catalog_press": PageText("Move the account", "Konto umstellen"),
    "catalog_change": PageText("Answer differently", "Anders antworten"),
}
SAY_WHICH = PageText(
    "This does not fit there. Choose another one.",
    "Das passt dort nicht. Wählen Sie etwas anderes.",
)
OVERRIDES_END = PageText(
    "There are no own permissions of members there. They have to end.",
    "Dort gibt es keine eigenen Berechtigungen von Mitgliedern. Sie müssen enden.",
)
NOT_OFFERED = PageText(
    "This set is not offered any more. Choose another one.",
    "Diese Rollen und Berechtigungen werden nicht mehr angeboten. Wählen Sie andere.",
)
