"""Mutants of the membership by the rule of a connection."""

from tests.mutants.mutant import Kind, Mutant

TEAM = ("tests/services/team/test_connection_joins.py",)
RULES = ("tests/services/team/domain/test_connection_join_rules.py",)
ACCOUNTS = ("tests/services/identity/test_account_connections.py",)
OF_RULES = ("tests/services/identity/domain/test_account_connections.py",)
JOINS = "services/team/domain/connection_joins.py"
CONNECTIONS = "services/identity/domain/account_connections.py"
JOINING = "services/identity/use_cases/joining.py"


def _security(id_: str, file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(id=id_, kind=Kind.SECURITY, file=file, old=old, new=new, tests=tests)


ROWS = (
    _security(
        "rule-of-a-member-who-may-not-give",
        JOINS,
        "JoinProblem.GIVER_NOT_ALLOWED: _may_not_give,",
        "JoinProblem.GIVER_NOT_ALLOWED: lambda one: one.giver is None,",
        *RULES,
    ),
    _security(
        "former-member-comes-back",
        JOINS,
        "lambda one: one.former or not one.user.name",
        "lambda one: not one.user.name",
        *RULES,
    ),
    _security(
        "rule-ignores-the-seats",
        JOINS,
        "return joining.taken - freed >=",
        "return joining.taken - freed - 1 >=",
        *RULES,
    ),
    _security(
        "removal-keeps-no-former-member",
        "services/team/use_cases/member_writes.py",
        "await self._store.keep_former([member], self._session)",
        "assert member",
        *(*TEAM, "-k", "removed_member or who_left or removal_beside"),
    ),
    _security(
        "former-member-with-another-user",
        "services/team/store/former_members.py",
        'known = [traits.user_id, f"adr_{digest}", *traits.identities]',
        'known = [traits.user_id, f"adr_{digest[:0]}{traits.user_id}", *traits.identities]',
        *(*TEAM, "-k", "removed_member"),
    ),
    _security(
        "former-member-with-another-user-and-address",
        "services/team/store/former_members.py",
        'known = [traits.user_id, f"adr_{digest}", *traits.identities]',
        'known = [traits.user_id, f"adr_{digest}"]',
        *(*TEAM, "-k", "known_again"),
    ),
    _security(
        "join-does-not-note-the-subject",
        "services/team/use_cases/connection_joins.py",
        "replace(joined.membership, identities=traits.identities)",
        "replace(joined.membership, identities=())",
        *(*TEAM, "-k", "known_again"),
    ),
    _security(
        "sign-ins-of-members-do-not-note-the-subject",
        "services/team/use_cases/connection_joins.py",
        "            await write.note_identity(member, identity)\n",
        "",
        *(*TEAM, "-k", "known_again"),
    ),
    _security(
        "a-second-subject-replaces-the-first",
        "services/team/use_cases/former_writes.py",
        "(*member.identities, identity)[-MAX_IDENTITIES:]",
        "(identity,)",
        *(*TEAM, "-k", "known_again"),
    ),
    _security(
        "a-suspended-member-joins-with-another-user",
        "services/team/use_cases/former_writes.py",
        "return any(not one.in_force(self.now) for one in others)",
        "return bool(others) and False",
        *(*TEAM, "-k", "beside_themselves"),
    ),
    _security(
        "identity-does-not-name-the-subject",
        JOINING,
        "identity_id=identity_id(issued.issuer, issued.subject),",
        "identity_id=None,",
        *(*ACCOUNTS, "-k", "sign_in_anew"),
    ),
    _security(
        "invitation-leaves-a-former-member",
        "services/team/use_cases/former_writes.py",
        "await self._store.forget_former([member], self._session)",
        "assert member",
        *(*TEAM, "-k", "removed_member"),
    ),
    _security(
        "refusal-is-told-each-time",
        "services/team/use_cases/former_writes.py",
        "if await self._store.is_told(",
        "if not await self._store.is_told(",
        *(*TEAM, "-k", "lost_the_rights or guardrail"),
    ),
    _security(
        "join-is-answered-before-the-barrier",
        "services/team/use_cases/connection_joins.py",
        "return await ctx.change(request, change, effective_everywhere=True)",
        "return await ctx.change(request, change, effective_everywhere=False)",
        *(*TEAM, "-k", "barrier"),
    ),
    _security(
        "closed-account-signs-people-in",
        JOINING,
        "if not account.open:",
        "if account is None:",
        *(*ACCOUNTS, "-k", "closed_account"),
    ),
    _security(
        "joins-by-an-address-of-another",
        JOINING,
        "return user.verified_at is not None and address.key == user.email_key",
        "return user.verified_at is not None and address.key is not None",
        *(*ACCOUNTS, "-k", "without_a_rule"),
    ),
    _security(
        "other-issuer-keeps-the-proof",
        CONNECTIONS,
        "changed = replace(changed, challenge=new_challenge(), proved_at=None)",
        "changed = replace(changed, challenge=connection.challenge)",
        *(*ACCOUNTS, "-k", "another_issuer"),
    ),
    _security(
        "other-issuer-gives-what-its-admin-lacks",
        CONNECTIONS,
        "or (wanted.issuer is not None and wanted.issuer != connection.issuer)",
        "or (wanted.issuer is not None and not connection.issuer)",
        *(*ACCOUNTS, "-k", "who_changes"),
    ),
    _security(
        "turning-on-gives-what-its-admin-lacks",
        CONNECTIONS,
        "or (wanted.enabled is True and not connection.enabled)",
        "or (wanted.enabled is True and not connection.id)",
        *(*ACCOUNTS, "-k", "who_changes"),
    ),
    _security(
        "connection-that-is-off-signs-people-in",
        "services/identity/use_cases/sso_connections.py",
        "if found is None or not found.enabled:",
        "if found is None:",
        *(*ACCOUNTS, "-k", "that_is_off"),
    ),
    _security(
        "domain-goes-to-each-one-who-asks",
        "services/identity/use_cases/connection_domains.py",
        "if holder is None or holder.challenge in texts:",
        "if holder is None:",
        *(*ACCOUNTS, "-k", "whom_its_record_names"),
    ),
    _security(
        "domain-stays-with-its-former-owner",
        "services/identity/use_cases/connection_domains.py",
        "if holder is None or holder.challenge in texts:",
        "if holder is None or holder.challenge:",
        *(*ACCOUNTS, "-k", "whom_its_record_names"),
    ),
    _security(
        "connections-outlive-their-account",
        "services/identity/use_cases/account_connections.py",
        "for one in await ctx.store.connections_of(account_id, write.session):",
        "for one in (await ctx.store.connections_of(account_id, write.session))[:1]:",
        *(*ACCOUNTS, "-k", "end_of_an_account"),
    ),
    Mutant(
        id="rule-of-a-connection-that-is-off",
        kind=Kind.SECURITY,
        file=CONNECTIONS,
        old="if not self.enabled or self.join_role",
        new="if self.join_role",
        tests=OF_RULES,
    ),
    Mutant(
        id="first-giver-answers-for-what-others-give",
        kind=Kind.SECURITY,
        file=CONNECTIONS,
        old=(
            "giver = by if given_role(connection, wanted) is not None else connection.rule_set_by"
        ),
        new="giver = connection.rule_set_by or by",
        tests=OF_RULES,
    ),
    Mutant(
        id="role-that-came-between-is-given-unchecked",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/account_connections.py",
        old=(
            "        if account_connections.given_role(current, wanted) != role:\n"
            "            raise _RoleNotCheckedError\n"
        ),
        new="",
        tests=OF_RULES,
    ),
    Mutant(
        id="people-of-a-former-issuer-join",
        kind=Kind.SECURITY,
        file=JOINING,
        old=" or row.issuer != connection.issuer",
        new="",
        tests=OF_RULES,
    ),
    Mutant(
        id="dropped-secret-of-a-connection-stays",
        kind=Kind.SECURITY,
        file=CONNECTIONS,
        old=("None if wanted.drops_secret else wanted.sealed_secret or connection.sealed_secret"),
        new="wanted.sealed_secret or connection.sealed_secret",
        tests=OF_RULES,
    ),
    Mutant(
        id="secret-follows-to-another-issuer",
        kind=Kind.SECURITY,
        file=CONNECTIONS,
        old="if moved and stays and connection.sealed_secret is not None:",
        new='if moved and stays and connection.sealed_secret == b"":',
        tests=(*OF_RULES, "-k", "of_the_former_one"),
    ),
    Mutant(
        id="namesake-of-a-former-member-hides-the-next-one",
        kind=Kind.DATA,
        file="services/team/store/former_members.py",
        old='return all(row["told"] for row in found) if found else None',
        new='return any(row["told"] for row in found) if found else None',
        tests=(*TEAM, "-k", "invitation_alone"),
    ),
    Mutant(
        id="newest-subject-of-a-member-is-forgotten",
        kind=Kind.SECURITY,
        file="services/team/use_cases/former_writes.py",
        old="(*member.identities, identity)[-MAX_IDENTITIES:]",
        new="(*member.identities, identity)[:MAX_IDENTITIES]",
        tests=(*TEAM, "-k", "very_many_subjects"),
    ),
    Mutant(
        id="override-of-a-giver-does-not-bound-a-rule",
        kind=Kind.SECURITY,
        file=JOINS,
        old="member_state(catalog, giver.membership, giver.overrides)",
        new="member_state(catalog, giver.membership, ())",
        tests=(*RULES, "-k", "each_project"),
    ),
    Mutant(
        id="digest-of-a-former-member-is-one-in-all-accounts",
        kind=Kind.DATA,
        file="services/team/store/former_members.py",
        old='f"{account_id}\\0{traits.email_key}"',
        new="traits.email_key",
        tests=(*TEAM, "-k", "nothing_of_a_former"),
    ),
    Mutant(
        id="seats-are-not-counted-at-a-join",
        kind=Kind.LIMIT,
        file="services/team/use_cases/connection_joins.py",
        old="taken=await write.seats_taken(),",
        new="taken=0,",
        tests=(*TEAM, "-k", "full_account"),
    ),
    Mutant(
        id="refusal-of-another-rule-is-not-told",
        kind=Kind.DATA,
        file="services/team/store/former_members.py",
        old='"role": rule.role, "set_by": rule.set_by}',
        new="}",
        tests=(*TEAM, "-k", "lost_the_rights"),
    ),
    Mutant(
        id="domain-that-is-lost-is-lost-again",
        kind=Kind.DATA,
        file="services/identity/use_cases/connection_domains.py",
        old="if current is None or current.proved_at is None:",
        new="if current is None:",
        tests=(*OF_RULES, "-k", "lost_already"),
    ),
)
