"""The ROUTES tables of team, for the public and the internal API."""

from services.team.routes import (
    accounts,
    internal,
    invitation_acceptance,
    invitations,
    member_access,
    member_list,
    members,
    overrides,
    projects,
    roles,
)

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (
    *accounts.ROUTES,
    *roles.ROUTES,
    *member_list.ROUTES,
    *members.ROUTES,
    *member_access.ROUTES,
    *invitations.ROUTES,
    *invitation_acceptance.ROUTES,
    *projects.ROUTES,
    *overrides.ROUTES,
)
INTERNAL_ROUTES = internal.ROUTES
