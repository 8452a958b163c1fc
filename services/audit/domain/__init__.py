"""The rules of audit, pure: records, and the decisions that authz counted."""
