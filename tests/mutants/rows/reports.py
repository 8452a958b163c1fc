"""Mutants of what services of a platform report: who may, about what, and how often it counts."""

from tests.mutants.mutant import Kind, Mutant

RULES = "services/audit/domain/reports.py"
RULE_TESTS = ("tests/services/audit/domain/test_report_rules.py",)
LIVE = "tests/services/audit/test_reported_events.py"
USE_CASE = "services/audit/use_cases/reports.py"

ROWS = (
    Mutant(
        id="reports-beyond-a-minute-are-taken",
        kind=Kind.AVAILABILITY,
        file="services/audit/domain/report_budget.py",
        old="began > now and full > now + MINUTE",
        new="began > now + MINUTE",
        tests=("tests/services/audit/domain/test_report_budget.py",),
    ),
    Mutant(
        id="reports-of-all-clients-count-together",
        kind=Kind.AVAILABILITY,
        file="services/audit/domain/report_budget.py",
        old="if sum(self._unrecorded.get(client_id, {}).values()) >",
        new="if sum(sum(each.values()) for each in self._unrecorded.values()) >",
        tests=("tests/services/audit/test_reported_events.py",),
    ),
    Mutant(
        id="reports-are-taken-however-many-wait",
        kind=Kind.AVAILABILITY,
        file="services/audit/use_cases/reports.py",
        old="            self._ctx.report_budget.wrote(",
        new="            print(",
        tests=("tests/services/audit/test_reported_events.py",),
    ),
    Mutant(
        id="report-into-any-account",
        kind=Kind.SECURITY,
        file=RULES,
        old="    require_account(account_ids, report.account_id)\n",
        new="",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-about-any-type",
        kind=Kind.SECURITY,
        file=RULES,
        old="    require_type(resource_types, resource_type)\n",
        new="",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-forges-records-of-rolecall",
        kind=Kind.SECURITY,
        file=RULES,
        old="    if resource_type in OWN_TYPES:\n",
        new="    if resource_type in ():\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-about-preferences-of-people",
        kind=Kind.SECURITY,
        file=RULES,
        old="    RESOURCE_TYPES\n    | {name",
        new="    {name",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-in-another-name-space",
        kind=Kind.SECURITY,
        file=RULES,
        old='    if not action.startswith(f"{resource_type}."):\n',
        new="    if not action.startswith(resource_type):\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-names-a-stranger",
        kind=Kind.SECURITY,
        file=RULES,
        old="        if (report.account_id, user_id) not in users:\n",
        new="        if user_id not in {user for _, user in users}:\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-id-of-another-client",
        kind=Kind.SECURITY,
        file=RULES,
        old='        return f"{client_id}/{self.kind}/{self.id}"\n',
        new='        return f"{self.kind}/{self.id}"\n',
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-repeated-after-its-mark",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="MARK_DAYS = 31\n",
        new="MARK_DAYS = 30\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-recorded-without-its-mark",
        kind=Kind.CONSISTENCY,
        file=USE_CASE,
        old="            guard=partial(self._mark, marks),\n",
        new="",
        tests=(LIVE, "-k", "once"),
    ),
    Mutant(
        id="report-with-other-content-is-a-repeat",
        kind=Kind.CONSISTENCY,
        file=USE_CASE,
        old="            elif known == report.digest:\n",
        new="            elif known:\n",
        tests=(LIVE, "-k", "comes_again"),
    ),
    Mutant(
        id="report-keeps-a-secret",
        kind=Kind.SECURITY,
        file="services/audit/domain/reported_events.py",
        old="            after=without_secrets(event.after),\n",
        new="            after=event.after,\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="report-by-a-service-hides-the-user",
        kind=Kind.SECURITY,
        file="services/audit/domain/search_terms.py",
        old='"user": (actor.id, actor.on_behalf_of),',
        new='"user": (actor.id,),',
        tests=(LIVE, "-k", "however"),
    ),
    Mutant(
        id="team-forgets-who-was-a-member",
        kind=Kind.CONSISTENCY,
        file="services/team/store/once_members.py",
        old="        for collection in (self._present, self._past, self._present):\n",
        new="        for collection in (self._present,):\n",
        tests=("tests/services/team/test_internal.py", "-k", "audit_learns"),
    ),
)
