"""Mutants of previews and guardrails: what is compared, and what is refused."""

from tests.mutants.mutant import Kind, Mutant

IMPACT = "services/team/domain/impact.py"
POLICY = "services/team/domain/account_policy.py"
VIOLATIONS = "services/team/domain/guardrail_violations.py"
EQUALS = ("tests/services/team/test_preview_equals.py",)
HOLD = ("tests/services/team/test_guardrails_hold.py",)
GUARDRAILS = "tests/services/team/test_guardrails.py"
PREVIEWS = "tests/services/team/test_previews.py"


def _mutant(name: str, kind: Kind, file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(id=name, kind=kind, file=file, old=old, new=new, tests=tests)


ROWS = (
    _mutant(
        "preview-forgets-overridden-projects",
        Kind.CONSISTENCY,
        IMPACT,
        "sorted(self._moved | _overridden(before) | _overridden(after))",
        "sorted(self._moved | _overridden(after))",
        *EQUALS,
    ),
    _mutant(
        "preview-forgets-new-and-deleted-projects",
        Kind.CONSISTENCY,
        IMPACT,
        "sorted(self._moved | _overridden(before)",
        "sorted(_overridden(before)",
        *EQUALS,
    ),
    _mutant(
        "preview-counts-suspended-members",
        Kind.CONSISTENCY,
        IMPACT,
        "        return state.members[user_id] if denied is None else None\n",
        "        return state.members.get(user_id)\n",
        *EQUALS,
    ),
    _mutant(
        "preview-ignores-the-change-of-a-scope",
        Kind.CONSISTENCY,
        IMPACT,
        "                if was.get((entry, level)) is not is_.get((entry, level))\n",
        "                if ((entry, level) in was) is not ((entry, level) in is_)\n",
        *EQUALS,
    ),
    _mutant(
        "preview-keeps-removed-overrides",
        Kind.CONSISTENCY,
        POLICY,
        "                table.pop(policy_object.id, None)\n",
        "                members.pop(policy_object.id, None)\n",
        *EQUALS,
    ),
    _mutant(
        "preview-keeps-the-roles-of-before",
        Kind.CONSISTENCY,
        POLICY,
        "                account = state\n",
        "                account = account\n",
        *EQUALS,
    ),
    _mutant(
        "preview-names-members-to-all",
        Kind.SECURITY,
        "services/team/routes/previews.py",
        "    person = member.person if named else None\n",
        "    person = member.person\n",
        PREVIEWS,
        "-k",
        "names_are_for",
    ),
    _mutant(
        "preview-records-its-refusals",
        Kind.DATA,
        "services/team/routes/account_routes.py",
        "        if call.route.only_previews:\n",
        "        if call.route.polled:\n",
        PREVIEWS,
        "-k",
        "leaves_no_record",
    ),
    _mutant(
        "preview-cursor-fits-every-change",
        Kind.CONSISTENCY,
        "shared/http/paging.py",
        "    if call.body is not None:\n",
        "    if False:\n",
        PREVIEWS,
        "-k",
        "paged",
    ),
    _mutant(
        "guardrails-are-not-checked",
        Kind.SECURITY,
        "services/team/use_cases/account_write.py",
        "        await self.require_guardrails(account, self._facts)\n",
        "",
        *HOLD,
    ),
    _mutant(
        "guardrail-does-not-bind-invitees",
        Kind.SECURITY,
        "services/team/use_cases/context.py",
        "                    await account_write.watch_guardrails(account)\n",
        "                    pass\n",
        GUARDRAILS,
        "-k",
        "no_way",
    ),
    _mutant(
        "guardrail-counts-inactive-members",
        Kind.SECURITY,
        VIOLATIONS,
        "            if membership_denial(active, Subject(user_id), now=self.now) is None\n",
        "",
        *HOLD,
    ),
    _mutant(
        "guardrail-looks-at-overrides-of-after-alone",
        Kind.SECURITY,
        VIOLATIONS,
        "    overridden = before.overridden | after.overridden\n",
        "    overridden = after.overridden\n",
        GUARDRAILS,
        "-k",
        "looks_at_overrides",
    ),
    _mutant(
        "guardrail-looks-at-roles-alone",
        Kind.SECURITY,
        VIOLATIONS,
        "        places |= {place for place in overridden if place[0] in bound}\n",
        "",
        GUARDRAILS,
        "-k",
        "looks_at_overrides",
    ),
    _mutant(
        "guardrail-takes-own-resources-for-all",
        Kind.SECURITY,
        VIOLATIONS,
        "            return EVERYONES\n",
        "            return OWN\n",
        GUARDRAILS,
        "-k",
        "own_resources",
    ),
    _mutant(
        "guardrail-refuses-what-mends-it",
        Kind.AVAILABILITY,
        VIOLATIONS,
        "if measure > was.get(place, 0))",
        "if measure > 0)",
        GUARDRAILS,
        "-k",
        "mended",
    ),
    _mutant(
        "guardrails-without-a-bound",
        Kind.LIMIT,
        "services/team/domain/guardrail_rules.py",
        "    if len(account.guardrails) >= limit:\n",
        "    if False:\n",
        GUARDRAILS,
        "-k",
        "bounded",
    ),
)
