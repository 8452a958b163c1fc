"""Mutants of registered resources: who writes and reassigns them, and how authz decides by them."""

from tests.mutants.mutant import Kind, Mutant

RULES = "services/team/domain/resource_rules.py"
DOMAIN = "services/team/domain/resources.py"
USE_CASES = "services/team/use_cases/resources.py"
HOOK = "services/team/routes/account_routes.py"
STATE = "sdk/rolecall/core/account_objects.py"
RULE_TESTS = ("tests/services/team/domain/test_resource_rules.py",)
LIVE = "tests/services/team/test_resources.py"
POLICY = ("tests/services/authz/test_policy_state.py",)

ROWS = (
    Mutant(
        id="client-writes-into-any-account",
        kind=Kind.SECURITY,
        file=HOOK,
        old="            require_account(call.principal.account_ids, call.account_id)\n",
        new="",
        tests=(LIVE, "-k", "bound_to"),
    ),
    Mutant(
        id="client-bound-to-no-account-is-bound-to-all",
        kind=Kind.SECURITY,
        file="shared/auth/bindings.py",
        old="    if bound is not None and account_id not in bound:\n",
        new="    if bound and account_id not in bound:\n",
        tests=(LIVE, "-k", "bound_to"),
    ),
    Mutant(
        id="client-bound-to-two-accounts-reads-all",
        kind=Kind.SECURITY,
        file="services/team/use_cases/context.py",
        old="        require_account(client.account_ids, account_id)\n",
        new="",
        tests=(LIVE, "-k", "bound_to"),
    ),
    Mutant(
        id="client-lists-types-of-others",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="    return named if named is not None else access.client.resource_types\n",
        new="    return named\n",
        tests=(LIVE, "-k", "own_types"),
    ),
    Mutant(
        id="client-deletes-types-of-others",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="    require_type(request.client.resource_types, key[0])\n\n    async def change(write",
        new="    async def change(write",
        tests=(LIVE, "-k", "own_types"),
    ),
    Mutant(
        id="resources-of-rolecall-are-registered",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="        if key[0] in OWN_TYPES:\n",
        new="        if key[0] in ():\n",
        tests=(LIVE, "-k", "own_types_and_repeats"),
    ),
    Mutant(
        id="resource-is-given-to-a-stranger",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old=" and given not in around.members:\n",
        new=" and False:\n",
        tests=(LIVE, "-k", "belong_to_the_account"),
    ),
    Mutant(
        id="limit-of-resources-off-by-one",
        kind=Kind.LIMIT,
        file=DOMAIN,
        old="    elif around.count >= around.limit:\n",
        new="    elif around.count > around.limit:\n",
        tests=(LIVE, "-k", "limit_of_resources"),
    ),
    Mutant(
        id="true-equals-one-in-a-registration",
        kind=Kind.DATA,
        file=DOMAIN,
        old="        if _form(wanted) == _form(present):\n",
        new="        if wanted == present:\n",
        tests=(LIVE, "-k", "same_again"),
    ),
    Mutant(
        id="reassigning-gives-what-the-caller-lacks",
        kind=Kind.SECURITY,
        file=RULES,
        old="everyones=owner_id != access.membership.user_id",
        new="everyones=False",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="reassigning-looks-at-no-override-of-the-caller",
        kind=Kind.SECURITY,
        file=RULES,
        old="access.member, project_id, given,",
        new="access.member, None, given,",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="resources-of-the-owner-are-taken",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="        resource_rules.require_to_take_from(write.access, from_user_id)\n",
        new="",
        tests=(*RULE_TESTS, "-k", "owner_alone"),
    ),
    Mutant(
        id="types-of-a-reassignment-twice",
        kind=Kind.LIMIT,
        file="services/team/routes/resource_bodies.py",
        old="    if len(set(types)) < len(types):\n",
        new="    if not types:\n",
        tests=(*RULE_TESTS, "-k", "named_once"),
    ),
    Mutant(
        id="project-with-resources-is-deleted",
        kind=Kind.SECURITY,
        file="services/team/use_cases/projects.py",
        old="        if count:\n",
        new="        if count < 0:\n",
        tests=(LIVE, "-k", "project_with_resources"),
    ),
    Mutant(
        id="facts-of-resources-without-a-bound",
        kind=Kind.AVAILABILITY,
        file="services/team/domain/resource_facts.py",
        old="len(part) == MAX_RESOURCES or size + bytes_more > MAX_CONTENT_BYTES",
        new="len(part) == MAX_RESOURCES",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="older-resource-replaces-a-newer-one",
        kind=Kind.CONSISTENCY,
        file=STATE,
        old="    if newest is None or rev > newest.rev:\n",
        new="    if True:\n",
        tests=POLICY,
    ),
    Mutant(
        id="resources-are-lost-when-their-account-changes",
        kind=Kind.CONSISTENCY,
        file=STATE,
        old="        resources = base.resources\n",
        new="        resources = NOTHING\n",
        tests=POLICY,
    ),
    Mutant(
        id="map-of-resources-changes-under-its-readers",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/core/persistent.py",
        old="            part = {**before}\n",
        new="            part = before\n",
        tests=("tests/sdk/test_persistent.py",),
    ),
    Mutant(
        id="object-of-a-later-kind-stops-a-replica",
        kind=Kind.AVAILABILITY,
        file="shared/following/newest.py",
        old="            if reader is not None:\n",
        new="            if True:\n",
        tests=POLICY,
    ),
    Mutant(
        id="grants-after-the-override-of-a-receiver-are-given",
        kind=Kind.SECURITY,
        file="services/team/domain/resource_rules.py",
        old="found.together_with(receiver.role.by_owning()) if ends else found",
        new="found",
        tests=("tests/services/team/domain/test_resource_rules.py", "-k", "after_their_override"),
    ),
)
