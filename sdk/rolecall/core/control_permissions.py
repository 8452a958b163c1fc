"""The permissions of Rolecall's own API. A catalog assigns each of them to a level."""

# Every role holds it, so a member without it does not exist.
VIEW_ACCOUNT = "account:view"
MEMBER_PERMISSIONS = ("member:view", "member:invite", "member:update", "member:remove")
# Rights on one project. They are decided inside it; creating one is account-wide.
PROJECT_PERMISSIONS = ("project:view", "project:manage", "project:delete")
CREATE_PROJECT = "project:create"
API_TOKEN_PERMISSIONS = ("api_token:view", "api_token:manage")
CONTROL_PERMISSIONS = (
    VIEW_ACCOUNT,
    "account:update",
    *MEMBER_PERMISSIONS,
    "role:view",
    "role:manage",
    CREATE_PROJECT,
    *PROJECT_PERMISSIONS,
    *API_TOKEN_PERMISSIONS,
    "audit_log:view",
    "usage:view",
    "webhook:manage",
    "guardrail:manage",
    "review:manage",
)
