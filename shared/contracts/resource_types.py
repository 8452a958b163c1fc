"""The types of the resources that Rolecall's own facts are about."""

RESOURCE_TYPES = frozenset(
    {
        *("account", "api_token", "audit_log", "catalog", "fact", "guardrail", "invitation"),
        *("journal", "log_stream", "member", "message", "notification_preferences", "override"),
        *("project", "role", "saved_search", "service_client", "session", "sign_up"),
        *("signing_key", "sso_connection", "user", "webhook"),
    }
)
"""A test compares them with each `ResourceRef` of the code."""
