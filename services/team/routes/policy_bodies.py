"""Policy files in requests and answers; a field that they do not have is refused."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt

from services.team.domain.guardrails import GuardrailKind
from services.team.domain.policy_steps import PolicyStepKind
from services.team.routes.accounts import DisplayName
from services.team.routes.grant_bodies import GivenGrants, Grants
from services.team.routes.guardrails import PermissionName
from services.team.routes.preview_views import PreviewView
from services.team.routes.roles import Description, RoleName
from shared.http.entity_tags import TaggedAnswer
from shared.http.moments import StoredMoment
from shared.http.routes import Answer, Body

POLICY_CAP_BYTES = 512 * 1024
ProjectText = Annotated[str, Field(min_length=1, max_length=400, description="Its name")]
RoleText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=400,
        description="The name of a custom role, or the id of one of the catalog",
    ),
]


class PolicyRoleBody(Body):
    """A custom role; its name tells which one it is."""

    name: RoleName
    description: Description = ""
    grants: GivenGrants


class PolicyProjectBody(Body):
    """A project; its name tells which one it is."""

    name: DisplayName


class PolicyOverrideBody(Body):
    """A member's grants inside a project. One that is over counts as not there."""

    project: ProjectText
    grants: GivenGrants
    expires_at: StoredMoment | None = None


class PolicyMemberBody(Body):
    """A member, by address or external id; without `overrides` theirs stay as they are."""

    email: str | None = Field(default=None, min_length=1, max_length=320)
    external_id: str | None = Field(default=None, min_length=1, max_length=256)
    role: RoleText
    overrides: list[PolicyOverrideBody] | None = Field(default=None, max_length=1_000)


class PolicyMinimumHolders(Body):
    """As `minimum_holders` of a guardrail, with names."""

    type: Literal["minimum_holders"]
    minimum: int = Field(ge=1, le=1_000)
    role: RoleText | None = None
    permission: PermissionName | None = None
    project: ProjectText | None = None


class PolicyOnlyRoles(Body):
    """As `only_roles` of a guardrail, with names."""

    type: Literal["only_roles"]
    permission: PermissionName
    roles: list[RoleText] = Field(min_length=1, max_length=20)
    project: ProjectText | None = None


class PolicyNever(Body):
    """As `never` of a guardrail, with names."""

    type: Literal["never"]
    permission: PermissionName
    role: RoleText
    project: ProjectText | None = None


AnyPolicyRule = PolicyMinimumHolders | PolicyOnlyRoles | PolicyNever


class PolicyGuardrailBody(Body):
    """A guardrail."""

    name: DisplayName
    rule: AnyPolicyRule = Field(discriminator="type")


class PolicyBody(Body):
    """The policy of an account. A part that is left out stays as it is.

    `roles`, `projects` and `guardrails` are all that the account has afterwards. `members` has some
    or all of the members: those who are not listed stay as they are.
    """

    version: StrictInt = Field(ge=1, le=1)
    catalog: str | None = Field(default=None, min_length=1, max_length=200)
    roles: list[PolicyRoleBody] | None = Field(default=None, max_length=500)
    projects: list[PolicyProjectBody] | None = Field(default=None, max_length=5_000)
    members: list[PolicyMemberBody] | None = Field(default=None, max_length=5_000)
    guardrails: list[PolicyGuardrailBody] | None = Field(default=None, max_length=100)


class GivenPolicy(Body):
    """A policy file."""

    policy: PolicyBody


class PolicyRoleView(Answer):
    """A custom role."""

    name: str
    description: str
    grants: Grants


class PolicyProjectView(Answer):
    """A project."""

    name: str


class PolicyOverrideView(Answer):
    """A member's grants inside a project."""

    project: str
    grants: Grants
    expires_at: datetime | None = None


class PolicyMemberView(Answer):
    """A member other than the owner."""

    email: str
    role: str
    overrides: list[PolicyOverrideView]


class PolicyRuleView(Answer):
    """A guardrail's rule; what its type does not have is left out of a file."""

    type: GuardrailKind
    minimum: int | None
    permission: str | None
    role: str | None
    roles: list[str] | None
    project: str | None


class PolicyGuardrailView(Answer):
    """A guardrail."""

    name: str
    rule: PolicyRuleView


class PolicyContentView(Answer):
    """The policy of an account, with names in place of ids."""

    version: Literal[1] = 1
    catalog: str
    roles: list[PolicyRoleView]
    projects: list[PolicyProjectView]
    members: list[PolicyMemberView]
    guardrails: list[PolicyGuardrailView]


class PolicyView(TaggedAnswer):
    """The policy of an account as of one revision of it.

    Without its nulls, `policy` is what the other routes of policies take.
    """

    beside_the_state = frozenset({"account_rev"})

    account_rev: int
    policy: PolicyContentView


class PolicyChangeView(Answer):
    """One change: its kind, its place in the file, and the state before and after it.

    `name` is that of the role, project or guardrail, or the address of the member.
    """

    type: PolicyStepKind
    name: str
    project: str | None
    pointer: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class PolicyPlanView(PreviewView):
    """The changes in their order, and what they give and take together, as in a preview.

    `policy_id` is a digest of what the file says. It is the reason in the audit record of each
    change that applying the file makes.
    """

    policy_id: str
    changes: list[PolicyChangeView]


class AppliedPolicyView(PolicyView):
    """The policy from now on, and the changes that were made; none if it was so before."""

    beside_the_state = frozenset({"account_rev", "policy_id", "changes"})

    policy_id: str
    changes: list[PolicyChangeView]
