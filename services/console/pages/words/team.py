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
    "new_team_hint": PageText(
        "You own the new team. Your other accounts stay as they are.",
        "Das neue Team gehört Ihnen. Ihre anderen Konten bleiben, wie sie sind.",
    ),
    "team_name": PageText("Name of the team", "Name des Teams"),
    "team_catalog": PageText("Roles and permissions", "Rollen und Berechtigungen"),
    "catalog_usual": PageText("The usual ones", "Die üblichen"),
    "catalog_as_now": PageText("As now: {name}", "Wie jetzt: {name}"),
    "create_team": PageText("Create the team", "Team anlegen"),
    "your_role_is": PageText("Your role here: {role}", "Ihre Rolle hier: {role}"),
    "sees_no_members": PageText(
        "Your role does not let you see the members or the settings of this account.",
        "Ihre Rolle lässt Sie die Mitglieder und Einstellungen dieses Kontos nicht sehen.",
    ),
    "leave": PageText("Leave the account", "Konto verlassen"),
}
MEMBERS: Mapping[str, PageText] = {
    "invite": PageText("Invite people", "Personen einladen"),
    "search_members": PageText("Find a name or e-mail", "Name oder E-Mail suchen"),
    "status": PageText("Status", "Status"),
    "e_mail": PageText("E-mail", "E-Mail"),
    "member": PageText("Member", "Mitglied"),
    "role": PageText("Role", "Rolle"),
    "joined": PageText("Joined", "Seit"),
    "since": PageText("Since", "Seit"),
    "last_active": PageText("Last active", "Zuletzt aktiv"),
    "expires": PageText("Ends", "Endet"),
    "manage": PageText("Manage", "Verwalten"),
    "manage_name": PageText("Manage {name}", "{name} verwalten"),
    "look": PageText("View", "Ansehen"),
    "look_name": PageText("View {name}", "{name} ansehen"),
    "active": PageText("Active", "Aktiv"),
    "suspended": PageText("Suspended", "Gesperrt"),
    "invited": PageText("Invited", "Eingeladen"),
    "expired": PageText("Expired", "Abgelaufen"),
    "you": PageText("You", "Sie"),
    "not_mailed": PageText("Mail not delivered", "E-Mail nicht zugestellt"),
    "locked": PageText("Link locked", "Link gesperrt"),
    "members_changed": PageText(
        "The list has changed meanwhile.", "Die Liste hat sich inzwischen geändert."
    ),
    "show_changed": PageText("Show it", "Anzeigen"),
    "with_role": PageText("With the role {role}.", "Mit der Rolle {role}."),
    "with_any_role": PageText("Show all roles", "Alle Rollen zeigen"),
    "no_member_found": PageText("No member or invitation matches", "Nichts gefunden"),
    "no_member_hint": PageText(
        "Change the search, or show every status.",
        "Ändern Sie die Suche, oder lassen Sie jeden Status anzeigen.",
    ),
}
MEMBER: Mapping[str, PageText] = {
    "what_they_may_do": PageText("What they may do", "Was erlaubt ist"),
    "in_projects": PageText("Permissions in {projects}", "Berechtigungen für {projects}"),
    "in_projects_hint": PageText(
        "A member can have other permissions in one place than the role gives.",
        "Ein Mitglied kann an einem Ort andere Berechtigungen haben, als die Rolle gibt.",
    ),
    "as_in_role": PageText("as in the role", "wie in der Rolle"),
    "permissions_in": PageText("Permissions in {project}", "Berechtigungen in {project}"),
    "all_members": PageText("All members", "Alle Mitglieder"),
    "owner_stays": PageText(
        "The owner keeps their role and cannot be suspended or removed. The owner can give the"
        " account to another member in its settings.",
        "Wem das Konto gehört, behält die Rolle und lässt sich weder sperren noch entfernen. In den"
        " Einstellungen lässt sich das Konto an ein anderes Mitglied übergeben.",
    ),
    "may_not_change": PageText(
        "Your role does not let you change members. Ask an admin of the account.",
        "Ihre Rolle lässt Sie Mitglieder nicht ändern. Fragen Sie die Verwaltung des Kontos.",
    ),
    "change_role": PageText("Change the role", "Rolle ändern"),
    "change_role_hint": PageText(
        "You see what they gain and lose before anything changes.",
        "Sie sehen, was dazukommt und wegfällt, bevor sich etwas ändert.",
    ),
    "see_changes": PageText("See what changes", "Änderungen ansehen"),
    "end_of_membership": PageText("End of the membership", "Ende der Mitgliedschaft"),
    "last_day": PageText("Last day", "Letzter Tag"),
    "last_day_hint": PageText(
        "The access ends by itself after this day. Leave it empty for no end.",
        "Der Zugang endet nach diesem Tag von selbst. Ohne Angabe endet er nicht.",
    ),
    "no_end": PageText("Remove the end", "Ende aufheben"),
    "suspend": PageText("Suspend", "Sperren"),
    "resume": PageText("End the suspension", "Sperre aufheben"),
    "remove": PageText("Remove", "Entfernen"),
    "role_title": PageText("Change the role of {name}", "Rolle von {name} ändern"),
    "role_question": PageText(
        "{name} has the role {before} and would have {after}. Nothing is changed yet.",
        "{name} hat die Rolle {before} und hätte dann {after}. Noch ist nichts geändert.",
    ),
    "role_press": PageText("Change the role", "Rolle ändern"),
    "suspend_title": PageText("Suspend {name}", "{name} sperren"),
    "suspend_text": PageText(
        "{name} can do nothing in {account} until the suspension ends. Role, own permissions and"
        " seat stay.",
        "{name} kann in {account} nichts tun, bis die Sperre aufgehoben wird. Rolle, eigene"
        " Berechtigungen und Platz bleiben.",
    ),
    "suspend_press": PageText("Suspend the member", "Mitglied sperren"),
    "resume_title": PageText("End the suspension of {name}", "Sperre von {name} aufheben"),
    "resume_text": PageText(
        "{name} gets back the role and the own permissions in {account}.",
        "{name} bekommt Rolle und eigene Berechtigungen in {account} zurück.",
    ),
    "resume_press": PageText("End the suspension", "Sperre aufheben"),
    "remove_title": PageText("Remove {name}", "{name} entfernen"),
    "remove_text": PageText(
        "{name} loses all access to {account}, on every device. To come back they need a new"
        " invitation.",
        "{name} verliert jeden Zugang zu {account}, auf jedem Gerät. Für eine Rückkehr braucht es"
        " eine neue Einladung.",
    ),
    "remove_resources": PageText("What {name} owns", "Was {name} gehört"),
    "remove_resources_stay": PageText("Keeps its former owner", "Behält die bisherige Person"),
    "remove_resources_hint": PageText(
        "Up to 500 resources get another owner in the same step.",
        "Bis zu 500 Ressourcen bekommen im selben Schritt eine andere Person.",
    ),
    "remove_press": PageText("Remove the member", "Mitglied entfernen"),
    "leave_title": PageText("Leave {account}", "{account} verlassen"),
    "leave_text": PageText(
        "You lose all access to {account}, on every device. To come back you need a new"
        " invitation.",
        "Sie verlieren jeden Zugang zu {account}, auf jedem Gerät. Für eine Rückkehr brauchen Sie"
        " eine neue Einladung.",
    ),
    "effective_at_once": PageText(
        "It is effective everywhere when the next page opens.",
        "Es gilt überall, sobald sich die nächste Seite öffnet.",
    ),
    "effective_since": PageText(
        "Effective everywhere since {moment}.", "Gilt überall seit {moment}."
    ),
    "effective": PageText("Effective everywhere.", "Gilt überall."),
    "not_yet_effective": PageText(
        "The change is saved, and a part of the product has not confirmed it yet. Reload the page"
        " in"
        " a few seconds.",
        "Die Änderung ist gespeichert, und ein Teil des Produkts hat sie noch nicht bestätigt."
        " Laden"
        " Sie die Seite in einigen Sekunden neu.",
    ),
}
INVITATIONS: Mapping[str, PageText] = {
    "e_mails": PageText("E-mail addresses", "E-Mail-Adressen"),
    "e_mails_hint": PageText(
        "Several addresses: one in each line, or with commas between them.",
        "Mehrere Adressen: eine in jeder Zeile, oder mit Kommas dazwischen.",
    ),
    "permissions_of": PageText("What {role} may do", "Was die Rolle {role} darf"),
    "gives_nothing": PageText("Nothing", "Nichts"),
    "delivery": PageText("How they get the invitation", "Wie die Einladung ankommt"),
    "delivery_email": PageText("By e-mail", "Per E-Mail"),
    "delivery_link": PageText(
        "By a link that you hand over yourself", "Mit einem Link, den Sie selbst weitergeben"
    ),
    "last_day_of_membership": PageText(
        "Last day of the membership", "Letzter Tag der Mitgliedschaft"
    ),
    "invite_press": PageText("Send the invitations", "Einladungen senden"),
    "invited_these": PageText("These people are invited:", "Diese Personen sind eingeladen:"),
    "invite_as_typed": PageText(
        "Invite all the same: {addresses}", "Trotzdem einladen: {addresses}"
    ),
    "invite_as_typed_hint": PageText(
        "Anyone who reads the mail can accept the invitation.",
        "Wer die Mail liest, kann die Einladung annehmen.",
    ),
    "invited_before": PageText(
        "An earlier press of this form has invited these addresses, with the role that was chosen"
        " then. They are not invited again. To change an invitation, open it in the list of"
        " members:",
        "Diese Adressen sind durch dieses Formular schon eingeladen, mit der Rolle von damals. Sie"
        " wurden nicht noch einmal eingeladen. Eine Einladung ändern Sie in der Liste der"
        " Mitglieder:",
    ),
    "not_invited": PageText(
        "These addresses are not invited. They are still in the form:",
        "Diese Adressen sind nicht eingeladen. Sie stehen noch im Formular:",
    ),
    "hand_over": PageText("Hand the links over", "Links weitergeben"),
    "links_once": PageText(
        "Each link is shown once. Copy it now and hand it over. It works for this address alone.",
        "Jeder Link wird einmal gezeigt. Kopieren Sie ihn jetzt und geben Sie ihn weiter. Er gilt"
        " nur für diese Adresse.",
    ),
    "link_for": PageText("Link for {email}", "Link für {email}"),
    "link_was_shown": PageText(
        "This link was shown already. Send the invitation again to get another one.",
        "Dieser Link wurde schon gezeigt. Senden Sie die Einladung noch einmal, um einen neuen zu"
        " bekommen.",
    ),
    "invitation_of": PageText("Invitation for {email}", "Einladung für {email}"),
    "invited_by": PageText("Invited by", "Eingeladen von"),
    "invited_on": PageText("Invited on", "Eingeladen am"),
    "membership_ends": PageText("The membership ends", "Die Mitgliedschaft endet"),
    "mailbox_share": PageText(
        "It was not mailed: the account has sent two invitations to this mailbox within 24 hours.",
        "Sie wurde nicht verschickt: Das Konto hat diesem Postfach in 24 Stunden schon zwei"
        " Einladungen gesendet.",
    ),
    "allowance": PageText(
        "It was not mailed: the account has used up its invitation mails of 24 hours.",
        "Sie wurde nicht verschickt: Das Konto hat seine Einladungen per E-Mail für 24 Stunden"
        " aufgebraucht.",
    ),
    "bounced": PageText(
        "The mail could not be delivered. Check the address: if it is wrong, cancel this invitation"
        " and invite again.",
        "Die E-Mail war nicht zustellbar. Prüfen Sie die Adresse: Ist sie falsch, ziehen Sie diese"
        " Einladung zurück und laden Sie neu ein.",
    ),
    "locked_text": PageText(
        "Too many wrong codes were entered, so its link opens nothing. Send it again, or cancel it"
        " and invite again.",
        "Es wurden zu viele falsche Codes eingegeben, darum öffnet der Link nichts. Senden Sie sie"
        " noch einmal, oder ziehen Sie sie zurück und laden Sie neu ein.",
    ),
    "resend": PageText("Send again", "Noch einmal senden"),
    "resend_hint": PageText(
        "Sending it again makes a new link. Earlier links stop working.",
        "Beim erneuten Senden entsteht ein neuer Link. Frühere Links gelten dann nicht mehr.",
    ),
    "cancel_invitation": PageText("Cancel the invitation", "Einladung zurückziehen"),
    "cancel_text": PageText(
        "The invitation for {email} with the role {role} ends, and its link opens nothing any"
        " more.",
        "Die Einladung für {email} mit der Rolle {role} endet, und ihr Link öffnet nichts mehr.",
    ),
    "may_not_invite": PageText(
        "Your role does not let you invite people. Ask an admin of the account.",
        "Ihre Rolle lässt Sie niemanden einladen. Fragen Sie die Verwaltung des Kontos.",
    ),
}
CONVERSION: Mapping[str, PageText] = {
    "just_you": PageText("You are on your own here", "Sie sind hier allein"),
    "just_you_hint": PageText(
        "Turn this account into a team to invite people. Everything in it stays.",
        "Machen Sie aus diesem Konto ein Team, um Personen einzuladen. Alles darin bleibt.",
    ),
    "convert": PageText("Turn into a team", "In ein Team umwandeln"),
    "convert_text": PageText(
        "The account and everything in it becomes a team, which you own. You can then invite people"
        " and give them roles.",
        "Das Konto wird mit allem darin ein Team, das Ihnen gehört. Danach können Sie Leute"
        " einladen"
        " und ihnen Rollen geben.",
    ),
    "convert_back": PageText(
        "You can turn it back into a personal account in its settings; all other members then lose"
        " their access.",
        "In den Einstellungen lässt es sich in ein persönliches Konto zurückverwandeln; alle"
        " anderen"
        " Mitglieder verlieren dann den Zugang.",
    ),
    "convert_for_good": PageText(
        "There is no way back: a team stays a team.",
        "Es gibt kein Zurück: Ein Team bleibt ein Team.",
    ),
    "is_a_team": PageText("This account is a team already.", "Dieses Konto ist schon ein Team."),
    "not_your_account": PageText(
        "Only the owner of the account can do this.", "Das kann nur, wem das Konto gehört."
    ),
    "or_further_team": PageText(
        "Or keep this account to yourself and create a further one:",
        "Oder behalten Sie dieses Konto für sich und legen Sie ein weiteres an:",
    ),
}
TEAM: Mapping[str, PageText] = {**ACCOUNTS, **MEMBERS, **MEMBER, **INVITATIONS, **CONVERSION}
