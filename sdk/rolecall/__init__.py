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
from rolecall.core.condition_facts import NO_PROPERTIES, NOTHING_GIVEN, Facts, Given, Properties
from rolecall.core.conditions import Condition, ConditionTest
from rolecall.core.control_permissions import CONTROL_PERMISSIONS, PROJECT_PERMISSIONS
from rolecall.core.decide import (
    check_facts,
    decide,
    effective_matrix,
    effective_table,
    is_outsider,
    membership_denial,
)
from rolecall.core.decision import NO_ACCOUNT, Decision, Reason
from rolecall.core.grants import offered
from rolecall.core.level_grants import (
    Alternative,
    LevelGrant,
    Scope,
    alternatives,
    exceeds,
    grant_text,
    is_conditional,
    read_grant,
    widest,
    written_grant,
)
from rolecall.core.masks import Matrix
from rolecall.core.matrix import CompiledCatalog, CompiledPermission, Grant, RoleFields
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
from rolecall.core.table import Entry, Grants, Level, Role, Section

__all__ = [
    "CONTROL_PERMISSIONS",
    "NOTHING_GIVEN",
    "NO_ACCOUNT",
    "NO_PROPERTIES",
    "PROJECT_PERMISSIONS",
    "SHIPPED_CATALOGS",
    "AccountKind",
    "AccountState",
    "AccountStatus",
    "AfterExpiry",
    "Alternative",
    "Catalog",
    "CatalogError",
    "CheckDecision",
    "CompiledCatalog",
    "CompiledPermission",
    "Condition",
    "ConditionTest",
    "Conversion",
    "Decision",
    "Delivery",
    "Entry",
    "Facts",
    "Features",
    "Given",
    "Grant",
    "Grants",
    "InvitationPolicy",
    "Level",
    "LevelGrant",
    "Matrix",
    "Member",
    "MembershipFields",
    "MembershipStatus",
    "Override",
    "OverrideFields",
    "Policies",
    "Problem",
    "Properties",
    "Reason",
    "RegisteredResources",
    "Resource",
    "Role",
    "RoleFields",
    "RolecallClient",
    "Scope",
    "Section",
    "Subject",
    "UndecidedError",
    "Words",
    "alternatives",
    "build_account",
    "build_member",
    "check_facts",
    "decide",
    "effective_matrix",
    "effective_table",
    "exceeds",
    "grant_text",
    "is_conditional",
    "is_outsider",
    "load_catalog",
    "membership_denial",
    "milliseconds",
    "mixed_word",
    "offered",
    "parse_catalog",
    "read_catalog",
    "read_grant",
    "require_own_name",
    "widest",
    "written_grant",
]
