"""Whether a member may see all of an account's policy."""

from collections.abc import Sequence
from dataclasses import replace

from rolecall import AccountState, Subject, decide, milliseconds
from services.team.domain.account_access import AccountAccess, seen_projects
from services.team.domain.projects import Project
from shared.auth.api_token_refusals import TokenRestricted
from shared.problems import PermissionMissing


def require_held_everywhere(
    access: AccountAccess,
    permissions: Sequence[str],
    projects: Sequence[Project],
    in_projects: str,
) -> None:
    """Check that the acting member holds the permissions, and `in_projects` in each project.

    Raises:
        PermissionMissing: they do not.
        TokenRestricted: they do, and their API token does not reach it.
    """
    for permission in permissions:
        if not _holds(access, access.state, permission):
            unrestricted = access.unrestricted
            if unrestricted is not None and _holds(access, unrestricted, permission):
                raise TokenRestricted(permission)
            raise PermissionMissing(permission)
    if len(seen_projects(access, projects, in_projects)) < len(projects):
        whole = replace(access, state=access.unrestricted or access.state)
        if len(seen_projects(whole, projects, in_projects)) == len(projects):
            raise TokenRestricted(in_projects)
        raise PermissionMissing(in_projects)


def _holds(access: AccountAccess, state: AccountState, permission: str) -> bool:
    now = milliseconds(access.now)
    return decide(state, Subject(access.membership.user_id), permission, now=now).allowed
