"""The public names of the SDK; everything else may change without notice."""

from rolecall.client.checks import CheckDecision, RolecallClient, UndecidedError
from rolecall.core.build import (
    MembershipFields,
    OverrideFields,
    build_account,
    build_member,
    milliseconds,
)
from rolecall.core.catalog import (
    SHIPPED_CATALOGS,
    Catalog,
    load_catalog,
    parse_catalog,
    read_catalog,
    require_own_name,
)
from rolecall.core.decide import (
    decide,
    effective_matrix,
    effective_table,
    is_outsider,
    membership_denial,
)
from rolecall.core.decision import NO_ACCOUNT, Decision, Reason
from rolecall.core.explain import Explanation, Step, StepId, StepResult, explain, explain_denial
from rolecall.core.giving import grants_not_held, grants_not_held_inside, lasts_until
from rolecall.core.matrix import CompiledCatalog, CompiledPermission, Grant, Matrix, RoleFields
from rolecall.core.mixed_alphabets import mixed_word
from rolecall.core.policies import (
    AfterExpiry,
    Conversion,
    Delivery,
    Features,
    InvitationPolicy,
    Policies,
    Words,
)
from rolecall.core.problems import CatalogError, Problem
from rolecall.core.registered import RegisteredResources
from rolecall.core.remedies import (
    Denial,
    Grantor,
    Grantors,
    OverrideRemedy,
    Remedies,
    grantors,
    remedies,
)
from rolecall.core.rules import CONTROL_PERMISSIONS, PROJECT_PERMISSIONS
from rolecall.core.state import (
    AccountKind,
    AccountState,
    AccountStatus,
    Member,
    MembershipStatus,
    Override,
    Resource,
    Subject,
)
from rolecall.core.table import Entry, Grants, Level, Role, Scope, Section

__all__ = [
    "CONTROL_PERMISSIONS",
    "NO_ACCOUNT",
    "PROJECT_PERMISSIONS",
    "SHIPPED_CATALOGS",
    "AccountKind",
    "AccountState",
    "AccountStatus",
    "AfterExpiry",
    "Catalog",
    "CatalogError",
    "CheckDecision",
    "CompiledCatalog",
    "CompiledPermission",
    "Conversion",
    "Decision",
    "Delivery",
    "Denial",
    "Entry",
    "Explanation",
    "Features",
    "Grant",
    "Grantor",
    "Grantors",
    "Grants",
    "InvitationPolicy",
    "Level",
    "Matrix",
    "Member",
    "MembershipFields",
    "MembershipStatus",
    "Override",
    "OverrideFields",
    "OverrideRemedy",
    "Policies",
    "Problem",
    "Reason",
    "RegisteredResources",
    "Remedies",
    "Resource",
    "Role",
    "RoleFields",
    "RolecallClient",
    "Scope",
    "Section",
    "Step",
    "StepId",
    "StepResult",
    "Subject",
    "UndecidedError",
    "Words",
    "build_account",
    "build_member",
    "decide",
    "effective_matrix",
    "effective_table",
    "explain",
    "explain_denial",
    "grantors",
    "grants_not_held",
    "grants_not_held_inside",
    "is_outsider",
    "lasts_until",
    "load_catalog",
    "membership_denial",
    "milliseconds",
    "mixed_word",
    "parse_catalog",
    "read_catalog",
    "remedies",
    "require_own_name",
]
