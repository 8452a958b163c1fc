"""Mutants of edges of the audit log and of webhooks: what stands beside a proof, and elections."""

from tests.mutants.mutant import Kind, Mutant

VERIFICATION = "sdk/rolecall/audit/verification.py"
EXPORTS = "sdk/rolecall/audit/exports.py"
SEALED = "sdk/rolecall/audit/sealed.py"
NOTES = "sdk/rolecall/audit/notes.py"
WEBHOOKS = "services/notification/domain/webhooks.py"
PREFERENCES = "services/notification/domain/preferences.py"
STORE = "services/notification/store/deliveries.py"
ELECTIONS = "shared/elections.py"
OF_LOGS = ("tests/sdk/test_audit_verification.py",)
OF_EXPORTS = ("tests/sdk/test_audit_exports.py",)
OF_CELLS = ("tests/services/audit/domain/test_usage_sums.py", "-k", "cell")
OF_NOTES = ("tests/sdk/test_audit_notes.py",)
RULES = ("tests/services/notification/domain/test_webhook_rules.py",)
OF_CLAIMS = ("tests/services/notification/test_delivery_claims.py",)
OF_ELECTIONS = ("tests/shared/journal/test_relay.py", "-k", "elected")

ROWS = (
    Mutant(
        id="kept-hash-with-a-made-up-record-beside-it",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old="if record or len(leaf) != HASH_BYTES:",
        new="if len(leaf) != HASH_BYTES:",
        tests=OF_LOGS,
    ),
    Mutant(
        id="seal-with-members-that-nothing-vouches-for",
        kind=Kind.SECURITY,
        file=VERIFICATION,
        old=" or seal.keys() - SEAL_MEMBERS != {way}",
        new="",
        tests=OF_LOGS,
    ),
    Mutant(
        id="salt-of-any-length",
        kind=Kind.SECURITY,
        file=SEALED,
        old="any(len(salt) != SALT_BYTES for salt in salts.values())",
        new="False",
        tests=OF_LOGS,
    ),
    Mutant(
        id="export-earlier-checkpoint-of-another-log",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old="each.origin != newest.origin or each.root",
        new="each.root",
        tests=OF_EXPORTS,
    ),
    Mutant(
        id="export-lines-after-the-last-one",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old="line is None or found.ended or not _proved",
        new="line is None or not _proved",
        tests=OF_EXPORTS,
    ),
    Mutant(
        id="export-more-records-than-it-tells",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old="if self.ended and self.told != counted:",
        new="if self.ended and self.told is not None and counted < self.told:",
        tests=OF_EXPORTS,
    ),
    Mutant(
        id="export-of-a-negative-size",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old=" or type(size) is not int or size < 0:",
        new=" or type(size) is not int:",
        tests=OF_EXPORTS,
    ),
    Mutant(
        id="export-order-without-ids",
        kind=Kind.SECURITY,
        file=EXPORTS,
        old='int(record["position"]["seq"]), str(record["id"])',
        new='int(record["position"]["seq"]), ""',
        tests=OF_EXPORTS,
    ),
    Mutant(
        id="note-with-control-characters",
        kind=Kind.SECURITY,
        file=NOTES,
        old='any(ord(each) < 32 and each != "\\n" for each in text)',
        new="False",
        tests=OF_NOTES,
    ),
    Mutant(
        id="note-with-any-number-of-signatures",
        kind=Kind.LIMIT,
        file=NOTES,
        old="len(lines) > MAX_SIGNATURES or ",
        new="",
        tests=OF_NOTES,
    ),
    Mutant(
        id="webhook-disabled-without-a-new-state",
        kind=Kind.CONSISTENCY,
        file=WEBHOOKS,
        old="disabled=because, changes=webhook.changes + 1)",
        new="disabled=because)",
        tests=RULES,
    ),
    Mutant(
        id="unsubscribe-link-of-a-mail-that-always-goes-out",
        kind=Kind.SECURITY,
        file=PREFERENCES,
        old="parts is None or parts[3] not in OPTIONAL_KINDS",
        new="parts is None or parts[3] not in set(MessageKind)",
        tests=("tests/services/notification/domain/test_preferences.py", "-k", "link"),
    ),
    Mutant(
        id="election-of-each-that-stands-at-once",
        kind=Kind.CONSISTENCY,
        file=ELECTIONS,
        old="            except AlreadyThere:\n                return False\n",
        new="            except AlreadyThere:\n                return True\n",
        tests=OF_ELECTIONS,
    ),
    Mutant(
        id="election-over-another-winner",
        kind=Kind.CONSISTENCY,
        file=ELECTIONS,
        old='{"_id": self._office, "holder": current["holder"], "until": current["until"]}',
        new='{"_id": self._office}',
        tests=OF_ELECTIONS,
    ),
    Mutant(
        id="election-term-prolonged-too-late",
        kind=Kind.AVAILABILITY,
        file=ELECTIONS,
        old="> ELECTION_TERM / 2",
        new="> ELECTION_TERM / 200",
        tests=OF_ELECTIONS,
    ),
    Mutant(
        id="webhook-delivery-claimed-twice",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old='{"_id": delivery.id, "open": True, "claim": former, "due_at": delivery.due_at}',
        new='{"_id": delivery.id, "open": True}',
        tests=OF_CLAIMS,
    ),
    Mutant(
        id="webhook-result-without-the-claim",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old='{"_id": delivery.id, "open": True, "claim": claim}, change',
        new='{"_id": delivery.id, "open": True}, change',
        tests=OF_CLAIMS,
    ),
    Mutant(
        id="webhook-redelivery-of-another-webhook",
        kind=Kind.SECURITY,
        file=STORE,
        old='{"$in": list(ids)}, "webhook_id": webhook_id, "open": False}',
        new='{"$in": list(ids)}, "open": False}',
        tests=OF_CLAIMS,
    ),
    Mutant(
        id="webhook-redelivery-of-what-waits",
        kind=Kind.CONSISTENCY,
        file=STORE,
        old='{"$in": list(ids)}, "webhook_id": webhook_id, "open": False}',
        new='{"$in": list(ids)}, "webhook_id": webhook_id}',
        tests=OF_CLAIMS,
    ),
    Mutant(
        id="webhook-redelivery-with-its-former-tries",
        kind=Kind.AVAILABILITY,
        file=STORE,
        old='            "tries": 0,\n',
        new="",
        tests=OF_CLAIMS,
    ),
    Mutant(
        id="export-of-all-that-begins-later",
        kind=Kind.DATA,
        file="services/audit/domain/exports.py",
        old="return self.after is None and not",
        new="return not",
        tests=("tests/services/audit/domain/test_exports.py",),
    ),
    Mutant(
        id="csv-formula-behind-an-unseen-space",
        kind=Kind.SECURITY,
        file="services/audit/domain/csv_cells.py",
        old='not in "CZ"',
        new='not in "C"',
        tests=OF_CELLS,
    ),
)
