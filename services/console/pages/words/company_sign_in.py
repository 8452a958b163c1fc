"""The words of the pages of the issuers with which the people of an account sign in."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

COMPANY_SIGN_IN: Mapping[str, PageText] = {
    "company_sign_in": PageText("Company sign-in", "Unternehmensanmeldung"),
    "company_text": PageText(
        "People with an address of your domain sign in with your company's own service (OpenID"
        " Connect).",
        "Wer eine Adresse Ihrer Domain hat, meldet sich mit dem eigenen Dienst Ihres Unternehmens"
        " an (OpenID Connect).",
    ),
    "company_none": PageText(
        "No sign-in service is connected.", "Es ist kein Anmeldedienst verbunden."
    ),
    "company_new": PageText("Connect a sign-in service", "Anmeldedienst verbinden"),
    "company_connect": PageText("Connect", "Verbinden"),
    "company_label": PageText("Name", "Name"),
    "company_label_hint": PageText(
        "As people know it, for example “Acme”.", "Wie man ihn kennt, zum Beispiel „Acme“."
    ),
    "company_issuer": PageText("Address of the service", "Adresse des Dienstes"),
    "company_issuer_hint": PageText(
        "Its issuer, for example https://login.example.com.",
        "Sein Issuer, zum Beispiel https://login.example.com.",
    ),
    "company_client": PageText("Client ID", "Client-ID"),
    "company_secret": PageText("Client secret", "Client-Geheimnis"),
    "company_secret_hint": PageText(
        "If the service has given one. It is not shown again.",
        "Falls der Dienst eines vergeben hat. Es wird nicht wieder gezeigt.",
    ),
    "company_secret_kept": PageText(
        "One is kept. Enter another one to replace it. Another issuer needs its own secret.",
        "Eines ist hinterlegt. Geben Sie ein anderes ein, um es zu ersetzen. Ein anderer Issuer"
        " braucht sein eigenes Geheimnis.",
    ),
    "company_domain": PageText("Domain", "Domain"),
    "company_domain_hint": PageText(
        "What stands after the @ in the addresses of your people.",
        "Was in den Adressen Ihrer Mitarbeitenden nach dem @ steht.",
    ),
    "company_joins": PageText(
        "Role of people who sign in for the first time",
        "Rolle bei der ersten Anmeldung",
    ),
    "company_no_one_joins": PageText(
        "None: members need an invitation",
        "Keine: nur mit Einladung",
    ),
    "company_joins_hint": PageText(
        "They become members with it, if their address is of the proved domain.",
        "Damit werden Personen mit einer Adresse der nachgewiesenen Domain Mitglied.",
    ),
    "company_works": PageText("Works", "Funktioniert"),
    "company_waits": PageText("Domain not proved yet", "Domain nicht nachgewiesen"),
    "company_proved": PageText(
        "{domain} was proved on {moment}.", "{domain} wurde am {moment} nachgewiesen."
    ),
    "company_prove": PageText(
        "Prove that {domain} is yours", "Nachweisen, dass {domain} Ihnen gehört"
    ),
    "company_prove_text": PageText(
        "Add this TXT record at the name servers of the domain. No one can sign in with this"
        " service before.",
        "Legen Sie diesen TXT-Eintrag bei den Nameservern der Domain an. Vorher kann sich"
        " mit diesem Dienst niemand anmelden.",
    ),
    "company_txt_name": PageText("Name of the record", "Name des Eintrags"),
    "company_txt_value": PageText("Value", "Wert"),
    "company_prove_press": PageText("Check the record", "Eintrag prüfen"),
    "company_redirect": PageText("Register at the service", "Beim Dienst eintragen"),
    "company_redirect_text": PageText(
        "The service leads people back to these addresses alone.",
        "Der Dienst führt nur zu diesen Adressen zurück.",
    ),
    "company_change": PageText("Change it", "Ändern"),
    "company_other_issuer": PageText(
        "Another address of the service needs another proof of the domain.",
        "Eine andere Adresse des Dienstes braucht einen neuen Nachweis der Domain.",
    ),
    "company_delete_title": PageText("Delete {name}?", "{name} löschen?"),
    "company_delete_text": PageText(
        "People with an address of {domain} do not sign in with this service any more. Those who"
        " have a password or a passkey use that. They stay members.",
        "Wer eine Adresse von {domain} hat, meldet sich nicht mehr mit diesem Dienst an, sondern"
        " mit Passwort oder Passkey, falls vorhanden. Alle bleiben Mitglieder.",
    ),
    "company_delete_press": PageText("Delete the connection", "Verbindung löschen"),
}
