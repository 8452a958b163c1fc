"""Mutants of webhooks: signatures, addresses, retries, limits, and what an event shows."""

from tests.mutants.mutant import Kind, Mutant

RULES = ("tests/services/notification/domain/test_webhook_rules.py",)
RUNNING = "tests/services/notification/test_webhooks.py"
EVENTS = "services/notification/domain/public_events.py"
DOMAIN = "services/notification/domain/webhooks.py"
SECRETS = "services/notification/domain/webhook_secrets.py"
DELIVERIES = "services/notification/domain/deliveries.py"
SENDER = "services/notification/use_cases/webhook_sender.py"

ROWS = (
    Mutant(
        id="webhook-signature-without-its-time",
        kind=Kind.SECURITY,
        file=SECRETS,
        old='f"{event_id}.{timestamp}."',
        new='f"{event_id}.0."',
        tests=RULES,
    ),
    Mutant(
        id="webhook-secret-of-all-webhooks",
        kind=Kind.SECURITY,
        file=SECRETS,
        old='f"webhook\\0{webhook_id}\\0{salt}"',
        new='f"webhook\\0{salt}"',
        tests=RULES,
    ),
    Mutant(
        id="webhook-former-secret-signs-for-ever",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old=" or now >= self.previous_until",
        new="",
        tests=RULES,
    ),
    Mutant(
        id="webhook-address-in-the-audit-log",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old='            "host": self.host,\n            "event_types"',
        new='            "host": self.url,\n            "event_types"',
        tests=RULES,
    ),
    Mutant(
        id="webhook-to-every-port",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="port < FIRST_FREE_PORT",
        new="port < 1",
        tests=RULES,
    ),
    Mutant(
        id="webhook-limit-of-an-account-lost",
        kind=Kind.LIMIT,
        file="services/notification/use_cases/webhooks.py",
        old="account_id, write.session)) >= MAX_WEBHOOKS",
        new="account_id, write.session)) > MAX_WEBHOOKS",
        tests=(RUNNING, "-k", "limited_number"),
    ),
    Mutant(
        id="webhook-of-another-account",
        kind=Kind.SECURITY,
        file="services/notification/store/webhooks.py",
        old='{"_id": webhook_id, "account_id": account_id}',
        new='{"_id": webhook_id}',
        tests=(RUNNING, "-k", "another_account"),
    ),
    Mutant(
        id="webhook-delivery-of-another-account",
        kind=Kind.SECURITY,
        file="services/notification/store/deliveries.py",
        old='{"_id": delivery_id, "webhook_id": webhook_id}',
        new='{"_id": delivery_id}',
        tests=(RUNNING, "-k", "another_account"),
    ),
    Mutant(
        id="webhook-events-of-every-account",
        kind=Kind.SECURITY,
        file="services/notification/store/webhooks.py",
        old='find({"account_id": account_id}',
        new="find({}",
        tests=(RUNNING, "-k", "its_own_account"),
    ),
    Mutant(
        id="webhook-delivered-again-with-each-fact",
        kind=Kind.DATA,
        file=DELIVERIES,
        old='f"{event_id}\\n{webhook_id}"',
        new="event_id",
        tests=RULES,
    ),
    Mutant(
        id="webhook-redirect-is-a-success",
        kind=Kind.DATA,
        file=DELIVERIES,
        old="200 <= self.status < 300",
        new="200 <= self.status < 400",
        tests=RULES,
    ),
    Mutant(
        id="webhook-disabled-before-days-are-over",
        kind=Kind.AVAILABILITY,
        file=SENDER,
        old="    if verdict.given_up and has_failed_for_days(",
        new="    if not attempt.succeeded and has_failed_for_days(",
        tests=(RUNNING, "-k", "tried_for_days"),
    ),
    Mutant(
        id="webhook-gone-and-tried-again",
        kind=Kind.DATA,
        file=SENDER,
        old="    if verdict.gone:\n        return DisabledBecause.GONE\n",
        new="",
        tests=(RUNNING, "-k", "gone"),
    ),
    Mutant(
        id="webhook-silent-receiver-holds-every-place",
        kind=Kind.AVAILABILITY,
        file="services/notification/domain/slots.py",
        old="PER_WEBHOOK = 4",
        new="PER_WEBHOOK = 64",
        tests=(RUNNING, "-k", "holds_up_no_other"),
    ),
    Mutant(
        id="webhook-slow-receivers-hold-every-place",
        kind=Kind.AVAILABILITY,
        file="services/notification/domain/slots.py",
        old="self._slow_in_hand() < self._for_slow()",
        new="self._slow_in_hand() < self.total",
        tests=RULES,
    ),
    Mutant(
        id="webhook-event-with-secrets",
        kind=Kind.SECURITY,
        file=EVENTS,
        old='"before": without_secrets(row.before)',
        new='"before": row.before',
        tests=RULES,
    ),
    Mutant(
        id="webhook-event-with-the-whole-fact",
        kind=Kind.SECURITY,
        file=EVENTS,
        old='payload.model_dump(mode="json", include={*event.shows})',
        new='payload.model_dump(mode="json")',
        tests=("tests/services/notification/domain/test_webhook_rules.py", "-k", "only_what"),
    ),
    Mutant(
        id="webhook-tests-without-limit",
        kind=Kind.LIMIT,
        file="services/notification/use_cases/deliveries.py",
        old="if known >= TESTS_AT_MOST",
        new="if known > TESTS_AT_MOST",
        tests=(RUNNING, "-k", "has_a_limit"),
    ),
    Mutant(
        id="webhooks-outlive-their-account",
        kind=Kind.DATA,
        file="services/notification/use_cases/webhook_events.py",
        old="            await ctx.webhooks.delete(webhook, session)\n",
        new="            pass\n",
        tests=(RUNNING, "-k", "end_with_it"),
    ),
)
