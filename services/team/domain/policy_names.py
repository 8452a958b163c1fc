"""What the names in a policy file stand for, and what is wrong with them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from services.team.domain.custom_roles import parse_role_grants
from services.team.domain.members import Membership
from services.team.domain.overrides import grants_as_json, parse_grants
from services.team.domain.policy_files import (
    PolicyFile,
    PolicyGuardrail,
    PolicyMember,
    PolicyOverride,
    PolicyRole,
    PolicyRows,
    catalog_name,
    policy_of,
)
from shared.addresses import parse_address
from shared.ids import UserId
from shared.names import name_key
from shared.problems import Invalid

MAX_NAMED = 20
"""How many names a message lists."""
MAX_FAULTS = 20
Resolved = tuple[PolicyFile, Sequence[Membership]]


class PolicyNames:
    """Reads the names of a file as the account has them, and collects what is wrong."""

    def __init__(self, rows: PolicyRows, wanted: PolicyFile) -> None:
        self._rows = rows
        self._wanted = wanted
        self._errors: list[tuple[str, str]] = []
        now = policy_of(rows)
        custom = (now.roles if wanted.roles is None else wanted.roles) or ()
        own = {str(role.role_id) for role in rows.account.roles}
        self._roles = {role.id: role.id for role in rows.catalog.all_roles() if role.id not in own}
        self._roles |= {name_key(role.name): role.name for role in custom}
        projects = (now.projects if wanted.projects is None else wanted.projects) or ()
        self._projects = {name_key(name): name for name in projects}
        # What is gone is named by its id, and only a rule may go on naming it.
        self._gone = {
            name
            for guardrail in now.guardrails or ()
            for name in (*guardrail.rule.roles, guardrail.rule.project or "")
            if name.startswith(("rol_", "prj_"))
        }
        self._by_address: dict[str, list[Membership]] = {}
        self._by_external_id: dict[str, list[Membership]] = {}
        for one in rows.members:
            self._by_address.setdefault(one.email_key, []).append(one)
            if one.external_id is not None:
                self._by_external_id.setdefault(one.external_id, []).append(one)

    def resolved(self) -> Resolved:
        """The file with every name as the account writes it, and the members whom it lists.

        Raises:
            Invalid: with a pointer to each fault.
        """
        wanted, rows = self._wanted, self._rows
        if wanted.catalog not in (None, catalog_name(rows.account)):
            message = f"The account has the catalog `{catalog_name(rows.account)}`."
            self._fault("/policy/catalog", f"{message} Move the account first.")
        for part, names in (
            ("roles", [role.name for role in wanted.roles or ()]),
            ("projects", list(wanted.projects or ())),
        ):
            self._require_different(f"/policy/{part}", map(name_key, names))
        roles = [self._role_text(*each) for each in enumerate(wanted.roles or ())]
        found = [self._member(*each) for each in enumerate(wanted.members or ())]
        people = [membership for _, membership in found if membership is not None]
        members = [member for member, _ in found]
        users = [f"unknown-{n}" if one is None else one.user_id for n, (_, one) in enumerate(found)]
        self._require_different("/policy/members", users)
        guardrails = [self._guardrail(*each) for each in enumerate(wanted.guardrails or ())]
        if self._errors:
            raise Invalid(errors=self._errors)
        named = replace(
            wanted,
            roles=None if wanted.roles is None else tuple(roles),
            members=None if wanted.members is None else tuple(members),
            guardrails=None if wanted.guardrails is None else tuple(guardrails),
        )
        return named, people

    def _require_different(self, pointer: str, keys: Iterable[str]) -> None:
        seen: dict[str, int] = {}
        for number, key in enumerate(keys):
            if key in seen:
                message = f"This is listed twice, first at {pointer}/{seen[key]}. Remove one."
                self._fault(f"{pointer}/{number}", message)
            seen.setdefault(key, number)

    def _role_text(self, number: int, role: PolicyRole) -> PolicyRole:
        try:
            grants = parse_role_grants(self._rows.catalog.catalog, role.grants)
        except Invalid as invalid:
            self._add(f"/policy/roles/{number}", invalid)
            return role
        return replace(role, grants=grants)

    def _member(self, number: int, member: PolicyMember) -> tuple[PolicyMember, Membership | None]:
        pointer = f"/policy/members/{number}"
        role = self._role(f"{pointer}/role", member.role)
        overrides = None
        if member.overrides is not None:
            each = enumerate(member.overrides)
            there = [self._override(f"{pointer}/overrides/{at}", one) for at, one in each]
            keys = (name_key(override.project) for override in there)
            self._require_different(f"{pointer}/overrides", keys)
            overrides = tuple(one for one in there if not self._is_over(one))
        found = self._find(pointer, member)
        return replace(member, role=role, overrides=overrides), found

    def _is_over(self, override: PolicyOverride) -> bool:
        """Whether its time is over: it gives nothing, so it counts as not there."""
        return override.expires_at is not None and override.expires_at <= self._rows.now

    def _find(self, pointer: str, member: PolicyMember) -> Membership | None:
        """The member of that address or external id."""
        found: dict[UserId, Membership] = {}
        if member.external_id is not None:
            found |= {one.user_id: one for one in self._by_external_id.get(member.external_id, ())}
        if member.email is not None:
            try:
                key = parse_address(member.email).key
            except ValueError as error:
                self._fault(f"{pointer}/email", str(error))
                return None
            found |= {one.user_id: one for one in self._by_address.get(key, ())}
        if len(found) == 1:
            return next(iter(found.values()))
        message = "No member of the account has this address or external id. Invite them first."
        if found:
            message = "Several members have this address or external id. Name one of them."
        self._fault(pointer, message)
        return None

    def _override(self, pointer: str, override: PolicyOverride) -> PolicyOverride:
        project = self._project(f"{pointer}/project", override.project)
        try:
            grants = parse_grants(self._rows.catalog.catalog, override.grants)
        except Invalid as invalid:
            self._add(pointer, invalid)
            return replace(override, project=project)
        return replace(override, project=project, grants=grants_as_json(grants))

    def _guardrail(self, number: int, guardrail: PolicyGuardrail) -> PolicyGuardrail:
        rule, pointer = guardrail.rule, f"/policy/guardrails/{number}/rule"
        roles = tuple(
            role if role in self._gone else self._role(pointer, role) for role in rule.roles
        )
        project = rule.project
        if project is not None and project not in self._gone:
            project = self._project(f"{pointer}/project", project)
        rule = replace(rule, roles=tuple(dict.fromkeys(roles)), project=project)
        return replace(guardrail, rule=rule)

    def _role(self, pointer: str, text: str) -> str:
        known = self._roles.get(name_key(text)) or self._roles.get(text)
        if known is None:
            names = ", ".join(islice(self._roles.values(), MAX_NAMED))
            self._fault(pointer, f"The policy has no role `{text}`. Choose one of: {names}.")
        return known or text

    def _project(self, pointer: str, text: str) -> str:
        known = self._projects.get(name_key(text)) or self._projects.get(text)
        if known is None:
            names = ", ".join(islice(self._projects.values(), MAX_NAMED)) or "none"
            message = f"The policy has no project `{text}`. Its projects are: {names}."
            self._fault(pointer, message)
        return known or text

    def _add(self, pointer: str, invalid: Invalid) -> None:
        for error in invalid.errors:
            self._fault(f"{pointer}{error.pointer}", error.message)

    def _fault(self, pointer: str, message: str) -> None:
        """Add a fault; the last one that an answer tells ends the reading.

        Raises:
            Invalid: there are as many as an answer tells.
        """
        self._errors.append((pointer, message))
        if len(self._errors) >= MAX_FAULTS:
            raise Invalid(errors=self._errors)
