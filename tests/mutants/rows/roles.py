"""Mutants of custom roles: what they give, and who gives it."""

from tests.mutants.mutant import Kind, Mutant

RULES = "services/team/domain/role_rules.py"
MATRIX = "sdk/rolecall/core/matrix.py"
ROLES = "tests/services/team/test_roles.py"

ROWS = (
    Mutant(
        id="role-is-created-with-grants-its-maker-lacks",
        kind=Kind.SECURITY,
        file=RULES,
        old="    require_to_give_grants(access.state, access.member, given, now=access.now)\n",
        new="",
        tests=(ROLES, "-k", "only_what_its_giver_holds"),
    ),
    Mutant(
        id="role-is-edited-with-grants-its-editor-lacks",
        kind=Kind.SECURITY,
        file=RULES,
        old="    require_to_give_grants(access.state, access.member, gained, now=access.now)\n",
        new="",
        tests=(ROLES, "-k", "only_what_its_giver_holds"),
    ),
    Mutant(
        id="role-edit-takes-own-resources-for-all",
        kind=Kind.SECURITY,
        file=RULES,
        old="        all_mask=after.all_mask & ~before.all_mask,\n",
        new="        all_mask=after.all_mask & ~(before.all_mask | before.self_mask),\n",
        tests=(ROLES, "-k", "own_resources"),
    ),
    Mutant(
        id="role-replacement-gives-more-than-its-giver-holds",
        kind=Kind.SECURITY,
        file=RULES,
        old="require_to_give(access.state, access.member, replacement.id, now=access.now)",
        new="pass",
        tests=(ROLES, "-k", "replacement"),
    ),
    Mutant(
        id="role-in-use-is-deleted",
        kind=Kind.SECURITY,
        file=RULES,
        old="        if members or invitations:\n            raise",
        new="        if members and not invitations:\n            raise",
        tests=(ROLES, "-k", "in_use"),
    ),
    Mutant(
        id="role-edit-keeps-the-inviter",
        kind=Kind.SECURITY,
        file="services/team/use_cases/roles.py",
        old="        passed = await hand_over_after_role_change(write, after, role_id)\n",
        new="        passed: tuple[Invitation, ...] = ()\n",
        tests=(ROLES, "-k", "pass_on"),
    ),
    Mutant(
        id="role-handover-looks-at-holders-only",
        kind=Kind.SECURITY,
        file="services/team/use_cases/invitation_handover.py",
        old="if not has_role and all(invitation.role != role_id for invitation in invitations):",
        new="if not has_role:",
        tests=(ROLES, "-k", "pass_on"),
    ),
    Mutant(
        id="role-takes-the-place-of-a-built-in-one",
        kind=Kind.SECURITY,
        file=MATRIX,
        old="        if custom is None or role_id in self.roles:\n",
        new="        if custom is None:\n",
        tests=("tests/sdk/test_matrix.py", "-k", "built_in"),
    ),
    Mutant(
        id="replica-knows-no-custom-roles",
        kind=Kind.CONSISTENCY,
        file="services/authz/domain/policy_state.py",
        old="        catalog = catalog.with_roles(account.roles)\n",
        new="",
        tests=("tests/services/authz/test_policy_state.py", "-k", "custom_role"),
    ),
)
