"""What would turn a denial into an allow."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rolecall.core.condition_facts import AnyGiven
from rolecall.core.condition_work import ConditionWork
from rolecall.core.decide import decide, located
from rolecall.core.decision import Decision, Reason
from rolecall.core.explain import role_title
from rolecall.core.level_grants import Scope
from rolecall.core.masks import Matrix
from rolecall.core.parts import Parts, StepCount, whole
from rolecall.core.problems import CatalogError
from rolecall.core.restrictions import has_api_tokens, withheld_by
from rolecall.core.state import AccountState, AnyResource, Member, Override, Subject

ROLE_STEPS = 10
"""As how many steps a role that is tried counts, apart from its conditions."""


@dataclass(frozen=True, slots=True)
class OverrideRemedy:
    """An override that would allow: it has to have these grants, and may have more."""

    project_id: str
    grants: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Remedies:
    """What would allow: one of the roles, or the override. `text` says it, and what else would.

    `roles` are ids of roles that can be assigned. Both are empty where no grant would help.
    """

    text: str
    roles: tuple[str, ...] = ()
    override: OverrideRemedy | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """A check that was denied, and the moment of it in epoch milliseconds."""

    account: AccountState
    subject: Subject
    permission: str
    resource: AnyResource
    decision: Decision
    now: int
    given: AnyGiven | None = None
    with_factor: Container[str] = ()
    """The users with a second factor."""
    work: ConditionWork = field(default_factory=ConditionWork, compare=False, repr=False)

    def allowed_to(self, member: Member) -> bool:
        """Whether the check would be allowed to the subject with this membership.

        What is wrong with the sign-in is left out: no membership mends it.
        """
        changed = replace(self.account, members={member.user_id: member})
        subject = Subject(self.subject.user_id, token=self.subject.token, second_factor=True)
        return decide(
            changed,
            subject,
            self.permission,
            self.resource,
            now=self.now,
            given=self.given,
            work=self.work,
        ).allowed


_BY_GRANTS = frozenset(
    {
        Reason.PERMISSION_MISSING,
        Reason.OWNER_UNKNOWN,
        Reason.NOT_OWNER,
        Reason.CONDITION_FAILED,
    }
)
_OTHER_TOKEN = "Use an API token whose restriction includes it."  # noqa: S105 - a sentence
_TEXTS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NO_ACCOUNT: "Name the account of the resource, and check its id.",
        Reason.ACCOUNT_SUSPENDED: "The platform has to resume the account.",
        Reason.ACCOUNT_DELETING: "The owner has to restore the account.",
        Reason.USER_DISABLED: "The platform has to enable the user.",
        Reason.SESSION_ENDED: "The user has to sign in again.",
        Reason.MEMBERSHIP_SUSPENDED: "A member who may change members has to resume it.",
        Reason.MEMBERSHIP_EXPIRED: "A member who may change members has to give it a later end.",
        Reason.SECOND_FACTOR_REQUIRED: "The user has to add a second factor: an app with"
        " POST /v1/me/mfa/totp, or a passkey with POST /v1/me/passkey-challenges.",
        Reason.PERMISSION_UNKNOWN: "No role has it. Check the name of the permission.",
        Reason.RESOURCE_CONFLICT: "Leave the owner and project out: those of the resource count.",
        Reason.PROJECT_UNKNOWN: "Name one of the account's {projects}.",
        Reason.TOKEN_RESTRICTED: _OTHER_TOKEN,
    }
)
"""What helps where no grant does."""
_WITHOUT_GRANT: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.OWNER_UNKNOWN: "Name the owner of the resource: the user may do it to their own.",
        Reason.NOT_OWNER: "The check would be allowed if the resource were the user's own.",
        Reason.CONDITION_FAILED: "The check would be allowed if the grant's condition were met.",
    }
)
"""What helps besides another grant."""


def remedies(denial: Denial, *, with_custom_roles: bool = True) -> Remedies:
    """What would allow a check that was denied. Each role and override was tried with `decide`.

    Without `with_custom_roles` only the roles of the catalog are named.
    """
    return whole(remedies_in_parts(denial, with_custom_roles=with_custom_roles))


def remedies_in_parts(denial: Denial, *, with_custom_roles: bool) -> Parts[Remedies]:
    """The same, in parts."""
    account, reason = denial.account, denial.decision.reason
    if reason is not Reason.NOT_A_MEMBER and reason not in _BY_GRANTS:
        words = account.catalog.catalog.policies.words
        return Remedies(_TEXTS[reason].format(projects=words.projects))
    if denial.subject.token is not None:
        text = _token_text(denial)
        if text is not None:
            return Remedies(text)
    roles = yield from _roles(denial, with_custom_roles=with_custom_roles)
    override = _override(denial)
    sentences = _sentences(denial, roles, override)
    text = " ".join(sentences) or "No role of the account would allow it."
    return Remedies(text, roles, override)


def _token_text(denial: Denial) -> str | None:
    """What an API token needs that no grant to its creator gives; `None` if nothing."""
    account, token = denial.account, denial.subject.token
    if denial.decision.reason is Reason.NOT_A_MEMBER:
        if not has_api_tokens(account.catalog):
            return "The account would need a catalog with API tokens."
        return "Nothing revives this API token. An active member has to make another one."
    held = account.catalog.permissions.get(denial.permission)
    if token is None or held is None:
        return None
    place = located(account, held, denial.resource) or denial.resource
    if withheld_by(account.catalog, token.restriction, held, place.project_id):
        return f"The restriction of the API token leaves it out as well. {_OTHER_TOKEN}"
    return None


def _sentences(
    denial: Denial, roles: tuple[str, ...], override: OverrideRemedy | None
) -> Iterator[str]:
    """Each way by itself, as an alternative to the ones before it: what needs no grant is first."""
    account, reason = denial.account, denial.decision.reason
    without_grant = _WITHOUT_GRANT.get(reason)
    if without_grant is not None:
        yield without_grant
    if roles:
        article = "A" if reason is Reason.NOT_A_MEMBER else "The"
        beginning = f"{article} membership" if without_grant is None else "Otherwise the membership"
        one = "the role" if len(roles) == 1 else "one of the roles"
        titles = ", ".join(role_title(account, role) for role in roles)
        yield f"{beginning} would need {one} {titles}."
    if override is not None:
        word = account.catalog.catalog.policies.words.project
        [(entry, levels)] = override.grants.items()
        granted = ", ".join(f"{entry}:{level}" for level in levels)
        also = "also " if roles or without_grant is not None else ""
        yield f"An override in the {word} that grants {granted} would {also}do."
        yield "It replaces the role there, so it has to name all that the member keeps."


def _roles(denial: Denial, *, with_custom_roles: bool) -> Parts[tuple[str, ...]]:
    account, user_id = denial.account, denial.subject.user_id
    if user_id == account.owner_user_id:
        return ()
    member = account.members.get(user_id)
    offered = account.catalog.all_roles() if with_custom_roles else account.catalog.catalog.roles
    found, count = [], StepCount()
    for role in offered:
        matrix = account.catalog.matrix(role.id)
        if matrix is None or not role.assignable:
            continue
        before = denial.work.steps
        if denial.allowed_to(
            Member(user_id, matrix) if member is None else replace(member, role=matrix)
        ):
            found.append(role.id)
        if count.pauses_after(ROLE_STEPS + denial.work.steps - before):
            yield
    return tuple(found)


def _override(denial: Denial) -> OverrideRemedy | None:
    """The smallest override that would allow, if the member can have one."""
    account, user_id = denial.account, denial.subject.user_id
    catalog = account.catalog
    member, held = account.members.get(user_id), catalog.permissions.get(denial.permission)
    if member is None or held is None or user_id == account.owner_user_id:
        return None
    if not held.project_scoped or not catalog.catalog.policies.features.overrides:
        return None
    place = located(account, held, denial.resource)
    if place is None or place.project_id is None:
        return None
    [grant] = catalog.grants_of(Matrix(source="", all_mask=held.bit, self_mask=0))
    for scope in (Scope.SELF, Scope.ALL):
        grants = {grant.entry: {grant.level: scope}}
        try:
            parsed = catalog.catalog.parse_grants(grants, within_project=True)
        except CatalogError:
            continue  # the level does not offer the scope, or the entry is account-wide
        override = Override(catalog.override_matrix(place.project_id, parsed))
        overrides = {**member.overrides, place.project_id: override}
        if denial.allowed_to(replace(member, terms=replace(member.terms, overrides=overrides))):
            shown = {grant.entry: {grant.level: scope.value}}
            return OverrideRemedy(place.project_id, shown)
    return None
