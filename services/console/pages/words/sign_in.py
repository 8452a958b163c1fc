"""The words of the pages of a sign-in and of a sign-up."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

SIGN_IN: Mapping[str, PageText] = {
    "sign_in_email": PageText(
        "E-mail address",
        "E-Mail-Adresse",
    ),
    "nothing_until_a_press": PageText(
        "Nothing changes until you press a button.",
        "Es ändert sich nichts, bis Sie eine Schaltfläche drücken.",
    ),
    "nothing_until_the_press": PageText(
        "Nothing changes until you press the button.",
        "Es ändert sich nichts, bis Sie die Schaltfläche drücken.",
    ),
    "switch_user": PageText(
        "Sign out and switch user",
        "Abmelden und Person wechseln",
    ),
    "sign_in": PageText(
        "Sign in",
        "Anmelden",
    ),
    "back_to_sign_in": PageText(
        "Back to sign-in",
        "Zurück zur Anmeldung",
    ),
    "send_link": PageText(
        "Send me the link",
        "Link senden",
    ),
    "use_passkey": PageText(
        "Use a passkey",
        "Passkey verwenden",
    ),
    "continue_with_company": PageText(
        "Continue with your company",
        "Weiter mit Ihrem Unternehmen",
    ),
    "forgot_your_password": PageText(
        "Forgot your password?",
        "Passwort vergessen?",
    ),
    "create_account": PageText(
        "Create an account",
        "Registrieren",
    ),
    "continue_with": PageText(
        "Continue with {name}",
        "Weiter mit {name}",
    ),
    "confirm_it_is_you": PageText(
        "Confirm that it is you",
        "Bestätigen Sie, dass Sie es sind",
    ),
    "other_address": PageText(
        "Sign in with another address",
        "Mit einer anderen Adresse anmelden",
    ),
    "signing_in_as": PageText(
        "You are signing in as {email}.",
        "Sie melden sich als {email} an.",
    ),
    "code_or_passkey": PageText(
        "Enter a code. If you have a passkey, you need no code:",
        "Geben Sie einen Code ein. Mit einem Passkey brauchen Sie keinen Code:",
    ),
    "one_moment": PageText(
        "One moment",
        "Einen Augenblick",
    ),
    "go_on_yourself": PageText(
        "Go on if nothing happens",
        "Weiter, falls nichts geschieht",
    ),
    "taken_to": PageText(
        "You are being taken to {host}, where you sign in.",
        "Sie werden zu {host} weitergeleitet. Dort melden Sie sich an.",
    ),
    "passkey_needs_script": PageText(
        "Passkeys need JavaScript. Allow it for this site, or sign in another way.",
        "Passkeys brauchen JavaScript. Erlauben Sie es für diese Seite, oder melden Sie sich"
        " anders an.",
    ),
    "passkey_unable": PageText(
        "This browser cannot use passkeys here. Sign in another way.",
        "Dieser Browser kann hier keine Passkeys verwenden. Melden Sie sich anders an.",
    ),
    "sign_in_otherwise": PageText(
        "Sign in another way",
        "Anders anmelden",
    ),
    "company_hint": PageText(
        "Enter your address at work. If your company has connected its own sign-in, you go"
        " on there.",
        "Geben Sie Ihre geschäftliche Adresse ein. Hat Ihr Unternehmen eine eigene"
        " Anmeldung verbunden, geht es dort weiter.",
    ),
    "with_password": PageText(
        "Sign in with a password",
        "Mit Passwort anmelden",
    ),
    "continue": PageText(
        "Continue",
        "Weiter",
    ),
    "stay_signed_in": PageText(
        "Stay signed in",
        "Angemeldet bleiben",
    ),
    "will_be_signed_out": PageText(
        "You will be signed out of {product} in this browser.",
        "Sie werden in diesem Browser von {product} abgemeldet.",
    ),
    "sign_up_text": PageText(
        "We send a link to your address. You choose a password there.",
        "Wir senden einen Link an Ihre Adresse. Dort wählen Sie ein Passwort.",
    ),
    "have_account": PageText(
        "Already have an account?",
        "Sind Sie schon registriert?",
    ),
    "check_mail": PageText(
        "Check your e-mail",
        "Prüfen Sie Ihre E-Mails",
    ),
    "sign_up_mailed": PageText(
        "We have sent a mail to the address that you entered. Open the link in it to choose"
        " a password.",
        "Wir haben eine E-Mail an die Adresse gesendet, die Sie eingegeben haben. Öffnen Sie"
        " den Link darin, um ein Passwort zu wählen.",
    ),
    "nothing_arrived": PageText(
        "Nothing arrived after a few minutes? Look into the spam folder, or have it sent again.",
        "Nach einigen Minuten ist nichts angekommen? Sehen Sie im Spam-Ordner nach, oder"
        " lassen Sie sie noch einmal senden.",
    ),
    "send_again": PageText(
        "Send it again",
        "Noch einmal senden",
    ),
    "another_address": PageText(
        "Use another address",
        "Andere Adresse verwenden",
    ),
    "other_access": PageText(
        "API tokens and sign-ins with other services",
        "API-Tokens und Anmeldungen mit anderen Diensten",
    ),
    "password_hint": PageText(
        "At least 10 characters. A few words that do not belong together are best.",
        "Mindestens 10 Zeichen. Am besten einige Wörter, die nicht zusammengehören.",
    ),
    "other_access_text": PageText(
        "You have {count}. They work without the password, and a person who knew it may have"
        " made some.",
        "Sie haben {count}. Sie gelten ohne das Passwort, und wer es kannte, hat vielleicht"
        " welche angelegt.",
    ),
    "end_recent": PageText(
        "End those of the last 30 days ({count})",
        "Die der letzten 30 Tage beenden ({count})",
    ),
    "end_all": PageText(
        "End all of them ({count})",
        "Alle beenden ({count})",
    ),
    "end_none": PageText(
        "Keep all of them, for I only forgot my password",
        "Alle behalten, denn ich habe nur mein Passwort vergessen",
    ),
}
