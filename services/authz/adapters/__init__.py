"""What authz tells other services."""
