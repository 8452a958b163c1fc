"""Mutants of members: the list, ends, suspension, activity and access."""

from tests.mutants.mutant import Kind, Mutant

RULES = "services/team/domain/member_rules.py"
LIST = "services/team/store/member_list.py"
RULE_TESTS = ("tests/services/team/domain/test_member_rules.py",)
LIST_TESTS = ("tests/services/team/test_member_list.py",)
END_TESTS = "tests/services/team/test_member_ends.py"
ACTIVITY_TESTS = ("tests/services/team/test_member_activity.py",)

ROWS = (
    Mutant(
        id="members-renewal-gives-what-the-caller-lacks",
        kind=Kind.SECURITY,
        file=RULES,
        old="    require_to_restore(access, member, overrides)\n    return member_facts",
        new="    return member_facts",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="members-longer-end-without-a-check",
        kind=Kind.SECURITY,
        file=RULES,
        old="(end is None or end > earlier_end)",
        new="end is None",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="members-restored-overrides-are-not-looked-at",
        kind=Kind.SECURITY,
        file=RULES,
        old="not override.expired(access.now)",
        new="override.expired(access.now)",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="members-higher-role-outlasts-its-giver",
        kind=Kind.SECURITY,
        file=RULES,
        old="    if gained is not None and gained.all_mask | gained.self_mask:\n",
        new="    if gained is None:\n",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="members-invitation-outlasts-its-giver",
        kind=Kind.SECURITY,
        file="services/team/domain/invitations.py",
        old="    require_end(access.member, membership_expires_at)\n",
        new="",
        tests=(END_TESTS, "-k", "until_its_end"),
    ),
    Mutant(
        id="members-end-keeps-invitations-that-outlast-it",
        kind=Kind.DATA,
        file="services/team/domain/authority.py",
        old="        and _lasts(inviter, until)\n",
        new="",
        tests=(END_TESTS, "-k", "outlast_it"),
    ),
    Mutant(
        id="members-accepted-without-the-end",
        kind=Kind.SECURITY,
        file="services/team/domain/invitation_acceptance.py",
        old="        expires_at=invitation.membership_expires_at,\n",
        new="",
        tests=(END_TESTS, "-k", "until_its_end"),
    ),
    Mutant(
        id="members-suspended-ones-stay-inviters",
        kind=Kind.DATA,
        file="services/team/use_cases/members.py",
        old="            write.record(fact)\n            passed = await hand_over_invitations",
        new="            write.record(fact)\n            return ChangedMember(\n"
        "                row=member_list.member_row(access, suspended), passed=()\n            )\n"
        "            passed = await hand_over_invitations",
        tests=(END_TESTS, "-k", "suspended_member"),
    ),
    Mutant(
        id="members-over-are-in-my-accounts",
        kind=Kind.DATA,
        file="services/team/use_cases/accounts.py",
        old="        if membership.in_force(ctx.clock.now())\n        and (",
        new="        if (",
        tests=(END_TESTS, "-k", "by_itself or suspended_member"),
    ),
    Mutant(
        id="members-list-shows-the-last-row-twice",
        kind=Kind.DATA,
        file=LIST,
        old='{"$or": same_or_later}',
        new="{}",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="members-list-reads-a-full-page-only",
        kind=Kind.DATA,
        file="services/team/use_cases/member_list.py",
        old="        limit=limit + 1,\n",
        new="        limit=limit,\n",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="members-list-takes-a-text-for-a-pattern",
        kind=Kind.SECURITY,
        file=LIST,
        old="re.escape(query.text)",
        new="query.text",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="members-list-forgets-a-part-of-the-roles",
        kind=Kind.DATA,
        file=LIST,
        old="    return [*parts, _Part(value=UNKNOWN_ROLE, wanted=unknown)]",
        new="    return parts",
        tests=LIST_TESTS,
    ),
    Mutant(
        id="members-activity-changes-the-entity-tag",
        kind=Kind.DATA,
        file="services/team/routes/member_views.py",
        old='    beside_the_state = frozenset({"last_active_at"})\n',
        new="    beside_the_state = frozenset()\n",
        tests=ACTIVITY_TESTS,
    ),
    Mutant(
        id="members-activity-is-written-each-time",
        kind=Kind.LIMIT,
        file="services/team/store/members.py",
        old="one.at - ACTIVITY_STEP",
        new="one.at",
        tests=ACTIVITY_TESTS,
    ),
    Mutant(
        id="members-activity-without-a-bound",
        kind=Kind.LIMIT,
        file="shared/activity.py",
        old="        elif len(seen) < self._limit:\n",
        new="        else:\n",
        tests=ACTIVITY_TESTS,
    ),
    Mutant(
        id="members-access-of-a-member-who-is-over",
        kind=Kind.DATA,
        file="services/team/domain/member_access.py",
        old="_NO_GRANTS if denied else effective",
        new="effective",
        tests=("tests/services/team/domain/test_member_access.py",),
    ),
    Mutant(
        id="members-mail-waits-for-a-former-member",
        kind=Kind.DATA,
        file="services/notification/use_cases/enqueue.py",
        old="    if seq < pace.ended_seq:\n        return MEMBERSHIP_ENDED\n",
        new="",
        tests=("tests/services/notification/test_pace.py", "-k", "former_member"),
    ),
    Mutant(
        id="members-true-is-the-attribute-one",
        kind=Kind.DATA,
        file="services/team/domain/member_attributes.py",
        old="{key: (type(value), value) for key, value in each.items()}",
        new="{key: value for key, value in each.items()}",
        tests=("tests/services/team/domain/test_member_attributes.py",),
    ),
    Mutant(
        id="members-old-invitations-stay",
        kind=Kind.LIMIT,
        file="services/team/migrations.py",
        old='        Migration(26, "end of old invitations", index_step(*OLD_INVITATIONS)),\n',
        new="",
        tests=("tests/services/test_stored.py", "-k", "invitation"),
    ),
)
