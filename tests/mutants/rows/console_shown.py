"""Mutants of what the console shows and offers: secrets, lists, times, proofs, and live parts."""

from tests.mutants.mutant import Kind, Mutant

CONSOLE = "tests/services/console"
KEPT = f"{CONSOLE}/test_kept_forms.py"
SECURITY = f"{CONSOLE}/test_security.py"
PROVED = (f"{CONSOLE}/test_proved_presses.py",)
LOG = f"{CONSOLE}/test_log.py"
SETTINGS = f"{CONSOLE}/test_settings.py"
PROOF = f"{CONSOLE}/test_proof_script.py"
LIVE = f"{CONSOLE}/test_live.py"
LIVE_EVENTS = f"{CONSOLE}/test_live_events.py"
NOTIFICATIONS = f"{CONSOLE}/test_notifications.py"
ACCOUNTS = f"{CONSOLE}/test_accounts.py"
MEMBERS = f"{CONSOLE}/test_member_pages.py"
ACCESS = f"{CONSOLE}/test_access_pages.py"
USAGE = f"{CONSOLE}/test_usage.py"
TOKENS = f"{CONSOLE}/test_tokens.py"
DOMAIN, ROUTES = "services/console/domain", "services/console/routes"
STATIC, TEMPLATES = "services/console/static", "services/console/pages/account"

ROWS = (
    Mutant(
        id="secret-of-an-app-is-shown-to-any-browser",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/browser_requests.py",
        old="return (secret, uri) if of == self.form_secret else None",
        new="return (secret, uri)",
        tests=(SECURITY, "-k", "another_sign_in"),
    ),
    Mutant(
        id="form-of-before-a-sign-in-shows-secrets",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/kept_forms.py",
        old="show_again(row, visit, kept_values(visit), problem=problem)",
        new="show_again(row, visit, visit.typed, problem=problem)",
        tests=(KEPT, "-k", "shows_no_secret_again"),
    ),
    Mutant(
        id="refusal-after-a-proof-asks-for-another-one",
        kind=Kind.AVAILABILITY,
        file=f"{ROUTES}/proofs.py",
        old="                await _prove(visit)\n                proves = False\n",
        new="                await _prove(visit)\n",
        tests=PROVED,
    ),
    Mutant(
        id="last-thirty-days-are-one-more",
        kind=Kind.DATA,
        file=f"{DOMAIN}/log_filters.py",
        old="timedelta(days=29)",
        new="timedelta(days=30)",
        tests=(LOG, "-k", "usual_times"),
    ),
    Mutant(
        id="first-limit-of-the-log-is-not-asked-twice",
        kind=Kind.DATA,
        file=f"{DOMAIN}/retention_choices.py",
        old="(before is None or after < before)",
        new="before is not None and after < before",
        tests=(SETTINGS, "-k", "first_limit"),
    ),
    Mutant(
        id="browser-takes-a-salt-of-any-length",
        kind=Kind.SECURITY,
        file=f"{STATIC}/proof.js",
        old="      if (salt.length !== 16) return null;\n",
        new="",
        tests=(PROOF, "-k", "another_length"),
    ),
    Mutant(
        id="browser-takes-a-false-signature-beside-a-right-one",
        kind=Kind.SECURITY,
        file=f"{STATIC}/proof.js",
        old="      if (!found) return false;\n",
        new="      if (found) break;\n",
        tests=(PROOF, "-k", "false_signature or verifies_a_file"),
    ),
    Mutant(
        id="browser-takes-signatures-without-a-limit",
        kind=Kind.LIMIT,
        file=f"{STATIC}/proof.js",
        old=" || lines.length > MAX_SIGNATURES",
        new="",
        tests=(PROOF, "-k", "verifies_a_file"),
    ),
    Mutant(
        id="browser-believes-a-report-of-erasures",
        kind=Kind.SECURITY,
        file=f"{STATIC}/exports.js",
        old="record.action === action && (record.reported_by ?? null) === null;",
        new="record.action === action;",
        tests=(PROOF, "-k", "verifies_a_file"),
    ),
    Mutant(
        id="browser-believes-what-another-service-tells-of-erasures",
        kind=Kind.SECURITY,
        file=f"{STATIC}/exports.js",
        old='(tells && record.position.source === "audit" && record.after)',
        new="(tells && record.after)",
        tests=(PROOF, "-k", "verifies_a_file"),
    ),
    Mutant(
        id="browser-takes-a-record-beside-its-hash",
        kind=Kind.SECURITY,
        file=f"{STATIC}/exports.js",
        old="if (found.hashes.has(seal.index) || found.kept.has(seal.index)) return false;",
        new="if (found.kept.has(seal.index)) return false;",
        tests=(PROOF, "-k", "verifies_a_file"),
    ),
    Mutant(
        id="answer-stays-open-for-a-browser-that-has-left",
        kind=Kind.AVAILABILITY,
        file="services/console/adapters/streamed_answers.py",
        old="    await anext(pieces)\n    return StreamedAnswer",
        new="    return StreamedAnswer",
        tests=(LIVE, "-k", "left_before_the_answer"),
    ),
    Mutant(
        id="bell-is-silent-after-a-replica-has-stopped",
        kind=Kind.AVAILABILITY,
        file=f"{STATIC}/live.js",
        old='(reason) => reason === "token-revoked",',
        new="() => true,",
        tests=(LIVE_EVENTS,),
    ),
    Mutant(
        id="log-is-followed-on-by-who-may-not-see-it",
        kind=Kind.AVAILABILITY,
        file=f"{STATIC}/live.js",
        old="(reason) => !goesOn.includes(reason)",
        new="() => false",
        tests=(LIVE_EVENTS,),
    ),
    Mutant(
        id="log-tells-its-reader-of-the-own-searches",
        kind=Kind.DATA,
        file=f"{STATIC}/live.js",
        old=" || isOwnReading(JSON.parse(event.data))",
        new="",
        tests=(LIVE_EVENTS,),
    ),
    Mutant(
        id="list-that-is-not-told-counts-as-changed",
        kind=Kind.DATA,
        file=f"{STATIC}/live.js",
        old="if (over) tellOver(over);\n        else if (ended) tell();",
        new="if (ended) tell();",
        tests=(LIVE_EVENTS,),
    ),
    Mutant(
        id="open-list-does-not-see-a-change-of-its-other-pages",
        kind=Kind.DATA,
        file=f"{DOMAIN}/list_states.py",
        old='json.dumps([items, listed["counts"]], sort_keys=True)',
        new="json.dumps([items], sort_keys=True)",
        tests=(LIVE, "-k", "another_state"),
    ),
    Mutant(
        id="page-fails-when-its-number-comes-late",
        kind=Kind.AVAILABILITY,
        file=f"{ROUTES}/visits.py",
        old="contextlib.suppress(ApiRefusal, SignedOut, TimeoutError):",
        new="contextlib.suppress(ApiRefusal, SignedOut):",
        tests=(NOTIFICATIONS, "-k", "comes_late"),
    ),
    Mutant(
        id="permissions-that-are-not-answered-count-as-none",
        kind=Kind.CONSISTENCY,
        file=f"{ROUTES}/account_frame.py",
        old="if refusal.status in {403, 404}:",
        new="if refusal.status >= 403:",
        tests=(ACCOUNTS, "-k", "api_does_not_answer"),
    ),
    Mutant(
        id="search-of-members-forgets-the-role",
        kind=Kind.DATA,
        file=f"{TEMPLATES}/members.html",
        old='"role": asked.role, "sort": asked.sort}) }}',
        new='"sort": asked.sort}) }}',
        tests=(MEMBERS, "-k", "each_way_on"),
    ),
    Mutant(
        id="project-shows-suspended-members",
        kind=Kind.DATA,
        file=f"{ROUTES}/projects.py",
        old='{"limit": SHOWN, "status": "active", **chosen}',
        new='{"limit": SHOWN, **chosen}',
        tests=(ACCESS, "-k", "active_members"),
    ),
    Mutant(
        id="removed-members-resources-go-to-suspended-ones",
        kind=Kind.DATA,
        file=f"{ROUTES}/member_changes.py",
        old='query={**MANY, "status": "active"}',
        new="query=MANY",
        tests=(ACCESS, "-k", "active_members"),
    ),
    Mutant(
        id="usage-leads-to-no-month-on-its-first-day",
        kind=Kind.DATA,
        file=f"{DOMAIN}/usage_charts.py",
        old="return self.end > now.astimezone(UTC).date()",
        new="return self.end >= now.astimezone(UTC).date()",
        tests=(USAGE, "-k", "latest"),
    ),
    Mutant(
        id="page-offers-the-end-of-tokens-of-others",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/tokens.py",
        old="ends=own or frame.permissions.get(MANAGE) == ALL,",
        new="ends=own or frame.may(MANAGE),",
        tests=(TOKENS, "-k", "of_others"),
    ),
    Mutant(
        id="page-lists-who-may-do-it-to-another-resource",
        kind=Kind.DATA,
        file=f"{ROUTES}/access_explorer.py",
        old='            "owner_id": self.owner,\n        }\n',
        new="        }\n",
        tests=(ACCESS, "-k", "own_permissions_names"),
    ),
    Mutant(
        id="page-of-a-role-has-a-button-that-a-rule-refuses",
        kind=Kind.DATA,
        file=f"{TEMPLATES}/role_delete.html",
        old="{% if not impact.violations %}<button",
        new="{% if impact %}<button",
        tests=(ACCESS, "-k", "forbids"),
    ),
    Mutant(
        id="page-of-a-project-has-a-button-that-a-rule-refuses",
        kind=Kind.DATA,
        file=f"{TEMPLATES}/project_delete.html",
        old="{% if not impact.violations %}<button",
        new="{% if impact %}<button",
        tests=(ACCESS, "-k", "forbids"),
    ),
    Mutant(
        id="script-follows-what-is-not-an-id",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/pages.py",
        old=(
            "        if _names_nothing(visit):\n"
            "            return _failed(ctx, request, status=404)\n"
        ),
        new="",
        tests=(ACCOUNTS, "-k", "cannot_be_an_id"),
    ),
    Mutant(
        id="failed-deliveries-of-hours-are-sent-again",
        kind=Kind.DATA,
        file=f"{ROUTES}/webhooks.py",
        old="timedelta(days=days)",
        new="timedelta(hours=days)",
        tests=(SETTINGS, "-k", "has_failed_since"),
    ),
    Mutant(
        id="file-of-the-console-has-no-policy",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/answers.py",
        old='{**HEADERS, "Content-Disposition": named}',
        new='{"Content-Disposition": named}',
        tests=(LOG, "-k", "kind_of_answer"),
    ),
    Mutant(
        id="feed-of-the-console-has-no-policy",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/live.py",
        old="stall_seconds=STALL_SECONDS), HEADERS)",
        new="stall_seconds=STALL_SECONDS), {})",
        tests=(LOG, "-k", "kind_of_answer"),
    ),
    Mutant(
        id="second-factor-is-demanded-in-any-state",
        kind=Kind.CONSISTENCY,
        file=f"{ROUTES}/settings.py",
        old='        {"require_second_factor": demanded},\n        if_match=state_of(visit),\n',
        new='        {"require_second_factor": demanded},\n',
        tests=(SETTINGS, "-k", "state_that_was_shown"),
    ),
    Mutant(
        id="stream-is-changed-in-any-state",
        kind=Kind.CONSISTENCY,
        file=f"{ROUTES}/log_streams.py",
        old="        changed,\n        if_match=state_of(visit),\n",
        new="        changed,\n",
        tests=(SETTINGS, "-k", "state_that_was_shown"),
    ),
)
