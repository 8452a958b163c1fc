"""Which parts of Rolecall may other programs build on?"""

from rolecall.core.catalog import SHIPPED, Catalog, load, read, read_text
from rolecall.core.decide import decide, effective_matrix, effective_table, membership_denial
from rolecall.core.decision import NO_ACCOUNT, Decision, Reason
from rolecall.core.matrix import CompiledCatalog, Grant, Matrix, Permission
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
from rolecall.core.rules import CONTROL_PERMISSIONS
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
    "SHIPPED",
    "AccountKind",
    "AccountState",
    "AccountStatus",
    "AfterExpiry",
    "Catalog",
    "CatalogError",
    "CompiledCatalog",
    "Conversion",
    "Decision",
    "Delivery",
    "Entry",
    "Features",
    "Grant",
    "Grants",
    "InvitationPolicy",
    "Level",
    "Matrix",
    "Member",
    "MembershipStatus",
    "Override",
    "Permission",
    "Policies",
    "Problem",
    "Reason",
    "Resource",
    "Role",
    "Scope",
    "Section",
    "Subject",
    "Words",
    "decide",
    "effective_matrix",
    "effective_table",
    "load",
    "membership_denial",
    "read",
    "read_text",
]
