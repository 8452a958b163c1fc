"""The rules of accounts, members, invitations, projects and overrides: pure, without I/O."""
