"""Mutants of notification: results of attempts, connections, headers and recipients."""

from tests.mutants.mutant import Kind, Mutant

ATTEMPTS = "services/notification/domain/attempts.py"
SMTP = "services/notification/adapters/smtp.py"
MAILS = "services/notification/domain/mails.py"
ATTEMPT_TESTS = ("tests/services/notification/domain/test_attempts.py",)
SMTP_TESTS = ("tests/services/notification/test_smtp.py",)
MAIL_TESTS = ("tests/services/notification/domain/test_mails.py",)

BOUNCE_TESTS = ("tests/services/team/test_invitation_states.py", "-k", "bounce")
STATES = "services/team/routes/invitation_states.py"
STATE_TESTS = ("tests/services/team/test_invitation_states.py", "-k", "advised")
INVITATION_LIMITS = "services/team/domain/invitation_limits.py"
LIMIT_TESTS = ("tests/services/team/domain/test_invitation_rules.py", "-k", "has_a_place")

PEOPLE_TESTS = ("tests/services/notification/domain/test_people.py",)
LANGUAGE_TESTS = ("tests/services/notification/test_languages.py",)
PREFERENCE_RULES = ("tests/services/notification/domain/test_preferences.py",)
PREFERENCE_TESTS = ("tests/services/notification/test_preferences.py",)
TEXT_TESTS = ("tests/services/notification/domain/test_languages_of_mails.py",)

ROWS = (
    Mutant(
        id="older-fact-about-a-person-replaces-the-newer",
        kind=Kind.DATA,
        file="services/notification/store/people.py",
        old=' and found["seq"] >= row.seq:',
        new=' and found["seq"] == row.seq:',
        tests=LANGUAGE_TESTS,
    ),
    Mutant(
        id="restored-source-tells-of-no-person",
        kind=Kind.DATA,
        file="services/notification/store/people.py",
        old='found["epoch"] == row.epoch and ',
        new="",
        tests=LANGUAGE_TESTS,
    ),
    Mutant(
        id="erased-person-keeps-an-address",
        kind=Kind.SECURITY,
        file="services/notification/store/people.py",
        old="changes(person, epoch=row.epoch, seq=row.seq, delete_at=delete_at)",
        new='{"epoch": row.epoch, "seq": row.seq, "delete_at": delete_at, "locale": person.locale,'
        ' "time_zone": person.time_zone}'
        " | ({} if person.erased else changes(person))",
        tests=LANGUAGE_TESTS,
    ),
    Mutant(
        id="address-of-two-users-names-one-of-them",
        kind=Kind.SECURITY,
        file="services/notification/domain/people.py",
        old="holders[0] if len(holders) == 1 else None",
        new="holders[0] if holders else None",
        tests=PEOPLE_TESTS,
    ),
    Mutant(
        id="invited-user-reads-the-language-of-the-inviter",
        kind=Kind.DATA,
        file="services/notification/domain/people.py",
        old='recipient or known.get(UserId(message.language_of or ""))',
        new='known.get(UserId(message.language_of or "")) or recipient',
        tests=PEOPLE_TESTS,
    ),
    Mutant(
        id="security-mail-can-be-switched-off",
        kind=Kind.SECURITY,
        file="services/notification/domain/preferences.py",
        old="    if kind in OPTIONAL_KINDS:\n        return None\n",
        new="    if kind in set(MessageKind):\n        return None\n",
        tests=PREFERENCE_RULES,
    ),
    Mutant(
        id="switched-off-security-mail-is-held-back",
        kind=Kind.SECURITY,
        file="services/notification/domain/preferences.py",
        old="message.kind in OPTIONAL_KINDS and any(",
        new="any(",
        tests=PREFERENCE_RULES,
    ),
    Mutant(
        id="unsubscribe-link-of-another-person",
        kind=Kind.SECURITY,
        file="services/notification/domain/preferences.py",
        old="mac = urlsafe_b64encode(hmac.digest(self._key, named.encode(), sha256))",
        new="mac = urlsafe_b64encode(hmac.digest(self._key, target.kind.encode(), sha256))",
        tests=PREFERENCE_RULES,
    ),
    Mutant(
        id="unsubscribe-link-shows-the-whole-address",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/preferences.py",
        old="hidden_address(person.email_key)",
        new="person.email_key",
        tests=PREFERENCE_TESTS,
    ),
    Mutant(
        id="link-switches-on-what-it-did-not-switch-off",
        kind=Kind.SECURITY,
        file="services/notification/domain/preferences.py",
        old="if each != kind or one.account_id != account_id)",
        new="if each != kind)",
        tests=PREFERENCE_RULES,
    ),
    Mutant(
        id="preferences-name-other-accounts-in-a-log",
        kind=Kind.SECURITY,
        file="services/notification/domain/preferences.py",
        old='f"{kind} in {place} ({count})"\n',
        new='f"{kind} in {off[0].account_id} ({count})"\n',
        tests=PREFERENCE_TESTS,
    ),
    Mutant(
        id="preferences-recorded-in-another-account",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/preferences.py",
        old="            account_id=account_id,\n",
        new="            account_id=next((one.account_id for one in off), None),\n",
        tests=PREFERENCE_TESTS,
    ),
    Mutant(
        id="opened-unsubscribe-link-switches-off",
        kind=Kind.SECURITY,
        file="services/console/routes/unsubscribe.py",
        old='        "GET",\n',
        new='        "POST",\n',
        tests=("tests/services/console/test_unsubscribe.py",),
    ),
    Mutant(
        id="page-switches-off-what-always-comes",
        kind=Kind.SECURITY,
        file="services/console/routes/notifications.py",
        old=' and group["reason"] is None\n',
        new="\n",
        tests=("tests/services/console/test_notifications.py",),
    ),
    Mutant(
        id="number-of-unread-ones-holds-up-the-page",
        kind=Kind.DATA,
        file="services/console/routes/visits.py",
        old="contextlib.suppress(ApiRefusal, SignedOut, TimeoutError)",
        new="contextlib.suppress(SignedOut, TimeoutError)",
        tests=("tests/services/console/test_notifications.py",),
    ),
    Mutant(
        id="notifications-of-another-person-are-marked",
        kind=Kind.SECURITY,
        file="services/notification/store/entries.py",
        old='wanted: Document = {"user_id": user_id, "unread": True}',
        new='wanted: Document = {"unread": True}',
        tests=PREFERENCE_TESTS,
    ),
    Mutant(
        id="erased-person-keeps-notifications",
        kind=Kind.SECURITY,
        file="services/notification/use_cases/enqueue.py",
        old="        await ctx.entries.delete_of(person.id, session)\n",
        new="",
        tests=PREFERENCE_TESTS,
    ),
    Mutant(
        id="switched-off-mail-goes-out",
        kind=Kind.DATA,
        file="services/notification/use_cases/enqueue.py",
        old="known is None or not is_switched_off(known.off, message)",
        new="known is None or known.off",
        tests=PREFERENCE_TESTS,
    ),
    Mutant(
        id="unsubscribe-header-folded-into-encoded-words",
        kind=Kind.DATA,
        file="services/notification/domain/mails.py",
        old="content_bytes = _unsubscribe_headers(unsubscribe_url) + mail.as_bytes()",
        new='mail["List-Unsubscribe"] = f"<{unsubscribe_url}>"\n'
        "    content_bytes = mail.as_bytes()",
        tests=PREFERENCE_RULES,
    ),
    Mutant(
        id="german-mail-without-its-request",
        kind=Kind.DATA,
        file="services/notification/templates/de/password_reset.j2",
        old="{{ public_url }}/v1/password/reset",
        new="{{ public_url }}/v1/password/forgot",
        tests=TEXT_TESTS,
    ),
    Mutant(
        id="german-mail-leaves-a-word-of-the-fact-out",
        kind=Kind.DATA,
        file="services/notification/templates/de/removed.j2",
        old='{{ (actor|quoted or "die Verwaltung des Teams")|strong }} hat',
        new="die Verwaltung des Teams hat",
        tests=TEXT_TESTS,
    ),
    Mutant(
        id="waiting-mail-is-deleted",
        kind=Kind.DATA,
        file="services/notification/store/messages.py",
        old='            "deferrals": 0,\n        }\n',
        new='            "deferrals": 0, "finished_at": message.created_at\n        }\n',
        tests=("tests/services/test_stored.py", "-k", "mail"),
    ),
    Mutant(
        id="mail-tells-of-members-that-are-not-there",
        kind=Kind.DATA,
        file="services/notification/domain/ending_recipients.py",
        old='            "members": "yes" if fact.members else "",\n            "personal"',
        new='            "members": "yes",\n            "personal"',
        tests=("tests/services/notification/domain/test_recipients.py",),
    ),
    Mutant(
        id="mail-has-a-placeholder-in-an-address",
        kind=Kind.DATA,
        file="services/notification/templates/en/ownership_offered.j2",
        old="{{ account_id }}/ownership-transfer/accept",
        new="{account_id}/ownership-transfer/accept",
        tests=MAIL_TESTS,
    ),
    Mutant(
        id="mails-project-in-the-words-of-another-catalog",
        kind=Kind.DATA,
        file="services/notification/domain/recipients.py",
        old='"project_word": fact.project_word',
        new='"project_word": "project"',
        tests=("tests/services/notification/domain/test_recipients.py",),
    ),
    Mutant(
        id="late-bounce-marks-the-new-link",
        kind=Kind.DATA,
        file="services/team/domain/invitation_bounces.py",
        old=" or invitation.generation != generation:\n",
        new=":\n",
        tests=BOUNCE_TESTS,
    ),
    Mutant(
        id="bounce-names-no-invitation",
        kind=Kind.DATA,
        file="services/notification/use_cases/deliver.py",
        old="                invitation_id=link and link.id,\n",
        new="",
        tests=("tests/services/notification/test_delivery.py", "-k", "rejected_mail"),
    ),
    Mutant(
        id="mail-names-a-page-that-is-not-there",
        kind=Kind.DATA,
        file="services/notification/templates/en/account_exists.j2",
        old="{% if pages %}",
        new="{% if public_url %}",
        tests=(*MAIL_TESTS, "-k", "without_pages"),
    ),
    Mutant(
        id="smtp-idle-connection-reused",
        kind=Kind.AVAILABILITY,
        file=SMTP,
        old="if idle_seconds < self._timeouts.smtp_idle and await",
        new="if await",
        tests=SMTP_TESTS,
    ),
    Mutant(
        id="smtp-sign-in-refused-bounces",
        kind=Kind.AVAILABILITY,
        file=ATTEMPTS,
        old="523, 525, 530, 534, 535, 538})",
        new="523, 525, 530})",
        tests=(*SMTP_TESTS, *ATTEMPT_TESTS),
    ),
    Mutant(
        id="smtp-commands-refused-bounce",
        kind=Kind.AVAILABILITY,
        file=ATTEMPTS,
        old="frozenset({500, 502, 503, 504, 523,",
        new="frozenset({523,",
        tests=ATTEMPT_TESTS,
    ),
    Mutant(
        id="smtp-sender-refused-bounces",
        kind=Kind.AVAILABILITY,
        file=ATTEMPTS,
        old="if step is SmtpStep.SENDER and code != MAIL_TOO_LARGE:",
        new="if False:",
        tests=(*SMTP_TESTS, *ATTEMPT_TESTS),
    ),
    Mutant(
        id="smtp-ehlo-refused-bounces",
        kind=Kind.AVAILABILITY,
        file=SMTP,
        old="result_of_refusal(SmtpStep.SESSION,",
        new="result_of_refusal(SmtpStep.DATA,",
        tests=SMTP_TESTS,
    ),
    Mutant(
        id="mail-tried-without-end",
        kind=Kind.LIMIT,
        file=ATTEMPTS,
        old="    if retry_at < message.created_at + GIVE_UP_AFTER:\n",
        new="    if True:\n",
        tests=ATTEMPT_TESTS,
    ),
    Mutant(
        id="mail-subject-unguarded",
        kind=Kind.SECURITY,
        file=MAILS,
        old="safe_header(content.subject)",
        new="content.subject",
        tests=MAIL_TESTS,
    ),
    Mutant(
        id="mail-claim-not-renewed",
        kind=Kind.CONSISTENCY,
        file="services/notification/use_cases/deliver.py",
        old="await ctx.messages.renew_claim(message_id, claim=claim, until=until)",
        new="pass",
        tests=("tests/services/notification/test_claims.py",),
    ),
    Mutant(
        id="mail-removed-member-not-notified",
        kind=Kind.DATA,
        file="services/notification/domain/member_recipients.py",
        old="    (team.MemberRemoved, _removed),\n",
        new="",
        tests=("tests/services/notification/domain/test_recipients.py",),
    ),
    Mutant(
        id="mail-sent-again-when-its-result-is-not-saved",
        kind=Kind.DATA,
        file="services/notification/use_cases/deliver.py",
        old="        result = await _attempt(ctx, message)\n"
        "        while True:\n"
        "            try:\n",
        new="        while True:\n"
        "            try:\n"
        "                result = await _attempt(ctx, message)\n",
        tests=(
            "tests/services/notification/test_delivery.py",
            "tests/services/notification/test_claims.py",
        ),
    ),
    Mutant(
        id="smtp-reply-awaited-without-end",
        kind=Kind.AVAILABILITY,
        file=SMTP,
        old=", timeout=self._timeouts.smtp_reply\n",
        new=", timeout=None\n",
        tests=SMTP_TESTS,
    ),
    Mutant(
        id="mail-strong-name-not-escaped",
        kind=Kind.SECURITY,
        file=MAILS,
        old='Markup("<strong>{}</strong>").format(escape(name))',
        new='Markup("<strong>{}</strong>").format(Markup(name))',
        tests=MAIL_TESTS,
    ),
    Mutant(
        id="bounce-advises-what-the-catalog-does-not-offer",
        kind=Kind.DATA,
        file=STATES,
        old='_RESEND_IF_RIGHT if resend else ""',
        new="_RESEND_IF_RIGHT",
        tests=STATE_TESTS,
    ),
    Mutant(
        id="withheld-mail-advises-what-the-catalog-does-not-offer",
        kind=Kind.DATA,
        file=STATES,
        old='_RESEND_LATER if resend else ""',
        new="_RESEND_LATER",
        tests=STATE_TESTS,
    ),
    Mutant(
        id="invitation-limit-lowered-tells-too-short-a-wait",
        kind=Kind.LIMIT,
        file=INVITATION_LIMITS,
        old="recent[max(0, len(recent) - limit)]",
        new="recent[0]",
        tests=LIMIT_TESTS,
    ),
    Mutant(
        id="invitation-limit-rounds-the-wait-down",
        kind=Kind.LIMIT,
        file=INVITATION_LIMITS,
        old="return math.ceil(",
        new="return int(",
        tests=LIMIT_TESTS,
    ),
)
