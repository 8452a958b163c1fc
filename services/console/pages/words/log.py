"""The words of the pages of the audit log."""

from collections.abc import Mapping

from services.console.pages.page_text import PageText

LOG: Mapping[str, PageText] = {
    "section_log": PageText("Audit log", "Audit-Protokoll"),
    # --- filters
    "log_filters": PageText("Filters", "Filter"),
    "log_text": PageText("Words in a name", "Wörter in einem Namen"),
    "log_action": PageText("What happened", "Was geschah"),
    "log_user": PageText("Who (e-mail address)", "Wer (E-Mail-Adresse)"),
    "log_from": PageText("From", "Von"),
    "log_to": PageText("Until", "Bis"),
    "log_outcome": PageText("Outcome", "Ergebnis"),
    "log_resource_type": PageText("Kind of thing", "Art der Sache"),
    "log_more_filters": PageText("More filters", "Weitere Filter"),
    "log_on_behalf_of": PageText("Acted for (id of a person)", "Handelte für (ID einer Person)"),
    "log_resource_id": PageText("Id of the thing", "ID der Sache"),
    "log_request_id": PageText("Id of the request", "ID der Anfrage"),
    "log_through": PageText("Id of the API token or session", "ID des API-Tokens oder der Sitzung"),
    "any": PageText("Any", "Alle"),
    "log_all": PageText("Clear filters", "Filter aufheben"),
    "log_times": PageText("Usual times", "Übliche Zeiten"),
    "log_today": PageText("Today", "Heute"),
    "log_last_7_days": PageText("Last 7 days", "Letzte 7 Tage"),
    "log_last_week": PageText("Last week", "Letzte Woche"),
    "log_last_30_days": PageText("Last 30 days", "Letzte 30 Tage"),
    "log_this_month": PageText("This month", "Dieser Monat"),
    "log_last_month": PageText("Last month", "Letzter Monat"),
    # --- the list
    "log_when": PageText("When", "Wann"),
    "log_what": PageText("What", "Was"),
    "log_who": PageText("Who", "Wer"),
    "log_about": PageText("About", "Betrifft"),
    "log_by_token": PageText("with an API token", "mit einem API-Token"),
    "log_only_who": PageText("Only what this person did", "Nur, was diese Person tat"),
    "log_complete": PageText(
        "All that happened before {moment} is here.", "Alles, was vor {moment} geschah, steht hier."
    ),
    "log_kept": PageText("Kept since {moment}.", "Aufbewahrt seit {moment}."),
    "log_sealed": PageText(
        "{count} records sealed, last on {moment}", "{count} Einträge versiegelt, zuletzt {moment}"
    ),
    "log_unsealed": PageText(
        "Nothing is sealed yet. The first seal comes within seconds.",
        "Noch ist nichts versiegelt. Das erste Siegel kommt in wenigen Sekunden.",
    ),
    "log_none": PageText("Nothing was found", "Nichts gefunden"),
    "log_none_hint": PageText(
        "Take a filter away, or choose a longer time.",
        "Nehmen Sie einen Filter weg, oder wählen Sie eine längere Zeit.",
    ),
    "log_tail_busy": PageText(
        "Too many open pages show new records at the moment. This one goes on without them, and"
        " tries again in a minute. Reload it to see what is new.",
        "Zurzeit zeigen zu viele offene Seiten neue Einträge. Diese läuft ohne sie weiter und"
        " versucht es in einer Minute erneut. Laden Sie sie neu, um Neues zu sehen.",
    ),
    "log_one_new": PageText("There is one new record.", "Es gibt einen neuen Eintrag."),
    "log_many_new": PageText("There are # new records.", "Es gibt # neue Einträge."),
    # --- saved searches
    "log_saved": PageText("Saved searches", "Gespeicherte Suchen"),
    "log_shared": PageText("Shared", "Geteilt"),
    "log_manage": PageText("Rename or delete searches", "Suchen umbenennen oder löschen"),
    "log_save_as": PageText("Name of this search", "Name dieser Suche"),
    "log_share": PageText(
        "Show it to everyone who may read the audit log",
        "Allen zeigen, die das Protokoll lesen dürfen",
    ),
    "log_save": PageText("Save this search", "Diese Suche speichern"),
    "log_save_hint": PageText(
        "Choose filters, then save them here under a name.",
        "Wählen Sie Filter, und speichern Sie sie hier unter einem Namen.",
    ),
    "log_name": PageText("Name", "Name"),
    "log_seen_by": PageText("Seen by", "Zu sehen für"),
    "log_seen_by_all": PageText("All readers of the log", "Alle, die das Protokoll lesen"),
    "log_seen_by_you": PageText("You", "Sie"),
    "log_saved_at": PageText("Saved", "Gespeichert"),
    "log_change": PageText("Change", "Ändern"),
    "log_change_of": PageText("Change: {name}", "Ändern: {name}"),
    "log_no_searches": PageText("No search is saved", "Keine Suche gespeichert"),
    "log_of_others": PageText(
        "Another member has shared this search. Only they, and those who may change the account,"
        " can change it.",
        "Ein anderes Mitglied hat diese Suche geteilt. Ändern kann sie nur dieses Mitglied, und wer"
        " das Konto ändern darf.",
    ),
    "log_use": PageText("Use this search", "Diese Suche verwenden"),
    "log_delete": PageText("Delete the search", "Suche löschen"),
    "log_delete_title": PageText("Delete “{name}”?", "„{name}“ löschen?"),
    "log_delete_shared": PageText(
        "All who read the audit log see this search. All of them lose it. No record is deleted.",
        "Alle, die das Protokoll lesen, sehen diese Suche. Sie verschwindet für alle. Kein Eintrag"
        " wird gelöscht.",
    ),
    "log_delete_own": PageText(
        "Only you see this search. No record is deleted.",
        "Nur Sie sehen diese Suche. Kein Eintrag wird gelöscht.",
    ),
    # --- one record
    "log_only_these": PageText("Show only these", "Nur diese zeigen"),
    "log_reported_by": PageText("Reported by", "Gemeldet von"),
    "log_reason": PageText("Reason", "Grund"),
    "log_ip": PageText("Internet address", "Internetadresse"),
    "log_device": PageText("Device", "Gerät"),
    "log_erased": PageText(
        "Personal details in this record were erased, because the person was deleted.",
        "Persönliche Angaben in diesem Eintrag wurden gelöscht, weil die Person gelöscht wurde.",
    ),
    "log_changed": PageText("What changed", "Was sich änderte"),
    "log_member": PageText("Detail", "Angabe"),
    "log_before": PageText("Before", "Vorher"),
    "log_after": PageText("After", "Nachher"),
    "log_data": PageText("As data", "Als Daten"),
    "log_back": PageText("Back to the audit log", "Zurück zum Protokoll"),
    # --- export and proof
    "log_export": PageText("Export", "Exportieren"),
    "log_export_title": PageText("Export the audit log", "Protokoll exportieren"),
    "log_export_filtered": PageText(
        "The file has the records that your filters take.",
        "Die Datei hat die Einträge, die Ihre Filter auswählen.",
    ),
    "log_export_whole": PageText("The file has all records.", "Die Datei hat alle Einträge."),
    "log_export_order": PageText("The oldest comes first.", "Der älteste steht zuerst."),
    "log_export_jsonl": PageText(
        "For programs. Each line has a proof, so the file can be verified later.",
        "Für Programme. Jede Zeile hat einen Beweis; die Datei lässt sich später prüfen.",
    ),
    "log_export_csv": PageText(
        "For spreadsheets. The file has no proofs. Its last row begins with #end; without it, the"
        " file is not whole.",
        "Für Tabellenkalkulationen. Die Datei hat keine Beweise. Ihre letzte Zeile beginnt mit"
        " #end; fehlt sie, ist die Datei nicht vollständig.",
    ),
    "log_download_jsonl": PageText("Download JSON Lines", "JSON Lines herunterladen"),
    "log_download_csv": PageText("Download CSV", "CSV herunterladen"),
    "log_verify_title": PageText("Verify a file", "Eine Datei prüfen"),
    "log_verify_text": PageText(
        "On your own computer, the command rolecall audit verify checks that no record in a JSON"
        " Lines file was altered, removed or moved. It asks no server.",
        "Auf Ihrem eigenen Rechner prüft der Befehl rolecall audit verify, dass in einer"
        " JSON-Lines-Datei kein Eintrag verändert, entfernt oder verschoben wurde. Er fragt keinen"
        " Server.",
    ),
    "file_choose": PageText("File to verify in this browser", "Datei für die Prüfung hier"),
    "file_hint": PageText(
        "Choose a JSON Lines file that you have downloaded. It stays on your computer.",
        "Wählen Sie eine heruntergeladene JSON-Lines-Datei. Sie bleibt auf Ihrem Rechner.",
    ),
    "file_busy": PageText("The file is being verified …", "Die Datei wird geprüft …"),
    "file_good": PageText(
        "Verified. Records: #. Each is as it was sealed, and none is missing from the file.",
        "Geprüft. Einträge: #. Jeder ist, wie er versiegelt wurde, und keiner fehlt in der Datei.",
    ),
    "file_sealed": PageText(
        "Records in the file: #. Each is as it was sealed.",
        "Einträge in der Datei: #. Jeder ist, wie er versiegelt wurde.",
    ),
    "file_some": PageText(
        "Records in the file: #. Each is as it was sealed. The file says that it has only some"
        " records: whether others are missing cannot be judged.",
        "Einträge in der Datei: #. Jeder ist, wie er versiegelt wurde. Die Datei sagt, dass sie nur"
        " einige Einträge hat: Ob andere fehlen, lässt sich nicht beurteilen.",
    ),
    "file_erased": PageText(
        "Personal values were erased in # of them: what they were is not checked.",
        "In # davon wurden persönliche Angaben gelöscht: Was dort stand, ist nicht geprüft.",
    ),
    "file_told": PageText(
        "The log itself tells of these erasures.", "Das Protokoll selbst berichtet davon."
    ),
    "file_untold": PageText(
        "Of # of these the log does not tell. An erasure may still go on: export again later, and"
        " ask the operator if this stays.",
        "Von # dieser Löschungen berichtet das Protokoll nicht. Vielleicht dauert eine noch an:"
        " Exportieren Sie später noch einmal, und fragen Sie den Betreiber, wenn es so bleibt.",
    ),
    "file_ended": PageText(
        "The first # of them ended by retention: their hashes are kept.",
        "Die ersten # davon endeten mit ihrer Aufbewahrung: Ihre Prüfsummen sind noch da.",
    ),
    "file_days": PageText(
        "The first # of them ended by retention of # days: their hashes are kept.",
        "Die ersten # davon endeten nach # Tagen Aufbewahrung: Ihre Prüfsummen sind noch da.",
    ),
    "file_hashes": PageText(
        "Of # of them the file has only the hashes: whether retention ended these cannot be"
        " judged.",
        "Von # davon hat die Datei nur die Prüfsummen: Ob ihre Aufbewahrung endete, lässt sich"
        " nicht beurteilen.",
    ),
    "file_newer": PageText(
        "# newer ones were not sealed yet: export again in a few seconds.",
        "# neuere waren noch nicht versiegelt: Exportieren Sie in einigen Sekunden noch einmal.",
    ),
    "file_cut": PageText(
        "The file has no end: it was cut off. Download it again.",
        "Der Datei fehlt das Ende: Sie wurde abgeschnitten. Laden Sie sie noch einmal herunter.",
    ),
    "file_bad": PageText(
        "This is not the file as it was exported: line # is altered, moved or added, or records"
        " before it are missing. Keep the file, and tell the operator.",
        "Das ist nicht die Datei, wie sie exportiert wurde: Zeile # ist geändert, verschoben oder"
        " hinzugefügt, oder davor fehlen Einträge. Bewahren Sie die Datei auf, und wenden Sie sich"
        " an den Betreiber.",
    ),
    "file_foreign": PageText(
        "This file is not an export in JSON Lines, so there is nothing to verify. Choose the file"
        " with the ending .jsonl.",
        "Diese Datei ist kein Export als JSON Lines, also gibt es nichts zu prüfen. Wählen Sie die"
        " Datei mit der Endung .jsonl.",
    ),
    "file_unable": PageText(
        "This browser cannot verify the file. Check it with the command below.",
        "Dieser Browser kann die Datei nicht prüfen. Prüfen Sie sie mit dem Befehl unten.",
    ),
    "log_command": PageText("Command", "Befehl"),
    "log_seal_title": PageText("Seal of the audit log", "Siegel des Protokolls"),
    "log_seal_text": PageText(
        "Each record is sealed within seconds. If you keep a checkpoint, you can prove later that"
        " no record before it was altered or removed.",
        "Jeder Eintrag wird in Sekunden versiegelt. Wer einen Prüfpunkt aufbewahrt, kann später"
        " beweisen, dass davor kein Eintrag verändert oder entfernt wurde.",
    ),
    "log_seal_records": PageText("Sealed records", "Versiegelte Einträge"),
    "log_seal_at": PageText("Newest seal", "Neuestes Siegel"),
    "log_checkpoint": PageText("Signed checkpoint", "Signierter Prüfpunkt"),
    "log_keys": PageText("Keys that sign", "Schlüssel, die signieren"),
    "log_keys_text": PageText(
        "Compare them with those that you have kept, or that the operator has told you elsewhere.",
        "Vergleichen Sie sie mit denen, die Sie aufbewahrt haben oder die Ihnen der Betreiber"
        " anderswo genannt hat.",
    ),
    "log_prove": PageText("Prove", "Beweisen"),
    "log_proof_title": PageText(
        "Is this record in the sealed log?", "Ist dieser Eintrag im versiegelten Protokoll?"
    ),
    "log_proof_text": PageText(
        "It is record {place} of {count}, under the checkpoint of {moment}.",
        "Es ist Eintrag {place} von {count}, unter dem Prüfpunkt vom {moment}.",
    ),
    "log_proved": PageText(
        "Verified in this browser: the checkpoint is signed by the key below, and this record is"
        " under it, unaltered.",
        "In diesem Browser geprüft: Der Prüfpunkt ist mit dem Schlüssel unten signiert, und dieser"
        " Eintrag steht unverändert darunter.",
    ),
    "log_not_proved": PageText(
        "This record does not fit the checkpoint. Keep both texts below, and tell the operator.",
        "Dieser Eintrag passt nicht zum Prüfpunkt. Bewahren Sie die Texte unten auf, und wenden Sie"
        " sich an den Betreiber.",
    ),
    "log_unable": PageText(
        "This browser has not verified the record. Export the log, and verify the file with the"
        " command rolecall audit verify.",
        "Dieser Browser hat den Eintrag nicht geprüft. Exportieren Sie das Protokoll, und prüfen"
        " Sie die Datei mit dem Befehl rolecall audit verify.",
    ),
    "log_not_sealed_yet": PageText(
        "This record is not sealed yet, or its contents are not kept any more. New records are"
        " sealed within seconds: reload the page.",
        "Dieser Eintrag ist noch nicht versiegelt, oder sein Inhalt wird nicht mehr aufbewahrt."
        " Neue Einträge werden in Sekunden versiegelt: Laden Sie die Seite neu.",
    ),
    "log_line": PageText("The record as it was sealed", "Der Eintrag, wie er versiegelt wurde"),
    "log_way": PageText(
        "The hashes from the record up to the checkpoint",
        "Die Prüfsummen vom Eintrag bis zum Prüfpunkt",
    ),
    "log_to_record": PageText("Back to the record", "Zurück zum Eintrag"),
}
