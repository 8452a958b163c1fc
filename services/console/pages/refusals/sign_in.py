"""What the pages of one person say about a refusal of the API, besides what every page says."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText
from services.console.pages.refusals.every import SESSION_OVER

SIGN_IN_OVER = PageText(
    "This sign-in took too long, or it was begun in another tab or browser. Begin it again.",
    "Diese Anmeldung hat zu lange gedauert, oder sie wurde in einem anderen Fenster oder Browser"
    " begonnen. Beginnen Sie noch einmal.",
)
ISSUER_FAILED = PageText(
    "The other service did not sign you in. Try again, or sign in another way.",
    "Der andere Dienst hat Sie nicht angemeldet. Versuchen Sie es noch einmal, oder melden Sie sich"
    " anders an.",
)
SIGN_IN: Mapping[str, PageText] = {
    "wrong-credentials": PageText(
        "The e-mail address or the password is wrong.",
        "Die E-Mail-Adresse oder das Passwort ist falsch.",
    ),
    "otp-required": PageText(
        "Enter a code of your authenticator app, or a recovery code.",
        "Geben Sie einen Code Ihrer Authenticator-App oder einen Wiederherstellungscode ein.",
    ),
    "wrong-otp": PageText(
        "This code is wrong or was used already. Enter the next one.",
        "Dieser Code ist falsch oder wurde schon benutzt. Geben Sie den nächsten ein.",
    ),
    "user-disabled": PageText(
        "The platform has disabled your sign-in. Ask the platform for the reason.",
        "Die Plattform hat Ihre Anmeldung gesperrt. Fragen Sie die Plattform nach dem Grund.",
    ),
    "link-invalid": PageText(
        "This link is not valid any more. It may have been used already. Ask for a new one.",
        "Dieser Link gilt nicht mehr. Vielleicht wurde er schon benutzt. Fordern Sie einen neuen"
        " an.",
    ),
    "invitation-not-valid": PageText(
        "This invitation is not valid any more, or it is for another address. Ask the sender for a"
        " new one.",
        "Diese Einladung gilt nicht mehr, oder sie gilt für eine andere Adresse. Bitten Sie um eine"
        " neue.",
    ),
    "account-exists": PageText(
        "A user with this address exists already. Sign in, then accept the invitation.",
        "Mit dieser Adresse ist schon jemand registriert. Melden Sie sich an, und nehmen Sie"
        " dann die Einladung an.",
    ),
    "already-a-member": PageText(
        "You are a member of this team already.", "Sie sind schon Mitglied dieses Teams."
    ),
    "member-limit": PageText(
        "The team has no free seat at the moment. Ask the person who invited you.",
        "Im Team ist gerade kein Platz frei. Fragen Sie die Person, die Sie eingeladen hat.",
    ),
    "guardrail-violated": PageText(
        "A rule of the team does not allow this. Ask the person who invited you.",
        "Eine Regel des Teams erlaubt das nicht. Fragen Sie die Person, die Sie eingeladen hat.",
    ),
    "second-factor-required": PageText(
        "This team asks its members for a second factor. Add one on the page “Sign-in"
        " security”, then try again.",
        "Dieses Team verlangt von seinen Mitgliedern einen zweiten Faktor. Fügen Sie auf der Seite"
        " „Sicherheit“ einen hinzu, und versuchen Sie es noch einmal.",
    ),
    "passkey-challenge-over": PageText(
        "This took too long. Use your passkey again.",
        "Das hat zu lange gedauert. Verwenden Sie Ihren Passkey noch einmal.",
    ),
    "passkey-refused": PageText(
        "This passkey is not known here, or it did not check that it is you. Use another one, or"
        " sign in another way.",
        "Dieser Passkey ist hier nicht bekannt, oder er hat nicht geprüft, dass Sie es sind. Nehmen"
        " Sie einen anderen, oder melden Sie sich anders an.",
    ),
    "mails-off-in-all": PageText(
        "Mails of this kind are switched off for all your accounts. Sign in, and switch them on in"
        " your settings.",
        "E-Mails dieser Art sind für alle Ihre Konten ausgeschaltet. Melden Sie sich an, und"
        " schalten Sie sie in Ihren Einstellungen ein.",
    ),
    "unsubscribe-link-invalid": PageText(
        "This link is not valid. Copy the whole address from the e-mail, or sign in and choose your"
        " e-mails there.",
        "Dieser Link ist nicht gültig. Kopieren Sie die ganze Adresse aus der E-Mail, oder melden"
        " Sie sich an und wählen Sie Ihre E-Mails dort aus.",
    ),
    "precondition-failed": PageText(
        "Your choices have changed meanwhile, in another tab or by the link of a mail. The list"
        " shows what counts now. Press the button again if you still want this.",
        "Ihre Auswahl hat sich inzwischen geändert, in einem anderen Fenster oder durch den Link"
        " einer E-Mail. Die Liste zeigt, was jetzt gilt. Drücken Sie die Schaltfläche noch einmal,"
        " wenn Sie das noch wollen.",
    ),
    "no-connection": PageText(
        "This address has no sign-in with a company. Sign in with your password.",
        "Für diese Adresse gibt es keine Anmeldung über ein Unternehmen. Melden Sie sich mit Ihrem"
        " Passwort an.",
    ),
    "connection-paused": PageText(
        "The account of this sign-in is suspended or is being deleted. Sign in another way, or ask"
        " the account's owner.",
        "Das Konto dieser Anmeldung ist gesperrt oder wird gelöscht. Melden Sie sich anders an,"
        " oder fragen Sie die Eigentümerin oder den Eigentümer des Kontos.",
    ),
    "sso-sign-in-over": SIGN_IN_OVER,
    "issuer-answer-invalid": ISSUER_FAILED,
    "issuer-unavailable": PageText(
        "The other service does not answer at the moment. Try again in a few seconds, or sign in"
        " another way.",
        "Der andere Dienst antwortet gerade nicht. Versuchen Sie es in einigen Sekunden noch"
        " einmal, oder melden Sie sich anders an.",
    ),
    "identity-not-linked": PageText(
        "This sign-in does not belong to a user here yet. Sign in another way, or create an"
        " account.",
        "Diese Anmeldung gehört hier noch zu keiner Person. Melden Sie sich anders an, oder"
        " registrieren Sie sich.",
    ),
    "step-up-required": PageText(
        "To change this, prove again who you are: press the button again, then enter a code or your"
        " password.",
        "Weisen Sie sich noch einmal aus, um das zu ändern: Drücken Sie die Schaltfläche noch"
        " einmal, und geben Sie dann einen Code oder Ihr Passwort ein.",
    ),
    "wrong-password": PageText(
        "The password is wrong. Enter the one that you sign in with.",
        "Das Passwort ist falsch. Geben Sie das ein, mit dem Sie sich anmelden.",
    ),
    "sign-in-again": PageText(
        "You have no password and no second factor here. Sign in again, then go on within five"
        " minutes.",
        "Sie haben hier weder ein Passwort noch einen zweiten Faktor. Melden Sie sich noch einmal"
        " an, und machen Sie innerhalb von fünf Minuten weiter.",
    ),
    "enrolment-missing": PageText(
        "This took too long, or the app was added already. Look at the list below before you begin"
        " again.",
        "Das hat zu lange gedauert, oder die App ist schon hinzugefügt. Sehen Sie in der Liste"
        " unten nach, bevor Sie noch einmal beginnen.",
    ),
    "passkey-known": PageText(
        "This passkey is added already.", "Dieser Passkey ist schon hinzugefügt."
    ),
    "too-many-passkeys": PageText(
        "You have as many passkeys as one can have. Remove one that you do not use.",
        "Mehr Passkeys kann man nicht haben. Entfernen Sie einen, den Sie nicht benutzen.",
    ),
    "last-sign-in": PageText(
        "This is your only way to sign in. Choose a password or add another passkey first.",
        "Das ist Ihre einzige Möglichkeit zur Anmeldung. Wählen Sie zuerst ein Passwort, oder fügen"
        " Sie einen anderen Passkey hinzu.",
    ),
    "identity-taken": PageText(
        "At this service, this is the sign-in of another person here. Sign in with it and unlink it"
        " there first.",
        "Mit dieser Anmeldung beim Dienst meldet sich hier schon eine andere Person an. Melden Sie"
        " sich damit an, und lösen Sie die Verknüpfung zuerst dort.",
    ),
    "too-many-identities": PageText(
        "You have linked as many services as one can link. Unlink one that you do not use.",
        "Mehr Dienste kann man nicht verknüpfen. Lösen Sie die Verknüpfung mit einem, den Sie nicht"
        " benutzen.",
    ),
    "no-second-factor": PageText(
        "Recovery codes need a second factor. Add an app first.",
        "Wiederherstellungscodes brauchen einen zweiten Faktor. Fügen Sie zuerst eine App hinzu.",
    ),
    "dns-unavailable": PageText(
        "The domain of your company cannot be checked at the moment. Try again in a few seconds, or"
        " sign in another way.",
        "Die Domain Ihres Unternehmens lässt sich gerade nicht prüfen. Versuchen Sie es in einigen"
        " Sekunden noch einmal, oder melden Sie sich anders an.",
    ),
    "owns-teams": PageText(
        "You own accounts that have other members. Give each of them another owner, or delete it.",
        "Ihnen gehören Konten mit anderen Mitgliedern. Geben Sie jedes davon einer anderen Person,"
        " oder löschen Sie es.",
    ),
    "refresh-token-invalid": SESSION_OVER,
}
"""By the code of the refusal."""
