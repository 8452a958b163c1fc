"""What the API says is wrong with a field, for a person at a form: sentence by sentence.

A sentence may have parts in braces, which stay as they are. What has no row here is shown in
English, as the API says it.
"""

from collections.abc import Mapping

from services.console.pages.sentences import Sentences

SENTENCES: Mapping[str, str] = {
    # --- every field
    "This field is required.": "Füllen Sie dieses Feld aus.",
    "Must not be empty.": "Füllen Sie dieses Feld aus.",
    "Must have at least {least} characters.": "Geben Sie mindestens {least} Zeichen ein.",
    "Must have at most {most} characters.": "Geben Sie höchstens {most} Zeichen ein.",
    "Must have at least {least} items.": "Wählen Sie mindestens {least}.",
    "Must have at most {most} items.": "Wählen Sie höchstens {most}.",
    "Must be an integer.": "Geben Sie eine ganze Zahl ein.",
    "Must be an integer of at most 64 bits.": "Geben Sie eine kleinere Zahl ein.",
    "Must be a number.": "Geben Sie eine Zahl ein.",
    "Must be a finite number.": "Geben Sie eine Zahl ein.",
    "Must be a string.": "Geben Sie einen Text ein.",
    "Must be an array.": "Wählen Sie etwas aus.",
    "Must be an object.": "Wählen Sie etwas aus.",
    "Must be true or false.": "Wählen Sie ja oder nein.",
    "Must be null.": "Lassen Sie dieses Feld leer.",
    "Must be {kind}, or {other}.": "Wählen Sie etwas aus.",
    "Must be greater than {least}.": "Geben Sie mehr als {least} ein.",
    "Must be at least {least}.": "Geben Sie mindestens {least} ein.",
    "Must be less than {most}.": "Geben Sie weniger als {most} ein.",
    "Must be at most {most}.": "Geben Sie höchstens {most} ein.",
    "Must be one of: {choices}.": "Wählen Sie eines von diesen: {choices}.",
    "Choose one of: {choices}.": "Wählen Sie eines von diesen: {choices}.",
    "Must begin with a lower-case letter, and have only lower-case letters, digits and `_`, at most"
    " 64 of them.": "Beginnen Sie mit einem Kleinbuchstaben, und nehmen Sie nur Kleinbuchstaben,"
    " Ziffern und `_`, höchstens 64.",
    "Must be an id that begins with `{prefix}`, as an earlier answer gave it.": "Wählen Sie etwas"
    " aus der Liste.",
    "Does not have the form of this field.": "Das passt nicht in dieses Feld.",
    "See its schema.": "Prüfen Sie Ihre Eingabe.",
    "Contains a character that is not allowed.": "Das enthält ein Zeichen, das nicht erlaubt ist.",
    "Remove it.": "Nehmen Sie es heraus.",
    "Remove them.": "Nehmen Sie sie heraus.",
    # --- names
    "A name must have 1 to {most} characters.": "Ein Name hat 1 bis {most} Zeichen.",
    "A name cannot contain control or formatting characters.": "Ein Name kann keine Steuer- oder"
    " Formatzeichen enthalten.",
    "A name cannot contain invisible characters.": "Ein Name kann keine unsichtbaren Zeichen"
    " enthalten.",
    "A name needs at least one visible character.": "Ein Name braucht mindestens ein sichtbares"
    " Zeichen.",
    "A zero-width joiner or non-joiner must stand between visible characters.": "Ein Verbinder oder"
    " Trenner ohne Breite muss zwischen sichtbaren Zeichen stehen.",
    'A name cannot contain a link ("://" or "www.").': "Ein Name kann keinen Link enthalten"
    " („://“ oder „www.“).",
    'A name cannot contain "=?".': "Ein Name kann „=?“ nicht enthalten.",
    "A name cannot contain an e-mail address, a web address or a phone number.": "Ein Name kann"
    " keine E-Mail-Adresse, Web-Adresse oder Telefonnummer enthalten.",
    # --- e-mail addresses
    "Enter it as name@example.com.": "Geben Sie sie als name@example.com ein.",
    "The e-mail address is empty.": "Die E-Mail-Adresse fehlt.",
    "Enter only the address, without a name and without < and >.": "Geben Sie nur die Adresse ein,"
    " ohne Namen und ohne < und >.",
    "This field takes one e-mail address.": "Hier steht eine einzige E-Mail-Adresse.",
    "Send one request for each address.": "Geben Sie die anderen einzeln ein.",
    "An e-mail address has no spaces.": "Eine E-Mail-Adresse hat keine Leerzeichen.",
    "The e-mail address has no @.": "In der E-Mail-Adresse fehlt das @.",
    "The e-mail address has more than one @.": "Die E-Mail-Adresse hat mehr als ein @.",
    "The part before the @ is missing.": "Der Teil vor dem @ fehlt.",
    "The domain after the @ is missing.": "Die Domain nach dem @ fehlt.",
    "The part before the @ must have at most {most} characters.": "Der Teil vor dem @ hat höchstens"
    " {most} Zeichen.",
    "The part before the @ cannot begin or end with a dot, or have two dots in a row.": "Der Teil"
    " vor dem @ kann nicht mit einem Punkt beginnen oder enden und keine zwei Punkte"
    " hintereinander haben.",
    "The part after the @ must be a domain name, not an address.": "Nach dem @ steht der Name einer"
    " Domain, keine Nummer.",
    "The domain after the @ cannot begin or end with a dot, or have two dots in a row.": "Die"
    " Domain nach dem @ kann nicht mit einem Punkt beginnen oder enden und keine zwei Punkte"
    " hintereinander haben.",
    "An e-mail address must have at most {most} characters.": "Eine E-Mail-Adresse hat höchstens"
    " {most} Zeichen.",
    "The part before the @ must have only unaccented letters from A to Z, digits, dots and symbols"
    " such as + and -.": "Der Teil vor dem @ hat nur Buchstaben von A bis Z ohne Akzente, Ziffern,"
    " Punkte und Zeichen wie + und -.",
    "The part after the @ is not a domain name.": "Nach dem @ steht kein Name einer Domain.",
    "The domain after the @ has no ending such as .com.": "Der Domain nach dem @ fehlt eine Endung"
    " wie .com.",
    "This is your address already.": "Das ist schon Ihre Adresse.",
    "Enter another one.": "Geben Sie eine andere ein.",
    "Enter the domain alone: what stands after the @.": "Geben Sie nur die Domain ein: was nach dem"
    " @ steht.",
    # --- passwords
    "A password must have at least {least} characters.": "Ein Passwort hat mindestens {least}"
    " Zeichen.",
    "A password must have at most {most} characters.": "Ein Passwort hat höchstens {most} Zeichen.",
    "A password must not contain control characters.": "Ein Passwort kann keine Steuerzeichen"
    " enthalten.",
    "This password is easy to guess.": "Dieses Passwort ist leicht zu erraten.",
    "It contains your name, your e-mail address or the name of this product.": "Es enthält Ihren"
    " Namen, Ihre E-Mail-Adresse oder den Namen dieses Produkts.",
    "Use a few words that do not belong together.": "Nehmen Sie einige Wörter, die nicht"
    " zusammengehören.",
    "Use a few words that have nothing to do with you.": "Nehmen Sie einige Wörter, die nichts mit"
    " Ihnen zu tun haben.",
    "Use a few words, avoid common phrases.": "Nehmen Sie einige Wörter, aber keine Redewendung.",
    "No need for symbols, digits, or uppercase letters.": "Zeichen, Ziffern und Großbuchstaben sind"
    " nicht nötig.",
    "Add another word or two.": "Fügen Sie ein oder zwei Wörter hinzu.",
    "Uncommon words are better.": "Seltene Wörter sind besser.",
    "Capitalization doesn't help very much.": "Großschreibung hilft nicht viel.",
    "All-uppercase is almost as easy to guess as all-lowercase.": "Nur Großbuchstaben sind fast so"
    " leicht zu erraten wie nur Kleinbuchstaben.",
    "Reversed words aren't much harder to guess.": "Umgedrehte Wörter sind kaum schwerer zu"
    " erraten.",
    "Predictable substitutions like '@' instead of 'a' don't help very much.": "Übliche"
    " Ersetzungen wie „@“ statt „a“ helfen nicht viel.",
    "Use a longer keyboard pattern with more turns.": "Nehmen Sie ein längeres Tastenmuster mit"
    " mehr Wendungen.",
    "Avoid repeated words and characters.": "Wiederholen Sie keine Wörter und Zeichen.",
    "Avoid sequences.": "Nehmen Sie keine Reihenfolgen.",
    "Avoid recent years.": "Nehmen Sie keine Jahreszahlen der letzten Zeit.",
    "Avoid years that are associated with you.": "Nehmen Sie keine Jahreszahlen, die mit Ihnen zu"
    " tun haben.",
    "Avoid dates and years that are associated with you.": "Nehmen Sie keine Tage und Jahreszahlen,"
    " die mit Ihnen zu tun haben.",
    "Straight rows of keys are easy to guess.": "Gerade Tastenreihen sind leicht zu erraten.",
    "Short keyboard patterns are easy to guess.": "Kurze Tastenmuster sind leicht zu erraten.",
    'Repeats like "aaa" are easy to guess.': "Wiederholungen wie „aaa“ sind leicht zu erraten.",
    'Repeats like "abcabcabc" are only slightly harder to guess than "abc".': "Wiederholungen wie"
    " „abcabcabc“ sind kaum schwerer zu erraten als „abc“.",
    "This is a top-10 common password.": "Das ist eines der zehn häufigsten Passwörter.",
    "This is a top-100 common password.": "Das ist eines der hundert häufigsten Passwörter.",
    "This is a very common password.": "Das ist ein sehr häufiges Passwort.",
    "This is similar to a commonly used password.": "Das ähnelt einem häufigen Passwort.",
    "Sequences like abc or 6543 are easy to guess.": "Reihenfolgen wie abc oder 6543 sind leicht zu"
    " erraten.",
    "Recent years are easy to guess.": "Jahreszahlen der letzten Zeit sind leicht zu erraten.",
    "A word by itself is easy to guess.": "Ein einzelnes Wort ist leicht zu erraten.",
    "Dates are often easy to guess.": "Tage sind oft leicht zu erraten.",
    "Names and surnames by themselves are easy to guess.": "Namen allein sind leicht zu erraten.",
    "Common names and surnames are easy to guess.": "Häufige Namen sind leicht zu erraten.",
    "A sign-up by address takes no password.": "Bei der Registrierung wird kein Passwort"
    " gebraucht.",
    "Set it when you verify the address, with `POST /v1/email/verify`.": "Sie wählen es, wenn Sie"
    " die Adresse bestätigen.",
    "Send the password: you have no second factor.": "Geben Sie Ihr Passwort ein: Sie haben keinen"
    " zweiten Faktor.",
    "This invitation needs a password.": "Diese Einladung braucht ein Passwort.",
    "Choose one.": "Wählen Sie eines.",
    # --- language and time zone
    "This language is not known.": "Diese Sprache ist nicht bekannt.",
    "This time zone is not known.": "Diese Zeitzone ist nicht bekannt.",
    "Use a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`.": "Wählen Sie"
    " eine aus der Liste.",
    # --- days and moments
    "Must be in the future.": "Wählen Sie einen Tag in der Zukunft.",
    "Must be in the future, and within {days} days.": "Wählen Sie einen Tag in der Zukunft, in den"
    " nächsten {days} Tagen.",
    "Remove or suspend the member to end it now.": "Um die Mitgliedschaft jetzt zu beenden,"
    " entfernen oder sperren Sie das Mitglied.",
    "Remove the member to end the membership now.": "Um die Mitgliedschaft jetzt zu beenden,"
    " entfernen Sie das Mitglied.",
    "This moment does not exist in every time zone.": "Diesen Tag gibt es nicht in jeder Zeitzone.",
    "Send one from {first} to {last} in UTC.": "Wählen Sie einen anderen.",
    "Must be an RFC 3339 time with a zone, such as {moment}.": "Wählen Sie einen Tag.",
    "This day does not exist in the calendar.": "Diesen Tag gibt es nicht.",
    "The time of the day is missing.": "Die Uhrzeit fehlt.",
    "This time of the day does not exist.": "Diese Uhrzeit gibt es nicht.",
    "Send an RFC 3339 time with a zone, such as {moment}.": "Wählen Sie einen Tag.",
    "`to` is before `from`.": "Das Ende liegt vor dem Anfang.",
    "Send a `to` that is later, or leave one out.": "Wählen Sie ein späteres, oder lassen Sie eines"
    " weg.",
    "Must be an action such as `member.removed`, or its beginning with `.` or `*` at the"
    " end.": "Wählen Sie eine Aktion aus der Liste.",
    "Must have a letter or a digit.": "Geben Sie einen Buchstaben oder eine Ziffer ein.",
    "Send at least one word of a name.": "Geben Sie mindestens ein Wort eines Namens ein.",
    # --- accounts and members
    "Must be the name of the account.": "Das ist nicht der Name des Kontos.",
    "Must be your own e-mail address.": "Das ist nicht Ihre E-Mail-Adresse.",
    "Name an active member who is not the owner.": "Wählen Sie ein aktives Mitglied, dem das Konto"
    " nicht gehört.",
    "A new member needs a role.": "Ein neues Mitglied braucht eine Rolle.",
    "Name one.": "Wählen Sie eine.",
    "Name a member of the account.": "Wählen Sie ein Mitglied des Kontos.",
    "This user has the resources already.": "Diese Person hat die Ressourcen schon.",
    "Name another one.": "Wählen Sie eine andere.",
    # --- addresses of the web
    "This is not an address.": "Das ist keine Adresse.",
    "Enter it as https://example.com.": "Geben Sie sie als https://example.com ein.",
    "An address has at most {most} characters of ASCII, and no spaces.": "Eine Adresse hat"
    " höchstens {most} Zeichen aus ASCII und keine Leerzeichen.",
    "The address needs a host, and has no user name and no fragment.": "Die Adresse braucht einen"
    " Rechnernamen, und hat keinen Benutzernamen und keinen Teil nach #.",
    "The address between [ and ] is not one of IPv6.": "Zwischen [ und ] steht keine Adresse von"
    " IPv6.",
    "The address must begin with https://.": "Die Adresse muss mit https:// beginnen.",
    "The address must be one of the internet.": "Die Adresse muss im Internet liegen.",
    "Enter the name of its host.": "Geben Sie den Namen des Rechners ein.",
    "A new address needs its secret.": "Eine neue Adresse braucht ihr Geheimnis.",
    "Send `secret` together with `url`.": "Geben Sie beide ein.",
    "Another issuer needs its own secret.": "Ein anderer Issuer braucht sein eigenes Geheimnis.",
    "Send `client_secret` together with `issuer`; it is `null` for a client without one"
    ".": "Geben Sie beide ein.",
    "`{name}` is set by the sender.": "`{name}` setzt der Absender.",
    "Choose the header in which the receiver expects its secret, such as `Authorization`"
    ".": "Nehmen Sie den Header, in dem der Empfänger sein Geheimnis erwartet, etwa"
    " `Authorization`.",
    "`{name}` is not an event type, a noun with `.*`, or `*`.": "`{name}` ist kein Ereignis.",
    "Choose from GET /v1/webhook-event-types.": "Wählen Sie eines aus der Liste.",
    # --- why a receiver was not reached
    "Too many names wait for name servers that do not answer.": "Zu viele Namen warten auf"
    " Name-Server, die nicht antworten.",
    "The name of the host leads to no address that may be used.": "Der Rechnername führt zu keiner"
    " Adresse, die benutzt werden darf.",
    "The host has no valid certificate for its name, or does not speak TLS.": "Der Rechner hat kein"
    " gültiges Zertifikat für seinen Namen, oder spricht kein TLS.",
    "No connection to an address of the host came about.": "Zu keiner Adresse des Rechners kam eine"
    " Verbindung zustande.",
    "The connection broke before the answer was complete.": "Die Verbindung brach ab, bevor die"
    " Antwort vollständig war.",
    "There was no answer.": "Es kam keine Antwort.",
    "The receiver answered {status}.": "Der Empfänger hat mit {status} geantwortet.",
}

ENGLISH: Mapping[str, str] = {
    "Must have at least {least} items.": "Choose at least {least}.",
    "Must have at most {most} items.": "Choose at most {most}.",
    "Must be an integer.": "Enter a whole number.",
    "Must be an integer of at most 64 bits.": "Enter a smaller number.",
    "Must be a finite number.": "Enter a number.",
    "Must be a string.": "Enter a text.",
    "Must be an array.": "Choose something.",
    "Must be an object.": "Choose something.",
    "Must be true or false.": "Choose yes or no.",
    "Must be null.": "Leave this field empty.",
    "Must be {kind}, or {other}.": "Choose something.",
    "Must be an id that begins with `{prefix}`, as an earlier answer gave it.": "Choose something"
    " from the list.",
    "Does not have the form of this field.": "This does not fit this field.",
    "See its schema.": "Look at what you entered.",
    "Send one request for each address.": "Enter the others one by one.",
    "Set it when you verify the address, with `POST /v1/email/verify`.": "You choose it when you"
    " verify the address.",
    "Send the password: you have no second factor.": "Enter your password: you have no second"
    " factor.",
    "Use a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`.": "Choose one"
    " from the list.",
    "Send one from {first} to {last} in UTC.": "Choose another one.",
    "Must be an RFC 3339 time with a zone, such as {moment}.": "Choose a day.",
    "Send an RFC 3339 time with a zone, such as {moment}.": "Choose a day.",
    "`to` is before `from`.": "The end is before the beginning.",
    "Send a `to` that is later, or leave one out.": "Choose a later one, or leave one out.",
    "Must be an action such as `member.removed`, or its beginning with `.` or `*` at the"
    " end.": "Choose an action from the list.",
    "Send at least one word of a name.": "Enter at least one word of a name.",
    "Send `secret` together with `url`.": "Enter both.",
    "Send `client_secret` together with `issuer`; it is `null` for a client without one"
    ".": "Enter both.",
    "`{name}` is not an event type, a noun with `.*`, or `*`.": "`{name}` is not an event.",
    "Choose from GET /v1/webhook-event-types.": "Choose one from the list.",
    "Must be in the future.": "Choose a day in the future.",
}
"""Of the sentences above, those whose own words are for the writer of a program."""
_GERMAN = Sentences(SENTENCES)
_ENGLISH = Sentences({**{sentence: sentence for sentence in SENTENCES}, **ENGLISH})


def in_german(text: str) -> str | None:
    """The text of the API in German; None if a sentence of it has no row."""
    return _GERMAN.translated(text)


def in_english(text: str) -> str:
    """The text of the API in the words of a person; as it is if a sentence of it has no row."""
    said = _ENGLISH.translated(text)
    return text if said is None else said
