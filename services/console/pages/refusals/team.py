"""Refusals of the routes of members, invitations, roles, projects and accounts."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

ACCOUNTS: Mapping[str, PageText] = {
    "account-limit": PageText(
        "You own {limit} accounts, the most that one person can own. Give one away or delete one"
        " first.",
        "Ihnen gehören {limit} Konten, mehr kann eine Person nicht haben. Geben Sie zuerst eines"
        " ab,"
        " oder löschen Sie eines.",
    ),
    "address-not-verified": PageText(
        "Your e-mail address is not verified. Verify it before you create a team.",
        "Ihre E-Mail-Adresse ist nicht bestätigt. Bestätigen Sie sie, bevor Sie ein Team anlegen.",
    ),
    "already-a-team": PageText(
        "This account is a team already.", "Dieses Konto ist schon ein Team."
    ),
    "already-personal": PageText(
        "This is a personal account already.", "Das ist schon ein persönliches Konto."
    ),
    "not-a-team": PageText(
        "This is a personal account. Turn it into a team before you invite people.",
        "Das ist ein persönliches Konto. Machen Sie ein Team daraus, bevor Sie jemanden einladen.",
    ),
    "owner-only": PageText(
        "Only the owner of the account can do this. Ask the owner.",
        "Das kann nur die Eigentümerin oder der Eigentümer des Kontos. Fragen Sie dort nach.",
    ),
    "confirmation-wrong": PageText(
        "This is not the name of the account. Type it exactly as it is shown.",
        "Das ist nicht der Name des Kontos. Geben Sie ihn genau so ein, wie er dasteht.",
    ),
    "conversion-irreversible": PageText(
        "In this kind of account a team stays a team. Remove the members or delete the account"
        " instead.",
        "In dieser Art von Konto bleibt ein Team ein Team. Entfernen Sie stattdessen die"
        " Mitglieder,"
        " oder löschen Sie das Konto.",
    ),
    "no-conversion": PageText(
        "This kind of account has no step between personal accounts and teams, so there is no step"
        " back. Remove the members or delete the account instead.",
        "Diese Art von Konto unterscheidet persönliche Konten und Teams nicht, also führt kein"
        " Schritt zurück. Entfernen Sie stattdessen die Mitglieder, oder löschen Sie das Konto.",
    ),
    "catalog-bound": PageText(
        "This team keeps its roles and permissions. Ask the platform to move it.",
        "Dieses Team behält seine Rollen und Berechtigungen. Fragen Sie die Plattform, ob sie es"
        " umstellt.",
    ),
    "catalog-too-small": PageText(
        "That set of roles allows {limit} members and open invitations besides the owner, and the"
        " account has {present}. Remove members or cancel invitations first.",
        "Dort sind außer der Eigentümerin oder dem Eigentümer {limit} Mitglieder und offene"
        " Einladungen erlaubt, und das Konto hat {present}. Entfernen Sie zuerst Mitglieder, oder"
        " ziehen Sie Einladungen zurück.",
    ),
    "mapping-needed": PageText(
        "The account uses roles or permissions that have no counterpart there. Say what becomes of"
        " them.",
        "Das Konto benutzt Rollen oder Berechtigungen, die es dort nicht gibt. Sagen Sie, was"
        " daraus wird.",
    ),
    "move-too-large": PageText(
        "This would change own permissions of members in {overrides} cases, and one change may have"
        " {limit} at most. Remove own permissions that are not needed any more first.",
        "Das würde in {overrides} Fällen eigene Berechtigungen von Mitgliedern ändern, und eine"
        " Änderung darf höchstens {limit} haben. Entfernen Sie zuerst eigene Berechtigungen, die"
        " nicht mehr nötig sind.",
    ),
    "guardrails-of-this-catalog": PageText(
        "The rules {names} of this account name roles or permissions that have no counterpart"
        " there."
        " Delete them first, and declare them anew afterwards.",
        "Die Regeln {names} dieses Kontos nennen Rollen oder Berechtigungen, die es dort nicht"
        " gibt."
        " Löschen Sie sie zuerst, und legen Sie sie danach neu an.",
    ),
    "demand-in-person": PageText(
        "Only a person who is signed in can change this. Sign in, then try again.",
        "Das kann nur eine angemeldete Person ändern. Melden Sie sich an, und versuchen Sie es noch"
        " einmal.",
    ),
    "own-second-factor-missing": PageText(
        "You have no second factor yourself, so you would lose your access. Add one on the page"
        " “Sign-in security” first.",
        "Sie haben selbst keinen zweiten Faktor und verlören Ihren Zugang. Fügen Sie zuerst auf der"
        " Seite „Sicherheit“ einen hinzu.",
    ),
    "owner-second-factor-missing": PageText(
        "The owner of the account has no second factor and would lose their access. Ask the owner"
        " to"
        " add one first.",
        "Die Eigentümerin oder der Eigentümer des Kontos hat keinen zweiten Faktor und verlöre den"
        " Zugang. Bitten Sie zuerst darum, einen hinzuzufügen.",
    ),
}
MEMBERS: Mapping[str, PageText] = {
    "grants-exceeded": PageText(
        "You can give only what you may do yourself. You do not have: {missing}.",
        "Sie können nur geben, was Sie selbst dürfen. Ihnen fehlt: {missing}.",
    ),
    "end-exceeded": PageText(
        "Your own membership ends on {end}. Choose an end that is not later.",
        "Ihre eigene Mitgliedschaft endet am {end}. Wählen Sie ein Ende, das nicht später ist.",
    ),
    "guardrail-violated": PageText(
        "The rule “{guardrail}” of this account does not allow this. Choose another change, or ask"
        " an admin of the account about the rule.",
        "Die Regel „{guardrail}“ dieses Kontos erlaubt das nicht. Wählen Sie eine andere Änderung,"
        " oder fragen Sie die Verwaltung des Kontos nach der Regel.",
    ),
    "owner-protected": PageText(
        "The owner's role cannot be changed. The owner cannot be removed or suspended, and the"
        " owner's membership has no end.",
        "Die Rolle der Eigentümerin oder des Eigentümers lässt sich nicht ändern, und diese Person"
        " lässt sich weder entfernen noch sperren. Ihre Mitgliedschaft hat kein Ende.",
    ),
    "owner-cannot-leave": PageText(
        "The owner cannot leave the account. Give the ownership to another member first.",
        "Die Eigentümerin oder der Eigentümer kann das Konto nicht verlassen. Übergeben Sie es"
        " zuerst einem anderen Mitglied.",
    ),
    "owner-not-a-member": PageText(
        "This person is not a member of the account. Choose a member.",
        "Diese Person ist kein Mitglied des Kontos. Wählen Sie ein Mitglied.",
    ),
    "not-yourself": PageText(
        "You cannot suspend yourself. Leave the account, or ask another member.",
        "Sie können sich nicht selbst sperren. Verlassen Sie das Konto, oder fragen Sie ein anderes"
        " Mitglied.",
    ),
    "role-unknown": PageText(
        "This role cannot be given any more. Choose another one.",
        "Diese Rolle lässt sich nicht mehr vergeben. Wählen Sie eine andere.",
    ),
    "member-limit": PageText(
        "The account has reached its limit of {limit} members and open invitations. Remove a member"
        " or cancel an invitation first.",
        "Das Konto hat seine Grenze von {limit} Mitgliedern und offenen Einladungen erreicht."
        " Entfernen Sie zuerst ein Mitglied, oder ziehen Sie eine Einladung zurück.",
    ),
    "too-many-to-reassign": PageText(
        "The member owns {owned} resources, and at most {limit} can be given away with a removal."
        " Give some of them to other members first.",
        "Dem Mitglied gehören {owned} Ressourcen, und beim Entfernen lassen sich höchstens {limit}"
        " weitergeben. Geben Sie zuerst einige davon an andere Mitglieder.",
    ),
    "already-a-member": PageText(
        "This person is a member of the account already. Change their role instead.",
        "Diese Person ist schon Mitglied des Kontos. Ändern Sie stattdessen die Rolle.",
    ),
    "already-invited": PageText(
        "This address has an open invitation already. Cancel it before you invite again.",
        "Für diese Adresse gibt es schon eine offene Einladung. Ziehen Sie sie zurück, bevor Sie"
        " neu"
        " einladen.",
    ),
    "throw-away-address": PageText(
        "{domain} gives throw-away mailboxes, which others may read. Ask for another address.",
        "{domain} vergibt Wegwerf-Postfächer, die andere vielleicht lesen können. Bitten Sie um"
        " eine andere Adresse.",
    ),
    "similar-domain": PageText(
        "{domain} resembles {resembles}. Is the address right?",
        "{domain} sieht aus wie {resembles}. Stimmt die Adresse?",
    ),
    "expired-invitation-there": PageText(
        "This address has an invitation whose time is over. Cancel it, then invite again.",
        "Für diese Adresse gibt es eine abgelaufene Einladung. Ziehen Sie sie zurück, und laden Sie"
        " neu ein.",
    ),
    "membership-end-past": PageText(
        "The membership that this invitation gives would have ended already. Cancel it and invite"
        " again.",
        "Die Mitgliedschaft aus dieser Einladung wäre schon zu Ende. Ziehen Sie sie zurück, und"
        " laden Sie neu ein.",
    ),
    "resend-not-offered": PageText(
        "In this account an invitation is not sent again. Cancel it and invite again.",
        "In diesem Konto werden Einladungen nicht noch einmal gesendet. Ziehen Sie sie zurück, und"
        " laden Sie neu ein.",
    ),
}
ROLES: Mapping[str, PageText] = {
    "not-in-this-catalog": PageText(
        "This account does not offer this.", "Dieses Konto bietet das nicht an."
    ),
    "role-built-in": PageText(
        "This role cannot be changed or deleted. Create a role of your own instead.",
        "Diese Rolle lässt sich nicht ändern oder löschen. Legen Sie stattdessen eine eigene an.",
    ),
    "role-in-guardrail": PageText(
        "The rule “{guardrail}” of this account names this role. Delete the rule first.",
        "Die Regel „{guardrail}“ dieses Kontos nennt diese Rolle. Löschen Sie zuerst die Regel.",
    ),
    "role-in-use": PageText(
        "The role is in use: {members} members have it, and {invitations} open invitations give it."
        " Choose the role that they get instead.",
        "Die Rolle ist in Gebrauch: {members} Mitglieder haben sie, und {invitations} offene"
        " Einladungen geben sie. Wählen Sie die Rolle, die sie stattdessen bekommen.",
    ),
    "role-name-taken": PageText(
        "Another role of this account has that name. Choose another name.",
        "Eine andere Rolle dieses Kontos heißt schon so. Wählen Sie einen anderen Namen.",
    ),
    "role-limit": PageText(
        "An account may have {limit} roles of its own at most. Delete one first.",
        "Ein Konto darf höchstens {limit} eigene Rollen haben. Löschen Sie zuerst eine.",
    ),
    "roles-too-large": PageText(
        "The roles of this account have become too large. Shorten descriptions, choose fewer"
        " permissions, or delete a role first.",
        "Die Rollen dieses Kontos sind zu groß geworden. Kürzen Sie Beschreibungen, wählen Sie"
        " weniger Berechtigungen, oder löschen Sie zuerst eine Rolle.",
    ),
}
PROJECTS: Mapping[str, PageText] = {
    "override-limit": PageText(
        "Members of an account can have own permissions in {limit} cases at most. Remove those of"
        " one case first, or give the member another role.",
        "Die Mitglieder eines Kontos können in höchstens {limit} Fällen eigene Berechtigungen"
        " haben. Entfernen Sie zuerst die eines Falls, oder geben Sie dem Mitglied eine andere"
        " Rolle.",
    ),
    "project-has-resources": PageText(
        "There are {count} resources in it. Delete them, or move them elsewhere, before you delete"
        " it.",
        "Es sind {count} Ressourcen darin. Löschen oder verschieben Sie sie, bevor Sie es löschen.",
    ),
    "project-limit": PageText(
        "An account may have {limit} of these at most. Delete one first.",
        "Ein Konto darf höchstens {limit} davon haben. Löschen Sie zuerst eines.",
    ),
    "project-name-taken": PageText(
        "Another one of this account has that name. Choose another name.",
        "In diesem Konto gibt es diesen Namen schon. Wählen Sie einen anderen.",
    ),
}
TEAM: Mapping[str, PageText] = {**ACCOUNTS, **MEMBERS, **ROLES, **PROJECTS}
