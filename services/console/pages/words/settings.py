"""The words of the pages of an account's settings."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

SETTINGS: Mapping[str, PageText] = {
    "section_settings": PageText("Settings", "Einstellungen"),
    "settings_groups": PageText("Groups of settings", "Gruppen der Einstellungen"),
    "settings_general": PageText("General", "Allgemein"),
    "settings_webhooks": PageText("Webhooks", "Webhooks"),
    "settings_streams": PageText("Log streams", "Protokollströme"),
    "settings_ownership": PageText("Owner", "Eigentum"),
    "settings_id": PageText("Id of the account", "ID des Kontos"),
    "settings_id_hint": PageText(
        "Programs name the account by it.", "Programme nennen das Konto damit."
    ),
    "settings_name": PageText("Name of the account", "Name des Kontos"),
    "settings_grave": PageText("Cannot be undone easily", "Nicht leicht rückgängig zu machen"),
    "settings_deleting": PageText(
        "This account is deleted. It can be restored until {moment}.",
        "Dieses Konto ist gelöscht. Es lässt sich bis {moment} wiederherstellen.",
    ),
    "settings_restore": PageText("Restore the account", "Konto wiederherstellen"),
    # --- second factor
    "factor_title": PageText("Second factor", "Zweiter Faktor"),
    "factor_on": PageText("Required", "Verlangt"),
    "factor_off": PageText("Not required", "Nicht verlangt"),
    "factor_on_text": PageText(
        "Members without a second factor can do nothing here.",
        "Mitglieder ohne zweiten Faktor können hier nichts tun.",
    ),
    "factor_off_text": PageText(
        "Members sign in with their password alone.",
        "Mitglieder melden sich allein mit dem Passwort an.",
    ),
    "factor_begin": PageText("Require a second factor", "Zweiten Faktor verlangen"),
    "factor_yours_first": PageText(
        "You have no second factor yourself and would lose your access. Add one first:",
        "Sie haben selbst keinen zweiten Faktor und verlören Ihren Zugang. Fügen Sie zuerst einen"
        " hinzu:",
    ),
    "factor_end": PageText("Stop requiring it", "Nicht mehr verlangen"),
    "factor_begin_title": PageText("Require a second factor?", "Zweiten Faktor verlangen?"),
    "factor_end_title": PageText(
        "Stop requiring a second factor?", "Zweiten Faktor nicht mehr verlangen?"
    ),
    "factor_begin_text": PageText(
        "Members without a second factor are shut out at once, until they add one. A mail tells"
        " them.",
        "Mitglieder ohne zweiten Faktor sind sofort ausgeschlossen, bis sie einen hinzufügen. Eine"
        " E-Mail informiert sie.",
    ),
    "factor_end_text": PageText(
        "All members can sign in with their password alone again.",
        "Alle Mitglieder können sich wieder allein mit dem Passwort anmelden.",
    ),
    "factor_shut_out": PageText("Shut out at once: {count}", "Sofort ausgeschlossen: {count}"),
    "factor_none_out": PageText(
        "All members have a second factor: no one is shut out.",
        "Alle Mitglieder haben einen zweiten Faktor: Niemand wird ausgeschlossen.",
    ),
    # --- another owner
    "owner_text": PageText(
        "The member becomes the owner when they accept. You stay a member, and you cannot take the"
        " account back by yourself.",
        "Das Konto gehört dem Mitglied, sobald es annimmt. Sie bleiben Mitglied, können das Konto"
        " aber nicht selbst zurückholen.",
    ),
    "owner_member": PageText("Member", "Mitglied"),
    "owner_offer": PageText("Offer the account", "Konto anbieten"),
    "owner_no_members": PageText(
        "There is no other member to whom you could give the account.",
        "Es gibt kein anderes Mitglied, dem Sie das Konto geben könnten.",
    ),
    "owner_not_you": PageText(
        "Only the owner of the account can do this.",
        "Das kann nur die Eigentümerin oder der Eigentümer des Kontos.",
    ),
    "owner_offered": PageText(
        "You offer the account to {name}. The offer ends on {moment}.",
        "Sie bieten das Konto {name} an. Das Angebot endet am {moment}.",
    ),
    "owner_take_back": PageText("Take the offer back", "Angebot zurücknehmen"),
    "owner_offered_you": PageText(
        "{name} offers this account to you. The offer ends on {moment}.",
        "{name} bietet Ihnen dieses Konto an. Das Angebot endet am {moment}.",
    ),
    "owner_offers_you": PageText(
        "{name} offers this account to you.", "{name} bietet Ihnen dieses Konto an."
    ),
    "owner_look": PageText("Look at the offer", "Angebot ansehen"),
    "owner_accept_text": PageText(
        "As its owner you can do everything here, and you are answerable for it.",
        "Wenn das Konto Ihnen gehört, dürfen Sie hier alles und sind dafür verantwortlich.",
    ),
    "owner_accept": PageText("Become the owner", "Konto übernehmen"),
    "owner_decline": PageText("Decline", "Ablehnen"),
    # --- a personal account again, the end
    "revert_title": PageText(
        "Turn the team into a personal account", "Team in ein persönliches Konto umwandeln"
    ),
    "revert_press": PageText("Turn into a personal account", "In persönliches Konto umwandeln"),
    "revert_text": PageText(
        "Only you keep access. What the others have here ends at once:",
        "Nur Sie behalten den Zugang. Was die anderen hier haben, endet sofort:",
    ),
    "revert_members": PageText("Members: {count}", "Mitglieder: {count}"),
    "revert_invitations": PageText("Pending invitations: {count}", "Offene Einladungen: {count}"),
    "delete_title": PageText("Delete the account", "Konto löschen"),
    "delete_press": PageText("Delete the account", "Konto löschen"),
    "delete_text": PageText(
        "{name} and all that is in it is deleted. This ends at once:",
        "{name} und alles darin wird gelöscht. Das endet sofort:",
    ),
    "delete_members": PageText("Other members: {count}", "Andere Mitglieder: {count}"),
    "delete_no_members": PageText(
        "Your own access. There is no other active member.",
        "Ihr eigener Zugang. Es gibt kein anderes aktives Mitglied.",
    ),
    "delete_invitations": PageText("Pending invitations: {count}", "Offene Einladungen: {count}"),
    "delete_projects": PageText("{projects}: {count}", "{projects}: {count}"),
    "delete_grace": PageText(
        "Until it is deleted for good, you alone can restore it with all of this. The next page and"
        " a mail name the day.",
        "Bis zur endgültigen Löschung können nur Sie es mit allem wiederherstellen. Die nächste"
        " Seite und eine E-Mail nennen den Tag.",
    ),
    "delete_until": PageText(
        "The account is deleted for good on {moment}.",
        "Das Konto wird am {moment} endgültig gelöscht.",
    ),
    # --- webhooks
    "hook_new": PageText("New webhook", "Neuer Webhook"),
    "hook_add": PageText("Add", "Hinzufügen"),
    "hook_url": PageText("Address", "Adresse"),
    "hook_url_hint": PageText(
        "It begins with https://. One that leads to this server itself, as on the computer of a"
        " developer, may begin with http://.",
        "Sie beginnt mit https://. Führt sie zu diesem Server selbst, wie auf dem Rechner einer"
        " Entwicklerin, darf sie mit http:// beginnen.",
    ),
    "hook_description": PageText("Description", "Beschreibung"),
    "hook_events": PageText("Events", "Ereignisse"),
    "hook_events_hint": PageText(
        "Choose what it receives. Without a choice it receives all events.",
        "Wählen Sie, was er empfängt. Ohne Auswahl empfängt er alle Ereignisse.",
    ),
    "hook_all_events": PageText("All events", "Alle Ereignisse"),
    "hook_state": PageText("Status", "Status"),
    "hook_enabled": PageText("On", "Ein"),
    "hook_disabled": PageText("Off", "Aus"),
    "hook_failing": PageText("Failing", "Schlägt fehl"),
    "hook_none": PageText("There is no webhook", "Es gibt keinen Webhook"),
    "hook_none_hint": PageText(
        "A webhook tells a program of yours what happens in the account.",
        "Ein Webhook meldet einem Ihrer Programme, was im Konto geschieht.",
    ),
    "hook_secret": PageText("Secret", "Geheimnis"),
    "hook_secret_title": PageText("Secret of the webhook", "Geheimnis des Webhooks"),
    "hook_secret_once": PageText(
        "Copy the secret now, and give it to the receiver. It is not shown again.",
        "Kopieren Sie das Geheimnis jetzt, und geben Sie es dem Empfänger. Es wird nicht noch"
        " einmal gezeigt.",
    ),
    "hook_secret_before": PageText(
        "This secret was shown once before. If you have lost it, make a new one.",
        "Dieses Geheimnis wurde schon einmal gezeigt. Haben Sie es verloren, erzeugen Sie ein"
        " neues.",
    ),
    "hook_overlap": PageText(
        "The former secret signs, too, until {moment}.",
        "Das frühere Geheimnis signiert auch noch, bis {moment}.",
    ),
    "hook_look": PageText("Look at the webhook", "Webhook ansehen"),
    "hook_test": PageText("Send a test", "Test senden"),
    "hook_enable": PageText("Switch on", "Einschalten"),
    "hook_disable": PageText("Switch off", "Ausschalten"),
    "hook_delete": PageText("Delete", "Löschen"),
    "hook_because_gone": PageText(
        "It was switched off, because the receiver said that it is gone.",
        "Ausgeschaltet, weil der Empfänger gesagt hat, dass es ihn nicht mehr gibt.",
    ),
    "hook_because_failing": PageText(
        "It was switched off, because the receiver failed for days.",
        "Ausgeschaltet, weil der Empfänger tagelang nicht erreichbar war.",
    ),
    "hook_because_reverted": PageText(
        "It was switched off, because the team became a personal account.",
        "Ausgeschaltet, weil das Team ein persönliches Konto wurde.",
    ),
    "hook_because_member": PageText(
        "A member switched it off. Nothing is sent.",
        "Ein Mitglied hat ihn ausgeschaltet. Es wird nichts gesendet.",
    ),
    "hook_failing_since": PageText(
        "No delivery has succeeded since {moment}.", "Seit {moment} kam keine Zustellung an."
    ),
    "hook_deliveries": PageText("Deliveries", "Zustellungen"),
    "hook_event": PageText("Event", "Ereignis"),
    "hook_at": PageText("At", "Am"),
    "hook_pending": PageText("Waiting", "Wartet"),
    "hook_delivered": PageText("Delivered", "Zugestellt"),
    "hook_failed": PageText("Failed", "Fehlgeschlagen"),
    "hook_last_answer": PageText("Last answer", "Letzte Antwort"),
    "hook_again": PageText("Deliver again", "Erneut zustellen"),
    "hook_again_of": PageText("Deliver again: {event}", "Erneut zustellen: {event}"),
    "hook_no_deliveries": PageText("Nothing was delivered yet", "Noch wurde nichts zugestellt"),
    "hook_no_deliveries_hint": PageText(
        "Send a test to see whether the receiver works.",
        "Senden Sie einen Test, um zu sehen, ob der Empfänger arbeitet.",
    ),
    "hook_failed_since": PageText(
        "What has failed in the last", "Was fehlgeschlagen ist, in den letzten"
    ),
    "hook_one_day": PageText("24 hours", "24 Stunden"),
    "hook_days": PageText("{count} days", "{count} Tagen"),
    "hook_failed_again": PageText("Deliver it all again", "Alles noch einmal zustellen"),
    "hook_change": PageText("Change", "Ändern"),
    "hook_rotate": PageText("Make a new secret", "Neues Geheimnis erzeugen"),
    "hook_rotate_text": PageText(
        "A new secret replaces this one. Both sign for a day, so no delivery is lost.",
        "Ein neues Geheimnis ersetzt dieses. Einen Tag lang signieren beide, damit keine Zustellung"
        " verloren geht.",
    ),
    "hook_delete_title": PageText("Delete the webhook?", "Webhook löschen?"),
    "hook_delete_text": PageText(
        "Nothing is sent to {url} any more, and its deliveries are not shown any more.",
        "An {url} wird nichts mehr gesendet, und die Zustellungen werden nicht mehr gezeigt.",
    ),
    # --- streams of the audit log
    "stream_text": PageText(
        "A stream sends each record of the audit log to a receiver of yours, such as a SIEM.",
        "Ein Strom sendet jeden Eintrag des Protokolls an einen Empfänger, etwa ein SIEM.",
    ),
    "stream_new": PageText("New log stream", "Neuer Protokollstrom"),
    "stream_none": PageText("There is no log stream", "Es gibt keinen Protokollstrom"),
    "stream_name": PageText("Name", "Name"),
    "stream_waiting": PageText("Waiting records", "Wartende Einträge"),
    "stream_paused": PageText("Paused", "Angehalten"),
    "stream_header": PageText("Header of the secret", "Kopfzeile des Geheimnisses"),
    "stream_header_hint": PageText(
        "The receiver looks for its secret there.", "Dort sucht der Empfänger sein Geheimnis."
    ),
    "stream_secret_hint": PageText(
        "The whole value, for example “Bearer …”. It is never shown.",
        "Der ganze Wert, zum Beispiel „Bearer …“. Er wird nie gezeigt.",
    ),
    "stream_start": PageText("Begin with", "Beginnen mit"),
    "stream_start_now": PageText("What happens from now on", "Was von jetzt an geschieht"),
    "stream_start_all": PageText("The oldest kept record", "Dem ältesten Eintrag"),
    "stream_pause": PageText("Pause", "Anhalten"),
    "stream_resume": PageText("Go on", "Fortsetzen"),
    "stream_because_set_back": PageText(
        "It is paused, because the log was restored to an earlier moment.",
        "Angehalten, weil das Protokoll auf einen früheren Stand gebracht wurde.",
    ),
    "stream_sent_at": PageText("Last sent", "Zuletzt gesendet"),
    "stream_problem": PageText("Last problem", "Letztes Problem"),
    "stream_tested": PageText("Last test", "Letzter Test"),
    "stream_test_due": PageText("is being sent", "wird gesendet"),
    "stream_new_secret": PageText("Another secret", "Anderes Geheimnis"),
    "stream_send_secret": PageText("Use this secret", "Dieses Geheimnis verwenden"),
    "stream_delete_title": PageText("Delete the log stream?", "Protokollstrom löschen?"),
    "stream_delete_text": PageText(
        "No record is sent to {url} any more. What it has stays there.",
        "An {url} wird kein Eintrag mehr gesendet. Was dort ist, bleibt dort.",
    ),
}
