"""The ROUTES tables of team, for the public and the internal API."""

from services.team.routes import (
    account_deletion,
    account_suspension,
    accounts,
    catalog_moves,
    catalogs,
    connection_joins,
    guardrails,
    internal,
    invitation_acceptance,
    invitations,
    member_access,
    member_list,
    members,
    overrides,
    ownership,
    policy,
    previews,
    projects,
    provisioning,
    resources,
    reverting,
    roles,
)

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

_ROWS = (
    *accounts.ROUTES,
    *catalog_moves.ROUTES,
    *reverting.ROUTES,
    *account_deletion.ROUTES,
    *ownership.ROUTES,
    *roles.ROUTES,
    *member_list.ROUTES,
    *members.ROUTES,
    *member_access.ROUTES,
    *invitations.ROUTES,
    *invitation_acceptance.ROUTES,
    *projects.ROUTES,
    *overrides.ROUTES,
    *provisioning.ROUTES,
    *resources.ROUTES,
    *guardrails.ROUTES,
    *previews.ROUTES,
    *policy.ROUTES,
)
ROUTES = tuple(guardrails.bound(row) for row in _ROWS)
INTERNAL_ROUTES = (
    *internal.ROUTES,
    *connection_joins.ROUTES,
    *catalogs.ROUTES,
    *account_suspension.ROUTES,
)
