"""The words of the pages to which mailed links lead."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

MAILED_LINKS: Mapping[str, PageText] = {
    "choose_password": PageText(
        "Choose a password",
        "Passwort wählen",
    ),
    "verify_text": PageText(
        "The button verifies your address and signs you in.",
        "Mit der Schaltfläche wird Ihre Adresse bestätigt. Dann sind Sie angemeldet.",
    ),
    "link_makes_user": PageText(
        "You are signed in as {user}, but this link makes a new user for {email}. The button"
        " signs {user} out in this browser.",
        "Sie sind als {user} angemeldet, aber dieser Link legt eine neue Person für {email}"
        " an. Die Schaltfläche meldet {user} in diesem Browser ab.",
    ),
    "stay_as": PageText(
        "Stay signed in as {user}",
        "Als {user} angemeldet bleiben",
    ),
    "your_name_optional": PageText(
        "Your name (optional)",
        "Ihr Name (optional)",
    ),
    "your_name_kept": PageText(
        "Leave it empty to keep the name of your sign-up.",
        "Leer bleibt es beim Namen Ihrer Registrierung.",
    ),
    "verify_and_switch": PageText(
        "Verify and switch user",
        "Bestätigen und Person wechseln",
    ),
    "verify_and_sign_in": PageText(
        "Verify and sign in",
        "Bestätigen und anmelden",
    ),
    "forgot_text": PageText(
        "Enter your address. We send a link with which you choose a new password.",
        "Geben Sie Ihre Adresse ein. Wir senden einen Link, mit dem Sie ein neues Passwort wählen.",
    ),
    "forgot_mailed": PageText(
        "If a user has the address that you entered, a mail with a link is on its way. The"
        " link lets you choose a new password.",
        "Wenn jemand die Adresse hat, die Sie eingegeben haben, ist eine E-Mail mit einem"
        " Link unterwegs. Damit wählen Sie ein neues Passwort.",
    ),
    "reset_text": PageText(
        "You will be signed out on every device. Then sign in with the new password.",
        "Sie werden auf jedem Gerät abgemeldet. Melden Sie sich dann mit dem neuen Passwort an.",
    ),
    "link_for_other": PageText(
        "You are signed in as {user}, but this link is for {email}. The button signs {user}"
        " out in this browser.",
        "Sie sind als {user} angemeldet, aber dieser Link ist für {email}. Die Schaltfläche"
        " meldet {user} in diesem Browser ab.",
    ),
    "confirm_address": PageText(
        "Confirm your new address",
        "Neue Adresse bestätigen",
    ),
    "address_now": PageText(
        "Your address now",
        "Ihre Adresse bisher",
    ),
    "address_text": PageText(
        "The new address takes the place of the present one, and your other sessions end.",
        "Die neue Adresse ersetzt die bisherige, und Ihre anderen Sitzungen enden.",
    ),
    "asked_as_other": PageText(
        "Did you ask for the change as another user?",
        "Haben Sie die Änderung als andere Person angefordert?",
    ),
    "address_new": PageText(
        "New address",
        "Neue Adresse",
    ),
    "use_address": PageText(
        "Use the new address",
        "Neue Adresse verwenden",
    ),
    "signed_in_as": PageText(
        "You are signed in as {user}.",
        "Sie sind als {user} angemeldet.",
    ),
    "signed_out_too": PageText(
        "You are signed in as {user}. The button signs you out in this browser, too.",
        "Sie sind als {user} angemeldet. Die Schaltfläche meldet Sie auch in diesem Browser ab.",
    ),
    "restore_title": PageText(
        "Restore your former address",
        "Frühere Adresse wiederherstellen",
    ),
    "restore_press": PageText(
        "Restore the address",
        "Adresse wiederherstellen",
    ),
    "restore_text": PageText(
        "Your former address {email} takes the place of the new one. You are signed out on"
        " every device, and your password ends. Then you choose a new one.",
        "Ihre frühere Adresse {email} ersetzt die neue. Sie werden auf jedem Gerät"
        " abgemeldet, und Ihr Passwort endet. Dann wählen Sie ein neues.",
    ),
    "take_back_title": PageText(
        "Remove the second factor",
        "Zweiten Faktor entfernen",
    ),
    "take_back_own": PageText(
        "If you added it yourself, close this page.",
        "Haben Sie ihn selbst hinzugefügt, schließen Sie diese Seite.",
    ),
    "take_back_press": PageText(
        "Remove it",
        "Entfernen",
    ),
    "take_back_text": PageText(
        "A second factor was added to the sign-in of {email}. If it was not you, remove it."
        " You are signed out on every device, and your password, API tokens and sign-ins with"
        " other services end. Then you choose a new password.",
        "Zur Anmeldung von {email} kam ein zweiter Faktor hinzu. Waren Sie das nicht,"
        " entfernen Sie ihn. Sie werden auf jedem Gerät abgemeldet, und Ihr Passwort, Ihre"
        " API-Tokens und Anmeldungen mit anderen Diensten enden. Dann wählen Sie ein neues"
        " Passwort.",
    ),
    "join_title": PageText(
        "Join a team",
        "Einem Team beitreten",
    ),
    "your_role": PageText(
        "Your role",
        "Ihre Rolle",
    ),
    "valid_until": PageText(
        "Valid until",
        "Gültig bis",
    ),
    "new_here": PageText(
        "New here? Create your account",
        "Neu hier? Registrieren Sie sich",
    ),
    "invites_you": PageText(
        "{name} invites you to the team {team}.",
        "{name} lädt Sie in das Team {team} ein.",
    ),
    "a_member": PageText(
        "A member",
        "Ein Mitglied",
    ),
    "invited_for": PageText(
        "For",
        "Für",
    ),
    "join_press": PageText(
        "Join the team",
        "Dem Team beitreten",
    ),
    "invited_other": PageText(
        "You are signed in as {user}, but this invitation is for {email}.",
        "Sie sind als {user} angemeldet, aber diese Einladung ist für {email}.",
    ),
    "try_to_join": PageText(
        "Try to join as {user}",
        "Als {user} beizutreten versuchen",
    ),
    "link_first": PageText(
        "We send a link to {email} first. You choose a password there.",
        "Wir senden zuerst einen Link an {email}. Dort wählen Sie ein Passwort.",
    ),
    "create_and_join": PageText(
        "Create the account and join",
        "Registrieren und beitreten",
    ),
    "create_the_account": PageText(
        "Create the account",
        "Registrieren",
    ),
    "sign_in_to_join": PageText(
        "Sign in to join",
        "Anmelden und beitreten",
    ),
    "decline_press": PageText(
        "Decline the invitation",
        "Einladung ablehnen",
    ),
    "open_link": PageText(
        "Open your link",
        "Öffnen Sie Ihren Link",
    ),
    "link_missing_text": PageText(
        "This page needs the link of an e-mail. Open the link again, or paste it here.",
        "Diese Seite braucht den Link einer E-Mail. Öffnen Sie ihn noch einmal, oder fügen"
        " Sie ihn hier ein.",
    ),
    "link_label": PageText(
        "Link",
        "Link",
    ),
    "over_sign_up": PageText(
        "The link of a sign-up works once, within seven days. If you got two mails, use the newer"
        " one.",
        "Der Link einer Registrierung gilt einmal und sieben Tage lang. Von zwei E-Mails"
        " zählt die neuere.",
    ),
    "over_password": PageText(
        "A link that changes the password works once, within an hour. If you got two mails, use"
        " the newer one.",
        "Ein Link für ein neues Passwort gilt einmal und eine Stunde lang. Von zwei E-Mails"
        " zählt die neuere.",
    ),
    "over_new_address": PageText(
        "The link to a new address works for a day, and only for the user who asked for the"
        " change. Of two changes, the newer one counts.",
        "Der Link an eine neue Adresse gilt einen Tag lang, und nur für die Person, die die"
        " Änderung angefordert hat. Von zwei Änderungen zählt die neuere.",
    ),
    "over_former_address": PageText(
        "A link that restores your former address works for seven days. Restoring an earlier"
        " address ends it, too.",
        "Ein Link, der Ihre frühere Adresse wiederherstellt, gilt sieben Tage lang. Er endet"
        " auch, wenn eine noch frühere Adresse wiederhergestellt wird.",
    ),
    "over_invitation": PageText(
        "It was answered, replaced or withdrawn, or has expired. Ask the person who"
        " invited you for a new one.",
        "Sie wurde beantwortet, ersetzt oder zurückgezogen, oder sie ist abgelaufen. Bitten"
        " Sie die Person, die Sie eingeladen hat, um eine neue.",
    ),
    "go_to_accounts": PageText(
        "Go to your accounts",
        "Zu Ihren Konten",
    ),
    "get_new_link": PageText(
        "Get a new link",
        "Neuen Link anfordern",
    ),
    "send_new_link": PageText(
        "Send me a new link",
        "Neuen Link senden",
    ),
    "ask_change_again": PageText(
        "For a new link, ask for the change of your address again.",
        "Für einen neuen Link ändern Sie Ihre Adresse noch einmal.",
    ),
    "invitation_over": PageText(
        "This invitation is not valid any more",
        "Diese Einladung gilt nicht mehr",
    ),
    "link_over": PageText(
        "This link does not work any more",
        "Dieser Link gilt nicht mehr",
    ),
    "over_factor": PageText(
        "The link works for 14 days, as long as the factor is there and your address is the"
        " same. Can you not sign in? Ask the support of {product} for help.",
        "Der Link gilt 14 Tage lang, solange der Faktor da ist und Ihre Adresse dieselbe."
        " Können Sie sich nicht anmelden? Fragen Sie den Support von {product}.",
    ),
    "over_ask_support": PageText(
        "Can you not sign in, and was it not you who changed the address? Ask the support of"
        " {product} for help.",
        "Können Sie sich nicht anmelden, und haben nicht Sie die Adresse geändert? Fragen"
        " Sie den Support von {product}.",
    ),
    "chosen_already": PageText(
        "Have you chosen a password already?",
        "Haben Sie schon ein Passwort gewählt?",
    ),
    "changed_already": PageText(
        "Have you changed it already?",
        "Haben Sie es schon geändert?",
    ),
}
