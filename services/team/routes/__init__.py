"""Which routes does team have, what do they take, give and refuse, and who may call them?"""

from services.team.routes import accounts, internal, invitations, joining, members, projects, roles

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (
    *accounts.ROUTES,
    *roles.ROUTES,
    *members.ROUTES,
    *invitations.ROUTES,
    *joining.ROUTES,
    *projects.ROUTES,
)
INTERNAL_ROUTES = internal.ROUTES
