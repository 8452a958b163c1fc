"""Which routes does team have, what do they take, give and refuse, and who may call them?"""

from services.team.routes import accounts, internal, invitations, members, projects

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (*accounts.ROUTES, *members.ROUTES, *invitations.ROUTES, *projects.ROUTES)
INTERNAL_ROUTES = internal.ROUTES
