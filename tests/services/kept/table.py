"""How long each document is kept that a database deletes by itself."""

from __future__ import annotations

from datetime import timedelta

from services.audit.migrations import READING_SECONDS
from services.notification.domain.deliveries import DELIVERY_RETENTION
from services.notification.domain.entries import ENTRY_RETENTION
from services.notification.domain.pace import PACE_WINDOW
from services.notification.migrations import MESSAGE_RETENTION
from services.notification.store.people import ERASED_RETENTION
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.contracts.topology import Service
from tests.services.kept import identity, others, team, webhooks
from tests.services.kept.stores import DAY, MINUTE, Writes

KEPT: list[tuple[Service, str, Writes, timedelta | None]] = [
    (Service.TEAM, "invitation_counts.expires_at", team.invitations_counted, DAY),
    (Service.TEAM, "invitation_counts.expires_at", team.invitations_mailed, DAY),
    (Service.TEAM, "allowances.expires_at", team.mailbox_place_taken, DAY),
    (Service.TEAM, "allowances.expires_at", team.mailbox_place_taken_again, DAY),
    (Service.TEAM, "ended_sessions.expires_at", team.end_learned, SESSION_END_RETENTION),
    (Service.TEAM, "invitations.over_at", team.invitation_written, 89 * DAY),
    (Service.TEAM, "invitations.over_at", team.endless_invitation_written, None),
    (Service.TEAM, "invitations.over_at", team.invitation_revoked, 90 * DAY),
    (Service.TEAM, "invitations.over_at", team.invitations_of_account_revoked, 90 * DAY),
    (Service.TEAM, "idempotency.expires_at", others.key_taken, DAY),
    (Service.TEAM, "receipts.expires_at", others.receipt_saved, 30 * DAY),
    (Service.IDENTITY, "idempotency.expires_at", others.key_taken, DAY),
    (Service.IDENTITY, "receipts.expires_at", others.receipt_saved, 30 * DAY),
    (Service.IDENTITY, "sign_ups.delete_at", identity.signed_up, 7 * DAY),
    (Service.IDENTITY, "sign_ups.delete_at", identity.signed_up_again, 7 * DAY),
    (Service.IDENTITY, "sign_ups.delete_at", identity.link_used, MINUTE),
    (Service.IDENTITY, "users.lapses_at", identity.verified, None),
    (Service.IDENTITY, "users.lapses_at", identity.provisioned, None),
    (Service.IDENTITY, "users.lapses_at", identity.erased, 30 * DAY),
    (Service.IDENTITY, "farewells.delete_at", identity.farewell_kept, 3 * DAY),
    (Service.IDENTITY, "sessions.delete_at", identity.signed_in, 30 * DAY),
    (Service.IDENTITY, "sessions.delete_at", identity.refreshed, 30 * DAY),
    (Service.IDENTITY, "sessions.delete_at", identity.signed_out, DAY),
    (Service.IDENTITY, "api_tokens.delete_at", identity.token_made, 120 * DAY),
    (Service.IDENTITY, "api_tokens.delete_at", identity.token_revoked, 30 * DAY),
    (Service.IDENTITY, "revoked_tokens.delete_at", identity.access_token_revoked, 15 * MINUTE),
    (Service.IDENTITY, "signing_keys.delete_at", identity.signing_key_made, None),
    (Service.IDENTITY, "signing_keys.delete_at", identity.signing_key_retired, DAY),
    (Service.IDENTITY, "counters.ends_at", identity.attempt_counted, 15 * MINUTE),
    (Service.IDENTITY, "counters.ends_at", identity.attempt_counted_again, 10 * MINUTE),
    (Service.IDENTITY, "counters.ends_at", identity.attempt_counted_in_a_new_window, 15 * MINUTE),
    (Service.IDENTITY, "counters.ends_at", identity.mails_counted, 15 * MINUTE),
    (Service.IDENTITY, "used_sign_ins.delete_at", identity.sign_in_used, 10 * MINUTE),
    (Service.IDENTITY, "decoys.delete_at", identity.decoy_written, DAY),
    (Service.AUDIT, "readings.at", others.log_read, timedelta(seconds=READING_SECONDS)),
    (Service.AUDIT, "denial_batches.at", others.denials_recorded, 7 * DAY),
    (Service.AUDIT, "reports.at", others.report_marked, 31 * DAY),
    (Service.AUDIT, "idempotency.expires_at", others.key_taken, DAY),
    (Service.NOTIFICATION, "idempotency.expires_at", others.key_taken, DAY),
    (Service.NOTIFICATION, "deliveries.delete_at", webhooks.delivery_queued, DELIVERY_RETENTION),
    (Service.NOTIFICATION, "deliveries.delete_at", webhooks.delivery_again, DELIVERY_RETENTION),
    (Service.NOTIFICATION, "messages.finished_at", others.mail_queued, None),
    (Service.NOTIFICATION, "messages.finished_at", others.mail_claimed, None),
    (Service.NOTIFICATION, "messages.finished_at", others.mail_released, None),
    (Service.NOTIFICATION, "messages.finished_at", others.mail_withheld, MESSAGE_RETENTION),
    (Service.NOTIFICATION, "messages.finished_at", others.mail_finished, MESSAGE_RETENTION),
    (Service.NOTIFICATION, "paces.expires_at", others.mails_placed, PACE_WINDOW),
    (Service.NOTIFICATION, "people.delete_at", others.person_known, None),
    (Service.NOTIFICATION, "entries.delete_at", others.entry_listed, ENTRY_RETENTION),
    (Service.NOTIFICATION, "entries.delete_at", others.entry_read, ENTRY_RETENTION),
    (Service.NOTIFICATION, "people.delete_at", others.person_erased, ERASED_RETENTION),
]
"""How long a document is kept after `FAR`, the moment of its last change. `None`: it has no end."""
