"""The words of the pages about the visitor: accounts, sign-in, passkeys, sessions."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

PERSON: Mapping[str, PageText] = {
    "of_person": PageText("Your pages", "Ihre Seiten"),
    # --- the start page
    "invitation_waits": PageText(
        "An invitation waits for your answer.", "Eine Einladung wartet auf Ihre Antwort."
    ),
    "look_at_it": PageText("Look at it", "Ansehen"),
    "current": PageText("Current", "Aktuell"),
    "switch": PageText("Switch", "Wechseln"),
    "switch_to": PageText("Switch to {name}", "Zu {name} wechseln"),
    "account_suspended": PageText("Suspended", "Gesperrt"),
    "account_deleting": PageText("Being deleted", "Wird gelöscht"),
    "first_are_shown": PageText(
        "The first {count} are shown.", "Die ersten {count} werden gezeigt."
    ),
    # --- second factors
    "has_second_factor": PageText(
        "You sign in with a second factor: a stolen password alone is not enough.",
        "Sie melden sich mit einem zweiten Faktor an. Ein gestohlenes Passwort allein reicht"
        " nicht.",
    ),
    "has_password_alone": PageText(
        "Your password alone signs you in. With a second factor, a stolen password is not enough.",
        "Ihr Passwort allein meldet Sie an. Mit einem zweiten Faktor reicht ein gestohlenes"
        " Passwort nicht.",
    ),
    "app": PageText("Authenticator app", "Authenticator-App"),
    "app_hint": PageText(
        "An app on your phone shows a new code every half minute.",
        "Eine App auf Ihrem Telefon zeigt jede halbe Minute einen neuen Code.",
    ),
    "added_on": PageText("Added on {day}.", "Hinzugefügt am {day}."),
    "remove_app": PageText("Remove the app", "App entfernen"),
    "remove_app_title": PageText(
        "Remove your authenticator app?", "Ihre Authenticator-App entfernen?"
    ),
    "remove_app_text": PageText(
        "The codes of the app stop working. Your passkeys and recovery codes stay.",
        "Die Codes der App gelten nicht mehr. Ihre Passkeys und Wiederherstellungscodes bleiben.",
    ),
    "last_factor_text": PageText(
        "Your password alone signs you in then, and your recovery codes stop working. Accounts that"
        " require a second factor do not let you in.",
        "Dann meldet Ihr Passwort allein Sie an, und Ihre Wiederherstellungscodes gelten nicht"
        " mehr. Konten, die einen zweiten Faktor verlangen, lassen Sie nicht ein.",
    ),
    "keep_it": PageText("Keep it", "Behalten"),
    "add_an_app": PageText("Add an app", "App hinzufügen"),
    "add_app": PageText("Add an authenticator app", "Authenticator-App hinzufügen"),
    "scan": PageText(
        "Scan this code with the app, or {link}.",
        "Scannen Sie diesen Code mit der App, oder {link}.",
    ),
    "open_in_app": PageText(
        "open it in an app on this device", "öffnen Sie ihn in einer App auf diesem Gerät"
    ),
    "qr": PageText("QR code with the key below", "QR-Code mit dem Schlüssel darunter"),
    "cannot_scan": PageText(
        "The app cannot scan? Enter this key there:",
        "Die App kann nicht scannen? Geben Sie dort diesen Schlüssel ein:",
    ),
    "code_of_app": PageText("Code of the app", "Code der App"),
    "code_of_app_hint": PageText(
        "The six digits that the app shows now.", "Die sechs Ziffern, die die App gerade zeigt."
    ),
    "add_the_app": PageText("Add the app", "App hinzufügen"),
    "first_factor_ends": PageText(
        "Your other sessions end if this is your first second factor. Nothing changes until you"
        " press the button.",
        "Ihre anderen Sitzungen enden, wenn das Ihr erster zweiter Faktor ist. Es ändert sich"
        " nichts, bis Sie die Schaltfläche drücken.",
    ),
    "recovery_codes": PageText("Recovery codes", "Wiederherstellungscodes"),
    "codes_left": PageText(
        "{count} left. Each takes the place of the second factor once.",
        "Noch {count}. Jeder ersetzt den zweiten Faktor einmal.",
    ),
    "make_codes": PageText("Make new recovery codes", "Neue Wiederherstellungscodes erzeugen"),
    "make_codes_hint": PageText(
        "The codes that you have now stop working then.",
        "Die Codes, die Sie jetzt haben, gelten dann nicht mehr.",
    ),
    "save_codes": PageText(
        "Save your recovery codes", "Bewahren Sie Ihre Wiederherstellungscodes auf"
    ),
    "app_added": PageText(
        "The app was added. Without your phone, each of these codes takes its place once.",
        "Die App wurde hinzugefügt. Ohne Ihr Telefon ersetzt jeder dieser Codes sie einmal.",
    ),
    "passkey_added": PageText(
        "The passkey was added. Without it, each of these codes takes its place once.",
        "Der Passkey wurde hinzugefügt. Ohne ihn ersetzt jeder dieser Codes ihn einmal.",
    ),
    "codes_replaced": PageText(
        "Each of these codes takes the place of the second factor once. Earlier codes do not work"
        " any more.",
        "Jeder dieser Codes ersetzt den zweiten Faktor einmal. Frühere Codes gelten nicht mehr.",
    ),
    "codes_once": PageText(
        "They are shown only now. Print this page, or write them down.",
        "Sie werden nur jetzt gezeigt. Drucken Sie diese Seite, oder schreiben Sie sie auf.",
    ),
    "codes_are_saved": PageText("I have saved them", "Ich habe sie aufbewahrt"),
    # --- a fresh proof
    "is_it_you": PageText("Is it you?", "Sind Sie es?"),
    "prove": PageText(
        "To change how you sign in, prove again who you are. It counts for five minutes.",
        "Weisen Sie sich noch einmal aus, um Ihre Anmeldung zu ändern. Das gilt fünf Minuten.",
    ),
    "prove_in_account": PageText(
        "To go on, prove again who you are. It counts for five minutes.",
        "Weisen Sie sich noch einmal aus, um weiterzumachen. Das gilt fünf Minuten.",
    ),
    "code": PageText("Code", "Code"),
    "code_hint": PageText(
        "The six digits of your authenticator app, or a recovery code.",
        "Die sechs Ziffern Ihrer Authenticator-App, oder ein Wiederherstellungscode.",
    ),
    "recovery_code_hint": PageText(
        "A recovery code. To use your passkey, sign in again.",
        "Ein Wiederherstellungscode. Um Ihren Passkey zu verwenden, melden Sie sich neu an.",
    ),
    "password": PageText("Password", "Passwort"),
    "go_on": PageText("Go on", "Weiter"),
    "sign_in_again": PageText("Sign in again instead", "Stattdessen neu anmelden"),
    # --- passkeys
    "passkeys": PageText("Passkeys", "Passkeys"),
    "your_passkeys": PageText("Your passkeys", "Ihre Passkeys"),
    "have_none": PageText("You have none.", "Sie haben keine."),
    "manage_passkeys": PageText(
        "Add, name or remove passkeys", "Passkeys hinzufügen, benennen oder entfernen"
    ),
    "add_passkey": PageText("Add a passkey", "Passkey hinzufügen"),
    "passkeys_text": PageText(
        "A passkey is kept by your device or a key. With it you sign in without a password, by your"
        " fingerprint, your face or a PIN.",
        "Ein Passkey liegt auf Ihrem Gerät oder einem Schlüssel. Mit ihm melden Sie sich ohne"
        " Passwort an, mit Ihrem Fingerabdruck, Ihrem Gesicht oder einer PIN.",
    ),
    "last_used_on": PageText("Last used on {day}.", "Zuletzt benutzt am {day}."),
    "not_used_yet": PageText("Not used yet.", "Noch nicht benutzt."),
    "new_name_of": PageText("New name of {name}", "Neuer Name von {name}"),
    "rename": PageText("Rename", "Umbenennen"),
    "rename_this": PageText("Rename {name}", "{name} umbenennen"),
    "remove_this": PageText("Remove {name}", "{name} entfernen"),
    "no_passkeys_here": PageText(
        "Browsers make no passkeys at this address. Open the platform by its name, with https://.",
        "An dieser Adresse legen Browser keine Passkeys an. Öffnen Sie die Plattform unter ihrem"
        " Namen, mit https://.",
    ),
    "passkeys_need_script": PageText(
        "Passkeys need JavaScript. Allow it for this site, then begin again. An authenticator app"
        " needs none.",
        "Passkeys brauchen JavaScript. Erlauben Sie es für diese Seite, und beginnen Sie noch"
        " einmal. Eine Authenticator-App braucht keines.",
    ),
    "name": PageText("Name", "Name"),
    "passkey_name_hint": PageText(
        "So that you know it again, for example “Phone”.",
        "Damit Sie ihn wiedererkennen, zum Beispiel „Telefon“.",
    ),
    "browser_asks": PageText(
        "Your browser asks for your fingerprint, your face or a PIN.",
        "Ihr Browser fragt nach Ihrem Fingerabdruck, Ihrem Gesicht oder einer PIN.",
    ),
    "first_factor_ends_sessions": PageText(
        "Your other sessions end if this is your first second factor.",
        "Ihre anderen Sitzungen enden, wenn das Ihr erster zweiter Faktor ist.",
    ),
    "create_passkey": PageText("Create the passkey", "Passkey anlegen"),
    "browser_unable": PageText(
        "This browser cannot make passkeys here. Use another one, or an authenticator app.",
        "Dieser Browser kann hier keine Passkeys anlegen. Nehmen Sie einen anderen, oder eine"
        " Authenticator-App.",
    ),
    "remove_passkey_title": PageText("Remove this passkey?", "Diesen Passkey entfernen?"),
    "remove_passkey_text": PageText(
        "You do not sign in with {name} any more.", "Sie melden sich nicht mehr mit {name} an."
    ),
    "only_factor": PageText(
        "It is your only second factor.", "Das ist Ihr einziger zweiter Faktor."
    ),
    "remove_passkey": PageText("Remove the passkey", "Passkey entfernen"),
    # --- identities
    "identities": PageText("Sign-in with other services", "Anmeldung mit anderen Diensten"),
    "identities_hint": PageText(
        "A service that you trust says who you are, without a password here.",
        "Ein Dienst, dem Sie vertrauen, sagt, wer Sie sind, ohne Passwort an dieser Stelle.",
    ),
    "see_identities": PageText(
        "See, link or unlink them", "Ansehen, verknüpfen oder die Verknüpfung lösen"
    ),
    "identities_text": PageText(
        "With each of these you can sign in. Each person whom the service signs in as you has all"
        " that you have here.",
        "Mit jedem davon können Sie sich anmelden. Wen der Dienst als Sie anmeldet, hat hier alles,"
        " was Sie haben.",
    ),
    "no_identities": PageText(
        "No other service is linked.", "Es ist kein anderer Dienst verknüpft."
    ),
    "no_issuers": PageText(
        "This platform offers no other service to link.",
        "Diese Plattform bietet keinen anderen Dienst zum Verknüpfen an.",
    ),
    "linked_on": PageText("Linked on {day}.", "Verknüpft am {day}."),
    "link_with": PageText("Link {name}", "{name} verknüpfen"),
    "unlink": PageText("Unlink", "Lösen"),
    "unlink_this": PageText("Unlink {name}", "Verknüpfung mit {name} lösen"),
    "unlink_title": PageText("Unlink this service?", "Verknüpfung mit diesem Dienst lösen?"),
    "unlink_text": PageText(
        "You do not sign in with {name} any more, and your other sessions end.",
        "Sie melden sich nicht mehr mit {name} an, und Ihre anderen Sitzungen enden.",
    ),
    "unlink_it": PageText("Unlink the service", "Verknüpfung lösen"),
    # --- API tokens of every account
    "own_tokens": PageText("Your API tokens", "Ihre API-Tokens"),
    "see_own_tokens": PageText("See them in every account", "In allen Konten ansehen"),
    "own_tokens_text": PageText(
        "The tokens that you have made in every account. Do you not know one of these? Revoke it.",
        "Die Tokens, die Sie in allen Konten angelegt haben. Kennen Sie eines davon nicht?"
        " Widerrufen Sie es.",
    ),
    "own_tokens_none": PageText("You have no API token", "Sie haben kein API-Token"),
    "token_account": PageText("Account", "Konto"),
    "token_in": PageText("{name} in {account}", "{name} in {account}"),
    "token_of_left": PageText(
        "An account that you have left", "Ein Konto, das Sie verlassen haben"
    ),
    # --- sessions
    "sessions": PageText("Sessions", "Sitzungen"),
    "see_sessions": PageText("See where you are signed in", "Sehen, wo Sie angemeldet sind"),
    "sessions_text": PageText(
        "Do you not know one of these? End it, then choose a new password.",
        "Kennen Sie eine davon nicht? Beenden Sie sie, und wählen Sie dann ein neues Passwort.",
    ),
    "new_password": PageText("Choose a new password", "Neues Passwort wählen"),
    "last_used_at": PageText("last used on {moment}", "zuletzt benutzt am {moment}"),
    "this_browser": PageText("This browser", "Dieser Browser"),
    "end": PageText("End", "Beenden"),
    "end_session_of": PageText(
        "End the session of {device}, last used on {moment}",
        "Sitzung von {device} beenden, zuletzt benutzt am {moment}",
    ),
    "newest_are_shown": PageText(
        "The newest {count} are shown.", "Die neuesten {count} werden gezeigt."
    ),
    "end_others": PageText("End all other sessions", "Alle anderen Sitzungen beenden"),
    "end_others_title": PageText("End all other sessions?", "Alle anderen Sitzungen beenden?"),
    "end_others_text": PageText(
        "You stay signed in here. These devices have to sign in again:",
        "Hier bleiben Sie angemeldet. Diese Geräte müssen sich neu anmelden:",
    ),
    "end_others_more": PageText(
        "There are more of them. All end but this one.",
        "Es gibt noch mehr. Alle enden außer dieser.",
    ),
    "end_one_other": PageText("End the other session", "Die andere Sitzung beenden"),
    "end_count": PageText("End {count} sessions", "{count} Sitzungen beenden"),
    "nowhere_else": PageText(
        "You are signed in nowhere else.", "Sie sind sonst nirgends angemeldet."
    ),
}
