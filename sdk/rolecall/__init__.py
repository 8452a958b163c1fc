"""Which parts of Rolecall may other programs build on?"""

from rolecall.catalog import SHIPPED, Catalog, load, read, read_text
from rolecall.decide import decide, effective_matrix, effective_table, standing
from rolecall.decision import NO_ACCOUNT, Decision, Reason
from rolecall.matrix import CompiledCatalog, Grant, Matrix, Permission
from rolecall.policies import (
    AfterExpiry,
    Conversion,
    Delivery,
    Features,
    InvitationPolicy,
    Policies,
    Words,
)
from rolecall.problems import CatalogError, Problem
from rolecall.rules import CONTROL_PERMISSIONS
from rolecall.state import (
    AccountKind,
    AccountState,
    AccountStatus,
    Member,
    MembershipStatus,
    Override,
    Resource,
    Subject,
)
from rolecall.table import Entry, Grants, Level, Role, Scope, Section

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
    "read",
    "read_text",
    "standing",
]
