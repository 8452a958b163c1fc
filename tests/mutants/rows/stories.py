"""Mutants that the story of a provider notices: one for each story in `tests/e2e/stories`."""

from tests.mutants.mutant import Kind, Mutant

STORY = "tests/e2e/test_stories.py::test_the_story_of_each_provider_comes_true"

ROWS = (
    Mutant(
        id="revoked-link-of-an-invitation-works",
        kind=Kind.SECURITY,
        file="services/team/domain/invitations.py",
        old="    return replace(invitation, status=InvitationStatus.REVOKED), fact\n",
        new="    return invitation, fact\n",
        tests=(f"{STORY}[runpod]",),
    ),
    Mutant(
        id="member-of-two-projects-is-shown-all",
        kind=Kind.SECURITY,
        file="services/team/use_cases/projects.py",
        old="    return visible_projects(access, projects_of_account, permission)\n",
        new="    return projects_of_account\n",
        tests=(f"{STORY}[runos]",),
    ),
    Mutant(
        id="earlier-link-works-after-a-resend",
        kind=Kind.SECURITY,
        file="services/team/domain/invitations.py",
        old="(self.oldest_generation or self.generation) <= generation <= self.generation",
        new="generation <= self.generation",
        tests=(f"{STORY}[cloud-iam]",),
    ),
    Mutant(
        id="change-of-role-ends-no-session",
        kind=Kind.SECURITY,
        file="services/team/domain/members.py",
        old="ends_sessions=catalog.catalog.policies.role_change_ends_sessions",
        new="ends_sessions=False",
        tests=(f"{STORY}[novita]",),
    ),
)
