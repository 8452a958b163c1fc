"""Accounts, memberships, invitations, projects and overrides."""
