"""Mutants of provisioning: whom a client changes, what it gives, and what a batch costs."""

from tests.mutants.mutant import Kind, Mutant

USERS = "services/identity/domain/provisioning.py"
HASHES = "services/identity/domain/imported_passwords.py"
HASHER = "services/identity/adapters/argon2.py"
MEMBERS = "services/team/domain/provisioning.py"
USERS_TEST = "tests/services/identity/test_provisioning.py"
HASHES_TEST = "tests/services/identity/domain/test_imported_passwords.py"
MEMBERS_TEST = "tests/services/team/test_provisioning.py"
GUARDRAILS_TEST = "tests/services/team/test_provisioning_guardrails.py"

ROWS = (
    Mutant(
        id="provisioning-changes-users-of-others",
        kind=Kind.SECURITY,
        file=USERS,
        old="    if user.provisioned_by != client_id:\n",
        new="    if user.provisioned_by is None and not claim.password_hash:\n",
        tests=(USERS_TEST, "-k", "another_client or owner_of_an_address"),
    ),
    Mutant(
        id="provisioning-overwrites-the-owner-of-an-address",
        kind=Kind.SECURITY,
        file=USERS,
        old="        return _link(claim, known.holder, client_id=client_id)\n",
        new="        return _update(claim, replace(known.holder, provisioned_by=client_id),"
        " client_id=client_id, now=now)\n",
        tests=(USERS_TEST, "-k", "owner_of_an_address"),
    ),
    Mutant(
        id="bound-client-provisions-users",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/provisioning.py",
        old="    if client.account_ids is not None:\n",
        new="    if client.account_ids is not None and len(client.account_ids) == 1:\n",
        tests=(USERS_TEST, "-k", "whole_platform"),
    ),
    Mutant(
        id="password-is-imported-without-a-proof-of-the-address",
        kind=Kind.SECURITY,
        file=USERS,
        old="        if not entry.email_verified:\n",
        new="        if not entry.email:\n",
        tests=(USERS_TEST, "-k", "needs_an_address"),
    ),
    Mutant(
        id="imported-password-replaces-the-users-own",
        kind=Kind.SECURITY,
        file=USERS,
        old="        if changed.password_hash is None or changed.password_imported:\n",
        new="        if changed.provisioned_by == client_id:\n",
        tests=(USERS_TEST, "-k", "gets_our_hash"),
    ),
    Mutant(
        id="imported-hash-of-any-cost",
        kind=Kind.LIMIT,
        file=HASHES,
        old="            and memory * passes <= ARGON2_MAX_WORK_KIB\n",
        new="",
        tests=(HASHES_TEST,),
    ),
    Mutant(
        id="time-of-a-refusal-shows-imported-hashes",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/sessions.py",
        old="at_least=COMPARISON_SECONDS if imported else 0)",
        new="at_least=0)",
        tests=(USERS_TEST, "-k", "takes_as_long"),
    ),
    Mutant(
        id="step-shorter-than-an-imported-comparison",
        kind=Kind.SECURITY,
        file=HASHES,
        old="COMPARISON_SECONDS = 2.0\n",
        new="COMPARISON_SECONDS = 0.25\n",
        tests=(HASHES_TEST, "-k", "far_below_a_step"),
    ),
    Mutant(
        id="imported-hash-compared-with-two-forms",
        kind=Kind.SECURITY,
        file=HASHER,
        old="lambda: self._matches(compared, form),",
        new="lambda: self._matches(compared, form)"
        " or self._matches(compared, _prepared(password)),",
        tests=(HASHES_TEST, "-k", "one_computation"),
    ),
    Mutant(
        id="imported-hash-compared-with-the-normalized-form",
        kind=Kind.SECURITY,
        file=HASHER,
        old="password.encode() if imported else _prepared(password)",
        new="_prepared(password)",
        tests=(HASHES_TEST, "-k", "as_it_was_typed"),
    ),
    Mutant(
        id="imported-salt-that-bcrypt-refuses",
        kind=Kind.SECURITY,
        file=HASHES,
        old="            and bcrypt[2][-1] in _BCRYPT_SALT_ENDS\n",
        new="",
        tests=(HASHES_TEST, "-k", "every_accepted_hash"),
    ),
    Mutant(
        id="hash-that-cannot-be-compared-is-an-error",
        kind=Kind.SECURITY,
        file=HASHER,
        old="        except (Argon2Error, ValueError):\n",
        new="        except Argon2Error:\n",
        tests=(USERS_TEST, "-k", "cannot_be_compared"),
    ),
    Mutant(
        id="provisioning-changes-the-owner",
        kind=Kind.SECURITY,
        file=MEMBERS,
        old="    if _is_owner(at, member) and (role is not None or end != member.expires_at):\n",
        new="    if _is_owner(at, member) and role is not None:\n",
        tests=(MEMBERS_TEST, "-k", "one_entry_is_refused"),
    ),
    Mutant(
        id="client-is-not-bound-to-the-account",
        kind=Kind.SECURITY,
        file="services/team/routes/account_routes.py",
        old="            require_account(call.principal.account_ids, call.account_id)\n",
        new="",
        tests=("tests/services/team/test_provisioning_clients.py", "-k", "bound_to"),
    ),
    Mutant(
        id="provisioned-members-beyond-the-limit",
        kind=Kind.LIMIT,
        file="services/team/use_cases/provisioning.py",
        old="taken = replace(at, account=done.account), taken + done.seats\n",
        new="taken = replace(at, account=done.account), taken\n",
        tests=(MEMBERS_TEST, "-k", "limit_is_exact"),
    ),
    Mutant(
        id="invitations-keep-an-inviter-whom-provisioning-removed",
        kind=Kind.SECURITY,
        file="services/team/use_cases/provisioning.py",
        old="        if saves.changed:\n",
        new="        if saves.closed:\n",
        tests=(MEMBERS_TEST, "-k", "pass_to_the_owner"),
    ),
    Mutant(
        id="provisioned-page-is-acknowledged-before-it-is-in-force",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/provisioning.py",
        old="last=number == len(pages))\n",
        new="last=number == 0)\n",
        tests=(MEMBERS_TEST, "-k", "acknowledged_once"),
    ),
    Mutant(
        id="burst-of-rows-in-one-turn",
        kind=Kind.LIMIT,
        file="shared/following/followers.py",
        old="            await asyncio.sleep(0)\n",
        new="",
        tests=("tests/shared/following/test_followers.py",),
    ),
    Mutant(
        id="changed-member-loses-overrides",
        kind=Kind.SECURITY,
        file="services/authz/domain/account_objects.py",
        old="            if override.user_id in users:\n",
        new="            if override.user_id not in users:\n",
        tests=("tests/services/authz/test_policy_state.py", "-k", "that_of_a_snapshot"),
    ),
    Mutant(
        id="guardrail-refuses-an-innocent-entry",
        kind=Kind.LIMIT,
        file="services/team/domain/named_entries.py",
        old="        if one.refusal is None and one.user_id in refusals\n",
        new="        if one.refusal is None and refusals\n",
        tests=(GUARDRAILS_TEST, "-k", "told_its_counterexample"),
    ),
    Mutant(
        id="dry-run-forgets-the-pages-before",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/provisioning.py",
        old="            self._tried_facts += self._dry.facts\n",
        new="",
        tests=(GUARDRAILS_TEST, "-k", "last_admins_stay"),
    ),
    Mutant(
        id="half-page-is-acknowledged-before-it-is-in-force",
        kind=Kind.CONSISTENCY,
        file="services/team/use_cases/provisioning.py",
        old="        second = await self._write(named[middle:], last=last)\n",
        new="        second = await self._write(named[middle:], last=False)\n",
        tests=(GUARDRAILS_TEST, "-k", "waits_for_the_earlier_ones"),
    ),
    Mutant(
        id="suspended-account-is-provisioned",
        kind=Kind.SECURITY,
        file="services/team/domain/account_access.py",
        old="    if account.status is not AccountStatus.ACTIVE:\n        raise SuspendedAccount\n",
        new="",
        tests=(GUARDRAILS_TEST, "-k", "closed_account"),
    ),
)
